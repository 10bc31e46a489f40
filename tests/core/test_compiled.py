"""A compiled statement gives what the query beside it gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.audit.models import LogEntry
from django_account.core.compiled import CompiledInsert, CompiledQuery

pytestmark = pytest.mark.django_db


def by_email(email: str) -> QuerySet[Any]:
    return Account.objects.filter(email=email).values_list(
        "public_id", "email_verified", "prefs", "created_at", "user__is_active", "accessed_at"
    )


@pytest.fixture
def ada() -> Account:
    account = create_account(account_id="ada", email="ada@example.org")
    account.prefs = {"theme": ["dark", 1, None], "nested": {"ä": 1.5}}
    account.save()
    return account


def test_rows_equal_the_queryset(ada: Account) -> None:
    query = CompiledQuery(by_email)
    assert query.rows("default", "ada@example.org") == list(by_email("ada@example.org"))


def test_values_are_converted_to_python(ada: Account) -> None:
    ((public_id, verified, prefs, created, active, _),) = CompiledQuery(by_email).rows(
        "default", "ada@example.org"
    )
    assert (public_id, prefs, created) == ("ada", ada.prefs, ada.created_at)
    assert verified is False
    assert active is True


def test_no_row(ada: Account) -> None:
    assert CompiledQuery(by_email).rows("default", "eve@example.org") == []


def test_another_parameter_finds_another_row(ada: Account) -> None:
    create_account(account_id="bob", email="bob@example.org")
    query = CompiledQuery(by_email)
    found = [
        query.rows("default", email)[0][0]
        for email in ("ada@example.org", "bob@example.org", "ada@example.org")
    ]
    assert found == ["ada", "bob", "ada"]


def test_rows_without_converters() -> None:
    create_account(account_id="bob", email="bob@example.org")
    query = CompiledQuery(lambda email: Account.objects.filter(email=email).values_list("name"))
    assert query.rows("default", "bob@example.org") == [("",)]


def test_other_parameters_of_the_query_stay(ada: Account) -> None:
    def verified(email: str) -> QuerySet[Any]:
        return Account.objects.filter(name="Ada", email=email, labels=["a"]).values_list("pk")

    query = CompiledQuery(verified)
    assert query.rows("default", "ada@example.org") == []
    Account.objects.update(name="Ada", labels=["a"])
    assert query.rows("default", "ada@example.org") == [(ada.pk,)]


def test_sql_is_built_once(ada: Account) -> None:
    builds = []

    def counted(email: str) -> QuerySet[Any]:
        builds.append(email)
        return by_email(email)

    query = CompiledQuery(counted)
    for _ in range(3):
        query.rows("default", "ada@example.org")
    assert len(builds) == 1


@pytest.mark.parametrize("parameter", ["' OR 1=1 --", "%s", "%(x)s", "\N{SNOWMAN}parameter", ""])
def test_parameter_is_data_never_sql(ada: Account, parameter: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert CompiledQuery(by_email).rows("default", parameter) == []
    assert len(captured) == 1


class TestInsert:
    ENTRY = {
        "event": "session.create",
        "account_pk": 7,
        "user_id": "ada",
        "user_name": "Ада \N{SNOWMAN} %s",
        "client": ["WIN", {"nested": [1, None, "ä"]}],
        "user_type": "user",
        "at": datetime(2026, 11, 24, 12, 30, 59, 123456, tzinfo=UTC),
    }

    def test_row_equals_a_saved_one(self) -> None:
        LogEntry(**self.ENTRY).save()
        CompiledInsert(LogEntry).run("default", LogEntry(**self.ENTRY))
        saved, inserted = LogEntry.objects.order_by("pk").values()
        assert {**inserted, "id": saved["id"]} == saved

    def test_instance_is_no_new_one_any_more(self) -> None:
        entry = LogEntry(**self.ENTRY)
        CompiledInsert(LogEntry).run("default", entry)
        with pytest.raises(TypeError, match="append-only"):
            entry.save()

    def test_sql_is_built_once_and_one_statement(self, monkeypatch: pytest.MonkeyPatch) -> None:
        insert = CompiledInsert(LogEntry)
        insert.run("default", LogEntry(**self.ENTRY))
        monkeypatch.delattr(CompiledInsert, "_compile")
        with CaptureQueriesContext(connection) as captured:
            insert.run("default", LogEntry(**{**self.ENTRY, "user_id": "bob"}))
        assert len(captured) == 1
        assert list(LogEntry.objects.order_by("pk").values_list("user_id", flat=True)) == [
            "ada",
            "bob",
        ]
