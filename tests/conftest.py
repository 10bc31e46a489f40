"""Fixtures for every test, and the switch that makes a missing service a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from django_account.api_keys.services import create_api_key
from django_account.limits import counters
from django_account.notifications import sms
from tests.client import ApiClient


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-services",
        action="store_true",
        help="fail, rather than skip, where PostgreSQL, MariaDB, Redis, Node.js or Chromium is "
        "missing",
    )


# Directories of few tests that take minutes. Begun last they would keep one worker busy while the
# others have nothing left to do.
SLOW = ["tests/hosts/", "tests/races/", "tests/live/", "tests/fuzz/"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have xdist's workers begin with what takes longest (with ``--no-loadscope-reorder``)."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in SLOW])


@pytest.fixture(scope="session")
def missing(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say that a service is not there: skips the test, or fails it with --require-services."""

    def say(what: str) -> None:
        if request.config.getoption("--require-services"):
            pytest.fail(f"{what} is missing", pytrace=False)
        pytest.skip(f"{what} is missing")

    return say


@pytest.fixture(autouse=True)
def nothing_left_behind() -> None:
    """Counters and messages of one test are none of the next one's business."""
    cache.clear()
    counters._site.is_gone = False
    sms.outbox.clear()


@pytest.fixture
def guest(db: None) -> ApiClient:
    """Somebody without credentials."""
    return ApiClient()


@pytest.fixture
def ada(db: None) -> ApiClient:
    """Ada, signed up and signed in by cookie."""
    client = ApiClient()
    client.account = client.sign_up(name="Ada")  # type: ignore[attr-defined]
    client.session = client.sign_in()  # type: ignore[attr-defined]
    return client


@pytest.fixture
def ada_by_jwt(ada: ApiClient) -> ApiClient:
    """Ada, by a JWT of her session."""
    return ApiClient(jwt=ada.post("/account/jwts").json()["jwt"])


@pytest.fixture
def server(db: None) -> ApiClient:
    """A server with a key that may create sessions."""
    return ApiClient(key=create_api_key(name="tests", scopes=["sessions.write"]).secret)


@pytest.fixture
def project(settings: Any) -> Callable[..., None]:
    """Change DJANGO_ACCOUNT for one test: ``project(SESSION_LIMIT=1)``."""

    def change(**values: Any) -> None:
        settings.DJANGO_ACCOUNT = {**settings.DJANGO_ACCOUNT, **values}

    return change
