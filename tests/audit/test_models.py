"""The log only grows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import models, transaction
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientDetails

pytestmark = pytest.mark.django_db

Project = Callable[..., None]


def entry(**values: Any) -> LogEntry:
    """An entry in the log."""
    return LogEntry.objects.create(
        **{"event": "user.update", "user_type": "user", "user_id": "ada", "account_pk": 1} | values
    )


class TestAppendOnly:
    @pytest.mark.parametrize(
        "act",
        [
            lambda found: found.save(),
            lambda found: found.save(update_fields=["event"]),
            lambda found: found.delete(),
            lambda found: LogEntry.objects.update(event="x"),
            lambda found: LogEntry.objects.filter(pk=found.pk).update(event="x"),
            lambda found: LogEntry.objects.filter(pk=found.pk).delete(),
            lambda found: LogEntry.objects.all().delete(),
            lambda found: LogEntry.objects.bulk_update([found], ["event"]),
            lambda found: LogEntry.objects.update_or_create(pk=found.pk, defaults={"event": "x"}),
        ],
        ids=[
            "save",
            "save fields",
            "delete",
            "update all",
            "update",
            "delete query",
            "delete all",
            "bulk update",
            "update or create",
        ],
    )
    def test_an_entry_stays_what_it_is(self, act: Callable[[LogEntry], Any]) -> None:
        entry()
        found = LogEntry.objects.get()
        found.event = "changed"
        with pytest.raises(TypeError, match="append-only"), transaction.atomic():
            act(found)
        assert LogEntry.objects.get().event == "user.update"

    def test_a_new_one_is_written_once(self) -> None:
        made = entry()
        with pytest.raises(TypeError, match="append-only"):
            made.save()
        assert LogEntry.objects.count() == 1

    def test_refers_to_no_row(self) -> None:
        assert not any(field.is_relation for field in LogEntry._meta.get_fields())


class TestTitle:
    def test_done(self) -> None:
        assert entry().title == "user.update"

    def test_failed(self) -> None:
        assert entry(event="session.create", error="user_blocked").title == "session.create.failed"


class TestClient:
    AGENT = "curl/8.5.0"

    @pytest.mark.parametrize("client", [[], ["too", "short"]])
    def test_is_read_from_the_user_agent(self, client: list[str]) -> None:
        assert entry(user_agent=self.AGENT, client=client).client_details.client_name == "curl"

    def test_is_what_was_known_then(self) -> None:
        known = ClientDetails(client_name="curl of old")
        found = entry(user_agent=self.AGENT, client=known.as_list())
        assert LogEntry.objects.get(pk=found.pk).client_details == known


class TestOf:
    def test_newest_first(self) -> None:
        first, second = entry(), entry()
        assert list(LogEntry.objects.of(Account(pk=1, public_id="ada"))) == [second, first]

    @pytest.mark.parametrize(
        "values", [{"pk": 2, "public_id": "ada"}, {"pk": 1, "public_id": "eve"}]
    )
    def test_nobody_elses(self, values: dict[str, Any]) -> None:
        entry()
        assert not LogEntry.objects.of(Account(**values)).exists()

    def test_attempts_at_nobody_are_nobodys(self) -> None:
        entry(account_pk=None)
        assert not LogEntry.objects.of(Account(pk=1, public_id="ada")).exists()


class TestRetention:
    NOW = datetime(2030, 1, 1, tzinfo=UTC)

    def clear(self) -> list[int]:
        """Run the command; the days of age that are left."""
        with time_machine.travel(self.NOW, tick=False):
            for days in (0, 30, 364, 366, 4000):
                entry(at=timezone.now() - timedelta(days=days))
            call_command("clearaccounts", verbosity=0)
            ages = [timezone.now() - found.at for found in LogEntry.objects.order_by("pk")]
        return [age.days for age in ages]

    def test_a_year_by_default(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.clear() == [0, 30, 364]
        assert "2 old log entries deleted." in capsys.readouterr().out

    @pytest.mark.parametrize("kept", [timedelta(days=31), 31 * 86_400])
    def test_as_long_as_the_site_says(self, project: Project, kept: Any) -> None:
        project(LOG_RETENTION=kept)
        assert self.clear() == [0, 30]

    def test_for_ever(self, project: Project) -> None:
        project(LOG_RETENTION=None)
        assert self.clear() == [0, 30, 364, 366, 4000]

    def test_in_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from django_account.management.commands.clearaccounts import Command

        monkeypatch.setattr(Command, "BATCH", 1)
        assert self.clear() == [0, 30, 364]


def test_columns_hold_what_their_sources_hold() -> None:
    """No snapshot is too long for its column."""
    from django_account.api_keys.models import ApiKey
    from django_account.core.activity import EVENTS
    from django_account.sessions.models import Session

    def length(model: type[models.Model], name: str) -> int:
        return model._meta.get_field(name).max_length  # type: ignore[union-attr,return-value]

    for name, source in {
        "user_id": length(Account, "public_id"),
        "user_email": length(Account, "email"),
        "user_phone": length(Account, "phone"),
        "user_name": length(Account, "name"),
        "key_name": length(ApiKey, "name"),
        "actor_id": length(Account, "public_id"),
        "session_id": length(Session, "public_id"),
        "ip": length(Session, "ip"),
        "country_code": length(Session, "country_code"),
        "event": max(map(len, EVENTS)),
    }.items():
        assert length(LogEntry, name) >= source, name
