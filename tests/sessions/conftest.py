"""Somebody to sign in, a clock, and a listener."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from tests.client import PASSWORD

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Any]:
    """A clock that stands still until a test moves it."""
    with time_machine.travel(MOMENT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(db: None) -> Account:
    """Ada's account, with a password."""
    return create_account(account_id="ada", email="ada@example.org", password=PASSWORD)


@pytest.fixture
def events() -> Iterator[list[tuple[str, str]]]:
    """The session events of a test: name and public id of the session, in order."""
    seen: list[tuple[str, str]] = []
    receivers = []
    for name in ("session_created", "session_updated", "session_deleted"):

        def receive(*, session: Any, name: str = name, **given: Any) -> None:
            seen.append((name, session.public_id))

        getattr(signals, name).connect(receive)
        receivers.append((getattr(signals, name), receive))
    yield seen
    for signal, receive in receivers:
        signal.disconnect(receive)
