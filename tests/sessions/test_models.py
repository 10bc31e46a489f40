"""Session: what one row and many rows know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from django_account.accounts.models import Account
from django_account.core.clients import ClientDetails, ClientInfo
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from tests.core.test_clients import PIXEL


def sign_in(account: Account, **given: Any) -> Session:
    return create_session(
        account=account,
        provider="email",
        factors=["password"],
        client=ClientInfo("203.0.113.9", PIXEL),
        **given,
    ).session


def test_active_and_expired_part_all_sessions(account: Account, clock: Any) -> None:
    short = sign_in(account, duration=timedelta(hours=1))
    long = sign_in(account)
    assert list(Session.objects.expired()) == []
    clock.shift(timedelta(hours=1))
    assert list(Session.objects.active()) == [long]
    assert list(Session.objects.expired()) == [short]


def test_is_expired_from_its_last_moment_on(clock: Any) -> None:
    session = Session(expires_at=timezone.now() + timedelta(seconds=1))
    assert not session.is_expired
    clock.shift(1)
    assert session.is_expired


def test_client_details_come_back(account: Account) -> None:
    session = sign_in(account)
    session.refresh_from_db()
    assert session.client_details == ClientInfo(user_agent=PIXEL).details


def test_client_details_of_an_older_or_newer_release() -> None:
    session = Session(client={"os_code": "LIN", "no_longer_known": 1})
    assert session.client_details == ClientDetails(os_code="LIN")


def test_is_named_by_its_id_never_its_secret(account: Account) -> None:
    session = sign_in(account)
    assert str(session) == f"{session.public_id} (email)"
    assert session.secret_digest not in repr(session)
