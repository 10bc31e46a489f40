"""The log of other people's accounts, and what servers leave in it (users.md §8.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_account.accounts.models import Account
from django_account.api_keys.models import ApiKey
from django_account.audit.models import LogEntry
from django_account.mfa.models import Authenticator
from tests.client import ApiClient, assert_error


# Entries are written once the transaction has committed.
@pytest.mark.django_db(transaction=True)
class TestListLogs:
    """users.listLogs"""

    def test_what_a_server_did(self, site: ApiClient, person: dict[str, Any]) -> None:
        site.patch("/users/eve/name", {"name": "Eva"})
        site.patch("/users/eve/prefs", {"prefs": {}})
        site.post("/users/eve/sessions")
        site.post("/users/eve/tokens")
        body = site.get("/users/eve/logs").json()
        assert [entry["event"] for entry in body["logs"]] == [
            "tokens.create",
            "session.create",
            "user.update",
            "user.create",
        ]
        assert body["total"] == 4
        assert {(entry["userId"], entry["userType"]) for entry in body["logs"]} == {
            ("eve", "keyProject")
        }

    def test_pages(self, site: ApiClient, person: dict[str, Any]) -> None:
        site.patch("/users/eve/name", {"name": "Eva"})
        query = '{"method":"limit","values":[1]}'
        body = site.get(f"/users/eve/logs?queries[0]={query}&total=false").json()
        assert (body["total"], len(body["logs"])) == (0, 1)
        query = '{"method":"equal","attribute":"event","values":["user.create"]}'
        response = site.get(f"/users/eve/logs?queries[0]={query}")
        assert_error(response, 400, "general_argument_invalid")

    def test_unknown_person(self, site: ApiClient) -> None:
        assert_error(site.get("/users/nobody/logs"), 404, "user_not_found")

    def test_impersonated_deletion_is_not_the_actors_own(
        self, site: ApiClient, ada: ApiClient
    ) -> None:
        site.post("/users", {"userId": "eve"})
        user_id = ada.account["$id"]
        site.patch(f"/users/{user_id}/impersonator", {"impersonator": True})
        ada.delete("/account", X_Appwrite_Impersonate_User_Id="eve")
        events = [entry["event"] for entry in site.get(f"/users/{user_id}/logs").json()["logs"]]
        assert "user.delete" not in events
        entry = LogEntry.objects.get(event="user.delete")
        assert (entry.user_id, entry.actor_id) == ("eve", user_id)

    def test_impersonated_deletion_names_the_actor_also_when_anonymous(
        self, site: ApiClient, ada: ApiClient, settings: Any
    ) -> None:
        settings.DJANGO_ACCOUNT = {**settings.DJANGO_ACCOUNT, "LOG_ANONYMISE": True}
        site.post("/users", {"userId": "eve"})
        user_id = ada.account["$id"]
        site.patch(f"/users/{user_id}/impersonator", {"impersonator": True})
        ada.delete("/account", X_Appwrite_Impersonate_User_Id="eve")
        entry = LogEntry.objects.get(event="user.delete")
        assert (entry.user_id, entry.actor_id) == ("", user_id)

    # What each route leaves, by users.md §8.1.
    ROUTES = [
        ("PATCH", "name", {"name": "Eva"}, ["user.update"]),
        ("PATCH", "email", {"email": "eva@example.org"}, ["user.update"]),
        ("PATCH", "phone", {"number": "+14155550199"}, ["user.update"]),
        ("PATCH", "password", {"password": "another password"}, ["user.update"]),
        ("PATCH", "status", {"status": False}, ["user.update"]),
        ("PUT", "labels", {"labels": ["a"]}, ["user.update"]),
        ("PATCH", "impersonator", {"impersonator": True}, ["user.update"]),
        ("PATCH", "mfa", {"mfa": True}, ["user.update"]),
        ("PATCH", "verification", {"emailVerification": True}, ["verification.update"]),
        ("PATCH", "verification/phone", {"phoneVerification": True}, ["verification.update"]),
        ("PATCH", "prefs", {"prefs": {"a": 1}}, []),
        ("POST", "jwts", {}, []),
        ("POST", "tokens", {}, ["tokens.create"]),
        ("POST", "sessions", {}, ["session.create"]),
        ("DELETE", "sessions", {}, ["session.delete"]),
        (
            "POST",
            "targets",
            {"targetId": "t", "providerType": "push", "identifier": "t"},
            ["target.create"],
        ),
        ("PATCH", "targets/t", {"name": "t"}, ["target.update"]),
        ("DELETE", "targets/t", {}, ["target.delete"]),
        ("PATCH", "mfa/recovery-codes", {}, ["user.update"]),
        ("PUT", "mfa/recovery-codes", {}, ["user.update"]),
        ("GET", "mfa/recovery-codes", {}, []),
        ("DELETE", "mfa/authenticators/totp", {}, ["user.update"]),
        ("DELETE", "", {}, ["user.delete"]),
    ]

    def test_every_route_is_told_once_with_the_keys_name(
        self, site: ApiClient, person: dict[str, Any]
    ) -> None:
        Authenticator.objects.create(user_id=Account.objects.get().user_id, confirmed=True)
        for method, route, body, events in self.ROUTES:
            before = LogEntry.objects.count()
            response = site.call(method, f"/users/eve/{route}".rstrip("/"), body)
            assert response.status_code < 300, (method, route, response.content)
            new = LogEntry.objects.order_by("pk")[before:]
            assert [entry.event for entry in new] == events, (method, route)
            for entry in new:
                assert (entry.user_id, entry.user_type) == ("eve", "keyProject")
                assert entry.key_name == ApiKey.objects.get().name

    def test_an_impersonators_own_act_names_nobody_else(
        self, ada: ApiClient, site: ApiClient, project: Callable[..., None]
    ) -> None:
        project(LOG_ANONYMISE=True)
        Account.objects.update(impersonator=True)
        site.post("/users", {"userId": "eve"})
        ada.patch("/account/name", {"name": "A"}, X_Appwrite_Impersonate_User_Id="eve")
        assert LogEntry.objects.latest("pk").actor_id == ""
        # Nor does the impersonator's id outlive them.
        ada.delete("/account", X_Appwrite_Impersonate_User_Id="eve")
        ada.delete("/account")
        assert not LogEntry.objects.exclude(actor_id="").exists()
