"""A cache in the site's database that counts exactly, for sites without Redis or Memcached.

Django's own database cache reads a number, adds to it and writes it back, so that of two requests
at once one goes uncounted. Here the database adds. Use it as any other backend, without
``createcachetable``: the table is one of ours. ::

    CACHES = {"default": {"BACKEND": "django_account.limits.cache.AtomicDatabaseCache"}}
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import IntegrityError, connections, router, transaction
from django.db.models import F

from django_account.core.crypto import digest

if TYPE_CHECKING:
    from django_account.limits.models import CacheEntry, CacheEntryQuerySet

# What a BigIntegerField holds.
_MAX_NUMBER = 2**63 - 1

_ADD = """
INSERT INTO {table} ({key}, {number}, {pickled}, {expires_at}) VALUES (%s, %s, %s, %s)
ON CONFLICT ({key}) DO UPDATE SET
{number} = excluded.{number}, {pickled} = excluded.{pickled}, {expires_at} = excluded.{expires_at}
WHERE {table}.{expires_at} <= %s
RETURNING 1
"""

_INCR = """
UPDATE {table} SET {number} = {number} + %s
WHERE {key} = %s AND {expires_at} > %s AND {number} IS NOT NULL
RETURNING {number}
"""


class AtomicDatabaseCache(BaseCache):
    """Numbers are kept as numbers, everything else as pickles, as Django's own backend does.

    Nothing is ever dropped to make room: a counter that is dropped lets people through.
    ``manage.py clearaccounts`` deletes what has expired.

    Args:
        location: not used.
        params: as of every backend; ``MAX_ENTRIES`` has no effect.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    @cached_property
    def _model(self) -> type[CacheEntry]:
        # Caches are made before the models are, where a site asks for one early.
        from django_account.limits.models import CacheEntry

        return CacheEntry

    @property
    def _entries(self) -> CacheEntryQuerySet:
        return self._model.objects.using(self._alias)

    @property
    def _alias(self) -> str:
        # Written and read in one place: a replica would count late.
        return router.db_for_write(self._model)

    def _key(self, key: str, version: int | None) -> str:
        full: str = self.make_key(key, version)
        return digest(full)

    def _entry(self, key: str, value: Any, timeout: Any, version: int | None) -> CacheEntry:
        is_number = type(value) is int and abs(value) <= _MAX_NUMBER
        return self._model(
            key=self._key(key, version),
            number=value if is_number else None,
            pickled=None if is_number else pickle.dumps(value, pickle.HIGHEST_PROTOCOL),
            expires_at=self._moment(timeout),
        )

    def _moment(self, timeout: Any) -> int:
        seconds = self.get_backend_timeout(timeout)
        return _MAX_NUMBER if seconds is None else int(seconds * 1_000_000)

    def _run(self, sql: str, params: list[Any]) -> Any:
        """Run one of the statements above; the first column of the row it returns, or None."""
        connection = connections[self._alias]
        quote = connection.ops.quote_name
        names = {
            field.name: quote(str(field.column)) for field in self._model._meta.concrete_fields
        }
        with connection.cursor() as cursor:
            cursor.execute(sql.format(table=quote(self._model._meta.db_table), **names), params)
            row = cursor.fetchone()
        return row and row[0]

    @property
    def _returns(self) -> bool:
        """Whether the database tells what it has written; MySQL and MariaDB do not."""
        connection = connections[self._alias]
        return (
            connection.vendor in ("postgresql", "sqlite")
            and connection.features.can_return_rows_from_bulk_insert
        )

    def add(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Store a value if there is none. Of any number of callers at once, one is told True."""
        from django_account.limits.models import now

        entry = self._entry(key, value, timeout, version)
        if self._returns:
            connection = connections[self._alias]
            values = [
                field.get_db_prep_save(getattr(entry, field.attname), connection)
                for field in self._model._meta.concrete_fields
            ]
            return self._run(_ADD, [*values, now()]) is not None
        self._entries.expired().filter(key=entry.key).delete()
        try:
            with transaction.atomic(using=self._alias):
                entry.save(using=self._alias, force_insert=True)
        except IntegrityError:
            return False
        return True

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a number, exactly however many do so at once.

        Raises:
            ValueError: there is none, or something else.
        """
        from django_account.limits.models import now

        hashed = self._key(key, version)
        if self._returns:
            number = self._run(_INCR, [delta, hashed, now()])
        else:
            number = None
            found = self._entries.live().filter(key=hashed, number__isnull=False)
            # The UPDATE holds the row until the transaction ends: nobody adds before it is read.
            with transaction.atomic(using=self._alias):
                if found.update(number=F("number") + delta):
                    number = self._entries.values_list("number", flat=True).get(key=hashed)
        if number is None:
            raise ValueError(f"Key {key!r} not found, or no whole number")
        return int(number)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self.get_many([key], version).get(key, default)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        hashed = {self._key(key, version): key for key in keys}
        if not hashed:
            return {}
        rows = self._entries.live().filter(key__in=hashed)
        return {
            hashed[key]: number if pickled is None else pickle.loads(pickled)  # noqa: S301
            for key, number, pickled in rows.values_list("key", "number", "pickled")
        }

    def set(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        self.set_many({key: value}, timeout, version)

    def set_many(
        self,
        data: Mapping[str, Any],
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> list[str]:
        takes_target = connections[self._alias].features.supports_update_conflicts_with_target
        self._entries.bulk_create(
            [self._entry(key, value, timeout, version) for key, value in data.items()],
            update_conflicts=True,
            update_fields=["number", "pickled", "expires_at"],
            unique_fields=["key"] if takes_target else None,
        )
        return []

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        found = self._entries.live().filter(key=self._key(key, version))
        return bool(found.update(expires_at=self._moment(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        deleted, _ = self._entries.filter(key=self._key(key, version)).delete()
        return bool(deleted)

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        self._entries.filter(key__in=[self._key(key, version) for key in keys]).delete()

    def has_key(self, key: str, version: int | None = None) -> bool:
        return self._entries.live().filter(key=self._key(key, version)).exists()

    def clear(self) -> None:
        self._entries.all().delete()
