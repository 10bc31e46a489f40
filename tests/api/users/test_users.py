"""People, by servers (users.md §2, §3 and §10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from django_account.accounts.models import Account
from django_account.api.serializers.membership import MembershipSerializer
from tests.api.rows import unchanged
from tests.client import PASSWORD, ApiClient, assert_error

Person = dict[str, Any]
Project = Callable[..., None]


class TestCreate:
    """users.create"""

    def test_with_everything(self, site: ApiClient) -> None:
        body = {"userId": "eve", "email": "EVE@example.org", "phone": "+14155550100"}
        response = site.post("/users", {**body, "password": PASSWORD, "name": "Eve"})
        assert response.status_code == 201
        user = response.json()
        assert (user["$id"], user["email"], user["phone"]) == (
            "eve",
            "eve@example.org",
            "+14155550100",
        )
        assert (user["name"], user["status"], user["labels"]) == ("Eve", True, [])
        assert (user["emailVerification"], user["phoneVerification"]) == (False, False)
        assert (user["emailCanonical"], user["emailIsCorporate"]) == ("eve@example.org", True)
        assert [target["providerType"] for target in user["targets"]] == ["email", "sms"]
        assert user["passwordUpdate"]
        assert user["accessedAt"] == ""
        assert b'"prefs":{}' in response.content

    def test_keys_stand_in_the_order_of_the_contract(self, site: ApiClient) -> None:
        user = site.post("/users", {"userId": "unique()"}).json()
        expected = (
            "$id $createdAt $updatedAt name password hash hashOptions registration status labels "
            "passwordUpdate email phone emailVerification emailCanonical emailIsFree "
            "emailIsDisposable emailIsCorporate emailIsCanonical phoneVerification mfa prefs "
            "targets accessedAt impersonator impersonatorUserId"
        )
        assert list(user) == expected.split()

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"email": "a@example.org"},
            {"phone": "+14155550100"},
            {"password": PASSWORD},
            {"email": None, "phone": None, "password": None, "name": None},
        ],
        ids=lambda given: ",".join(given) or "nothing",
    )
    def test_with_any_part_of_it(self, site: ApiClient, given: dict[str, Any]) -> None:
        user = site.post("/users", {"userId": "unique()", **given}).json()
        assert user["email"] == (given.get("email") or "")
        assert user["phone"] == (given.get("phone") or "")
        assert bool(user["passwordUpdate"]) == bool(given.get("password"))
        assert (user["password"] is None) == (not given.get("password"))

    def test_without_a_password_the_hash_is_argon2(self, person: Person) -> None:
        assert (person["password"], person["hash"]) == (None, "argon2")
        assert person["hashOptions"]["type"] == "argon2"
        assert person["hashOptions"]["memoryCost"] == person["hashOptions"]["memory_cost"]

    def test_people_sign_in_with_the_password(self, site: ApiClient) -> None:
        site.post("/users", {"userId": "unique()", "email": "a@example.org", "password": PASSWORD})
        assert ApiClient().sign_in("a@example.org")["provider"] == "email"

    @pytest.mark.parametrize(
        "taken",
        [{"userId": "eve"}, {"email": "eve@example.org"}, {"phone": "+14155550100"}],
        ids=lambda taken: next(iter(taken)),
    )
    def test_taken(self, site: ApiClient, person: Person, taken: dict[str, Any]) -> None:
        with unchanged():
            response = site.post("/users", {"userId": "unique()", **taken})
        assert_error(response, 409, "user_already_exists")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"userId": ""},
            {"userId": "_eve"},
            {"email": "eve"},
            {"email": ""},
            {"phone": "0815"},
            {"phone": ""},
            {"password": ""},
            {"password": "short"},
            {"name": ""},
            {"name": "x" * 129},
        ],
        ids=str,
    )
    def test_wrong_argument(self, site: ApiClient, wrong: dict[str, Any]) -> None:
        response = site.post("/users", {"userId": "unique()", **wrong})
        name = next(iter(wrong))
        assert f"`{name}`" in assert_error(response, 400, "general_argument_invalid")["message"]

    def test_users_limit_is_not_for_servers(self, site: ApiClient, project: Project) -> None:
        project(USERS_LIMIT=1)
        for _ in range(2):
            assert site.post("/users", {"userId": "unique()"}).status_code == 201

    def test_personal_data(self, site: ApiClient, project: Project) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        response = site.post("/users", {"userId": "eve-eve", "password": "eve-eve-1"})
        assert_error(response, 400, "password_personal_data")


class TestGetAndDelete:
    """users.get, users.delete"""

    def test_get(self, site: ApiClient, person: Person) -> None:
        assert site.get("/users/eve").json() == person

    def test_unknown(self, site: ApiClient) -> None:
        assert_error(site.get("/users/nobody"), 404, "user_not_found")
        assert_error(site.delete("/users/nobody"), 404, "user_not_found")

    def test_delete(self, site: ApiClient, person: Person) -> None:
        response = site.delete("/users/eve")
        assert (response.status_code, response.content) == (204, b"")
        assert response["Content-Type"].startswith("text/html")
        assert_error(site.delete("/users/eve"), 404, "user_not_found")
        assert not get_user_model().objects.exists()

    def test_no_hash_for_impersonators(self, site: ApiClient, ada: ApiClient) -> None:
        Account.objects.update(impersonator=True)
        user = ada.get(f"/users/{ada.account['$id']}").json()
        assert not {"password", "hash", "hashOptions"} & set(user)
        assert "password" not in ada.get("/users").json()["users"][0]


class TestUpdates:
    """users.updateName, updateStatus, updateLabels, …"""

    UPDATES = [
        ("PATCH", "name", {"name": "Eve Eve"}, {"name": "Eve Eve"}),
        ("PATCH", "name", {"name": ""}, {"name": ""}),
        ("PATCH", "status", {"status": False}, {"status": False}),
        ("PATCH", "status", {"status": "0"}, {"status": False}),
        ("PATCH", "status", {"status": 1}, {"status": True}),
        ("PUT", "labels", {"labels": ["b", "a", "b"]}, {"labels": ["b", "a"]}),
        ("PUT", "labels", {"labels": []}, {"labels": []}),
        ("PATCH", "impersonator", {"impersonator": True}, {"impersonator": True}),
        ("PATCH", "impersonator", {"impersonator": "false"}, {"impersonator": False}),
        ("PATCH", "verification", {"emailVerification": True}, {"emailVerification": True}),
        ("PATCH", "verification/phone", {"phoneVerification": True}, {"phoneVerification": True}),
        ("PATCH", "mfa", {"mfa": True}, {"mfa": True}),
        ("PATCH", "email", {"email": "E@x.example"}, {"email": "e@x.example"}),
        ("PATCH", "email", {"email": ""}, {"email": "", "emailCanonical": None}),
        ("PATCH", "phone", {"number": "+33123456789"}, {"phone": "+33123456789"}),
        ("PATCH", "phone", {"number": ""}, {"phone": ""}),
    ]

    @pytest.mark.parametrize(("method", "path", "body", "changed"), UPDATES)
    def test_answers_the_changed_person(
        self,
        site: ApiClient,
        person: Person,
        method: str,
        path: str,
        body: dict[str, Any],
        changed: dict[str, Any],
    ) -> None:
        response = site.call(method, f"/users/eve/{path}", body)
        assert response.status_code == 200, response.content
        user = response.json()
        assert user.items() >= changed.items()
        assert site.get("/users/eve").json() == user

    REFUSED = [
        ("PATCH", "name", {}),
        ("PATCH", "name", {"name": "x" * 129}),
        ("PATCH", "status", {"status": "maybe"}),
        ("PUT", "labels", {}),
        ("PUT", "labels", {"labels": "vip"}),
        ("PUT", "labels", {"labels": ["invalid-label"]}),
        ("PUT", "labels", {"labels": ["x" * 37]}),
        ("PUT", "labels", {"labels": [""]}),
        ("PUT", "labels", {"labels": [["a"]]}),
        ("PUT", "labels", {"labels": ["a"] * 1001}),
        ("PATCH", "verification", {"emailVerification": "true"}),
        ("PATCH", "verification/phone", {"phoneVerification": 1}),
        ("PATCH", "mfa", {"mfa": "true"}),
        ("PATCH", "email", {"email": "eve"}),
        ("PATCH", "phone", {"number": "0815"}),
        ("PATCH", "password", {"password": "short"}),
        ("PATCH", "prefs", {"prefs": "{}"}),
        ("PATCH", "prefs", {}),
    ]

    @pytest.mark.parametrize(("method", "path", "body"), REFUSED)
    def test_wrong_argument(
        self, site: ApiClient, person: Person, method: str, path: str, body: dict[str, Any]
    ) -> None:
        with unchanged():
            response = site.call(method, f"/users/eve/{path}", body)
        assert_error(response, 400, "general_argument_invalid")

    @pytest.mark.parametrize(("method", "path", "body", "changed"), UPDATES)
    def test_unknown_person(
        self, site: ApiClient, method: str, path: str, body: dict[str, Any], changed: Any
    ) -> None:
        assert_error(site.call(method, f"/users/nobody/{path}", body), 404, "user_not_found")

    def test_blocked_person_keeps_sessions_that_are_refused(self, site: ApiClient) -> None:
        eve = ApiClient()
        eve.sign_up("a@example.org", userId="a")
        eve.sign_in("a@example.org")
        site.patch("/users/a/status", {"status": False})
        assert_error(eve.get("/account"), 403, "user_blocked")
        site.patch("/users/a/status", {"status": True})
        assert eve.get("/account").status_code == 200

    def test_email_moves_its_target_and_is_unverified(
        self, site: ApiClient, person: Person
    ) -> None:
        site.patch("/users/eve/verification", {"emailVerification": True})
        user = site.patch("/users/eve/email", {"email": "new@example.org"}).json()
        assert user["emailVerification"] is False
        assert user["targets"][0]["identifier"] == "new@example.org"
        assert get_user_model().objects.get().email == "new@example.org"

    def test_own_address_again(self, site: ApiClient, person: Person) -> None:
        response = site.patch("/users/eve/email", {"email": "eve@example.org"})
        assert_error(response, 409, "user_target_already_exists")
        response = site.patch("/users/eve/phone", {"number": "+14155550100"})
        assert_error(response, 409, "user_target_already_exists")

    def test_address_without_a_target(self, site: ApiClient, person: Person) -> None:
        target = person["targets"][0]["$id"]
        site.delete(f"/users/eve/targets/{target}")
        site.post("/users", {"userId": "bob"})
        response = site.patch("/users/bob/email", {"email": "eve@example.org"})
        assert_error(response, 409, "user_email_already_exists")

    def test_two_people_without_phone_and_email(self, site: ApiClient, person: Person) -> None:
        site.post("/users", {"userId": "bob", "email": "b@example.org", "phone": "+33123456789"})
        for user in ("eve", "bob"):
            assert site.patch(f"/users/{user}/phone", {"number": ""}).status_code == 200
            assert site.patch(f"/users/{user}/email", {"email": ""}).status_code == 200
            assert site.get(f"/users/{user}").json()["targets"] == []


class TestUpdatePassword:
    """users.updatePassword"""

    def test_ends_all_sessions(self, site: ApiClient, ada: ApiClient) -> None:
        user_id = ada.account["$id"]
        user = site.patch(f"/users/{user_id}/password", {"password": "another horse"}).json()
        assert user["passwordUpdate"] > ada.account["passwordUpdate"]
        assert site.get(f"/users/{user_id}/sessions").json()["total"] == 0
        assert ApiClient().sign_in(password="another horse")

    def test_leaves_them_without_invalidation(
        self, site: ApiClient, ada: ApiClient, project: Project
    ) -> None:
        project(INVALIDATE_SESSIONS=False)
        user_id = ada.account["$id"]
        site.patch(f"/users/{user_id}/password", {"password": "another horse"})
        assert site.get(f"/users/{user_id}/sessions").json()["total"] == 1

    def test_empty_takes_it_away(self, site: ApiClient, ada: ApiClient, project: Project) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        user_id = ada.account["$id"]
        user = site.patch(f"/users/{user_id}/password", {"password": ""}).json()
        assert (user["password"], user["passwordUpdate"]) == (None, "")
        for password in (PASSWORD, "        "):
            body = {"email": "ada@example.org", "password": password}
            response = ApiClient().post("/account/sessions/email", body)
            assert_error(response, 401, "user_invalid_credentials")

    def test_recently_used(self, site: ApiClient, project: Project) -> None:
        project(PASSWORD_HISTORY=2)
        site.post("/users", {"userId": "a", "password": PASSWORD})
        response = site.patch("/users/a/password", {"password": PASSWORD})
        assert_error(response, 400, "password_recently_used")

    def test_personal_data(self, site: ApiClient, person: Person, project: Project) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        response = site.patch("/users/eve/password", {"password": "my name is eve"})
        assert_error(response, 400, "password_personal_data")


class TestPrefs:
    """users.getPrefs, users.updatePrefs"""

    def test_bare_object_replaced_whole(self, site: ApiClient, person: Person) -> None:
        assert site.get("/users/eve/prefs").content == b"{}"
        assert site.patch("/users/eve/prefs", {"prefs": {"a": 1}}).json() == {"a": 1}
        assert site.patch("/users/eve/prefs", {"prefs": {"b": 2}}).json() == {"b": 2}
        assert site.get("/users/eve/prefs").json() == {"b": 2}


class TestListMemberships:
    """users.listMemberships"""

    def test_nobody_is_in_a_team(self, site: ApiClient, person: Person) -> None:
        assert site.get("/users/eve/memberships").json() == {"total": 0, "memberships": []}

    def test_hook_of_the_site(self, site: ApiClient, person: Person, project: Project) -> None:
        asked = {}

        def memberships(**given: Any) -> list[dict[str, Any]]:
            asked.update(given)
            return [{"$id": "m", "teamName": "Red", "roles": ["owner"]}]

        project(MEMBERSHIPS=memberships)
        query = 'queries[0]={"method":"limit","values":[3]}&search=red'
        body = site.get(f"/users/eve/memberships?{query}").json()
        assert body["total"] == 1
        [membership] = body["memberships"]
        assert membership.keys() == MembershipSerializer().fields.keys()
        told = {"$id": "m", "teamName": "Red", "roles": ["owner"]}
        told |= {"userId": "eve", "userName": "Eve", "userEmail": "eve@example.org"}
        assert membership.items() >= told.items()
        assert (membership["userPhone"], membership["confirm"]) == ("", False)
        assert asked["account"].public_id == "eve"
        assert (asked["queries"].limit, asked["search"]) == (3, "red")

    def test_equal_on_roles(self, site: ApiClient, person: Person) -> None:
        query = '{"method":"equal","attribute":"roles","values":["owner"]}'
        response = site.get(f"/users/eve/memberships?queries[0]={query}")
        message = assert_error(response, 400, "general_argument_invalid")["message"]
        assert message == (
            "Invalid `queries` param: Invalid query: Cannot query equal on attribute "
            '"roles" because it is an array.'
        )

    def test_unknown_person(self, site: ApiClient) -> None:
        assert_error(site.get("/users/nobody/memberships"), 404, "user_not_found")
