"""Signing in and out, one class per SDK method (core.md §9.4 to §9.10 and §9.17)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.contrib.auth.signals import user_logged_in, user_login_failed

from django_account.accounts.models import Account
from django_account.api_keys.services import create_api_key
from django_account.sessions.models import Session
from django_account.targets.models import Target
from tests.api.rows import unchanged
from tests.client import PASSWORD, ApiClient, assert_error

Edit = Callable[..., None]
Project = Callable[..., None]

CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/70.0.3538.110 Safari/537.36"
)

NOW = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)


def at(moment: datetime) -> str:
    """A moment as it stands on the wire."""
    return moment.isoformat(timespec="milliseconds")


def refused(response: Any, name: str) -> None:
    """Check that a parameter was called invalid."""
    body = assert_error(response, 400, "general_argument_invalid")
    assert body["message"].startswith(f"Invalid `{name}` param: ")


def stranger_ids(bob: ApiClient) -> list[str]:
    """Session ids that are none of Ada's: somebody else's, an unknown one, and words."""
    return [bob.session["$id"], "6630c2ff11aa4be0c9d2", "Current", "anonymous2"]


# Ids that no session can have, as they stand in a path.
BAD_IDS = ["_x", "-x", ".x", "a b", "a%00b", "x" * 37, "unique()", "a:b", "%E2%98%83", "%D0%B0da"]


@pytest.mark.parametrize("path", ["/account/sessions/email", "/account/sessions"])
class TestCreateEmailPasswordSession:
    """POST /account/sessions/email, also as POST /account/sessions"""

    def sign_in(self, path: str, client: ApiClient | None = None, **values: Any) -> Any:
        return (client or ApiClient()).post(path, CREDENTIALS | values)

    def test_answers_the_session(self, path: str, ada: ApiClient) -> None:
        response = self.sign_in(path)
        assert response.status_code == 201
        body = response.json()
        assert body["userId"] == ada.account["$id"]
        assert (body["provider"], body["providerUid"]) == ("email", "ada@example.org")
        assert (body["factors"], body["mfaUpdatedAt"]) == (["password"], "")
        assert body["current"] is True

    def test_signs_in(self, path: str, guest: ApiClient) -> None:
        guest.sign_up()
        assert self.sign_in(path, guest).status_code == 201
        assert guest.get("/account").json()["email"] == "ada@example.org"

    def test_secret_is_not_shown_to_a_guest(self, path: str, ada: ApiClient) -> None:
        assert self.sign_in(path).json()["secret"] == ""

    def test_secret_for_a_server_is_the_credential(
        self, path: str, ada: ApiClient, server: ApiClient
    ) -> None:
        secret = self.sign_in(path, server).json()["secret"]
        inner = json.loads(base64.b64decode(secret, validate=True))
        assert list(inner) == ["id", "secret"]
        assert inner["id"] == ada.account["$id"]
        assert len(inner["secret"]) == 256
        assert ApiClient(session=secret).get("/account").status_code == 200

    @pytest.mark.parametrize("email", ["ADA@Example.org", "  ada@example.org\n"])
    def test_email_in_another_case_or_with_blanks(
        self, path: str, ada: ApiClient, email: str
    ) -> None:
        response = self.sign_in(path, email=email)
        assert response.status_code == 201
        assert response.json()["providerUid"] == "ada@example.org"

    @pytest.mark.parametrize("values", [{"email": "eve@example.org"}, {"password": "wrong horse"}])
    def test_unknown_email_or_wrong_password(
        self, path: str, ada: ApiClient, values: dict[str, str]
    ) -> None:
        with unchanged():
            assert_error(self.sign_in(path, **values), 401, "user_invalid_credentials")

    def test_nobody_can_tell_an_unknown_email_from_a_wrong_password(
        self, path: str, ada: ApiClient, edit: Edit, settings: Any
    ) -> None:
        settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
        # Ada's password is another one, Bob has none, Eve is nobody.
        get_user_model().objects.update(password=make_password(PASSWORD))
        ApiClient().sign_up("bob@example.org")
        edit("bob@example.org", password=make_password(None))
        answers, costs = [], []
        for email in ("ada@example.org", "bob@example.org", "eve@example.org"):
            CountingHasher.hashed = 0
            response = self.sign_in(path, email=email, password="wrong horse")
            answers.append((response.status_code, response.content, dict(response.headers)))
            costs.append(CountingHasher.hashed)
        assert answers[0] == answers[1] == answers[2]
        assert costs == [1, 1, 1]

    def test_account_without_a_password(
        self, path: str, anonymous: ApiClient, guest: ApiClient
    ) -> None:
        Account.objects.update(email="ada@example.org")
        assert_error(self.sign_in(path, guest), 401, "user_invalid_credentials")

    def test_blocked_with_the_right_password(self, path: str, ada: ApiClient, edit: Edit) -> None:
        edit(is_active=False)
        with unchanged():
            assert_error(self.sign_in(path), 403, "user_blocked")

    def test_blocked_with_a_wrong_password(self, path: str, ada: ApiClient, edit: Edit) -> None:
        edit(is_active=False)
        response = self.sign_in(path, password="wrong horse")
        assert_error(response, 401, "user_invalid_credentials")

    def test_owing_a_new_password(self, path: str, ada: ApiClient, edit: Edit) -> None:
        edit(password_reset_required=True)
        client = ApiClient()
        assert self.sign_in(path, client).status_code == 201
        assert_error(client.get("/account"), 412, "user_password_reset_required")

    def test_owing_a_second_factor(self, path: str, ada: ApiClient, edit: Edit) -> None:
        edit(mfa_enabled=True, email_verified=True)
        client = ApiClient()
        assert self.sign_in(path, client).json()["factors"] == ["password"]
        assert_error(client.get("/account"), 401, "user_more_factors_required")

    @pytest.mark.parametrize("name", ["email", "password"])
    def test_missing(self, path: str, guest: ApiClient, name: str) -> None:
        body = dict(CREDENTIALS)
        del body[name]
        answer = assert_error(guest.post(path, body), 400, "general_argument_invalid")
        assert answer["message"] == f'Param "{name}" is not optional.'

    @pytest.mark.parametrize("name", ["email", "password"])
    def test_empty(self, path: str, ada: ApiClient, name: str) -> None:
        refused(self.sign_in(path, **{name: ""}), name)

    @pytest.mark.parametrize("password", ["short", "x" * 257])
    def test_impossible_password_is_invalid_rather_than_wrong(
        self, path: str, ada: ApiClient, password: str
    ) -> None:
        refused(self.sign_in(path, password=password), "password")

    def test_lives_as_long_as_the_site_says(
        self, path: str, ada: ApiClient, project: Project
    ) -> None:
        project(SESSION_DURATION=3600)
        with time_machine.travel(NOW, tick=False):
            client = ApiClient()
            assert self.sign_in(path, client).json()["expire"] == at(NOW + timedelta(hours=1))
        project(SESSION_DURATION=60)
        with time_machine.travel(NOW + timedelta(minutes=59, seconds=59), tick=False):
            assert client.get("/account").status_code == 200
        with time_machine.travel(NOW + timedelta(hours=1, milliseconds=1), tick=False):
            client = ApiClient(session=client.credential)
            assert_error(client.get("/account"), 401, "general_unauthorized_scope")

    def test_lives_a_year_by_default(self, path: str, ada: ApiClient) -> None:
        with time_machine.travel(NOW, tick=False):
            assert self.sign_in(path).json()["expire"] == at(NOW + timedelta(days=365))

    @pytest.mark.parametrize("duration", [60, 3600, "600"])
    def test_duration(self, path: str, ada: ApiClient, project: Project, duration: Any) -> None:
        project(SESSION_DURATION=3600)
        with time_machine.travel(NOW, tick=False):
            body = self.sign_in(path, duration=duration).json()
        assert body["expire"] == at(NOW + timedelta(seconds=int(duration)))

    def test_duration_of_null_is_the_sites(self, path: str, ada: ApiClient) -> None:
        with time_machine.travel(NOW, tick=False):
            body = self.sign_in(path, duration=None).json()
        assert body["expire"] == at(NOW + timedelta(days=365))

    @pytest.mark.parametrize("duration", [59, 0, -60, 3601, 10**30])
    def test_duration_below_a_minute_or_above_the_sites(
        self, path: str, ada: ApiClient, project: Project, duration: int
    ) -> None:
        project(SESSION_DURATION=3600)
        with unchanged():
            refused(self.sign_in(path, duration=duration), "duration")

    def test_limit_of_one_session_ends_the_former(
        self, path: str, ada: ApiClient, project: Project
    ) -> None:
        project(SESSION_LIMIT=1)
        client = ApiClient()
        assert self.sign_in(path, client).status_code == 201
        assert_error(ada.get("/account"), 401, "general_unauthorized_scope")
        assert client.get("/account").status_code == 200

    def test_limit_of_two_sessions_keeps_the_two_newest(
        self, path: str, ada: ApiClient, project: Project
    ) -> None:
        project(SESSION_LIMIT=2)
        ids = [self.sign_in(path).json()["$id"] for _ in range(3)]
        assert list(Session.objects.order_by("pk").values_list("public_id", flat=True)) == ids[1:]

    def test_limit_is_ten_sessions_by_default(self, path: str, ada: ApiClient) -> None:
        for _ in range(10):
            self.sign_in(path)
        assert Session.objects.count() == 10

    def test_limit_of_zero_is_no_limit(self, path: str, ada: ApiClient, project: Project) -> None:
        project(SESSION_LIMIT=0)
        for _ in range(10):
            self.sign_in(path)
        assert Session.objects.count() == 11

    def test_limit_spares_other_peoples_sessions(
        self, path: str, bob: ApiClient, ada: ApiClient, project: Project
    ) -> None:
        project(SESSION_LIMIT=1)
        self.sign_in(path)
        assert bob.get("/account").status_code == 200

    @pytest.mark.parametrize("transport", ["cookie", "header", "jwt"])
    def test_signed_in_already(
        self, path: str, ada: ApiClient, ada_by_jwt: ApiClient, transport: str
    ) -> None:
        client = {
            "cookie": ada,
            "header": ApiClient(session=ada.credential),
            "jwt": ada_by_jwt,
        }[transport]
        with unchanged():
            assert_error(self.sign_in(path, client), 401, "user_session_already_exists")

    def test_server_that_sends_a_session_along(
        self, path: str, ada: ApiClient, server: ApiClient
    ) -> None:
        server.headers["X-Appwrite-Session"] = ada.credential
        assert_error(self.sign_in(path, server), 401, "user_session_already_exists")

    def test_dead_session_is_no_obstacle(self, path: str, ada: ApiClient) -> None:
        Session.objects.all().delete()
        assert self.sign_in(path, ada).status_code == 201
        assert ada.get("/account").status_code == 200

    def test_server_without_the_scope(self, path: str, ada: ApiClient) -> None:
        client = ApiClient(key=create_api_key(name="tests", scopes=["users.read"]).secret)
        body = assert_error(self.sign_in(path, client), 401, "general_unauthorized_scope")
        assert body["message"].endswith('missing scopes (["sessions.write"])')

    def test_switched_off(
        self, path: str, ada: ApiClient, server: ApiClient, project: Project
    ) -> None:
        project(AUTH_METHODS={"email-password": False})
        assert_error(self.sign_in(path), 501, "user_auth_method_unsupported")
        assert self.sign_in(path, server).status_code == 201

    def test_renews_a_hash_of_another_kind(self, path: str, ada: ApiClient, edit: Edit) -> None:
        edit(password=make_password(PASSWORD, hasher="argon2"))
        client = ApiClient()
        assert self.sign_in(path, client).status_code == 201
        assert get_user_model().objects.get().password.startswith("md5$")
        assert client.get("/account").json()["passwordUpdate"] == ada.account["passwordUpdate"]

    def test_takes_the_browser_apart(self, path: str, ada: ApiClient) -> None:
        headers = {"User-Agent": CHROME, "X-Appwrite-Locale": "en"}
        body = ApiClient(headers=headers).post(path, CREDENTIALS).json()
        assert {key: body[key] for key in body if key.startswith(("os", "client", "device"))} == {
            "osCode": "WIN",
            "osName": "Windows",
            "osVersion": "10",
            "clientType": "browser",
            "clientCode": "CH",
            "clientName": "Chrome",
            "clientVersion": "70.0",
            "clientEngine": "Blink",
            "clientEngineVersion": "",
            "deviceName": "desktop",
            "deviceBrand": "",
            "deviceModel": "",
        }
        assert (body["countryCode"], body["countryName"]) == ("--", "Unknown")

    def test_client_that_does_not_say_what_it_is(self, path: str, ada: ApiClient) -> None:
        body = self.sign_in(path).json()
        assert body["osCode"] == body["clientName"] == body["deviceName"] == ""
        assert Session.objects.get(public_id=body["$id"]).user_agent == "UNKNOWN"

    def test_forwarded_user_agent_counts_for_servers_only(
        self, path: str, ada: ApiClient, server: ApiClient
    ) -> None:
        headers = {"User-Agent": "AppwritePythonSDK/27.0.0", "X-Forwarded-User-Agent": CHROME}
        server.headers |= headers
        assert self.sign_in(path, server).json()["clientCode"] == "CH"
        guest = ApiClient(headers=headers)
        assert self.sign_in(path, guest).json()["clientCode"] != "CH"

    def test_address_of_the_client(self, path: str, ada: ApiClient) -> None:
        assert self.sign_in(path).json()["ip"] == "127.0.0.1"

    @pytest.mark.parametrize(
        ("trusted", "ip"),
        [(0, "127.0.0.1"), (1, "203.0.113.9"), (2, "198.51.100.7"), (3, "192.0.2.66")],
    )
    def test_forwarded_address_counts_from_trusted_proxies_only(
        self, path: str, ada: ApiClient, project: Project, trusted: int, ip: str
    ) -> None:
        project(TRUSTED_PROXIES=trusted)
        forwarded = {"X-Forwarded-For": "192.0.2.66, 198.51.100.7, 203.0.113.9"}
        assert self.sign_in(path, ApiClient(headers=forwarded)).json()["ip"] == ip

    def test_tells_the_site(self, path: str, ada: ApiClient) -> None:
        heard = []

        def listener(sender: type, user: Any, **kwargs: Any) -> None:
            heard.append(user.pk)

        user_logged_in.connect(listener)
        try:
            self.sign_in(path)
        finally:
            user_logged_in.disconnect(listener)
        user = Account.objects.get().user
        assert heard == [user.pk]
        assert user.last_login is not None

    def test_tells_the_site_of_a_failure_without_the_password(
        self, path: str, ada: ApiClient
    ) -> None:
        heard = []

        def listener(sender: type, credentials: dict[str, str], **kwargs: Any) -> None:
            heard.append(credentials)

        user_login_failed.connect(listener)
        try:
            self.sign_in(path, password="wrong horse")
        finally:
            user_login_failed.disconnect(listener)
        assert heard == [{"email": "ada@example.org"}]


class CountingHasher(MD5PasswordHasher):
    """Counts what a sign-in costs."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashed += 1
        return super().encode(password, salt)


