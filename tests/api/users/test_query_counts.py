"""What each endpoint for servers costs the database.

The first statement finds the key, the next the person; two of each ``atomic`` are its SAVEPOINT and
RELEASE.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.client import PASSWORD, ApiClient

# Method, path, body and statements.
ENDPOINTS = [
    # The targets.
    ("GET", "/users/eve", None, 3),
    # The targets of the page; the total.
    ("GET", "/users", None, 4),
    # What was found, then the page and its targets.
    ("GET", "/users?search=eve", None, 4),
    ("GET", "/users/eve/prefs", None, 2),
    ("GET", "/users/eve/sessions", None, 3),
    # The total.
    ("GET", "/users/eve/targets", None, 4),
    ("GET", "/users/eve/memberships", None, 2),
    # atomic: UPDATE account; the targets for the answer
    ("PATCH", "/users/eve/name", {"name": "Eva"}, 6),
    ("PUT", "/users/eve/labels", {"labels": ["vip"]}, 6),
    # atomic: UPDATE account and user
    ("PATCH", "/users/eve/status", {"status": False}, 9),
    # Address free among accounts, users, targets and identities; atomic: lock, UPDATE account,
    # target and user, DELETE tokens
    ("PATCH", "/users/eve/email", {"email": "eva@example.org"}, 16),
    # atomic: UPDATE account and user; DELETE recovery tokens; the sessions, which are none
    ("PATCH", "/users/eve/password", {"password": PASSWORD}, 13),
    # On an identity? Taken? atomic: INSERT user, account and target
    ("POST", "/users", {"userId": "bob", "email": "bob@example.org"}, 10),
    # atomic: lock, INSERT
    ("POST", "/users/eve/sessions", {}, 6),
    ("POST", "/users/eve/tokens", {}, 6),
    # The latest session.
    ("POST", "/users/eve/jwts", {}, 3),
    ("DELETE", "/users/eve/sessions", None, 5),
]


@pytest.mark.parametrize(("method", "path", "body", "count"), ENDPOINTS)
def test_statements(
    site: ApiClient,
    person: dict[str, Any],
    django_assert_num_queries: Callable[[int], Any],
    method: str,
    path: str,
    body: Any,
    count: int,
) -> None:
    with django_assert_num_queries(count):
        response = site.call(method, path, body)
    assert response.status_code < 300, response.content
