"""Counting: with django-ratelimit on the site's cache, and in the database while that is gone.

A bucket is emptied by giving it a new *salt*, a random number that is part of its counter's name.
A bucket has one for itself, which a success that resets its limit changes, and one for each subject
that it counts, which staff change. Salts live in the cache as long as a counter may, and are read
at once before the buckets are counted.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count as numbers
from typing import Final, Protocol, TypeVar

from django.conf import settings
from django.core.cache import BaseCache, caches
from django_ratelimit.core import get_usage

from django_account.conf import MAX_WINDOW
from django_account.core.crypto import digest
from django_account.limits.buckets import Bucket
from django_account.limits.cache import AtomicDatabaseCache

logger = logging.getLogger("django_account.limits")

# How much longer than its window a counter is kept: clocks of several machines differ.
_SLACK: Final = 60

# Between making a counter and adding to it the cache may drop it; not every time, though.
_TRIES: Final = 3

# Seconds in which a cache that failed is not asked again. One caller then tries it for all.
BACK_OFF: Final = 5.0


Answer = TypeVar("Answer")


class CacheGone(Exception):
    """The site's cache does not answer, or does not count."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a caller: of several limits, of the one with the least.

    Attributes:
        limit: how many requests a window admits.
        remaining: how many of them are left after this one.
        reset_at: when the window ends, in seconds since the epoch.
        exceeded: whether this request was one too many.
        buckets: what was counted.
        store: where.
    """

    limit: int
    remaining: int
    reset_at: int
    exceeded: bool
    buckets: tuple[Bucket, ...]
    store: Store

    @property
    def retry_after(self) -> int:
        """Seconds until the next request may pass."""
        return max(1, self.reset_at - int(time.time()))

    def reset(self) -> None:
        """Empty the buckets, as if nothing had been counted in this window."""
        try:
            for bucket in self.buckets:
                self.store.salt([bucket.key], bucket.limit.window)
        except CacheGone:
            # It has just counted; what it counted stands until the window ends.
            return


class Store(Protocol):
    """Where counters and salts are kept."""

    def salts(self, keys: Sequence[str]) -> Mapping[str, int]:
        """The salts of those keys that have one."""

    def salt(self, keys: Iterable[str], window: int) -> None:
        """Give keys new salts, kept for as long as a counter of a window."""

    def usage(self, group: str, window: int, *, hit: bool) -> int | None:
        """The hits in a window, this one included if it is one; None when nothing is counted."""


def count(buckets: Sequence[Bucket], *, hit: bool = True) -> Allowance | None:
    """Count a request in its buckets, one after the other, up to the first that is exhausted.

    Args:
        buckets: in the order of the declaration.
        hit: False only looks, for callers who are not limited.

    Returns:
        None when nothing limits the request: there are no buckets, or the cache is gone and none of
        them is sensitive.
    """
    if not buckets:
        return None
    try:
        return _count(buckets, _site, hit=hit)
    except CacheGone:
        sensitive = [bucket for bucket in buckets if bucket.limit.sensitive]
        return _count(sensitive, _database, hit=hit) if sensitive else None


def _count(buckets: Sequence[Bucket], store: Store, *, hit: bool) -> Allowance | None:
    salts = store.salts([key for bucket in buckets for key in (bucket.key, *bucket.subjects)])
    tightest: Allowance | None = None
    now = int(time.time())
    for bucket in buckets:
        limit, window = bucket.limit.limit, bucket.limit.window
        salt = ",".join(str(salts.get(key, "")) for key in (bucket.key, *bucket.subjects))
        used = store.usage(f"{bucket.name};{salt}", window, hit=hit)
        if used is None:
            return None
        # Who is not counted is told what would be left, as everybody (transport.md §11).
        remaining = limit - used if hit else limit - used - 1
        if tightest is None or remaining < tightest.remaining:
            reset_at = now - now % window + window
            exceeded = hit and used > limit
            tightest = Allowance(
                limit, max(remaining, 0), reset_at, exceeded, tuple(buckets), store
            )
            if exceeded:
                break
    return tightest


def reset_subjects(subjects: Sequence[str]) -> bool:
    """Empty every bucket that counts one of some subjects (buckets.subject).

    Returns:
        whether the site's cache did; if not, only the database did, which counts meanwhile.
    """
    _database.salt(subjects, MAX_WINDOW)
    try:
        _site.salt(subjects, MAX_WINDOW)
    except CacheGone:
        return False
    return True


def count_up(key: str, seconds: int) -> int:
    """Add to a counter of one's own: on the site's cache, in the database while that is gone.

    Args:
        key: the counter's.
        seconds: how long it is kept from its first hit.

    Returns:
        the hits so far, this one included.

    Raises:
        ValueError: the cache keeps nothing.
    """
    try:
        return _site.count_up(key, seconds)
    except CacheGone:
        return _database.count_up(key, seconds)


def count_down(key: str) -> None:
    """Take back one hit of :func:`count_up`. A counter that is gone has nothing to give back."""
    with suppress(ValueError):
        try:
            _site.count_down(key)
        except CacheGone:
            _database.count_down(key)


def _increase(cache: BaseCache, key: str, seconds: int) -> int:
    for _ in range(_TRIES):
        cache.add(key, 0, timeout=seconds)
        try:
            return int(cache.incr(key))
        except ValueError:
            continue
    raise ValueError("the cache keeps nothing")


def _salt(cache: BaseCache, keys: Iterable[str], window: int) -> None:
    new = {_salt_key(key): secrets.randbits(62) for key in keys}
    cache.set_many(new, timeout=window + _SLACK)


def _salts(cache: BaseCache, keys: Sequence[str]) -> Mapping[str, int]:
    named = {_salt_key(key): key for key in keys}
    return {named[name]: salt for name, salt in cache.get_many(list(named)).items()}


def _salt_key(key: str) -> str:
    return f"django_account:salt:{key}"


class _DatabaseStore:
    """The site's database, whatever its cache is."""

    def __init__(self) -> None:
        self.cache = AtomicDatabaseCache("", {"KEY_PREFIX": "django_account.fallback"})

    def salts(self, keys: Sequence[str]) -> Mapping[str, int]:
        return _salts(self.cache, keys)

    def salt(self, keys: Iterable[str], window: int) -> None:
        _salt(self.cache, keys, window)

    def usage(self, group: str, window: int, *, hit: bool) -> int:
        key = f"{digest(group)}:{window}:{int(time.time()) // window}"
        if hit:
            return _increase(self.cache, key, window + _SLACK)
        return int(self.cache.get(key, 0))

    def count_up(self, key: str, seconds: int) -> int:
        return _increase(self.cache, key, seconds)

    def count_down(self, key: str) -> None:
        self.cache.decr(key)


