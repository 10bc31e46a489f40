"""The table of SDK methods: each class is a method, each test a case, each parameter an SDK.

The SDKs are the unmodified official ones: Python, Web and Node.js, and the Web SDK again in a page
in Chromium, where the browser's cookies and CORS rules hold.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.client import PASSWORD
from tests.live.people import Person, Sdk, fresh_email
from tests.live.sdks import in_both_forms, refused, sdks, server_sdks
from tests.live.server import Server

pytestmark = pytest.mark.live

ANOTHER_PASSWORD = "battery staple"


def lifetime(session: dict[str, Any]) -> timedelta:
    """How long a session was made to live, to the second."""
    created, expire = (datetime.fromisoformat(session[key]) for key in ("$createdAt", "expire"))
    return timedelta(seconds=round((expire - created).total_seconds()))


def credential(server: Server, person: Person, api_key: str) -> str:
    """A session secret of a person, as a server gets it."""
    response = server.call(
        "POST",
        "/account/sessions/email",
        {"email": person.email, "password": person.password},
        X_Appwrite_Key=api_key,
    )
    assert response.status_code == 201, response.text
    return response.json()["secret"]


def jwt_of(server: Server, session: str) -> str:
    """A JWT of a session; the Python SDK cannot make one."""
    response = server.call("POST", "/account/jwts", {}, X_Appwrite_Session=session)
    assert response.status_code == 201, response.text
    return response.json()["jwt"]


class TestCreate:
    """account.create"""

    @in_both_forms
    def test_gives_the_account(self, sdk: Sdk) -> None:
        client, email = sdk.client(), fresh_email()
        user_id = client.unique_id()
        account = client.call("create", userId=user_id, email=email, password=PASSWORD, name="Ada")
        assert (account["$id"], account["email"], account["name"]) == (user_id, email, "Ada")
        assert (account["prefs"], account["labels"], account["status"]) == ({}, [], True)
        assert [target["identifier"] for target in account["targets"]] == [email]

    def test_makes_an_id_for_the_word_unique(self, sdk: Sdk) -> None:
        account = sdk.client().call(
            "create", userId="unique()", email=fresh_email(), password=PASSWORD
        )
        assert len(account["$id"]) == 20

    def test_does_not_sign_in(self, sdk: Sdk) -> None:
        person = sdk.sign_up()
        with refused(401, "general_unauthorized_scope"):
            person.call("get")

    def test_taken_address(self, sdk: Sdk) -> None:
        person = sdk.sign_up()
        with refused(409, "user_already_exists"):
            sdk.client().call("create", userId="unique()", email=person.email, password=PASSWORD)

    def test_short_password(self, sdk: Sdk) -> None:
        with refused(400, "general_argument_invalid"):
            sdk.client().call("create", userId="unique()", email=fresh_email(), password="short")


class TestGet:
    """account.get"""

    def test_gives_the_account(self, ada: Person) -> None:
        account = ada.call("get")
        assert (account["$id"], account["email"]) == (ada.account["$id"], ada.email)

    def test_guest(self, sdk: Sdk) -> None:
        with refused(401, "general_unauthorized_scope"):
            sdk.client().call("get")


class TestDelete:
    """DELETE /account, for which no SDK has a method."""

    def test_ends_the_account(self, sdk: Sdk, ada: Person, server: Server, api_key: str) -> None:
        session = credential(server, ada, api_key)
        response = server.call("DELETE", "/account", {}, X_Appwrite_Session=session)
        assert (response.status_code, response.content) == (204, b"")
        with refused(401, "general_unauthorized_scope"):
            ada.call("get")
        with refused(401, "user_invalid_credentials"):
            sdk.sign_in(ada)


class TestCreateEmailPasswordSession:
    """account.createEmailPasswordSession"""

    @in_both_forms
    def test_gives_the_session(self, sdk: Sdk) -> None:
        person = sdk.sign_up()
        session = sdk.client().call(
            "createEmailPasswordSession", email=person.email, password=PASSWORD
        )
        assert session["userId"] == person.account["$id"]
        assert (session["provider"], session["providerUid"]) == ("email", person.email)
        assert (session["factors"], session["current"]) == (["password"], True)
        assert lifetime(session) == timedelta(days=365)

    def test_shows_no_secret_without_a_key(self, sdk: Sdk) -> None:
        person = sdk.sign_up()
        session = sdk.client().call(
            "createEmailPasswordSession", email=person.email, password=PASSWORD
        )
        assert session["secret"] == ""

    def test_wrong_password(self, sdk: Sdk) -> None:
        person = sdk.sign_up()
        with refused(401, "user_invalid_credentials"):
            sdk.client().call(
                "createEmailPasswordSession", email=person.email, password=ANOTHER_PASSWORD
            )

    def test_signed_in_caller(self, ada: Person) -> None:
        with refused(401, "user_session_already_exists"):
            ada.call("createEmailPasswordSession", email=ada.email, password=PASSWORD)

    @sdks("python")
    def test_duration(self, sdk: Sdk) -> None:
        person = sdk.sign_up()
        session = sdk.client().call(
            "createEmailPasswordSession", email=person.email, password=PASSWORD, duration=3600
        )
        assert lifetime(session) == timedelta(hours=1)

    @sdks("python")
    def test_too_short_a_duration(self, sdk: Sdk) -> None:
        with refused(400, "general_argument_invalid"):
            sdk.client().call(
                "createEmailPasswordSession", email=fresh_email(), password=PASSWORD, duration=59
            )


class TestCreateAnonymousSession:
    """account.createAnonymousSession"""

    def test_signs_a_new_account_in(self, sdk: Sdk) -> None:
        person = sdk.sign_in_anonymously()
        assert person.session["provider"] == "anonymous"
        account = person.call("get")
        assert account["$id"] == person.session["userId"]
        assert (account["email"], account["phone"], account["targets"]) == ("", "", [])

    def test_signed_in_caller(self, ada: Person) -> None:
        with refused(401, "user_session_already_exists"):
            ada.call("createAnonymousSession")


class TestListSessions:
    """account.listSessions"""

    def test_gives_all_and_marks_the_current_one(self, sdk: Sdk, ada: Person) -> None:
        elsewhere = sdk.sign_in(ada)
        listed = ada.call("listSessions")
        assert listed["total"] == 2
        assert [(session["$id"], session["current"]) for session in listed["sessions"]] == [
            (ada.session["$id"], True),
            (elsewhere.session["$id"], False),
        ]
        assert [session["secret"] for session in listed["sessions"]] == ["", ""]

    @sdks("python")
    def test_without_the_total(self, ada: Person) -> None:
        listed = ada.call("listSessions", total=False)
        assert (listed["total"], len(listed["sessions"])) == (0, 1)


class TestGetSession:
    """account.getSession"""

    @in_both_forms
    def test_gives_the_current_one(self, ada: Person) -> None:
        session = ada.call("getSession", sessionId="current")
        assert (session["$id"], session["current"]) == (ada.session["$id"], True)

    def test_gives_another_one_by_its_id(self, sdk: Sdk, ada: Person) -> None:
        other = sdk.sign_in(ada).session["$id"]
        session = ada.call("getSession", sessionId=other)
        assert (session["$id"], session["current"]) == (other, False)

    def test_somebody_elses_session(self, sdk: Sdk, ada: Person) -> None:
        somebody = sdk.sign_in_anonymously()
        with refused(404, "user_session_not_found"):
            ada.call("getSession", sessionId=somebody.session["$id"])


class TestUpdateSession:
    """account.updateSession"""

    @in_both_forms
    def test_extends_it(self, ada: Person) -> None:
        session = ada.call("updateSession", sessionId="current")
        assert session["$id"] == ada.session["$id"]
        assert session["expire"] > ada.session["expire"]

    def test_unknown_session(self, ada: Person) -> None:
        with refused(404, "user_session_not_found"):
            ada.call("updateSession", sessionId="nobodys")


class TestDeleteSession:
    """account.deleteSession"""

    @in_both_forms
    def test_signs_out(self, ada: Person) -> None:
        assert ada.call("deleteSession", sessionId="current") == {"message": ""}
        with refused(401, "general_unauthorized_scope"):
            ada.call("get")

    def test_ends_another_one_by_its_id(self, sdk: Sdk, ada: Person) -> None:
        elsewhere = sdk.sign_in(ada)
        ada.call("deleteSession", sessionId=elsewhere.session["$id"])
        with refused(401, "general_unauthorized_scope"):
            elsewhere.call("get")
        assert ada.call("listSessions")["total"] == 1

    def test_unknown_session(self, ada: Person) -> None:
        with refused(404, "user_session_not_found"):
            ada.call("deleteSession", sessionId="nobodys")


class TestDeleteSessions:
    """account.deleteSessions"""

    def test_ends_all(self, sdk: Sdk, ada: Person) -> None:
        elsewhere = sdk.sign_in(ada)
        assert ada.call("deleteSessions") == {"message": ""}
        for person in (ada, elsewhere):
            with refused(401, "general_unauthorized_scope"):
                person.call("get")

    @sdks("python")
    def test_keeps_the_current_one(self, sdk: Sdk, ada: Person) -> None:
        elsewhere = sdk.sign_in(ada)
        ada.call("deleteSessions", current=False)
        assert [session["$id"] for session in ada.call("listSessions")["sessions"]] == [
            ada.session["$id"]
        ]
        with refused(401, "general_unauthorized_scope"):
            elsewhere.call("get")


class TestGetPrefs:
    """account.getPrefs"""

    def test_are_an_empty_object_at_first(self, ada: Person) -> None:
        assert ada.call("getPrefs") == {}


class TestUpdatePrefs:
    """account.updatePrefs"""

    @in_both_forms
    def test_replaces_them(self, ada: Person) -> None:
        ada.call("updatePrefs", prefs={"theme": "light", "size": 2})
        prefs = {"theme": "dark", "nested": {"list": [1, None, "zwölf"], "empty": {}}}
        assert ada.call("updatePrefs", prefs=prefs)["prefs"] == prefs
        assert ada.call("getPrefs") == prefs
        assert ada.call("get")["prefs"] == prefs

    def test_not_an_object(self, ada: Person) -> None:
        with refused(400, "general_argument_invalid"):
            ada.call("updatePrefs", prefs="dark")


class TestUpdateName:
    """account.updateName"""

    @in_both_forms
    def test_changes_it(self, ada: Person) -> None:
        assert ada.call("updateName", name="Ada Lovelace 🦋")["name"] == "Ada Lovelace 🦋"
        assert ada.call("get")["name"] == "Ada Lovelace 🦋"

    def test_empty(self, ada: Person) -> None:
        with refused(400, "general_argument_invalid"):
            ada.call("updateName", name="")


class TestUpdateEmail:
    """account.updateEmail"""

    @in_both_forms
    def test_changes_it(self, sdk: Sdk, ada: Person) -> None:
        email = fresh_email()
        account = ada.call("updateEmail", email=email, password=PASSWORD)
        assert (account["email"], account["emailVerification"]) == (email, False)
        assert [target["identifier"] for target in account["targets"]] == [email]
        ada.email = email
        sdk.sign_in(ada)

    def test_makes_an_anonymous_account_a_full_one(self, sdk: Sdk) -> None:
        person = sdk.sign_in_anonymously()
        person.email = fresh_email()
        person.call("updateEmail", email=person.email, password=PASSWORD)
        assert sdk.sign_in(person).call("get")["$id"] == person.session["userId"]

    def test_wrong_password(self, ada: Person) -> None:
        with refused(401, "user_invalid_credentials"):
            ada.call("updateEmail", email=fresh_email(), password=ANOTHER_PASSWORD)

    def test_taken_address(self, sdk: Sdk, ada: Person) -> None:
        with refused(409, "user_target_already_exists"):
            ada.call("updateEmail", email=sdk.sign_up().email, password=PASSWORD)


class TestUpdatePhone:
    """account.updatePhone"""

    @in_both_forms
    def test_changes_it(self, ada: Person) -> None:
        phone = f"+1415{int(ada.account['$id'][-6:], 16) % 10**7:07d}"
        account = ada.call("updatePhone", phone=phone, password=PASSWORD)
        assert (account["phone"], account["phoneVerification"]) == (phone, False)

    def test_wrong_password(self, ada: Person) -> None:
        with refused(401, "user_invalid_credentials"):
            ada.call("updatePhone", phone="+14155550123", password=ANOTHER_PASSWORD)

    def test_not_a_number(self, ada: Person) -> None:
        with refused(400, "general_argument_invalid"):
            ada.call("updatePhone", phone="0123", password=PASSWORD)


class TestUpdatePassword:
    """account.updatePassword"""

    @in_both_forms
    def test_changes_it(self, sdk: Sdk, ada: Person) -> None:
        account = ada.call("updatePassword", password=ANOTHER_PASSWORD, oldPassword=PASSWORD)
        assert account["passwordUpdate"] > ada.account["passwordUpdate"]
        with refused(401, "user_invalid_credentials"):
            sdk.sign_in(ada)
        ada.password = ANOTHER_PASSWORD
        sdk.sign_in(ada)

    def test_ends_the_other_sessions(self, sdk: Sdk, ada: Person) -> None:
        elsewhere = sdk.sign_in(ada)
        ada.call("updatePassword", password=ANOTHER_PASSWORD, oldPassword=PASSWORD)
        with refused(401, "general_unauthorized_scope"):
            elsewhere.call("get")
        assert ada.call("listSessions")["total"] == 1

    def test_gives_an_anonymous_account_its_first(self, sdk: Sdk) -> None:
        account = sdk.sign_in_anonymously().call("updatePassword", password=PASSWORD)
        assert account["passwordUpdate"]

    def test_wrong_old_password(self, ada: Person) -> None:
        with refused(401, "user_invalid_credentials"):
            ada.call("updatePassword", password=ANOTHER_PASSWORD, oldPassword="not the old one")


class TestUpdateStatus:
    """account.updateStatus"""

    def test_blocks_the_account(self, sdk: Sdk, ada: Person) -> None:
        elsewhere = sdk.sign_in(ada)
        assert ada.call("updateStatus")["status"] is False
        with refused(403, "user_blocked"):
            elsewhere.call("get")
        with refused(403, "user_blocked"):
            sdk.sign_in(ada)


class TestCreateJWT:
    """account.createJWT; the Python SDK has none."""

    @sdks("web", "node", "chromium", "web-positional", "node-positional")
    def test_stands_for_the_session(self, sdk: Sdk, ada: Person) -> None:
        client = sdk.client()
        client.set("setJWT", ada.call("createJWT", duration=60)["jwt"])
        assert client.call("get")["$id"] == ada.account["$id"]

    @sdks("web", "node", "chromium")
    def test_without_a_duration(self, ada: Person) -> None:
        assert ada.call("createJWT")["jwt"].count(".") == 2

    @sdks("web", "node", "chromium")
    def test_too_long_a_duration(self, ada: Person) -> None:
        with refused(400, "general_argument_invalid"):
            ada.call("createJWT", duration=3601)

    @sdks("web", "node", "chromium")
    def test_of_a_jwt(self, sdk: Sdk, ada: Person) -> None:
        client = sdk.client()
        client.set("setJWT", ada.call("createJWT")["jwt"])
        with refused(403, "user_jwt_creation_denied"):
            client.call("createJWT")


class TestSetJWT:
    """client.setJWT"""

    def test_is_the_person(self, sdk: Sdk, server: Server, api_key: str) -> None:
        person = sdk.sign_up()
        client = sdk.client()
        client.set("setJWT", jwt_of(server, credential(server, person, api_key)))
        assert client.call("get")["$id"] == person.account["$id"]
        assert [session["current"] for session in client.call("listSessions")["sessions"]] == [
            False
        ]

    def test_of_an_ended_session(self, sdk: Sdk, server: Server, api_key: str) -> None:
        person = sdk.sign_up()
        client = sdk.client()
        client.set("setJWT", jwt_of(server, credential(server, person, api_key)))
        client.call("deleteSessions")
        with refused(401, "general_unauthorized_scope"):
            client.call("get")

    def test_together_with_a_session(self, ada: Person, server: Server, api_key: str) -> None:
        ada.client.set("setJWT", jwt_of(server, credential(server, ada, api_key)))
        with refused(403, "user_jwt_and_cookie_set"):
            ada.call("get")

    def test_nonsense(self, sdk: Sdk) -> None:
        client = sdk.client()
        client.set("setJWT", "no.such.jwt")
        with refused(401, "user_jwt_invalid"):
            client.call("get")


class TestSetSession:
    """client.setSession, as servers call it that render a person's pages."""

    def test_is_the_person(self, sdk: Sdk, server: Server, api_key: str) -> None:
        person = sdk.sign_up()
        client = sdk.with_session(credential(server, person, api_key))
        assert client.call("get")["$id"] == person.account["$id"]
        assert client.call("getSession", sessionId="current")["current"] is True

    def test_nonsense(self, sdk: Sdk) -> None:
        with refused(401, "general_unauthorized_scope"):
            sdk.with_session("nonsense").call("get")


