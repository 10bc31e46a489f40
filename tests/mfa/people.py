"""People with second factors, as their clients see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import time_machine

from django_account import signals
from django_account.core.messages import Message
from tests.client import ApiClient

START = datetime(2026, 3, 4, 5, 6, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)


@dataclass
class Clock:
    """Stands still, and is moved."""

    travel: Any

    def forward(self, span: timedelta = STEP) -> None:
        self.travel.shift(span)


@contextmanager
def stopped_clock() -> Iterator[Clock]:
    """A clock that a test moves."""
    with time_machine.travel(START, tick=False) as travel:
        yield Clock(travel)


@contextmanager
def messages() -> Iterator[list[Message]]:
    """What the site is asked to send meanwhile."""
    found: list[Message] = []

    def listen(message: Message, **given: Any) -> None:
        found.append(message)

    signals.message_requested.connect(listen)
    yield found
    signals.message_requested.disconnect(listen)


def code(secret: str, steps: int = 0) -> str:
    """What an authenticator app shows, whose clock is some steps ahead."""
    return pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=steps)


def wrong(right: str) -> str:
    """Another code than the right one, and than those of the steps beside it."""
    return f"{(int(right) + 123_457) % 1_000_000:06d}"


def begin(client: ApiClient, factor: str, path: str = "challenges") -> str:
    """Create a challenge; its id."""
    response = client.post(f"/account/mfa/{path}", {"factor": factor})
    assert response.status_code == 201, response.content
    return str(response.json()["$id"])


def answer(client: ApiClient, challenge_id: str, otp: str, path: str = "challenges") -> Any:
    """Answer a challenge."""
    return client.put(f"/account/mfa/{path}", {"challengeId": challenge_id, "otp": otp})


def enrol(client: ApiClient) -> str:
    """Add an authenticator and verify it; its secret. The clock moves to the next step."""
    secret = str(client.post("/account/mfa/authenticators/totp").json()["secret"])
    response = client.put("/account/mfa/authenticators/totp", {"otp": code(secret)})
    assert response.status_code == 200, response.content
    return secret


def prove(client: ApiClient, factor: str, otp: str) -> Any:
    """Create a challenge and answer it rightly; the session."""
    response = answer(client, begin(client, factor), otp)
    assert response.status_code == 200, response.content
    return response.json()
