"""Fixtures for the tests of second factors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from django_account.core.messages import Message
from tests.mfa.people import Clock, messages, stopped_clock


@pytest.fixture
def clock() -> Iterator[Clock]:
    with stopped_clock() as clock:
        yield clock


@pytest.fixture
def sent() -> Iterator[list[Message]]:
    with messages() as sent:
        yield sent
