"""Clients of older formats get what they know (core.md §3.2, transport.md §14)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import PASSWORD, ApiClient, assert_error


def keys(body: dict[str, Any]) -> set[str]:
    return set(body)


class TestAccount:
    NEW = {"impersonator", "impersonatorUserId"}

    @pytest.mark.parametrize("asked", ["1.8.0", "1.8.99", "1.4.0", "0.9.0"])
    def test_before_1_9_0(self, ada: ApiClient, asked: str) -> None:
        now = keys(ada.account)
        for response in (
            ada.get("/account", X_Appwrite_Response_Format=asked),
            ada.patch("/account/name", {"name": "Zoë"}, X_Appwrite_Response_Format=asked),
        ):
            assert keys(response.json()) == now - self.NEW
        assert response.json()["name"] == "Zoë"

    @pytest.mark.parametrize("asked", ["1.9.0", "1.9.5", "1.10.0", "2.5.0", "", "x", "1", "9" * 9])
    def test_from_1_9_0_on(self, ada: ApiClient, asked: str) -> None:
        response = ada.get("/account", X_Appwrite_Response_Format=asked)
        assert keys(response.json()) == keys(ada.account)

    def test_prefs_are_the_persons_own(self, ada: ApiClient) -> None:
        prefs = {"impersonator": 1, "factors": 2, "phrase": 3}
        ada.patch("/account/prefs", {"prefs": prefs})
        assert ada.get("/account/prefs", X_Appwrite_Response_Format="1.0.0").json() == prefs


class TestSessionsAndTokens:
    def test_before_1_5_0(self, ada: ApiClient) -> None:
        old = {"X_Appwrite_Response_Format": "1.4.13"}
        now = keys(ada.session)
        (listed,) = ada.get("/account/sessions", **old).json()["sessions"]
        signing_in = {"email": "ada@example.org", "password": PASSWORD}
        created = ApiClient().post("/account/sessions/email", signing_in, **old).json()
        assert keys(listed) == keys(created) == now - {"factors", "secret"}
        asking = {"userId": "unique()", "email": "ada@example.org"}
        token = ApiClient().post("/account/tokens/email", asking, **old).json()
        assert keys(token) == {"$id", "$createdAt", "userId", "secret", "expire"}

    def test_from_1_5_0_on(self, ada: ApiClient) -> None:
        response = ada.get("/account/sessions/current", X_Appwrite_Response_Format="1.5.0")
        assert response.json() == ada.session


def test_of_errors_and_of_nothing(ada: ApiClient) -> None:
    old = {"X_Appwrite_Response_Format": "1.0.0"}
    assert_error(ApiClient().get("/account", **old), 401, "general_unauthorized_scope")
    assert ada.get("/ping", **old).content == b"Pong!"
    assert ada.get("/nope", **old).status_code == 404
    assert ada.call("HEAD", "/account", **old).status_code == 200
    assert ada.delete("/account/sessions", **old).status_code == 204
