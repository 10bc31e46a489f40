"""Moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone

# How stale an ``accessed_at`` may be before a request refreshes it (transport.md §7).
ACCESS_GRANULARITY = timedelta(hours=24)


def is_stale(accessed_at: datetime | None, now: datetime) -> bool:
    """Whether a row's last access is unknown or so long ago that it is written anew."""
    return accessed_at is None or now - accessed_at > ACCESS_GRANULARITY


def iso(moment: datetime | None) -> str:
    """A date on the wire: UTC with milliseconds and a numeric offset; ``""`` when unset."""
    if moment is None:
        return ""
    if moment.tzinfo is not UTC:
        # A site with USE_TZ = False keeps its own zone's wall clock.
        moment = (timezone.make_aware(moment) if moment.tzinfo is None else moment).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")