class TestSetCookie:
    """client.setCookie, as servers call it that pass a browser's cookies on."""

    @server_sdks
    def test_is_the_person(self, sdk: Sdk, server: Server) -> None:
        person = sdk.sign_up()
        response = server.call(
            "POST",
            "/account/sessions/email",
            {"email": person.email, "password": PASSWORD},
        )
        client = sdk.client()
        client.set(
            "setCookie", "; ".join(f"{name}={value}" for name, value in response.cookies.items())
        )
        assert client.call("get")["$id"] == person.account["$id"]


class TestSetKey:
    """client.setKey"""

    @server_sdks
    def test_shows_the_secret_of_a_new_session(self, sdk: Sdk) -> None:
        person = sdk.sign_up()
        session = sdk.with_key().call(
            "createEmailPasswordSession", email=person.email, password=PASSWORD
        )
        assert sdk.with_session(session["secret"]).call("get")["$id"] == person.account["$id"]

    @server_sdks
    def test_shows_the_secret_of_a_new_anonymous_session(self, sdk: Sdk) -> None:
        session = sdk.with_key().call("createAnonymousSession")
        assert sdk.with_session(session["secret"]).call("get")["$id"] == session["userId"]

    @server_sdks
    def test_has_no_account_of_its_own(self, sdk: Sdk) -> None:
        with refused(401, "general_unauthorized_scope"):
            sdk.with_key().call("get")

    @server_sdks
    def test_unknown_key(self, sdk: Sdk) -> None:
        client = sdk.client()
        client.set("setKey", "standard_" + 64 * "0")
        with refused(401, "user_unauthorized"):
            client.call("createAnonymousSession")


class TestSetProject:
    """client.setProject"""

    def test_unknown_project(self, sdk: Sdk) -> None:
        client = sdk.client()
        client.set("setProject", "another")
        with refused(404, "project_not_found"):
            client.call("createAnonymousSession")


class TestPing:
    """client.ping; the Python SDK has none."""

    @sdks("web", "node", "chromium")
    def test_answers(self, sdk: Sdk) -> None:
        assert sdk.client().ping() == {"message": "Pong!"}
