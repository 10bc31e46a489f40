"""Fixtures for the tests over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from django_account.accounts.models import Account
from tests.client import ApiClient


@pytest.fixture
def ada_elsewhere(ada: ApiClient) -> ApiClient:
    """Ada on a second device, signed in there after the first."""
    client = ApiClient()
    client.session = client.sign_in()  # type: ignore[attr-defined]
    return client


@pytest.fixture
def bob(db: None) -> ApiClient:
    """Somebody else, signed up and signed in by cookie."""
    client = ApiClient()
    client.account = client.sign_up("bob@example.org", name="Bob")  # type: ignore[attr-defined]
    client.session = client.sign_in("bob@example.org")  # type: ignore[attr-defined]
    return client


@pytest.fixture
def anonymous(db: None) -> ApiClient:
    """Somebody signed in with an account that has nothing but an id."""
    client = ApiClient()
    response = client.post("/account/sessions/anonymous")
    assert response.status_code == 201, response.content
    client.session = response.json()  # type: ignore[attr-defined]
    return client


@pytest.fixture
def edit(db: None) -> Callable[..., None]:
    """Change an account behind the API's back: ``edit("ada@example.org", mfa_enabled=True)``.

    ``is_active`` and ``password`` are the user's.
    """

    def change(email: str = "ada@example.org", **values: Any) -> None:
        account = Account.objects.get(email=email)
        of_user = {name: values.pop(name) for name in ("is_active", "password") if name in values}
        Account.objects.filter(pk=account.pk).update(**values)
        get_user_model().objects.filter(pk=account.user_id).update(**of_user)

    return change
