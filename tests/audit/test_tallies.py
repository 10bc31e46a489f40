"""Counting the log by the hour: once, whole, and in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.administration.usage import buckets
from django_account.audit import tallies
from django_account.audit.models import LogEntry
from django_account.audit.tallies import HOUR, Tally, counts, last_sign_ins, roll_up, uncounted

pytestmark = pytest.mark.django_db

What = Tally.What

# A quarter past: the hour before is over, and so is the margin.
NOW = datetime(2031, 5, 20, 14, 15, tzinfo=UTC)
THIS_HOUR = NOW.replace(minute=0)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def entry(at: datetime, **values: Any) -> LogEntry:
    """A sign-in by password, unless said otherwise."""
    given = {"event": "session.create", "provider": "email", "at": at, **values}
    if given.get("error"):
        given["provider"] = ""
    return LogEntry.objects.create(**given)


def seen(range_: str = "24h") -> dict[tuple[Any, ...], int]:
    """What the overview would draw, by bucket, kind and detail."""
    return {(each.start, each.what, each.detail): each.number for each in counts(buckets(range_))}


def roll_up_all() -> int:
    return roll_up(since=NOW - timedelta(days=90))


class TestCounting:
    def test_sign_ins_by_provider_failures_by_error_and_sign_ups(self) -> None:
        hour = THIS_HOUR - 3 * HOUR
        for minute in (0, 10, 59):
            entry(hour + timedelta(minutes=minute))
        entry(hour, provider="github")
        entry(hour, error="user_blocked")
        entry(hour, event="challenges.update", error="user_blocked")
        # No session came of these: a code was asked for, a name changed.
        entry(hour, provider="")
        entry(hour, event="user.update", provider="")
        account = create_account(account_id="ada", email="ada@example.org")
        Account.objects.filter(pk=account.pk).update(created_at=hour)
        LogEntry.objects.filter(event="user.create").purge()
        expected = {
            (hour, What.SIGN_IN, "email"): 3,
            (hour, What.SIGN_IN, "github"): 1,
            (hour, What.FAILURE, "user_blocked"): 2,
            (hour, What.SIGN_UP, ""): 1,
        }
        assert roll_up_all() == 0
        assert seen() == expected
        day = hour.replace(hour=0)
        assert seen("30d") == {(day, *rest): number for (_, *rest), number in expected.items()}

    def test_the_present_hour_is_counted_live(self) -> None:
        entry(THIS_HOUR)
        entry(NOW)
        assert seen() == {(THIS_HOUR, What.SIGN_IN, "email"): 2}
        roll_up_all()
        entry(NOW)
        assert seen() == {(THIS_HOUR, What.SIGN_IN, "email"): 3}
        assert not Tally.objects.filter(hour=14).exists()

    def test_an_hour_is_over_a_while_after_its_end(self, clock: Any) -> None:
        clock.move_to(THIS_HOUR + timedelta(minutes=4))
        entry(THIS_HOUR - timedelta(seconds=1))
        roll_up_all()
        # Committed late, and with a lower id for all that anybody cares.
        entry(THIS_HOUR - timedelta(minutes=2))
        before = {(THIS_HOUR - HOUR, What.SIGN_IN, "email"): 2}
        assert seen() == before
        clock.move_to(NOW)
        assert seen() == {}
        roll_up_all()
        assert seen() == before

    def test_both_sides_of_midnight(self) -> None:
        midnight = NOW.replace(hour=0, minute=0)
        entry(midnight - timedelta(microseconds=1))
        entry(midnight)
        roll_up_all()
        assert seen("30d") == {
            (midnight - timedelta(days=1), What.SIGN_IN, "email"): 1,
            (midnight, What.SIGN_IN, "email"): 1,
        }

    def test_nothing_before_the_first_hour_of_a_range(self) -> None:
        first = buckets("24h")[0]
        entry(first - timedelta(seconds=1))
        entry(first)
        roll_up_all()
        assert seen() == {(first, What.SIGN_IN, "email"): 1}

    def test_an_empty_site(self) -> None:
        assert roll_up_all() == 0
        assert seen("90d") == {}
        assert not Tally.objects.exists()

    def test_a_site_without_time_zones(self, settings: Any) -> None:
        settings.USE_TZ = False
        now = timezone.now()
        hour = now.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
        entry(hour)
        entry(now)
        assert roll_up(since=now - timedelta(days=1)) == 0
        assert seen() == {
            (hour, What.SIGN_IN, "email"): 1,
            (hour + 2 * HOUR, What.SIGN_IN, "email"): 1,
        }


class TestRollUp:
    def test_counts_each_hour_once(self) -> None:
        entry(THIS_HOUR - 5 * HOUR)
        roll_up_all()
        found = sorted(Tally.objects.values_list("hour", "what", "number"))
        assert found == [
            (9, "counted", 0),
            (9, "sign-in", 1),
            *((hour, "counted", 0) for hour in (10, 11, 12, 13)),
        ]
        entry(THIS_HOUR - 5 * HOUR)
        roll_up_all()
        assert sorted(Tally.objects.values_list("hour", "what", "number")) == found

    def test_newest_first_and_within_the_time_given(self, monkeypatch: Any) -> None:
        entry(THIS_HOUR - 200 * HOUR)
        clock = iter(range(1000))
        monkeypatch.setattr(tallies.time, "monotonic", lambda: next(clock))
        left = roll_up(since=NOW - timedelta(days=90), seconds=3)
        counted = Tally.objects.filter(what=What.COUNTED)
        assert counted.count() == 200 - left
        # A look at the clock is a second here: slow, so that hours are counted singly.
        assert [(tally.day.day, tally.hour) for tally in counted.order_by("-pk")] == [(20, 13)]

    def test_all_in_the_end(self) -> None:
        entry(THIS_HOUR - 500 * HOUR)
        while roll_up(since=NOW - timedelta(days=90), seconds=0.02):
            pass
        assert Tally.objects.filter(what=What.COUNTED).count() == 500

    def test_fills_gaps(self) -> None:
        entry(THIS_HOUR - 10 * HOUR)
        roll_up_all()
        Tally.objects.filter(hour__in=[6, 7, 10]).delete()
        gaps = [THIS_HOUR - age * HOUR for age in (4, 7, 8)]
        assert uncounted(NOW - timedelta(days=90)) == gaps
        roll_up_all()
        assert uncounted(NOW - timedelta(days=90)) == []
        assert Tally.objects.count() == 11

    def test_what_another_process_has_counted_is_thrown_away(self, monkeypatch: Any) -> None:
        """Both have seen that the hour is uncounted; the other is faster."""
        entry(THIS_HOUR - HOUR)
        count = tallies.count

        def count_slowly(*args: Any) -> Any:
            monkeypatch.setattr(tallies, "count", count)
            roll_up_all()
            entry(THIS_HOUR - HOUR)
            return count(*args)

        monkeypatch.setattr(tallies, "count", count_slowly)
        roll_up_all()
        assert seen() == {(THIS_HOUR - HOUR, What.SIGN_IN, "email"): 1}

    def test_an_hour_is_written_whole_or_not_at_all(self, monkeypatch: Any) -> None:
        entry(THIS_HOUR - HOUR)
        create = Tally.objects.bulk_create

        def fail(rows: Any) -> None:
            create(rows)
            raise DatabaseError

        monkeypatch.setattr(Tally.objects, "bulk_create", fail)
        with pytest.raises(DatabaseError):
            roll_up_all()
        assert not Tally.objects.exists()


class TestRetention:
    def test_hours_that_the_purge_reaches_are_not_counted(
        self, project: Callable[..., None]
    ) -> None:
        project(LOG_RETENTION=timedelta(days=2))
        for age in (47, 48, 49):
            entry(NOW - age * HOUR)
        roll_up_all()
        assert seen("30d") == {
            (NOW.replace(hour=0, minute=0) - timedelta(days=2), What.SIGN_IN, "email"): 1
        }

    def test_tallies_stay_when_entries_go(self, project: Callable[..., None]) -> None:
        entry(NOW - timedelta(days=3))
        roll_up_all()
        before = seen("30d")
        assert before
        project(LOG_RETENTION=timedelta(days=2))
        LogEntry.objects.old().purge()
        roll_up_all()
        assert not LogEntry.objects.exists()
        assert seen("30d") == before

    def test_tallies_go_when_they_are_shown_no_more(self, clock: Any) -> None:
        entry(NOW - timedelta(days=2))
        roll_up_all()
        clock.move_to(NOW + timedelta(days=88))
        assert not Tally.objects.old().exists()
        clock.move_to(NOW + timedelta(days=91))
        assert {tally.day.day for tally in Tally.objects.old()} == {18}


class TestLastSignIns:
    def test_by_provider(self) -> None:
        for provider, age in (("github", 50), ("github", 30), ("google", 3), ("email", 0)):
            entry(THIS_HOUR - age * HOUR, provider=provider)
        roll_up_all()
        assert last_sign_ins() == {
            "github": THIS_HOUR - 30 * HOUR,
            "google": THIS_HOUR - 3 * HOUR,
            "email": THIS_HOUR,
        }
        entry(NOW, provider="github")
        assert last_sign_ins()["github"] == THIS_HOUR
