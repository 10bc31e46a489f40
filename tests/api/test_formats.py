"""Answers as older servers gave them (transport.md §14)."""

from __future__ import annotations

from typing import Any

import pytest

from django_account.api_keys.models import GRANTABLE_SCOPES
from django_account.api_keys.services import create_api_key
from tests.client import ApiClient

NEW = {"impersonator", "impersonatorUserId"}


def keys(response: Any, inside: str | None = None) -> set[str]:
    body = response.json()
    return set(body if inside is None else body[inside][0])


@pytest.mark.parametrize("wanted", ["", "2.5.0", "1.9.6", "1.9.5", "nonsense", "1.4", "9" * 99])
def test_the_present_format(ada: ApiClient, wanted: str) -> None:
    assert keys(ada.get("/account", X_Appwrite_Response_Format=wanted)) >= NEW


@pytest.mark.parametrize("wanted", ["1.8.1", "1.4.0"])
def test_before_impersonators(ada: ApiClient, wanted: str) -> None:
    old = {"X_Appwrite_Response_Format": wanted}
    present = keys(ada.get("/account"))
    assert keys(ada.get("/account", **old)) == present - NEW
    assert keys(ada.patch("/account/name", {"name": "Eva"}, **old)) == present - NEW
    assert ada.get("/account/nothing", **old).json()["type"] == "general_route_not_found"


def test_before_targets_and_factors(ada: ApiClient) -> None:
    old = {"X_Appwrite_Response_Format": "1.4.0"}
    site = ApiClient(key=create_api_key(name="site", scopes=GRANTABLE_SCOPES).secret)
    user = f"/users/{ada.account['$id']}"
    lost = NEW | {"targets", "mfa"}
    assert keys(site.get("/users", **old), "users") == keys(site.get("/users"), "users") - lost
    assert keys(site.get(user, **old)) == keys(site.get(user)) - lost
    # The account kept them: only the Users API's model had none.
    assert {"targets", "mfa"} <= keys(ada.get("/account", **old))
    lost = {"factors", "secret"}
    path = f"{user}/sessions"
    assert not lost & keys(site.get(path, **old), "sessions")
    assert not lost & keys(site.post(path, **old))
    assert "phrase" not in keys(site.post(f"{user}/tokens", **old))
