"""The account itself, one class per SDK method (core.md §9.1 to §9.3 and §9.18 to §9.24)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from django_account.accounts.models import Account
from django_account.api_keys.services import create_api_key
from django_account.sessions.models import Session
from django_account.targets.models import Target
from tests.api.rows import unchanged
from tests.client import PASSWORD, ApiClient, assert_error

GENERATED_ID = re.compile(r"[0-9a-f]{20}")

Edit = Callable[..., None]
Project = Callable[..., None]


def refused(response: Any, name: str) -> None:
    """Check that a parameter was called invalid."""
    body = assert_error(response, 400, "general_argument_invalid")
    assert body["message"].startswith(f"Invalid `{name}` param: ")


def missing(response: Any, name: str) -> None:
    """Check that a parameter was called missing."""
    body = assert_error(response, 400, "general_argument_invalid")
    assert body["message"] == f'Param "{name}" is not optional.'


def person(email: str = "ada@example.org", **values: Any) -> dict[str, Any]:
    """The body of a sign-up."""
    return {"userId": "unique()", "email": email, "password": PASSWORD, **values}


class TestCreate:
    """POST /account"""

    def test_answers_the_new_account(self, guest: ApiClient) -> None:
        response = guest.post("/account", person(name="Ada"))
        assert response.status_code == 201
        body = response.json()
        assert body["email"] == "ada@example.org"
        assert body["name"] == "Ada"
        assert body["status"] is True
        assert body["labels"] == []
        assert body["prefs"] == {}
        assert body["emailVerification"] is body["phoneVerification"] is body["mfa"] is False
        assert body["registration"]
        assert body["passwordUpdate"]
        assert body["accessedAt"]

    def test_answers_what_the_address_tells(self, guest: ApiClient) -> None:
        body = guest.post("/account", person("Ada.L+shop@googlemail.com")).json()
        facts = {key: value for key, value in body.items() if key.startswith("emailC")}
        assert facts == {"emailCanonical": "adal@gmail.com"}
        facts = {key: value for key, value in body.items() if key.startswith("emailIs")}
        assert facts == {
            "emailIsFree": True,
            "emailIsDisposable": False,
            "emailIsCorporate": False,
            "emailIsCanonical": False,
        }

    def test_makes_an_email_target(self, guest: ApiClient) -> None:
        body = guest.post("/account", person()).json()
        (target,) = body["targets"]
        assert target["identifier"] == "ada@example.org"
        assert target["providerType"] == "email"
        assert target["userId"] == body["$id"]

    def test_does_not_sign_in(self, guest: ApiClient) -> None:
        response = guest.post("/account", person())
        assert not response.cookies
        assert not response.has_header("X-Fallback-Cookies")
        assert not Session.objects.exists()
        assert guest.get("/account").status_code == 401

    def test_password_signs_in_afterwards(self, guest: ApiClient) -> None:
        guest.post("/account", person())
        assert guest.sign_in()["provider"] == "email"

    def test_never_shows_the_password_or_its_hash_not_even_to_a_server(
        self, server: ApiClient
    ) -> None:
        response = server.post("/account", person())
        assert response.status_code == 201
        assert not {"password", "hash", "hashOptions"} & set(response.json())
        assert get_user_model().objects.get().password not in response.content.decode()

    def test_chosen_id_is_kept(self, guest: ApiClient) -> None:
        assert guest.post("/account", person(userId="Ada_1.x-y")).json()["$id"] == "Ada_1.x-y"

    def test_unique_has_the_server_choose_the_id(self, guest: ApiClient) -> None:
        assert GENERATED_ID.fullmatch(guest.post("/account", person()).json()["$id"])

    def test_name_is_empty_by_default(self, guest: ApiClient) -> None:
        assert guest.post("/account", person()).json()["name"] == ""

    def test_email_is_stored_lower_case_and_without_outer_blanks(self, guest: ApiClient) -> None:
        body = guest.post("/account", person(" Ada@Example.ORG ")).json()
        assert body["email"] == body["targets"][0]["identifier"] == "ada@example.org"

    def test_unknown_parameters_are_ignored(self, guest: ApiClient) -> None:
        given = person(labels=["admin"], status=False, emailVerification=True, is_staff=True)
        body = guest.post("/account", given).json()
        assert (body["labels"], body["status"], body["emailVerification"]) == ([], True, False)
        assert not get_user_model().objects.get().is_staff

    @pytest.mark.parametrize("password", ["x" * 8, "x" * 256, "ääää", "密码密", "a\tb c\nde"])
    def test_password_of_8_to_256_bytes(self, guest: ApiClient, password: str) -> None:
        assert guest.post("/account", person(password=password)).status_code == 201
        guest.sign_in(password=password)

    @pytest.mark.parametrize("password", ["", "x" * 5, "x" * 7, "x" * 257, "ä" * 129])
    def test_password_of_another_length(self, guest: ApiClient, password: str) -> None:
        with unchanged():
            refused(guest.post("/account", person(password=password)), "password")

    def test_email_taken(self, ada: ApiClient, guest: ApiClient) -> None:
        with unchanged():
            assert_error(guest.post("/account", person()), 409, "user_already_exists")

    def test_email_taken_in_another_case(self, ada: ApiClient, guest: ApiClient) -> None:
        assert_error(guest.post("/account", person("ADA@example.org")), 409, "user_already_exists")

    def test_id_taken(self, guest: ApiClient) -> None:
        guest.sign_up(userId="ada")
        with unchanged():
            response = guest.post("/account", person("bob@example.org", userId="ada"))
            assert_error(response, 409, "user_already_exists")

    def test_ids_differ_by_case(self, guest: ApiClient) -> None:
        guest.sign_up(userId="ada")
        response = guest.post("/account", person("bob@example.org", userId="Ada"))
        assert response.status_code == 201

    def test_address_that_is_somebodys_extra_target(self, bob: ApiClient, guest: ApiClient) -> None:
        account = Account.objects.get(email="bob@example.org")
        Target.objects.create(account=account, provider_type="email", identifier="ada@example.org")
        assert guest.post("/account", person()).status_code == 201

    def test_signed_in_person_may_sign_somebody_else_up(self, ada: ApiClient) -> None:
        Account.objects.update(labels=["vip"], phone="+4915112345678")
        response = ada.post("/account", person("bob@example.org"))
        assert response.status_code == 201
        body = response.json()
        assert body["$id"] != ada.account["$id"]
        assert (body["name"], body["labels"], body["phone"]) == ("", [], "")

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert ada_by_jwt.post("/account", person("bob@example.org")).status_code == 201

    def test_by_a_server(self, server: ApiClient) -> None:
        assert server.post("/account", person()).status_code == 201

    def test_by_a_server_without_the_scope(self, db: None) -> None:
        key = create_api_key(name="tests", scopes=["users.write"]).secret
        with unchanged():
            response = ApiClient(key=key).post("/account", person())
            assert_error(response, 401, "general_unauthorized_scope")

    def test_email_password_switched_off(self, guest: ApiClient, project: Project) -> None:
        project(AUTH_METHODS={"email-password": False})
        body = assert_error(guest.post("/account", person()), 501, "user_auth_method_unsupported")
        assert body["message"] == "Email / Password authentication is disabled for this project"

    def test_email_password_switched_off_does_not_bind_a_server(
        self, server: ApiClient, project: Project
    ) -> None:
        project(AUTH_METHODS={"email-password": False})
        assert server.post("/account", person()).status_code == 201

    def test_users_limit(self, guest: ApiClient, project: Project) -> None:
        project(USERS_LIMIT=3)
        for number in range(3):
            guest.sign_up(f"ada{number}@example.org")
        with unchanged():
            assert_error(guest.post("/account", person()), 400, "user_count_exceeded")
        project(USERS_LIMIT=4)
        assert guest.post("/account", person()).status_code == 201

    def test_users_limit_comes_before_every_other_reason(
        self, ada: ApiClient, guest: ApiClient, project: Project
    ) -> None:
        project(USERS_LIMIT=1, PASSWORD_PERSONAL_DATA=True)
        response = guest.post("/account", person(password="ada@example.org"))
        assert_error(response, 400, "user_count_exceeded")

    @pytest.mark.parametrize(
        "password", ["xx-countess-xx", "my ADA@example.org", "1 lovelace 2", "Mrs. Byron!"]
    )
    def test_password_with_personal_data(
        self, guest: ApiClient, project: Project, password: str
    ) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        email = "ada@example.org" if "@" in password else "lovelace@example.org"
        given = person(email, userId="Countess", name="Byron", password=password)
        with unchanged():
            assert_error(guest.post("/account", given), 400, "password_personal_data")

    def test_personal_data_is_allowed_by_default(self, guest: ApiClient) -> None:
        assert guest.post("/account", person(password="ada@example.org")).status_code == 201

    def test_personal_data_comes_before_a_taken_address(
        self, ada: ApiClient, guest: ApiClient, project: Project
    ) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        response = guest.post("/account", person(password="ada@example.org"))
        assert_error(response, 400, "password_personal_data")

    @pytest.mark.parametrize(
        ("blocked", "email", "code"),
        [
            ("disposable", "ada@mailinator.com", "user_email_disposable"),
            ("non-canonical", "ada+1@gmail.com", "user_email_not_canonical"),
            ("free", "ada@gmail.com", "user_email_free"),
            ("non-corporate", "ada@gmail.com", "user_email_not_corporate"),
        ],
    )
    def test_kind_of_address_that_the_site_refuses(
        self, guest: ApiClient, project: Project, blocked: str, email: str, code: str
    ) -> None:
        project(BLOCK_EMAILS=[blocked])
        with unchanged():
            assert_error(guest.post("/account", person(email)), 400, code)
        assert guest.post("/account", person("ada@example.org")).status_code == 201

    def test_kinds_of_addresses_are_checked_in_a_fixed_order(
        self, guest: ApiClient, project: Project
    ) -> None:
        codes = []
        left = ["non-corporate", "free", "non-canonical", "disposable"]
        while left:
            project(BLOCK_EMAILS=left)
            # Free and disposable exclude each other, so the address changes on the way.
            email = "a+1@gmail.com" if "disposable" not in left else "ada@mailinator.com"
            codes.append(guest.post("/account", person(email)).json()["type"])
            left.pop()
        assert codes == [
            "user_email_disposable",
            "user_email_not_canonical",
            "user_email_free",
            "user_email_not_corporate",
        ]

    @pytest.mark.parametrize(
        ("rule", "weak"),
        [
            ({"min": 12}, "Abcdefgh1!x"),
            ({"upper": True}, "abcdefg1!äÄ"),
            ({"lower": True}, "ABCDEFG1!Ää"),
            ({"digit": True}, "Abcdefgh!"),
            ({"symbol": True}, "Abcdefg1 x"),
        ],
    )
    def test_password_without_what_the_site_wants_in_it(
        self, guest: ApiClient, project: Project, rule: dict[str, Any], weak: str
    ) -> None:
        project(PASSWORD_STRENGTH=rule)
        with unchanged():
            refused(guest.post("/account", person(password=weak)), "password")
        assert guest.post("/account", person(password="Abcdefgh1!xyz")).status_code == 201

    def test_common_password(self, guest: ApiClient, project: Project) -> None:
        common = person("x@example.org", password="iloveyou")
        assert guest.post("/account", common).status_code == 201
        project(PASSWORD_DICTIONARY=True)
        with unchanged():
            refused(guest.post("/account", person(password="iloveyou")), "password")
        assert guest.post("/account", person(password="ILoveYou")).status_code == 201

    def test_password_that_the_sites_own_validators_refuse(
        self, guest: ApiClient, settings: Any
    ) -> None:
        settings.AUTH_PASSWORD_VALIDATORS = [
            {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"}
        ]
        with unchanged():
            refused(guest.post("/account", person(password="8475839201")), "password")


class TestGet:
    """GET /account"""

    def test_by_session_cookie(self, ada: ApiClient) -> None:
        response = ada.get("/account")
        assert response.status_code == 200
        assert response.json() == ada.account

    def test_by_session_header(self, ada: ApiClient) -> None:
        assert ApiClient(session=ada.credential).get("/account").json() == ada.account

    def test_by_jwt(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        assert ada_by_jwt.get("/account").json() == ada.account

    def test_guest(self, guest: ApiClient) -> None:
        body = assert_error(guest.get("/account"), 401, "general_unauthorized_scope")
        assert body["message"] == 'User (role: guests) missing scopes (["account"])'

    def test_server(self, server: ApiClient) -> None:
        body = assert_error(server.get("/account"), 401, "general_unauthorized_scope")
        assert body["message"] == (
            'app.demo@service.testserver (role: applications) missing scopes (["account"])'
        )

    def test_blocked(self, ada: ApiClient, edit: Edit) -> None:
        edit(is_active=False)
        assert_error(ada.get("/account"), 403, "user_blocked")
        edit(is_active=True)
        assert ada.get("/account").status_code == 200

    def test_anonymous_account_has_empty_strings_and_no_email_facts(
        self, anonymous: ApiClient
    ) -> None:
        body = anonymous.get("/account").json()
        assert [body[key] for key in ("name", "email", "phone", "passwordUpdate")] == [""] * 4
        assert body["targets"] == []
        assert [value for key, value in body.items() if key.startswith(("emailC", "emailI"))] == (
            [None] * 5
        )

    def test_everybody_gets_their_own(self, ada: ApiClient, bob: ApiClient) -> None:
        assert ada.get("/account").json()["email"] == "ada@example.org"
        assert bob.get("/account").json()["email"] == "bob@example.org"


class TestDelete:
    """DELETE /account"""

    def test_deletes_everything_of_the_person_and_nothing_else(
        self, bob: ApiClient, ada: ApiClient, ada_elsewhere: ApiClient
    ) -> None:
        response = ada.delete("/account")
        assert (response.status_code, response.content) == (204, b"")
        assert list(Account.objects.values_list("email", flat=True)) == ["bob@example.org"]
        assert get_user_model().objects.count() == 1
        assert Session.objects.count() == Target.objects.count() == 1
        assert bob.get("/account").status_code == 200

    def test_signs_out_everywhere(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        credential = ada.credential
        ada.delete("/account")
        for client in (ada, ada_elsewhere, ApiClient(session=credential)):
            assert_error(client.get("/account"), 401, "general_unauthorized_scope")

    def test_clears_the_cookies(self, ada: ApiClient) -> None:
        response = ada.delete("/account")
        assert response.cookies["a_session_demo"].value == "deleted"
        assert response["X-Fallback-Cookies"] == "[]"

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert ada_by_jwt.delete("/account").status_code == 204
        assert_error(ada_by_jwt.get("/account"), 401, "general_unauthorized_scope")

    def test_address_is_free_again(self, ada: ApiClient, guest: ApiClient) -> None:
        ada.delete("/account")
        assert guest.post("/account", person()).status_code == 201

    def test_guest(self, ada: ApiClient, guest: ApiClient) -> None:
        with unchanged():
            assert_error(guest.delete("/account"), 401, "general_unauthorized_scope")


class TestGetPrefs:
    """GET /account/prefs"""

    def test_empty_object_at_first(self, ada: ApiClient) -> None:
        response = ada.get("/account/prefs")
        assert (response.status_code, response.content) == (200, b"{}")

    def test_bare_object(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        ada.patch("/account/prefs", {"prefs": {"theme": "dark", "size": 2}})
        for client in (ada, ada_by_jwt):
            assert client.get("/account/prefs").json() == {"theme": "dark", "size": 2}

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(guest.get("/account/prefs"), 401, "general_unauthorized_scope")


class TestUpdatePrefs:
    """PATCH /account/prefs"""

    def test_answers_the_account_not_the_prefs(self, ada: ApiClient) -> None:
        response = ada.patch("/account/prefs", {"prefs": {"theme": "dark"}})
        assert response.status_code == 200
        assert response.json()["$id"] == ada.account["$id"]
        assert response.json()["prefs"] == {"theme": "dark"}

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert ada_by_jwt.patch("/account/prefs", {"prefs": {"a": 1}}).status_code == 200

    def test_replaces_the_whole_object(self, ada: ApiClient) -> None:
        ada.patch("/account/prefs", {"prefs": {"theme": "dark"}})
        ada.patch("/account/prefs", {"prefs": {"size": 2}})
        assert ada.get("/account/prefs").json() == {"size": 2}

    @pytest.mark.parametrize(
        "prefs",
        [
            {"0": "a", "1": "b"},
            {"": "", "$id": None, "__proto__": {}, "%s": "%s"},
            {"deep": [1, 2.5, [{"x": [True, None]}], "Grüße, 世界 🚀 \u202eRTL"]},
            {"big": 2**63, "small": -1e-300},
        ],
        ids=["keys that count from zero", "odd keys", "nested", "numbers"],
    )
    def test_any_json_object_comes_back_as_it_was(
        self, ada: ApiClient, prefs: dict[str, Any]
    ) -> None:
        assert ada.patch("/account/prefs", {"prefs": prefs}).json()["prefs"] == prefs
        assert ada.get("/account/prefs").json() == prefs

    @pytest.mark.parametrize("empty", [{}, []], ids=["object", "array"])
    def test_empty_clears_them(self, ada: ApiClient, empty: Any) -> None:
        ada.patch("/account/prefs", {"prefs": {"theme": "dark"}})
        assert ada.patch("/account/prefs", {"prefs": empty}).json()["prefs"] == {}
        assert ada.get("/account/prefs").content == b"{}"

    @pytest.mark.parametrize("prefs", ["{}", "[]", '{"a":1}', [1], [[]], 1, True, ""], ids=repr)
    def test_not_an_object(self, ada: ApiClient, prefs: Any) -> None:
        with unchanged():
            refused(ada.patch("/account/prefs", {"prefs": prefs}), "prefs")

    def test_missing(self, ada: ApiClient) -> None:
        missing(ada.patch("/account/prefs", {}), "prefs")

    @pytest.mark.parametrize(
        ("character", "bytes_each"), [("x", 1), ("/", 2), ("é", 6), ("🚀", 12)]
    )
    def test_at_most_65535_bytes_of_escaped_json(
        self, ada: ApiClient, character: str, bytes_each: int
    ) -> None:
        room = 65_535 - len('{"a":""}')
        filling = character * (room // bytes_each) + "x" * (room % bytes_each)
        assert ada.patch("/account/prefs", {"prefs": {"a": filling}}).status_code == 200
        with unchanged():
            refused(ada.patch("/account/prefs", {"prefs": {"a": filling + "x"}}), "prefs")

    @pytest.mark.parametrize("character", ["x", "🚀"])
    def test_a_hundred_thousand_characters(self, ada: ApiClient, character: str) -> None:
        refused(ada.patch("/account/prefs", {"prefs": {"a": character * 100_000}}), "prefs")

    def test_guest(self, guest: ApiClient) -> None:
        response = guest.patch("/account/prefs", {"prefs": {}})
        assert_error(response, 401, "general_unauthorized_scope")


class TestUpdateName:
    """PATCH /account/name"""

    @pytest.mark.parametrize("name", ["A", "x" * 128, "é" * 128, "🚀" * 128, " Ada ", "שלום\u202e"])
    def test_any_name_of_1_to_128_characters(self, ada: ApiClient, name: str) -> None:
        response = ada.patch("/account/name", {"name": name})
        assert response.status_code == 200
        assert response.json()["name"] == ada.get("/account").json()["name"] == name

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert ada_by_jwt.patch("/account/name", {"name": "Bob"}).json()["name"] == "Bob"

    def test_moves_updated_at_and_nothing_else(self, ada: ApiClient) -> None:
        before = ada.get("/account").json()
        with time_machine.travel("2040-01-01T00:00:00+00:00", tick=False):
            # An old session is dead by then; one of that day is not.
            client = ApiClient()
            client.sign_in()
            after = client.patch("/account/name", {"name": "Bob"}).json()
        changed = {key for key in before if before[key] != after[key]}
        assert changed - {"accessedAt"} == {"name", "$updatedAt"}
        assert after["$updatedAt"] == "2040-01-01T00:00:00.000+00:00"

    def test_missing(self, ada: ApiClient) -> None:
        missing(ada.patch("/account/name", {}), "name")

    @pytest.mark.parametrize("name", ["", "x" * 129, "x" * 133])
    def test_empty_or_longer_than_128_characters(self, ada: ApiClient, name: str) -> None:
        with unchanged():
            refused(ada.patch("/account/name", {"name": name}), "name")

    def test_guest(self, guest: ApiClient) -> None:
        response = guest.patch("/account/name", {"name": "Ada"})
        assert_error(response, 401, "general_unauthorized_scope")


class TestUpdateEmail:
    """PATCH /account/email"""

    def update(self, client: ApiClient, email: str, password: str = PASSWORD) -> Any:
        return client.patch("/account/email", {"email": email, "password": password})

    def test_answers_the_account_with_the_new_address(self, ada: ApiClient) -> None:
        response = self.update(ada, " Lovelace@Example.ORG ")
        assert response.status_code == 200
        assert response.json()["email"] == "lovelace@example.org"
        assert response.json()["emailCanonical"] == "lovelace@example.org"

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert self.update(ada_by_jwt, "lovelace@example.org").status_code == 200

    def test_new_address_signs_in_and_the_old_one_does_not(
        self, ada: ApiClient, guest: ApiClient
    ) -> None:
        self.update(ada, "lovelace@example.org")
        guest.sign_in("lovelace@example.org")
        response = ApiClient().post(
            "/account/sessions/email", {"email": "ada@example.org", "password": PASSWORD}
        )
        assert_error(response, 401, "user_invalid_credentials")

    def test_is_unverified_afterwards(self, ada: ApiClient, edit: Edit) -> None:
        edit(email_verified=True)
        assert self.update(ada, "lovelace@example.org").json()["emailVerification"] is False

    def test_target_keeps_its_id_and_gets_the_new_address(self, ada: ApiClient) -> None:
        (target,) = self.update(ada, "lovelace@example.org").json()["targets"]
        assert target["$id"] == ada.account["targets"][0]["$id"]
        assert target["identifier"] == "lovelace@example.org"

    def test_sessions_and_password_stay(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        body = self.update(ada, "lovelace@example.org").json()
        assert body["passwordUpdate"] == ada.account["passwordUpdate"]
        assert ada_elsewhere.get("/account").json()["email"] == "lovelace@example.org"

    def test_old_address_is_free_again(self, ada: ApiClient, guest: ApiClient) -> None:
        self.update(ada, "lovelace@example.org")
        assert guest.post("/account", person()).status_code == 201

    def test_wrong_password(self, ada: ApiClient) -> None:
        with unchanged():
            response = self.update(ada, "lovelace@example.org", "wrong horse")
            assert_error(response, 401, "user_invalid_credentials")

    def test_wrong_password_comes_before_a_taken_address(
        self, ada: ApiClient, bob: ApiClient
    ) -> None:
        response = self.update(ada, "bob@example.org", "wrong horse")
        assert_error(response, 401, "user_invalid_credentials")

    @pytest.mark.parametrize("email", ["bob@example.org", "BOB@Example.org"])
    def test_address_of_somebody_else(self, ada: ApiClient, bob: ApiClient, email: str) -> None:
        with unchanged():
            assert_error(self.update(ada, email), 409, "user_target_already_exists")

    def test_own_current_address(self, ada: ApiClient) -> None:
        with unchanged():
            assert_error(self.update(ada, "ada@example.org"), 409, "user_target_already_exists")

    def test_address_of_somebody_without_a_target(self, ada: ApiClient, bob: ApiClient) -> None:
        Target.objects.filter(identifier="bob@example.org").delete()
        with unchanged():
            assert_error(self.update(ada, "bob@example.org"), 400, "general_bad_request")

    @pytest.mark.parametrize(
        ("blocked", "email", "code"),
        [
            ("disposable", "ada@mailinator.com", "user_email_disposable"),
            ("non-canonical", "ada+1@gmail.com", "user_email_not_canonical"),
            ("free", "ada@gmail.com", "user_email_free"),
            ("non-corporate", "ada@gmail.com", "user_email_not_corporate"),
        ],
    )
    def test_kind_of_address_that_the_site_refuses(
        self, ada: ApiClient, project: Project, blocked: str, email: str, code: str
    ) -> None:
        project(BLOCK_EMAILS=[blocked])
        with unchanged():
            assert_error(self.update(ada, email), 400, code)

    def test_refused_address_comes_before_a_taken_one(
        self, ada: ApiClient, guest: ApiClient, project: Project
    ) -> None:
        guest.sign_up("bob@gmail.com")
        project(BLOCK_EMAILS=["free"])
        assert_error(self.update(ada, "bob@gmail.com"), 400, "user_email_free")

    def test_anonymous_account_becomes_a_lasting_one(
        self, anonymous: ApiClient, guest: ApiClient
    ) -> None:
        anonymous.patch("/account/prefs", {"prefs": {"kept": True}})
        before = anonymous.get("/account").json()
        body = self.update(anonymous, "ada@example.org").json()
        assert body["$id"] == before["$id"]
        assert body["prefs"] == {"kept": True}
        assert body["passwordUpdate"]
        assert [target["identifier"] for target in body["targets"]] == ["ada@example.org"]
        assert anonymous.get("/account").status_code == 200
        assert guest.sign_in()["userId"] == before["$id"]

    def test_first_password_of_an_anonymous_account_keeps_the_sites_rules(
        self, anonymous: ApiClient, project: Project
    ) -> None:
        project(PASSWORD_STRENGTH={"digit": True})
        with unchanged():
            refused(self.update(anonymous, "ada@example.org", "no digits here"), "password")
        assert self.update(anonymous, "ada@example.org", "1 digit here").status_code == 200

    def test_confirming_password_need_not_keep_the_sites_rules(
        self, ada: ApiClient, project: Project
    ) -> None:
        project(PASSWORD_STRENGTH={"digit": True})
        assert self.update(ada, "lovelace@example.org").status_code == 200

    def test_anonymous_account_to_an_address_of_somebody_else(
        self, anonymous: ApiClient, ada: ApiClient
    ) -> None:
        with unchanged():
            response = self.update(anonymous, "ada@example.org")
            assert_error(response, 409, "user_target_already_exists")

    @pytest.mark.parametrize("name", ["email", "password"])
    def test_missing(self, ada: ApiClient, name: str) -> None:
        body = {"email": "lovelace@example.org", "password": PASSWORD}
        del body[name]
        missing(ada.patch("/account/email", body), name)

    def test_short_password_is_invalid_rather_than_wrong(self, ada: ApiClient) -> None:
        refused(self.update(ada, "lovelace@example.org", "short"), "password")

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(self.update(guest, "x@example.org"), 401, "general_unauthorized_scope")


class TestUpdatePhone:
    """PATCH /account/phone"""

    PHONE = "+4915112345678"

    def update(self, client: ApiClient, phone: str = PHONE, password: str = PASSWORD) -> Any:
        return client.patch("/account/phone", {"phone": phone, "password": password})

    def test_answers_the_account_with_the_new_number(self, ada: ApiClient) -> None:
        response = self.update(ada)
        assert response.status_code == 200
        assert response.json()["phone"] == self.PHONE
        assert response.json()["phoneVerification"] is False

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert self.update(ada_by_jwt).status_code == 200

    def test_makes_an_sms_target_beside_the_email_target(self, ada: ApiClient) -> None:
        targets = self.update(ada).json()["targets"]
        assert [(target["providerType"], target["identifier"]) for target in targets] == [
            ("email", "ada@example.org"),
            ("sms", self.PHONE),
        ]

    def test_target_keeps_its_id_and_gets_the_new_number(self, ada: ApiClient) -> None:
        first = self.update(ada).json()["targets"][1]
        second = self.update(ada, "+16308520394").json()["targets"][1]
        assert (second["$id"], second["identifier"]) == (first["$id"], "+16308520394")

    def test_is_unverified_afterwards(self, ada: ApiClient, edit: Edit) -> None:
        edit(phone=self.PHONE, phone_verified=True)
        assert self.update(ada, "+16308520394").json()["phoneVerification"] is False

    def test_wrong_password(self, ada: ApiClient) -> None:
        with unchanged():
            response = self.update(ada, password="wrong horse")
            assert_error(response, 401, "user_invalid_credentials")

    def test_wrong_password_comes_before_a_taken_number(
        self, ada: ApiClient, bob: ApiClient
    ) -> None:
        self.update(bob)
        assert_error(self.update(ada, password="wrong horse"), 401, "user_invalid_credentials")

    def test_number_of_somebody_else(self, ada: ApiClient, bob: ApiClient) -> None:
        self.update(bob)
        with unchanged():
            assert_error(self.update(ada), 409, "user_target_already_exists")

    def test_own_current_number(self, ada: ApiClient) -> None:
        self.update(ada)
        assert_error(self.update(ada), 409, "user_target_already_exists")

    def test_number_of_somebody_without_a_target(
        self, ada: ApiClient, bob: ApiClient, edit: Edit
    ) -> None:
        edit("bob@example.org", phone=self.PHONE)
        with unchanged():
            assert_error(self.update(ada), 409, "user_phone_already_exists")

    def test_anonymous_account_gets_number_and_password(self, anonymous: ApiClient) -> None:
        body = self.update(anonymous).json()
        assert (body["phone"], body["email"]) == (self.PHONE, "")
        assert body["passwordUpdate"]
        assert [target["identifier"] for target in body["targets"]] == [self.PHONE]
        response = self.update(anonymous, "+16308520394", "wrong horse")
        assert_error(response, 401, "user_invalid_credentials")

    @pytest.mark.parametrize("name", ["phone", "password"])
    def test_missing(self, ada: ApiClient, name: str) -> None:
        body = {"phone": self.PHONE, "password": PASSWORD}
        del body[name]
        missing(ada.patch("/account/phone", body), name)

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(self.update(guest), 401, "general_unauthorized_scope")


class TestUpdatePassword:
    """PATCH /account/password"""

    NEW = "battery staple"

    def update(self, client: ApiClient, password: str = NEW, old: Any = PASSWORD) -> Any:
        given = {"password": password} | ({} if old is None else {"oldPassword": old})
        return client.patch("/account/password", given)

    def test_answers_the_account(self, ada: ApiClient) -> None:
        with time_machine.travel("2040-01-01T00:00:00+00:00", tick=False):
            client = ApiClient()
            client.sign_in()
            response = self.update(client)
        assert response.status_code == 200
        assert response.json()["passwordUpdate"] == "2040-01-01T00:00:00.000+00:00"

    def test_new_password_signs_in_and_the_old_one_does_not(
        self, ada: ApiClient, guest: ApiClient
    ) -> None:
        self.update(ada)
        response = guest.post(
            "/account/sessions/email", {"email": "ada@example.org", "password": PASSWORD}
        )
        assert_error(response, 401, "user_invalid_credentials")
        guest.sign_in(password=self.NEW)

    @pytest.mark.parametrize("old", ["wrong horse", "", "x", None])
    def test_wrong_or_no_old_password(self, ada: ApiClient, old: str | None) -> None:
        with unchanged():
            assert_error(self.update(ada, old=old), 401, "user_invalid_credentials")

    def test_short_old_password_of_former_times(self, ada: ApiClient, edit: Edit) -> None:
        edit(password=make_password("old"))
        assert self.update(ada, old="old").status_code == 200

    def test_missing(self, ada: ApiClient) -> None:
        missing(ada.patch("/account/password", {"oldPassword": PASSWORD}), "password")

    @pytest.mark.parametrize("password", ["", "x" * 7, "x" * 257])
    def test_password_of_another_length_than_8_to_256(self, ada: ApiClient, password: str) -> None:
        with unchanged():
            refused(self.update(ada, password), "password")

    def test_old_password_longer_than_256_characters(self, ada: ApiClient) -> None:
        refused(self.update(ada, old="x" * 257), "oldPassword")

    def test_ends_the_other_sessions(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        for _ in range(4):
            ApiClient().sign_in()
        assert self.update(ada).status_code == 200
        assert ada.get("/account/sessions").json()["total"] == 1
        assert ada.get("/account/sessions/current").json()["$id"] == ada.session["$id"]
        assert_error(
            ada.get(f"/account/sessions/{ada_elsewhere.session['$id']}"),
            404,
            "user_session_not_found",
        )
        assert_error(ada_elsewhere.get("/account"), 401, "general_unauthorized_scope")

    def test_ends_no_session_when_the_site_wants_it_so(
        self, ada: ApiClient, ada_elsewhere: ApiClient, project: Project
    ) -> None:
        project(INVALIDATE_SESSIONS=False)
        self.update(ada)
        assert ada.get("/account/sessions").json()["total"] == 2

    def test_by_jwt_ends_no_session(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        ApiClient().sign_in()
        assert self.update(ada_by_jwt).status_code == 200
        assert ada.get("/account/sessions").json()["total"] == 2

    def test_refused_ends_no_session(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        self.update(ada, old="wrong horse")
        assert ada_elsewhere.get("/account").status_code == 200

    def test_account_without_a_password_needs_no_old_one(self, anonymous: ApiClient) -> None:
        assert self.update(anonymous, old=None).json()["passwordUpdate"]
        assert_error(self.update(anonymous, old=None), 401, "user_invalid_credentials")

    def test_same_password_again(self, ada: ApiClient) -> None:
        assert self.update(ada, PASSWORD).status_code == 200

    def test_one_of_the_last_passwords(self, guest: ApiClient, project: Project) -> None:
        project(PASSWORD_HISTORY=3)
        guest.sign_up()
        guest.sign_in()
        old = PASSWORD
        for new in ("second horse", "third horse", "fourth horse"):
            assert self.update(guest, new, old).status_code == 200
            old = new
        for recent in ("second horse", "third horse", "fourth horse"):
            with unchanged():
                assert_error(self.update(guest, recent, old), 400, "password_recently_used")
        assert self.update(guest, PASSWORD, old).status_code == 200

    def test_password_of_the_sign_up_is_remembered(
        self, guest: ApiClient, project: Project
    ) -> None:
        project(PASSWORD_HISTORY=3)
        guest.sign_up()
        guest.sign_in()
        assert_error(self.update(guest, PASSWORD), 400, "password_recently_used")

    def test_history_is_left_alone_while_the_policy_is_off(
        self, guest: ApiClient, project: Project
    ) -> None:
        project(PASSWORD_HISTORY=3)
        guest.sign_up()
        guest.sign_in()
        project(PASSWORD_HISTORY=0)
        assert self.update(guest, PASSWORD).status_code == 200
        assert self.update(guest, self.NEW).status_code == 200
        project(PASSWORD_HISTORY=3)
        assert self.update(guest, "third horse", self.NEW).status_code == 200
        assert_error(self.update(guest, PASSWORD, "third horse"), 400, "password_recently_used")

    def test_wrong_old_password_comes_before_a_recent_new_one(
        self, guest: ApiClient, project: Project
    ) -> None:
        project(PASSWORD_HISTORY=3)
        guest.sign_up()
        guest.sign_in()
        response = self.update(guest, PASSWORD, "wrong horse")
        assert_error(response, 401, "user_invalid_credentials")

    @pytest.mark.parametrize(
        "password", ["xx ADA@example.org", "4915112345678", "x+4915112345678", "shallot-ada-1"]
    )
    def test_password_with_personal_data(
        self, ada: ApiClient, edit: Edit, project: Project, password: str
    ) -> None:
        edit(phone="+4915112345678")
        project(PASSWORD_PERSONAL_DATA=True)
        with unchanged():
            assert_error(self.update(ada, password), 400, "password_personal_data")

    def test_recently_used_comes_before_personal_data(
        self, guest: ApiClient, project: Project
    ) -> None:
        project(PASSWORD_HISTORY=3)
        guest.sign_up(password="ada@example.org")
        guest.sign_in(password="ada@example.org")
        project(PASSWORD_PERSONAL_DATA=True)
        response = self.update(guest, "ada@example.org", "ada@example.org")
        assert_error(response, 400, "password_recently_used")

    def test_weak_password(self, ada: ApiClient, project: Project) -> None:
        project(PASSWORD_STRENGTH={"digit": True})
        refused(self.update(ada, "no digits here"), "password")

    def test_common_password(self, ada: ApiClient, project: Project) -> None:
        project(PASSWORD_DICTIONARY=True)
        refused(self.update(ada, "password1"), "password")

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(self.update(guest), 401, "general_unauthorized_scope")


class TestUpdateStatus:
    """PATCH /account/status"""

    def test_answers_the_blocked_account(self, ada: ApiClient) -> None:
        response = ada.patch("/account/status")
        assert response.status_code == 200
        assert response.json()["status"] is False
        assert response.json()["$id"] == ada.account["$id"]

    def test_blocks_whatever_the_body_says(self, ada: ApiClient) -> None:
        assert ada.patch("/account/status", {"status": True}).json()["status"] is False

    def test_clears_the_cookies(self, ada: ApiClient) -> None:
        response = ada.patch("/account/status")
        assert response.cookies["a_session_demo"].value == "deleted"
        assert response.cookies["a_session_demo_legacy"].value == "deleted"
        assert response["X-Fallback-Cookies"] == "[]"

    def test_every_later_request_is_refused(
        self, ada: ApiClient, ada_elsewhere: ApiClient, ada_by_jwt: ApiClient
    ) -> None:
        ada.patch("/account/status")
        for client in (ada_elsewhere, ada_by_jwt):
            assert_error(client.get("/account"), 403, "user_blocked")

    def test_signing_in_is_refused(self, ada: ApiClient, guest: ApiClient) -> None:
        ada.patch("/account/status")
        response = guest.post(
            "/account/sessions/email", {"email": "ada@example.org", "password": PASSWORD}
        )
        assert_error(response, 403, "user_blocked")

    def test_sessions_are_kept_for_when_staff_unblock_the_account(
        self, ada: ApiClient, ada_elsewhere: ApiClient, edit: Edit
    ) -> None:
        ada.patch("/account/status")
        edit(is_active=True)
        assert ada_elsewhere.get("/account/sessions").json()["total"] == 2

    def test_by_jwt(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        assert ada_by_jwt.patch("/account/status").json()["status"] is False
        assert_error(ada.get("/account"), 403, "user_blocked")

    def test_nobody_else_is_blocked(self, ada: ApiClient, bob: ApiClient) -> None:
        ada.patch("/account/status")
        assert bob.get("/account").status_code == 200

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(guest.patch("/account/status"), 401, "general_unauthorized_scope")