class _SiteStore:
    """The cache that the site has for it: RATELIMIT_USE_CACHE of django-ratelimit, or the default.

    A cache that fails is left alone for some seconds, so that its time-outs do not become
    everybody's; then one caller asks it again while the others still do without.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_gone = False
        self._retry_at = 0.0

    @property
    def cache(self) -> BaseCache:
        return caches[getattr(settings, "RATELIMIT_USE_CACHE", "default")]

    def salts(self, keys: Sequence[str]) -> Mapping[str, int]:
        return self._ask(lambda: _salts(self.cache, keys))

    def salt(self, keys: Iterable[str], window: int) -> None:
        self._ask(lambda: _salt(self.cache, keys, window))

    def count_up(self, key: str, seconds: int) -> int:
        return self._ask(lambda: _increase(self.cache, key, seconds), passes=ValueError)

    def count_down(self, key: str) -> None:
        self._ask(lambda: self.cache.decr(key), passes=ValueError)

    def usage(self, group: str, window: int, *, hit: bool) -> int | None:
        return self._ask(lambda: self._usage(group, window, hit=hit))

    def _usage(self, group: str, window: int, *, hit: bool) -> int | None:
        if not getattr(settings, "RATELIMIT_ENABLE", True):
            return None
        for _ in range(_TRIES):
            usage = get_usage(
                None,
                group=group,
                # django-ratelimit shifts a window by its value's checksum; see aligning_value.
                key=lambda group, request: aligning_value(window),
                # The figure is in the counter's name, and limits that share a bucket may differ.
                rate=(1, window),
                increment=hit,
            )
            # Neither where the counter is lost, or the cache swallows errors of its own.
            if usage is not None and usage["limit"]:
                return int(usage["count"])
        raise CacheGone("it does not count")

    def _ask(self, call: Callable[[], Answer], passes: type[Exception] | tuple[()] = ()) -> Answer:
        """Ask the cache something, unless it has just failed.

        Raises:
            CacheGone: it fails, or did a moment ago.
        """
        if self.is_gone:
            with self._lock:
                if time.monotonic() < self._retry_at:
                    raise CacheGone
                self._retry_at = time.monotonic() + BACK_OFF
        try:
            answer = call()
        except passes:
            raise
        # Every cache library has errors of its own, and all mean the same here.
        except Exception as error:
            self._retry_at = time.monotonic() + BACK_OFF
            self.is_gone = True
            logger.warning(
                "The cache that counts requests fails (%s). For %d seconds sensitive rate limits "
                "are counted in the database, the others pass.",
                # Without its text, in which the cache's address may stand with its password.
                type(error).__name__,
                BACK_OFF,
            )
            raise CacheGone from error
        if self.is_gone:
            self.is_gone = False
            logger.warning("The cache that counts requests works again.")
        return answer


@lru_cache(maxsize=64)
def aligning_value(window: int) -> str:
    """A value for which django-ratelimit's windows begin at the multiples of their length.

    It ends a window ``crc32(value) % window`` seconds after such a multiple; here, just before the
    next one.
    """
    candidates = (f"django_account:{number}" for number in numbers())
    return next(text for text in candidates if zlib.crc32(text.encode()) % window == window - 1)


_site = _SiteStore()
_database = _DatabaseStore()
