"""The compiled statements of a sign-in give what the ORM gives."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.signals import ModelSignal, post_delete, pre_delete
from django.forms import model_to_dict
from django.test.utils import CaptureQueriesContext

from django_account.accounts.lookups import account_rows, find_by_email, lock
from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.core.clients import ClientInfo
from django_account.core.compiled import CompiledQuery
from django_account.sessions.lookups import delete, find_surplus, surplus_rows
from django_account.sessions.models import Session
from django_account.sessions.services import create_session

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    account = create_account(email="ada@example.org", password="correct horse", name="Ada")
    Account.objects.update(labels=["a"], prefs={"b": [1, None]}, password_history=["c"])
    create_account(email="bob@example.org")
    return account


def same(one: Account | None, other: Account) -> bool:
    assert one is not None
    return model_to_dict(one) == model_to_dict(other) and model_to_dict(one.user) == model_to_dict(
        other.user
    )


def test_find_by_email(account: Account) -> None:
    assert same(find_by_email("ada@example.org"), Account.objects.get(pk=account.pk))


def test_find_nobody(account: Account) -> None:
    assert find_by_email("eve@example.org") is None


def test_the_user_comes_along(account: Account) -> None:
    with CaptureQueriesContext(connection) as queries:
        found = find_by_email("ada@example.org")
        assert found is not None
        assert found.user.username
    assert len(queries) == 1


def test_lock(account: Account) -> None:
    with transaction.atomic():
        assert same(lock(account), Account.objects.get(pk=account.pk))


def test_lock_of_somebody_deleted(account: Account) -> None:
    Account.objects.filter(pk=account.pk).delete()
    with transaction.atomic():
        assert lock(account) is None


def test_rows_equal_the_queryset(account: Account) -> None:
    query = CompiledQuery(lambda email: account_rows(email=email))
    assert query.rows("default", "ada@example.org") == list(account_rows(email="ada@example.org"))


@pytest.mark.parametrize("limit", [1, 3, 4, 9])
def test_surplus_sessions(account: Account, limit: int) -> None:
    for _ in range(4):
        create_session(account=account, provider="email", factors=["x"], client=ClientInfo())
    found = find_surplus(account, limit)
    newest_first = list(Session.objects.filter(account=account).order_by("-pk"))
    assert found == [(session, False) for session in newest_first[limit:]]
    assert [session.factors for session, _ in found] == [["x"]] * max(0, 4 - limit)
    query = CompiledQuery(lambda pk: surplus_rows(pk, limit), CompiledQuery.NUMBER)
    assert query.rows("default", account.pk) == list(surplus_rows(account.pk, limit))


class TestDeletingASurplusSession:
    """By one statement where Django would find nothing else to do, and by Django otherwise."""

    @pytest.fixture
    def sessions(self, account: Account) -> list[Session]:
        """Two, newest first."""
        for _ in range(2):
            create_session(account=account, provider="email", factors=["x"], client=ClientInfo())
        return list(Session.objects.order_by("-pk"))

    def test_alone(self, sessions: list[Session], django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            assert delete(sessions[1], has_targets=False)
        assert list(Session.objects.all()) == sessions[:1]

    def test_with_the_targets_that_hang_on_it(
        self, account: Account, sessions: list[Session]
    ) -> None:
        for session in sessions:
            account.targets.create(
                session=session, provider_type="push", identifier=session.public_id
            )
        ((oldest, has_targets),) = find_surplus(account, 1)
        assert has_targets
        assert delete(oldest, has_targets=has_targets)
        left = account.targets.filter(provider_type="push")
        assert [target.session for target in left] == sessions[:1]

    @pytest.mark.parametrize("has_targets", [False, True])
    def test_once(self, sessions: list[Session], has_targets: bool) -> None:
        Session.objects.filter(pk=sessions[1].pk).delete()
        assert not delete(sessions[1], has_targets=has_targets)

    @pytest.mark.parametrize("signal", [pre_delete, post_delete])
    def test_whoever_wants_to_hear_of_it_does(
        self, sessions: list[Session], signal: ModelSignal
    ) -> None:
        heard = []

        def receiver(instance: Session, **kwargs: Any) -> None:
            heard.append(instance.public_id)

        signal.connect(receiver, sender=Session)
        try:
            assert delete(sessions[1], has_targets=False)
        finally:
            signal.disconnect(receiver, sender=Session)
        assert heard == [sessions[1].public_id]