class TestCreateAnonymousSession:
    """POST /account/sessions/anonymous"""

    PATH = "/account/sessions/anonymous"

    def test_answers_the_session(self, guest: ApiClient) -> None:
        response = guest.post(self.PATH)
        assert response.status_code == 201
        body = response.json()
        assert (body["provider"], body["providerUid"]) == ("anonymous", "")
        assert body["factors"] == ["anonymous"]
        assert (body["current"], body["secret"]) == (True, "")

    def test_makes_an_account_with_nothing_but_an_id(self, guest: ApiClient) -> None:
        user_id = guest.post(self.PATH).json()["userId"]
        account = Account.objects.get()
        assert account.public_id == user_id
        assert (account.email, account.phone, account.name) == (None, None, "")
        assert not account.has_password
        assert not Target.objects.exists()

    def test_signs_in(self, anonymous: ApiClient) -> None:
        assert anonymous.get("/account").json()["$id"] == anonymous.session["userId"]

    def test_everybody_is_somebody_else(self, guest: ApiClient) -> None:
        first, second = guest.post(self.PATH), ApiClient().post(self.PATH)
        assert first.json()["userId"] != second.json()["userId"]

    @pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b'{"userId": "ada"}'])
    def test_body_is_ignored(self, guest: ApiClient, body: bytes) -> None:
        response = guest.post(self.PATH, body)
        assert response.status_code == 201
        assert response.json()["userId"] != "ada"

    def test_users_limit(self, ada: ApiClient, guest: ApiClient, project: Project) -> None:
        project(USERS_LIMIT=1)
        with unchanged():
            assert_error(guest.post(self.PATH), 400, "user_count_exceeded")

    def test_signed_in_already(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        for client in (ada, ApiClient(session=ada.credential), ada_by_jwt):
            with unchanged():
                assert_error(client.post(self.PATH), 401, "user_session_already_exists")

    def test_anonymous_already(self, anonymous: ApiClient) -> None:
        assert_error(anonymous.post(self.PATH), 401, "user_session_already_exists")

    def test_secret_for_a_server_is_the_credential(self, server: ApiClient) -> None:
        secret = server.post(self.PATH).json()["secret"]
        assert ApiClient(session=secret).get("/account").status_code == 200

    def test_server_that_sends_a_session_along(self, ada: ApiClient, server: ApiClient) -> None:
        response = server.post(self.PATH, X_Appwrite_Session=ada.credential)
        assert_error(response, 401, "user_session_already_exists")

    def test_server_without_the_scope(self, db: None) -> None:
        client = ApiClient(key=create_api_key(name="tests", scopes=[]).secret)
        with unchanged():
            assert_error(client.post(self.PATH), 401, "general_unauthorized_scope")

    def test_switched_off(self, guest: ApiClient, server: ApiClient, project: Project) -> None:
        project(AUTH_METHODS={"anonymous": False})
        body = assert_error(guest.post(self.PATH), 501, "user_auth_method_unsupported")
        assert body["message"] == "Anonymous authentication is disabled for this project"
        assert server.post(self.PATH).status_code == 201


class TestListSessions:
    """GET /account/sessions"""

    def test_oldest_first_with_the_current_one_marked(
        self, ada: ApiClient, ada_elsewhere: ApiClient
    ) -> None:
        response = ada_elsewhere.get("/account/sessions")
        assert response.status_code == 200
        body = response.json()
        assert body["total"] == 2
        assert [(session["$id"], session["current"]) for session in body["sessions"]] == [
            (ada.session["$id"], False),
            (ada_elsewhere.session["$id"], True),
        ]

    def test_sessions_are_what_signing_in_answered(self, ada: ApiClient) -> None:
        assert ada.get("/account/sessions").json()["sessions"] == [ada.session]

    def test_by_jwt_none_is_current(self, ada_by_jwt: ApiClient) -> None:
        body = ada_by_jwt.get("/account/sessions").json()
        assert [session["current"] for session in body["sessions"]] == [False]

    def test_other_peoples_are_not_listed(self, ada: ApiClient, bob: ApiClient) -> None:
        assert ada.get("/account/sessions").json()["sessions"] == [ada.session]

    def test_expired_ones_are_not_listed(self, ada: ApiClient) -> None:
        ApiClient().post("/account/sessions/email", CREDENTIALS | {"duration": 60})
        assert ada.get("/account/sessions").json()["total"] == 2
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
            assert ada.get("/account/sessions").json()["total"] == 1

    def test_secrets_are_not_shown(self, ada: ApiClient, server: ApiClient) -> None:
        Session.objects.all().delete()
        secret = server.post("/account/sessions/email", CREDENTIALS).json()["secret"]
        (session,) = ApiClient(session=secret).get("/account/sessions").json()["sessions"]
        assert session["secret"] == ""

    @pytest.mark.parametrize(
        ("query", "total"),
        [("", 1), ("?total=true", 1), ("?total=1", 1), ("?total=false", 0), ("?total=0", 0)],
    )
    def test_total_on_request(self, ada: ApiClient, query: str, total: int) -> None:
        body = ada.get(f"/account/sessions{query}").json()
        assert (body["total"], len(body["sessions"])) == (total, 1)

    def test_total_of_another_kind(self, ada: ApiClient) -> None:
        refused(ada.get("/account/sessions?total=maybe"), "total")

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(guest.get("/account/sessions"), 401, "general_unauthorized_scope")


class TestGetSession:
    """GET /account/sessions/{sessionId}"""

    def test_by_id(self, ada: ApiClient) -> None:
        response = ada.get(f"/account/sessions/{ada.session['$id']}")
        assert response.status_code == 200
        assert response.json() == ada.session

    def test_current(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        assert ada.get("/account/sessions/current").json() == ada.session
        assert ada_elsewhere.get("/account/sessions/current").json() == ada_elsewhere.session

    def test_on_another_device(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        body = ada.get(f"/account/sessions/{ada_elsewhere.session['$id']}").json()
        assert body == ada_elsewhere.session | {"current": False}

    def test_by_jwt(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        body = ada_by_jwt.get(f"/account/sessions/{ada.session['$id']}").json()
        assert body == ada.session | {"current": False}

    def test_a_jwt_has_no_current_one(self, ada_by_jwt: ApiClient) -> None:
        response = ada_by_jwt.get("/account/sessions/current")
        assert_error(response, 404, "user_session_not_found")

    def test_not_one_of_the_callers(self, ada: ApiClient, bob: ApiClient) -> None:
        for session_id in stranger_ids(bob):
            response = ada.get(f"/account/sessions/{session_id}")
            assert_error(response, 404, "user_session_not_found")

    @pytest.mark.parametrize("session_id", BAD_IDS)
    def test_no_id_at_all(self, ada: ApiClient, session_id: str) -> None:
        refused(ada.get(f"/account/sessions/{session_id}"), "sessionId")

    def test_query_string_does_not_override_the_path(
        self, ada: ApiClient, ada_elsewhere: ApiClient
    ) -> None:
        other = ada_elsewhere.session["$id"]
        body = ada.get(f"/account/sessions/current?sessionId={other}").json()
        assert body["$id"] == ada.session["$id"]

    def test_guest(self, ada: ApiClient, guest: ApiClient) -> None:
        for session_id in ("current", ada.session["$id"], "_x"):
            response = guest.get(f"/account/sessions/{session_id}")
            assert_error(response, 401, "general_unauthorized_scope")


class TestUpdateSession:
    """PATCH /account/sessions/{sessionId}"""

    @pytest.mark.parametrize("which", ["current", "id"])
    def test_lives_a_whole_duration_from_now(
        self, ada: ApiClient, project: Project, which: str
    ) -> None:
        project(SESSION_DURATION=3600)
        session_id = "current" if which == "current" else ada.session["$id"]
        for seconds in (3, 6):
            now = datetime.now(UTC) + timedelta(seconds=seconds)
            with time_machine.travel(now, tick=False):
                response = ada.patch(f"/account/sessions/{session_id}")
                assert response.status_code == 200
                expected = at(now + timedelta(hours=1))
                assert response.json()["expire"] == expected
                assert ada.get("/account/sessions/current").json()["expire"] == expected

    def test_answers_the_session_as_it_is_now(self, ada: ApiClient) -> None:
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=5), tick=False):
            body = ada.patch("/account/sessions/current").json()
            assert body == ada.get("/account/sessions/current").json()
        assert body["current"] is True
        assert body["countryName"]
        changed = {key for key in body if body[key] != ada.session[key]}
        assert changed == {"expire", "$updatedAt"}

    def test_on_another_device(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        response = ada.patch(f"/account/sessions/{ada_elsewhere.session['$id']}")
        assert response.status_code == 200
        assert response.json()["current"] is False
        assert not response.cookies

    def test_cookies_of_the_current_one_live_as_long(
        self, ada: ApiClient, project: Project
    ) -> None:
        project(SESSION_DURATION=3600)
        credential = ada.credential
        now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
        with time_machine.travel(now, tick=False):
            response = ada.patch("/account/sessions/current")
        assert list(response.cookies) == ["a_session_demo_legacy", "a_session_demo"]
        for cookie in response.cookies.values():
            # Django adds a second against rounding.
            late = parsedate_to_datetime(cookie["expires"]) - now - timedelta(hours=1)
            assert timedelta() <= late <= timedelta(seconds=1)
        assert ada.credential == credential

    def test_by_jwt(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        response = ada_by_jwt.patch(f"/account/sessions/{ada.session['$id']}")
        assert response.status_code == 200
        assert not response.cookies

    def test_a_jwt_has_no_current_one(self, ada_by_jwt: ApiClient) -> None:
        response = ada_by_jwt.patch("/account/sessions/current")
        assert_error(response, 404, "user_session_not_found")

    def test_not_one_of_the_callers(self, ada: ApiClient, bob: ApiClient) -> None:
        for session_id in stranger_ids(bob):
            with unchanged():
                response = ada.patch(f"/account/sessions/{session_id}")
                assert_error(response, 404, "user_session_not_found")

    @pytest.mark.parametrize("session_id", BAD_IDS)
    def test_no_id_at_all(self, ada: ApiClient, session_id: str) -> None:
        refused(ada.patch(f"/account/sessions/{session_id}"), "sessionId")

    def test_body_does_not_override_the_path(
        self, ada: ApiClient, ada_elsewhere: ApiClient
    ) -> None:
        other = ada_elsewhere.session["$id"]
        body = ada.patch("/account/sessions/current", {"sessionId": other}).json()
        assert body["$id"] == ada.session["$id"]

    def test_guest(self, guest: ApiClient) -> None:
        response = guest.patch("/account/sessions/current")
        assert_error(response, 401, "general_unauthorized_scope")


class TestDeleteSession:
    """DELETE /account/sessions/{sessionId}"""

    @pytest.mark.parametrize("which", ["current", "id"])
    def test_current_one_signs_out(self, ada: ApiClient, which: str) -> None:
        session_id = "current" if which == "current" else ada.session["$id"]
        response = ada.delete(f"/account/sessions/{session_id}")
        assert (response.status_code, response.content) == (204, b"")
        assert response.cookies["a_session_demo"].value == "deleted"
        assert response["X-Fallback-Cookies"] == "[]"
        assert_error(ada.get("/account"), 401, "general_unauthorized_scope")
        assert not Session.objects.exists()

    def test_on_another_device(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        response = ada.delete(f"/account/sessions/{ada_elsewhere.session['$id']}")
        assert response.status_code == 204
        assert not response.cookies
        assert not response.has_header("X-Fallback-Cookies")
        assert_error(ada_elsewhere.get("/account"), 401, "general_unauthorized_scope")
        assert ada.get("/account").status_code == 200

    def test_is_gone_the_second_time(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        path = f"/account/sessions/{ada_elsewhere.session['$id']}"
        ada.delete(path)
        assert_error(ada.delete(path), 404, "user_session_not_found")
        assert_error(ada.get(path), 404, "user_session_not_found")

    def test_by_jwt(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        response = ada_by_jwt.delete(f"/account/sessions/{ada.session['$id']}")
        assert response.status_code == 204
        assert not response.cookies
        # The JWT has died with its session.
        assert_error(ada_by_jwt.get("/account"), 401, "general_unauthorized_scope")

    def test_a_jwt_has_no_current_one(self, ada_by_jwt: ApiClient) -> None:
        response = ada_by_jwt.delete("/account/sessions/current")
        assert_error(response, 404, "user_session_not_found")

    def test_not_one_of_the_callers(self, ada: ApiClient, bob: ApiClient) -> None:
        for session_id in stranger_ids(bob):
            with unchanged():
                response = ada.delete(f"/account/sessions/{session_id}")
                assert_error(response, 404, "user_session_not_found")

    @pytest.mark.parametrize("session_id", BAD_IDS)
    def test_no_id_at_all(self, ada: ApiClient, session_id: str) -> None:
        refused(ada.delete(f"/account/sessions/{session_id}"), "sessionId")

    def test_takes_its_push_targets_along(self, ada: ApiClient, ada_elsewhere: ApiClient) -> None:
        account = Account.objects.get()
        for session in Session.objects.all():
            Target.objects.create(
                account=account,
                session=session,
                provider_type="push",
                identifier=f"device of {session.public_id}",
            )
        ada.delete(f"/account/sessions/{ada_elsewhere.session['$id']}")
        left = [target["identifier"] for target in ada.get("/account").json()["targets"]]
        assert left == ["ada@example.org", f"device of {ada.session['$id']}"]

    def test_owing_a_second_factor_may_sign_out(self, ada: ApiClient, edit: Edit) -> None:
        edit(mfa_enabled=True, email_verified=True)
        assert ada.delete("/account/sessions/current").status_code == 204

    def test_guest(self, guest: ApiClient) -> None:
        response = guest.delete("/account/sessions/current")
        assert_error(response, 401, "general_unauthorized_scope")


class TestDeleteSessions:
    """DELETE /account/sessions"""

    def test_signs_out_everywhere(
        self, bob: ApiClient, ada: ApiClient, ada_elsewhere: ApiClient
    ) -> None:
        response = ada.delete("/account/sessions")
        assert (response.status_code, response.content) == (204, b"")
        assert response.cookies["a_session_demo"].value == "deleted"
        assert response["X-Fallback-Cookies"] == "[]"
        for client in (ada, ada_elsewhere):
            assert_error(client.get("/account"), 401, "general_unauthorized_scope")
        assert bob.get("/account").status_code == 200

    def test_current_true_is_the_same(self, ada: ApiClient) -> None:
        response = ada.delete("/account/sessions", {"current": True})
        assert response.cookies["a_session_demo"].value == "deleted"
        assert not Session.objects.exists()

    def test_current_null_is_the_same(self, ada: ApiClient) -> None:
        assert ada.delete("/account/sessions", {"current": None}).status_code == 204
        assert not Session.objects.exists()

    def test_current_false_keeps_the_one_that_asks(
        self, ada: ApiClient, ada_elsewhere: ApiClient
    ) -> None:
        response = ada.delete("/account/sessions", {"current": False})
        assert response.status_code == 204
        assert not response.cookies
        assert ada.get("/account/sessions").json()["total"] == 1
        assert_error(ada_elsewhere.get("/account"), 401, "general_unauthorized_scope")

    @pytest.mark.parametrize("current", ["false", 0, "", [], {}])
    def test_current_of_another_kind(self, ada: ApiClient, current: Any) -> None:
        with unchanged():
            refused(ada.delete("/account/sessions", {"current": current}), "current")

    def test_query_string_is_not_read(self, ada: ApiClient) -> None:
        assert ada.delete("/account/sessions?current=false").status_code == 204
        assert not Session.objects.exists()

    def test_without_a_body(self, ada: ApiClient) -> None:
        assert ada.delete("/account/sessions", b"").status_code == 204

    def test_by_jwt(self, ada_by_jwt: ApiClient, ada_elsewhere: ApiClient) -> None:
        response = ada_by_jwt.delete("/account/sessions")
        assert response.status_code == 204
        assert not response.cookies
        assert response["X-Fallback-Cookies"] == "[]"
        assert not Session.objects.exists()

    def test_by_jwt_current_false_keeps_the_session_behind_it(
        self, ada: ApiClient, ada_by_jwt: ApiClient, ada_elsewhere: ApiClient
    ) -> None:
        assert ada_by_jwt.delete("/account/sessions", {"current": False}).status_code == 204
        assert ada_by_jwt.get("/account").status_code == 200
        assert_error(ada_elsewhere.get("/account"), 401, "general_unauthorized_scope")

    def test_guest(self, guest: ApiClient) -> None:
        response = guest.delete("/account/sessions")
        assert_error(response, 401, "general_unauthorized_scope")


@pytest.mark.parametrize("path", ["/account/jwts", "/account/jwt"])
class TestCreateJWT:
    """POST /account/jwts, also as POST /account/jwt"""

    def test_answers_a_jwt_that_signs_in(self, path: str, ada: ApiClient) -> None:
        response = ada.post(path)
        assert response.status_code == 201
        assert list(response.json()) == ["jwt"]
        client = ApiClient(jwt=response.json()["jwt"])
        assert client.get("/account").json()["$id"] == ada.account["$id"]

    def test_holds_user_session_and_end_and_nothing_else(self, path: str, ada: ApiClient) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        with time_machine.travel(now, tick=False):
            header, claims, _ = ada.post(path).json()["jwt"].split(".")
        decoded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
        assert decoded[0] == {"typ": "JWT", "alg": "HS256"}
        assert decoded[1] == {
            "userId": ada.account["$id"],
            "sessionId": ada.session["$id"],
            "exp": int(now.timestamp()) + 900,
        }

    @pytest.mark.parametrize(
        ("given", "seconds"), [(None, 900), (1, 1), (5, 5), (3600, 3600), ("60", 60)]
    )
    def test_duration(self, path: str, ada: ApiClient, given: Any, seconds: int) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        with time_machine.travel(now, tick=False):
            client = ApiClient(jwt=ada.post(path, {"duration": given}).json()["jwt"])
        with time_machine.travel(now + timedelta(seconds=seconds, milliseconds=-1), tick=False):
            assert client.get("/account").status_code == 200
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            assert_error(client.get("/account"), 401, "user_jwt_invalid")

    @pytest.mark.parametrize("duration", [0, -1, 3601, 10**30, "0", "3601", "-1", "x", ""])
    def test_duration_of_nothing_or_more_than_an_hour(
        self, path: str, ada: ApiClient, duration: Any
    ) -> None:
        refused(ada.post(path, {"duration": duration}), "duration")

    def test_dies_with_its_session(self, path: str, ada: ApiClient) -> None:
        client = ApiClient(jwt=ada.post(path).json()["jwt"])
        ada.delete("/account/sessions/current")
        assert_error(client.get("/account"), 401, "general_unauthorized_scope")

    def test_by_session_header(self, path: str, ada: ApiClient) -> None:
        assert ApiClient(session=ada.credential).post(path).status_code == 201

    def test_a_jwt_makes_no_jwt(self, path: str, ada_by_jwt: ApiClient) -> None:
        assert_error(ada_by_jwt.post(path), 403, "user_jwt_creation_denied")

    def test_switched_off(self, path: str, ada: ApiClient, project: Project) -> None:
        project(AUTH_METHODS={"jwt": False})
        body = assert_error(ada.post(path), 501, "user_auth_method_unsupported")
        assert body["message"] == "JWT authentication is disabled for this project"

    def test_guest(self, path: str, guest: ApiClient) -> None:
        assert_error(guest.post(path), 401, "general_unauthorized_scope")

    def test_server(self, path: str, server: ApiClient) -> None:
        assert_error(server.post(path), 401, "general_unauthorized_scope")
