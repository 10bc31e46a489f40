"""A password hasher that counts its work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.auth.hashers import BasePasswordHasher


class CountingHasher(BasePasswordHasher):
    """One hash per ``encode``, one per ``verify``; both are counted for all instances."""

    algorithm = "counting"
    work: ClassVar[int] = 0

    def encode(self, password: str, salt: str) -> str:
        return f"{self.algorithm}${salt}${self._hash(password, salt)}"

    def verify(self, password: str, encoded: str) -> bool:
        _, salt, expected = encoded.split("$")
        return self._hash(password, salt) == expected

    def must_update(self, encoded: str) -> bool:
        return False

    def safe_summary(self, encoded: str) -> dict[str, Any]:
        return {}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """No two strengths, no difference to even out."""

    def _hash(self, password: str, salt: str) -> str:
        CountingHasher.work += 1
        return hashlib.sha256(f"{salt}{password}".encode()).hexdigest()


class MeanwhileHasher(CountingHasher):
    """Something happens while a password is being verified, after it was found right or wrong."""

    algorithm = "meanwhile"
    act: ClassVar[Callable[[], object] | None] = None

    def verify(self, password: str, encoded: str) -> bool:
        found = super().verify(password, encoded)
        act, MeanwhileHasher.act = MeanwhileHasher.act, None
        if act is not None:
            act()
        return found
