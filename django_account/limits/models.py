"""The table behind :class:`django_account.limits.cache.AtomicDatabaseCache`."""

from __future__ import annotations

import time

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_account.core.fields import ExactCharField


class CacheEntryQuerySet(models.QuerySet["CacheEntry"]):
    """Entries, many at once."""

    def live(self) -> CacheEntryQuerySet:
        """Those that still count."""
        return self.filter(expires_at__gt=now())

    def expired(self) -> CacheEntryQuerySet:
        """Those that are of no use to anybody."""
        return self.filter(expires_at__lte=now())


class CacheEntry(models.Model):
    """One value of the cache: a number, which the database itself adds to, or anything else."""

    # SHA-256: keys may be of any length and hold what a column may not.
    key = ExactCharField(max_length=64, primary_key=True)
    number = models.BigIntegerField(null=True)
    pickled = models.BinaryField(null=True)
    # Microseconds since the epoch: plain numbers compare alike on every database and time zone.
    expires_at = models.BigIntegerField(db_index=True)

    objects = CacheEntryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("rate limit"), _("rate limits")
        default_permissions = ()
        permissions = [("reset_rate_limits", "Can reset rate limits")]

    def __str__(self) -> str:
        return self.key


def now() -> int:
    """The present moment as ``expires_at`` counts."""
    return int(time.time() * 1_000_000)
