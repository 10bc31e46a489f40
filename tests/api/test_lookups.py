"""The hottest statement, compiled once, gives what its queryset gives (design.md §8)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.core.compiled import CompiledQuery
from django_account.sessions.credentials import Credential
from django_account.sessions.lookups import (
    find_by_credential,
    find_by_session_id,
    signed_in_rows,
)
from django_account.sessions.models import Session
from django_account.targets.models import Target
from tests.client import ApiClient

COLUMNS = ["secret_digest", "public_id"]


@pytest.fixture(params=[0, 1, 3], ids=lambda count: f"{count} targets")
def targets(request: pytest.FixtureRequest, ada: ApiClient, bob: ApiClient) -> int:
    """Give Ada so many targets, and her columns values of every kind."""
    account = Account.objects.get(email="ada@example.org")
    account.prefs = {"a": [1, 2.5, None, {"b": "ü"}]}
    account.labels = ["vip"]
    account.mfa_enabled = True
    account.save()
    session = account.sessions.get()
    session.mfa_updated_at = timezone.now()
    session.save()
    account.targets.all().delete()
    for number in range(request.param):
        Target.objects.create(
            account=account,
            session=session if number else None,
            provider_type="push",
            provider_id=None if number else "fcm",
            identifier=f"device {number}",
        )
    return request.param


def build(column: str) -> Callable[[str], Any]:
    return lambda value: signed_in_rows(**{column: value})


@pytest.mark.parametrize("column", COLUMNS)
class TestCompiledQuery:
    def test_gives_the_rows_of_its_queryset(self, targets: int, column: str) -> None:
        query = CompiledQuery(build(column))
        for session in Session.objects.all():
            value = getattr(session, column)
            # Twice: compiled now, and compiled before.
            for _ in range(2):
                rows = query.rows("default", value)
                assert sorted(rows, key=repr) == sorted(build(column)(value), key=repr)
                of_ada = session.account.email == "ada@example.org"
                assert len(rows) == (max(targets, 1) if of_ada else 1)

    def test_gives_values_of_the_same_types(self, targets: int, column: str) -> None:
        value = getattr(Session.objects.first(), column)
        (compiled, *_), (plain, *_) = (
            CompiledQuery(build(column)).rows("default", value),
            build(column)(value),
        )
        assert [type(item) for item in compiled] == [type(item) for item in plain]
        moments = [item for item in compiled if isinstance(item, datetime)]
        assert moments
        assert all(moment.tzinfo is not None for moment in moments)

    @pytest.mark.parametrize(
        "value",
        ["", "x", "%s", "%", "'", '"', "\\", "?", "%(x)s", "\N{SNOWMAN}parameter", "' OR 1=1 --"],
    )
    def test_gives_nothing_for_what_is_not_there(
        self, ada: ApiClient, column: str, value: str
    ) -> None:
        assert CompiledQuery(build(column)).rows("default", value) == []

    def test_finds_a_session_of_an_odd_name(self, ada: ApiClient, column: str) -> None:
        query = CompiledQuery(build(column))
        for value in ("%s", "'", "\N{SNOWMAN}parameter", "?"):
            Session.objects.update(**{column: value})
            assert query.rows("default", value) == list(build(column)(value))
            assert len(query.rows("default", value)) == 1


class TestFind:
    """The instances made of the rows are those that the ORM would have made."""

    def credential(self, client: ApiClient) -> Credential:
        payload = json.loads(b64decode(client.credential))
        return Credential(payload["id"], payload["secret"])

    def assert_same(self, found: Any, stored: Any) -> None:
        assert type(found) is type(stored)
        for field in stored._meta.concrete_fields:
            assert getattr(found, field.attname) == getattr(stored, field.attname), field.name
        assert found._state.db == stored._state.db
        assert found._state.adding is False

    @pytest.mark.parametrize("by", ["credential", "id"])
    def test_session_account_user_and_targets(
        self, ada: ApiClient, targets: int, by: str, django_assert_num_queries: Any
    ) -> None:
        credential = self.credential(ada)
        with django_assert_num_queries(1):
            found = (
                find_by_credential(credential)
                if by == "credential"
                else find_by_session_id(ada.session["$id"], ada.account["$id"])
            )
            assert found is not None
            # All of it is there: nothing is fetched later.
            assert found.session.account is found.account
            assert found.account.user.is_active
        account = Account.objects.get(email="ada@example.org")
        self.assert_same(found.session, account.sessions.get())
        self.assert_same(found.account, account)
        self.assert_same(found.account.user, get_user_model().objects.get(pk=account.user_id))
        assert len(found.targets) == targets
        for one, other in zip(found.targets, account.targets.order_by("pk"), strict=True):
            self.assert_same(one, other)

    def test_instances_can_be_saved(self, ada: ApiClient) -> None:
        found = find_by_credential(self.credential(ada))
        found.account.name = "Bob"
        found.account.save()
        assert ada.get("/account").json()["name"] == "Bob"

    def test_nobody_elses(self, ada: ApiClient, bob: ApiClient) -> None:
        own, other = self.credential(ada), self.credential(bob)
        assert find_by_credential(Credential(other.account_id, own.secret)) is None
        assert find_by_session_id(ada.session["$id"], bob.account["$id"]) is None

    def test_not_an_expired_one(self, ada: ApiClient) -> None:
        Session.objects.update(expires_at=timezone.now())
        assert find_by_credential(self.credential(ada)) is None
        assert find_by_session_id(ada.session["$id"], ada.account["$id"]) is None
