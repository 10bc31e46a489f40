"""The activity log tells who did what, never with which secret."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_account.audit.models import LogEntry
from tests.client import ApiClient
from tests.security.conftest import SITE_PASSWORD
from tests.security.secrets import betrayed

# The log is written once the transaction has committed.
pytestmark = pytest.mark.django_db(transaction=True)


def test_no_secret_in_any_entry(flows: Callable[[], list[str]]) -> None:
    secrets = flows()
    entries = list(LogEntry.objects.values())
    events = {(entry["event"], bool(entry["error"])) for entry in entries}
    assert {
        ("user.create", False),
        ("user.update", False),
        ("session.create", False),
        ("session.create", True),
        ("session.delete", False),
    } <= events
    assert betrayed(secrets, repr(entries).encode()) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/account/sessions/email", {"email": "x@example.org", "password": SITE_PASSWORD}),
        ("POST", "/account/sessions/token", {"userId": "ada", "secret": SITE_PASSWORD}),
        (
            "PUT",
            "/account/recovery",
            {"userId": "ada", "secret": SITE_PASSWORD, "password": SITE_PASSWORD},
        ),
        ("PUT", "/account/verifications/phone", {"userId": "ada", "secret": SITE_PASSWORD}),
    ],
)
def test_what_was_tried_is_not_kept(method: str, path: str, body: dict[str, str]) -> None:
    assert ApiClient().call(method, path, body).status_code in (401, 404)
    (entry,) = LogEntry.objects.values()
    assert entry["error"]
    assert betrayed([SITE_PASSWORD], repr(entry).encode()) == []
