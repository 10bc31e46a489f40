"""The log of other people's accounts, and what servers leave in it (users.md §8.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_account.accounts.models import Account
from django_account.audit.models import LogEntry
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

    def test_impersonated_deletion_names_the_actor(
        self, site: ApiClient, ada: ApiClient, project: Callable[..., None]
    ) -> None:
        project(LOG_ANONYMISE=True)
        Account.objects.update(impersonator=True)
        site.post("/users", {"userId": "eve"})
        ada.patch("/account/name", {"name": "A"}, X_Appwrite_Impersonate_User_Id="eve")
        ada.delete("/account", X_Appwrite_Impersonate_User_Id="eve")
        own, deletion = LogEntry.objects.order_by("pk")[:10][3:5]
        assert (own.event, own.actor_id) == ("user.update", "")
        assert (deletion.event, deletion.user_id) == ("user.delete", "")
        assert deletion.actor_id == ada.account["$id"]
        # Nor does the impersonator's id outlive them.
        ada.delete("/account")
        assert not LogEntry.objects.exclude(actor_id="").exists()
