"""A server that may do everything, and somebody to do it to."""

from __future__ import annotations

from typing import Any

import pytest

from django_account.api_keys.models import GRANTABLE_SCOPES
from django_account.api_keys.services import create_api_key
from tests.client import ApiClient


@pytest.fixture
def site(db: None) -> ApiClient:
    """A server whose key holds every scope."""
    return ApiClient(key=create_api_key(name="site", scopes=GRANTABLE_SCOPES).secret)


@pytest.fixture
def person(site: ApiClient) -> dict[str, Any]:
    """Somebody whom the server made: Eve, without a password."""
    body = {"userId": "eve", "email": "eve@example.org", "phone": "+14155550100", "name": "Eve"}
    response = site.post("/users", body)
    assert response.status_code == 201, response.content
    return response.json()
