"""How many people and sessions there are, and when they were made (users.md §8.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.sessions.models import Session

# How many buckets, and how long each is.
RANGES = {
    "24h": (24, timedelta(hours=1)),
    "30d": (30, timedelta(days=1)),
    "90d": (90, timedelta(days=1)),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """How much there is of something.

    Attributes:
        total: all there is.
        made: for each bucket its beginning and how many were made in it, oldest first.
    """

    total: int
    made: list[tuple[datetime, int]]


@dataclass(frozen=True, slots=True)
class Stock:
    """What there is at the moment.

    Attributes:
        accounts: all of them.
        seen: accounts that were active since a moment.
        with_mfa: accounts whose owners have asked for a second factor.
        sessions: those that have not expired.
    """

    accounts: int
    seen: int
    with_mfa: int
    sessions: int


def stock(*, seen_since: datetime) -> Stock:
    """Count what there is. Each is counted in an index."""
    return Stock(
        accounts=Account.objects.count(),
        seen=Account.objects.filter(accessed_at__gte=seen_since).count(),
        with_mfa=Account.objects.filter(mfa_enabled=True).count(),
        sessions=Session.objects.active().count(),
    )


def buckets(range_: str) -> list[datetime]:
    """The beginnings of a range's hours or days, oldest first; the last is the present, of UTC.

    Args:
        range_: one of RANGES.
    """
    number, length = RANGES[range_]
    # In UTC; a site without time zones keeps its own wall clock, and has its own days.
    last = timezone.now().replace(minute=0, second=0, microsecond=0)
    last = last if length < timedelta(days=1) else last.replace(hour=0)
    return [last - age * length for age in reversed(range(number))]


def usage(range_: str) -> dict[str, Usage]:
    """The usage of ``users`` and ``sessions``.

    Args:
        range_: one of RANGES; the last bucket is the present hour or day, of UTC.
    """
    return {
        "users": _usage(Account, range_),
        "sessions": _usage(Session, range_),
    }


def _usage(model: Any, range_: str) -> Usage:
    starts = buckets(range_)
    hourly = RANGES[range_][1] < timedelta(days=1)
    counted = (
        model.objects.filter(created_at__gte=starts[0])
        .order_by()
        .annotate(bucket=(TruncHour if hourly else TruncDay)("created_at", tzinfo=UTC))
        .values_list("bucket")
        .annotate(Count("pk"))
    )
    by_start = dict(counted)
    return Usage(model.objects.count(), [(start, by_start.get(start, 0)) for start in starts])
