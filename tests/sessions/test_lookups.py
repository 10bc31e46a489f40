"""The one statement that every authenticated request runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.core.clients import ClientInfo
from django_account.sessions.credentials import Credential
from django_account.sessions.lookups import find_by_credential, find_by_session_id
from django_account.sessions.models import Session
from django_account.sessions.services import IssuedSession, create_session, end_session
from django_account.targets.models import Target

User = get_user_model()


@pytest.fixture
def issued(account: Account) -> IssuedSession:
    return create_session(
        account=account,
        provider="email",
        factors=["password", "totp"],
        client=ClientInfo("203.0.113.9", "x/1.0"),
    )


def credential(issued: IssuedSession) -> Credential:
    return Credential(issued.session.account.public_id, issued.secret)


def fields(instance: Any) -> dict[str, Any]:
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.fields}


class TestFindByCredential:
    def test_rows_are_those_that_the_orm_reads(self, issued: IssuedSession) -> None:
        Account.objects.update(prefs={"a": [1, {"ä": None}]}, labels=["vip"])
        found = find_by_credential(credential(issued))
        assert found is not None
        session = Session.objects.select_related("account__user").get()
        assert fields(found.session) == fields(session)
        assert fields(found.account) == fields(session.account)
        assert fields(found.account.user) == fields(session.account.user)
        assert list(map(fields, found.targets)) == list(map(fields, Target.objects.order_by("pk")))

    def test_rows_can_be_saved_again(self, issued: IssuedSession) -> None:
        found = find_by_credential(credential(issued))
        assert found is not None
        found.account.name = "Ada"
        found.account.save()
        found.account.user.last_name = "L"
        found.account.user.save()
        assert (Account.objects.get().name, User.objects.get().last_name) == ("Ada", "L")

    def test_costs_one_statement(self, issued: IssuedSession) -> None:
        with CaptureQueriesContext(connection) as captured:
            found = find_by_credential(credential(issued))
            assert found is not None
            assert found.session.account.user.is_active
            assert found.account is found.session.account
            assert len(found.targets) == 1
        assert len(captured) == 1

    def test_account_without_targets(self, issued: IssuedSession) -> None:
        Target.objects.all().delete()
        found = find_by_credential(credential(issued))
        assert found is not None
        assert found.targets == []

    def test_all_targets_oldest_first(self, issued: IssuedSession, account: Account) -> None:
        for identifier in ("z", "b", "a"):
            Target.objects.create(account=account, provider_type="push", identifier=identifier)
        found = find_by_credential(credential(issued))
        assert found is not None
        identifiers = [target.identifier for target in found.targets]
        assert identifiers == ["ada@example.org", "z", "b", "a"]

    def test_wrong_secret(self, issued: IssuedSession) -> None:
        for secret in ("", "0" * 256, issued.secret[:-1], issued.secret.upper()):
            assert find_by_credential(Credential("ada", secret)) is None

    def test_stored_digest_is_no_secret(self, issued: IssuedSession) -> None:
        assert find_by_credential(Credential("ada", issued.session.secret_digest)) is None

    @pytest.mark.parametrize("account_id", ["bob", "ADA", "", "1"])
    def test_secret_of_somebody_else(self, issued: IssuedSession, account_id: str) -> None:
        create_account(account_id="bob")
        assert find_by_credential(Credential(account_id, issued.secret)) is None

    def test_ended(self, issued: IssuedSession) -> None:
        end_session(issued.session)
        assert find_by_credential(credential(issued)) is None

    def test_expired(self, clock: Any, account: Account) -> None:
        issued = create_session(
            account=account,
            provider="email",
            factors=["password"],
            client=ClientInfo(),
            duration=timedelta(seconds=60),
        )
        clock.shift(59)
        assert find_by_credential(credential(issued)) is not None
        clock.shift(1)
        assert find_by_credential(credential(issued)) is None

    def test_blocked_person_is_found(self, issued: IssuedSession) -> None:
        User.objects.update(is_active=False)
        found = find_by_credential(credential(issued))
        assert found is not None
        assert not found.account.is_active


class TestFindBySessionId:
    def test_found(self, issued: IssuedSession) -> None:
        found = find_by_session_id(issued.session.public_id, "ada")
        assert found is not None
        assert (found.session, found.account.public_id) == (issued.session, "ada")

    def test_session_of_somebody_else(self, issued: IssuedSession) -> None:
        create_account(account_id="bob")
        assert find_by_session_id(issued.session.public_id, "bob") is None

    def test_unknown(self, issued: IssuedSession) -> None:
        for session_id in ("", "current", str(issued.session.pk), issued.session.public_id + "0"):
            assert find_by_session_id(session_id, "ada") is None

    def test_expired(self, clock: Any, issued: IssuedSession) -> None:
        clock.shift(timedelta(days=366))
        assert find_by_session_id(issued.session.public_id, "ada") is None
