"""Moments."""

from __future__ import annotations

from datetime import datetime, timedelta

# How stale an ``accessed_at`` may be before a request refreshes it (transport.md §7).
ACCESS_GRANULARITY = timedelta(hours=24)


def is_stale(accessed_at: datetime | None, now: datetime) -> bool:
    """Whether a row's last access is unknown or so long ago that it is written anew."""
    return accessed_at is None or now - accessed_at > ACCESS_GRANULARITY
