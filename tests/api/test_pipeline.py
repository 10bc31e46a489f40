"""The order of checks: which error wins when several are due (core.md §1).

A request goes down a ladder of faults. Each test breaks one rung and all below it, and expects the
error of that rung.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from django_account.api_keys.models import ApiKey
from django_account.api_keys.services import create_api_key
from django_account.sessions.models import Session
from tests.api.rows import unchanged
from tests.client import PASSWORD, ApiClient, assert_error

Edit = Callable[..., None]
Project = Callable[..., None]

UNKNOWN_KEY = "standard_" + "0" * 256

# Every route that asks for the scope "account".
ACCOUNT_ROUTES = [
    ("GET", "/account"),
    ("DELETE", "/account"),
    ("GET", "/account/prefs"),
    ("PATCH", "/account/prefs"),
    ("PATCH", "/account/name"),
    ("PATCH", "/account/password"),
    ("PATCH", "/account/email"),
    ("PATCH", "/account/phone"),
    ("PATCH", "/account/status"),
    ("GET", "/account/sessions"),
    ("DELETE", "/account/sessions"),
    ("GET", "/account/sessions/current"),
    ("PATCH", "/account/sessions/current"),
    ("DELETE", "/account/sessions/current"),
    ("POST", "/account/jwts"),
    ("POST", "/account/jwt"),
    ("PATCH", "/account/mfa"),
    ("POST", "/account/mfa/authenticators/totp"),
    ("PUT", "/account/mfa/authenticators/totp"),
    ("DELETE", "/account/mfa/authenticators/totp"),
    ("POST", "/account/mfa/recovery-codes"),
    ("GET", "/account/mfa/recovery-codes"),
    ("PATCH", "/account/mfa/recovery-codes"),
]

# Every route that asks for the scope "sessions.write", with the switch that turns it off.
SIGN_IN_ROUTES = [
    ("/account", "email-password"),
    ("/account/sessions", "email-password"),
    ("/account/sessions/email", "email-password"),
    ("/account/sessions/anonymous", "anonymous"),
]

# A session's request to sign in: the faults from first to last.
SESSION_LADDER = [
    ("jwt beside a session", 403, "user_jwt_and_cookie_set"),
    ("foreign origin", 403, "general_unknown_origin"),
    ("unknown project", 404, "project_not_found"),
    ("unknown key", 401, "user_unauthorized"),
    ("service off", 403, "general_service_disabled"),
    ("api off", 403, "general_api_disabled"),
    ("blocked", 403, "user_blocked"),
    ("reset", 412, "user_password_reset_required"),
    ("second factor", 401, "user_more_factors_required"),
    ("method off", 501, "user_auth_method_unsupported"),
    ("signed in", 401, "user_session_already_exists"),
    ("parameters", 400, "general_argument_invalid"),
]

# A server's request to sign in.
KEY_LADDER = [
    ("key without project", 403, "project_id_missing"),
    ("expired key", 401, "project_key_expired"),
    ("scope", 401, "general_unauthorized_scope"),
    ("blocked", 403, "user_blocked"),
    ("signed in", 401, "user_session_already_exists"),
    ("parameters", 400, "general_argument_invalid"),
]

# A guest's request for somebody's account.
GUEST_LADDER = [
    ("bad jwt", 401, "user_jwt_invalid"),
    ("foreign origin", 403, "general_unknown_origin"),
    ("unknown project", 404, "project_not_found"),
    ("unknown key", 401, "user_unauthorized"),
    ("service off", 403, "general_service_disabled"),
    ("api off", 403, "general_api_disabled"),
    ("scope", 401, "general_unauthorized_scope"),
]


def rungs(ladder: list[tuple[str, int, str]]) -> Any:
    """Parametrize with each rung and the faults from there down."""
    names = [name for name, _, _ in ladder]
    cases = [
        pytest.param(set(names[index:]), status, code, id=name)
        for index, (name, status, code) in enumerate(ladder)
    ]
    return pytest.mark.parametrize(("faults", "status", "code"), cases)


class TestOrder:
    @rungs(SESSION_LADDER)
    def test_of_a_sessions_request(
        self,
        ada: ApiClient,
        edit: Edit,
        project: Project,
        faults: set[str],
        status: int,
        code: str,
    ) -> None:
        client = ApiClient(session=ada.credential if "signed in" in faults else None)
        given = {
            "jwt beside a session": ("X-Appwrite-JWT", "garbage"),
            "foreign origin": ("Origin", "https://evil.example"),
            "unknown project": ("X-Appwrite-Project", "nope"),
            "unknown key": ("X-Appwrite-Key", UNKNOWN_KEY),
        }
        client.headers |= dict(given[name] for name in faults & set(given))
        if "service off" in faults:
            project(SERVICES={"account": False})
        if "api off" in faults:
            project(REST_API=False)
        if "method off" in faults:
            project(AUTH_METHODS={"email-password": False})
        edit(
            is_active="blocked" not in faults,
            password_reset_required="reset" in faults,
            mfa_enabled="second factor" in faults,
            email_verified=True,
        )
        with unchanged():
            assert_error(client.post("/account/sessions/email", {"email": 1}), status, code)

    @rungs(KEY_LADDER)
    def test_of_a_servers_request(
        self,
        ada: ApiClient,
        edit: Edit,
        project: Project,
        faults: set[str],
        status: int,
        code: str,
    ) -> None:
        # None of these binds a server.
        project(SERVICES={"account": False}, REST_API=False, AUTH_METHODS={"email-password": False})
        scopes = [] if "scope" in faults else ["sessions.write"]
        issued = create_api_key(name="tests", scopes=scopes)
        if "expired key" in faults:
            ApiKey.objects.update(expires_at=timezone.now())
        client = ApiClient(
            key=issued.secret,
            session=ada.credential if "signed in" in faults else None,
            project=None if "key without project" in faults else "demo",
            headers={"Origin": "https://evil.example"} if scopes else {},
        )
        edit(is_active="blocked" not in faults)
        with unchanged():
            assert_error(client.post("/account/sessions/email", {"email": 1}), status, code)

    @rungs(GUEST_LADDER)
    def test_of_a_guests_request(
        self, guest: ApiClient, project: Project, faults: set[str], status: int, code: str
    ) -> None:
        given = {
            "bad jwt": ("X-Appwrite-JWT", "garbage"),
            "foreign origin": ("Origin", "https://evil.example"),
            "unknown project": ("X-Appwrite-Project", "nope"),
            "unknown key": ("X-Appwrite-Key", UNKNOWN_KEY),
        }
        guest.headers |= dict(given[name] for name in faults & set(given))
        if "service off" in faults:
            project(SERVICES={"account": False})
        if "api off" in faults:
            project(REST_API=False)
        # The parameters are wrong, too, and nobody ever hears of it.
        assert_error(guest.patch("/account/name", {"name": ""}), status, code)

    def test_bad_jwt_before_a_key_without_its_project(self, server: ApiClient) -> None:
        del server.headers["X-Appwrite-Project"]
        response = server.get("/account", X_Appwrite_JWT="garbage")
        assert_error(response, 401, "user_jwt_invalid")

    def test_key_without_its_project_before_a_foreign_origin(self, server: ApiClient) -> None:
        del server.headers["X-Appwrite-Project"]
        response = server.get("/account", Origin="https://evil.example")
        assert_error(response, 403, "project_id_missing")

    def test_key_of_another_project_before_the_unknown_project(self, server: ApiClient) -> None:
        response = server.get("/account", X_Appwrite_Project="nope")
        assert_error(response, 403, "project_id_missing")

    def test_scope_of_a_key_before_its_blocked_session(
        self, ada: ApiClient, server: ApiClient, edit: Edit
    ) -> None:
        edit(is_active=False)
        response = server.get("/account", X_Appwrite_Session=ada.credential)
        assert_error(response, 401, "general_unauthorized_scope")

    def test_denied_jwt_after_its_parameters(self, ada_by_jwt: ApiClient) -> None:
        response = ada_by_jwt.post("/account/jwts", {"duration": 0})
        assert_error(response, 400, "general_argument_invalid")

    def test_blocked_by_the_credentials_after_the_parameters(
        self, ada: ApiClient, guest: ApiClient, edit: Edit
    ) -> None:
        edit(is_active=False)
        body = {"email": "ada@example.org", "password": "short"}
        assert_error(guest.post("/account/sessions", body), 400, "general_argument_invalid")


class TestAccountRoutes:
    """Who gets through to the routes about one's own account, and who does not."""

    def assert_refused(self, client: ApiClient, status: int, code: str, message: str = "") -> None:
        """Check that every route answers the same, before it reads any parameter."""
        wrong = dict.fromkeys(("name", "password", "email", "phone", "prefs", "duration"), 1)
        answers = {}
        with unchanged():
            for method, path in ACCOUNT_ROUTES:
                response = client.call(method, path, wrong)
                body = response.json()
                answers[method, path] = (response.status_code, body["type"])
                assert message in body["message"]
        assert answers == dict.fromkeys(ACCOUNT_ROUTES, (status, code))

    def test_guest(self, ada: ApiClient, guest: ApiClient) -> None:
        message = 'User (role: guests) missing scopes (["account"])'
        self.assert_refused(guest, 401, "general_unauthorized_scope", message)

    def test_server(self, server: ApiClient) -> None:
        message = 'app.demo@service.testserver (role: applications) missing scopes (["account"])'
        self.assert_refused(server, 401, "general_unauthorized_scope", message)

    def test_server_that_sends_a_session_along(self, ada: ApiClient, server: ApiClient) -> None:
        server.headers["X-Appwrite-Session"] = ada.credential
        self.assert_refused(server, 401, "general_unauthorized_scope")

    def test_jwt_of_a_dead_session(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        ada.delete("/account/sessions")
        self.assert_refused(ada_by_jwt, 401, "general_unauthorized_scope")

    @pytest.mark.parametrize("transport", ["cookie", "header", "jwt"])
    def test_blocked(
        self, ada: ApiClient, ada_by_jwt: ApiClient, edit: Edit, transport: str
    ) -> None:
        header = ApiClient(session=ada.credential)
        edit(is_active=False)
        client = {"cookie": ada, "header": header, "jwt": ada_by_jwt}[transport]
        self.assert_refused(client, 403, "user_blocked")

    def test_owing_a_new_password(self, ada: ApiClient, edit: Edit) -> None:
        edit(password_reset_required=True)
        self.assert_refused(ada, 412, "user_password_reset_required")

    def test_service_off(self, ada: ApiClient, project: Project) -> None:
        project(SERVICES={"account": False})
        self.assert_refused(ada, 403, "general_service_disabled")

    def test_foreign_origin(self, ada: ApiClient) -> None:
        ada.headers["Origin"] = "https://evil.example"
        self.assert_refused(ada, 403, "general_unknown_origin")


class TestSecondFactor:
    @pytest.mark.parametrize("proven", ["email_verified", "phone_verified"])
    @pytest.mark.parametrize("transport", ["cookie", "jwt"])
    def test_is_owed_on_every_route_but_to_sign_out(
        self, ada: ApiClient, ada_by_jwt: ApiClient, edit: Edit, transport: str, proven: str
    ) -> None:
        edit(mfa_enabled=True, **{proven: True})
        client = {"cookie": ada, "jwt": ada_by_jwt}[transport]
        sign_out = ("DELETE", "/account/sessions/current")
        answers = {}
        with unchanged():
            for method, path in ACCOUNT_ROUTES:
                if (method, path) != sign_out:
                    answers[method, path] = client.call(method, path).json()["type"]
        assert set(answers.values()) == {"user_more_factors_required"}
        response = client.delete(f"/account/sessions/{ada.session['$id']}")
        assert response.status_code == 204

    def test_is_not_owed_while_nothing_is_verified(self, ada: ApiClient, edit: Edit) -> None:
        edit(mfa_enabled=True)
        assert ada.get("/account").json()["mfa"] is True

    def test_is_not_owed_without_mfa(self, ada: ApiClient, edit: Edit) -> None:
        edit(email_verified=True, phone_verified=True)
        assert ada.get("/account").status_code == 200

    def test_is_paid_by_two_factors(self, ada: ApiClient, edit: Edit) -> None:
        edit(mfa_enabled=True, email_verified=True)
        Session.objects.update(factors=["password", "totp"])
        assert ada.get("/account").status_code == 200


class TestSwitches:
    def test_api_off(self, ada: ApiClient, guest: ApiClient, project: Project) -> None:
        project(REST_API=False)
        for client in (ada, guest):
            assert_error(client.get("/account"), 403, "general_api_disabled")

    @pytest.mark.parametrize("switch", [{"SERVICES": {"account": False}}, {"REST_API": False}])
    def test_do_not_bind_a_server(
        self, server: ApiClient, project: Project, switch: dict[str, Any]
    ) -> None:
        project(**switch)
        assert server.post("/account/sessions/anonymous").status_code == 201

    @pytest.mark.parametrize(("path", "method"), SIGN_IN_ROUTES)
    def test_method_off_before_the_parameters(
        self, guest: ApiClient, project: Project, path: str, method: str
    ) -> None:
        project(AUTH_METHODS={method: False})
        assert_error(guest.post(path, {"email": 1}), 501, "user_auth_method_unsupported")

    @pytest.mark.parametrize(("path", "method"), SIGN_IN_ROUTES)
    def test_another_method_off(
        self, ada: ApiClient, guest: ApiClient, project: Project, path: str, method: str
    ) -> None:
        others = {"email-password", "magic-url", "email-otp", "anonymous", "phone", "jwt"}
        project(AUTH_METHODS=dict.fromkeys(others - {method}, False))
        email = "bob@example.org" if path == "/account" else "ada@example.org"
        body = {"userId": "unique()", "email": email, "password": PASSWORD}
        assert guest.post(path, body).status_code == 201


class TestProject:
    def test_no_project_is_the_project(self, ada: ApiClient) -> None:
        del ada.headers["X-Appwrite-Project"]
        assert ada.get("/account").status_code == 200

    def test_empty_project_is_the_project(self, ada: ApiClient) -> None:
        assert ada.get("/account", X_Appwrite_Project="").status_code == 200

    @pytest.mark.parametrize("project_id", ["nope", "DEMO", "demo,demo", "démo", "*"])
    def test_unknown_project(self, ada: ApiClient, project_id: str) -> None:
        with unchanged():
            response = ada.get("/account", X_Appwrite_Project=project_id)
            assert_error(response, 404, "project_not_found")

    def test_project_in_the_query_string(self, ada: ApiClient) -> None:
        del ada.headers["X-Appwrite-Project"]
        assert ada.get("/account?project=demo").status_code == 200
        assert_error(ada.get("/account?project=nope"), 404, "project_not_found")

    def test_project_in_the_query_string_of_a_post(self, guest: ApiClient) -> None:
        del guest.headers["X-Appwrite-Project"]
        response = guest.post("/account/sessions/anonymous?project=nope")
        assert_error(response, 404, "project_not_found")

    @pytest.mark.parametrize("given", ["nope", 1, ["demo"], {"demo": 1}, True])
    def test_unknown_project_in_the_body(self, guest: ApiClient, given: Any) -> None:
        del guest.headers["X-Appwrite-Project"]
        response = guest.post("/account/sessions/anonymous", {"project": given})
        assert_error(response, 404, "project_not_found")

    def test_project_in_the_body(self, guest: ApiClient) -> None:
        del guest.headers["X-Appwrite-Project"]
        response = guest.post("/account/sessions/anonymous", {"project": "demo"})
        assert response.status_code == 201
