"""Only for this host."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from django_account.accounts.models import Account
from tests.client import ApiClient, assert_error


def test_it_is_this_host() -> None:
    assert connection.settings_dict["ATOMIC_REQUESTS"] is True


def test_refusal_keeps_what_was_noted_before_it(ada: ApiClient) -> None:
    """An error that is answered is no error that undoes the request."""
    long_ago = timezone.now() - timedelta(days=2)
    Account.objects.update(accessed_at=long_ago)
    assert_error(ada.patch("/account/name", {}), 400, "general_argument_invalid")
    assert Account.objects.get().accessed_at > long_ago


def test_unexpected_error_undoes_the_request(
    ada: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*args: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("django_account.api.account.account.account_document", breaks)
        assert_error(ada.patch("/account/name", {"name": "Bob"}), 500, "general_unknown")
    assert ada.get("/account").json()["name"] == "Ada"


def test_conflict_in_the_database_leaves_the_transaction_usable(ada: ApiClient) -> None:
    for path, body in [
        ("/account/email", {"email": "ada@example.org", "password": "correct horse"}),
        ("/account/name", {"name": "Ada L"}),
    ]:
        ada.patch(path, body)
    assert ada.get("/account").json()["name"] == "Ada L"


def test_refused_requests_are_counted(ada: ApiClient, project: Any, settings: Any) -> None:
    """In the database, too: the request's transaction keeps the count of what it refuses."""
    project(RATE_LIMITS_ENABLED=True)
    backend = "django_account.limits.cache.AtomicDatabaseCache"
    settings.CACHES = {"default": {"BACKEND": backend}}
    wrong = {"email": "ada@example.org", "password": "wrong horse"}
    found = [ApiClient().post("/account/sessions/email", wrong).status_code for _ in range(11)]
    assert found == [401] * 10 + [429]
