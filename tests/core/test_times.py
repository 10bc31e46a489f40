"""How stale an access time may be (transport.md §7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django_account.core.times import is_stale

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_never_accessed() -> None:
    assert is_stale(None, NOW)


def test_a_day_old_is_fresh() -> None:
    assert not is_stale(NOW - timedelta(hours=24), NOW)


def test_more_than_a_day_old() -> None:
    assert is_stale(NOW - timedelta(hours=24, microseconds=1), NOW)
