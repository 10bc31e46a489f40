"""Caches that fail."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.locmem import LocMemCache


class FailingCache(LocMemCache):
    """Fails while it is told to, and tells how often it was asked.

    Attributes:
        error: what it raises; None when it works.
        swallows: answers nothing instead of raising, as some libraries do.
        asked: how often it was.
    """

    error: Exception | None = None
    swallows = False
    asked = 0

    def _ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        type(self).asked += 1
        if self.swallows:
            return {} if name == "get_many" else None
        if self.error is not None:
            raise self.error
        return getattr(super(), name)(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("add", *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("incr", *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get", *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get_many", *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("set_many", *args, **kwargs)
