"""The routes of OAuth2 and identities, over HTTP: a class for each, a test for each outcome."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import jwt
import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.core import mail
from django.test import Client

from django_account.accounts.models import Account
from django_account.api_keys.services import create_api_key
from django_account.audit.models import LogEntry
from django_account.identities.models import Identity, OAuth2Flow
from django_account.sessions.models import Session
from django_account.tokens.models import Token
from tests.client import PASSWORD, ApiClient, assert_error
from tests.identities.conftest import FAILURE, ISSUER, OIDC, SUCCESS, Browser, query_of
from tests.identities.far_side import OpenIdProvider

pytestmark = pytest.mark.django_db

Project = Callable[..., None]

HTML = {"Accept": "text/html,application/xhtml+xml"}
RELAYED = "http://testserver/v1/pages/oauth2-success"
RELAYED_FAILURE = "http://testserver/v1/pages/oauth2-failure"

# Each is refused: no browser and no library reads it as an address of the project.
HOSTILE = [
    "http://evil.test",
    "https://evil.test/localhost",
    "http://localhost.evil.test",
    "http://localhost.",
    "http://evil.test#localhost",
    "http://evil.test?localhost",
    "http://evil.test/@localhost",
    "http://localhost@evil.test",
    "http://localhost:80@evil.test",
    "http://user:pass@localhost",
    "http://evil.test\\@localhost",
    "http://localhost\\.evil.test",
    "http://localhost\\@evil.test",
    "http:\\\\evil.test",
    "http://\\evil.test",
    "http:/\\evil.test",
    "\\\\evil.test",
    "//evil.test",
    "///evil.test",
    "////evil.test",
    "/evil.test",
    "/\\evil.test",
    "http:///evil.test",
    "http://///evil.test",
    "http:evil.test",
    "http:/evil.test",
    "evil.test",
    "localhost",
    "localhost/path",
    "http://",
    "http:",
    "http",
    " http://localhost",
    "http://localhost evil.test",
    "http://localhost\tevil.test",
    "http://localhost\nevil.test",
    "http://localhost\r\nSet-Cookie: a=b",
    "http://localhost/\r\nLocation: http://evil.test",
    "\thttp://localhost",
    "http://localhost\x00.evil.test",
    "http://localhost%00.evil.test",
    "http://localhost%2eevil.test",
    "http://localhost%2f@evil.test",
    "http://localhost%23@evil.test",
    "http://evil.test%23.localhost",
    "http://evil%E3%80%82localhost",
    "http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54",
    "http://loc\u0430lhost",
    "http://localhost\u3002evil.test",
    "http://evil.test\uff0flocalhost",
    "http://127.0.0.2",
    "http://127.0.0.1.example.com",
    "http://127.1",
    "http://2130706433",
    "http://0x7f000001",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[::ffff:127.0.0.1]",
    "http://[::1]evil.test",
    "http://[evil.test]",
    "http://localhost:80:evil.test",
    "http://localhost:80evil.test",
    "http://localhost:-1",
    "javascript:alert(1)",
    "javascript://localhost/%0aalert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data://localhost/text/html,x",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "ftp://localhost",
    "blob:http://localhost/x",
    "intent://localhost#Intent;scheme=http;end",
    "appwrite-callback-other://",
    "appwrite-callback-demo.evil://",
    "appwrite-callback-demo:evil",
    "view-source:http://localhost",
    "http://*",
    "http://*.localhost",
    "",
]

FRIENDLY = [
    "http://localhost",
    "https://localhost:3000/a?b=c#d",
    "http://127.0.0.1:8080/",
    "http://[::1]/x",
    "HTTP://LOCALHOST/x",
    "appwrite-callback-demo://",
    "appwrite-callback-demo:///path",
    "exp://192.168.0.1:8081",
]


def assert_redirect(response: Any, to: str) -> None:
    """Check for the documented redirect, which nobody keeps."""
    assert response.status_code == 301, response.content
    assert response["Location"] == to
    assert response["Cache-Control"] == "no-store, no-cache, must-revalidate, max-age=0"
    assert response["Pragma"] == "no-cache"
    assert not response["Content-Type"].startswith("application/json")


def without_query(url: str) -> str:
    return url.partition("?")[0]


class TestCreateOAuth2Session:
    """``GET /account/sessions/oauth2/{provider}``, and the token flow's, which begins the same."""

    def test_leads_to_the_provider(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.start("oidc")
        assert_redirect(response, response["Location"])
        asked = dict(parse_qsl(urlsplit(response["Location"]).query))
        assert without_query(response["Location"]) == f"{ISSUER}/authorize"
        assert asked["redirect_uri"] == (
            "http://testserver/v1/account/sessions/oauth2/callback/oidc/demo"
        )
        assert (asked["response_type"], asked["client_id"]) == ("code", "client-id")
        assert len(asked["state"]) <= 128

    @pytest.mark.parametrize("url", HOSTILE)
    def test_leads_to_no_hostile_address(
        self, browser: Browser, project: Project, url: str
    ) -> None:
        project(OAUTH2_PROVIDERS={"github": {"client_id": "1", "client_secret": "2"}})
        for flow in ("sessions", "tokens"):
            for parameter in ("success", "failure"):
                response = browser.start("github", flow, **{parameter: url})
                body = assert_error(response, 400, "general_argument_invalid")
                assert parameter in body["message"]
        assert not OAuth2Flow.objects.exists()

    @pytest.mark.parametrize("url", FRIENDLY)
    def test_leads_to_the_projects_own(self, browser: Browser, project: Project, url: str) -> None:
        project(OAUTH2_PROVIDERS={"github": {"client_id": "1", "client_secret": "2"}})
        assert browser.start("github", success=url, failure=url).status_code == 301

    def test_at_least_sixty_hostile_ones(self) -> None:
        assert len(set(HOSTILE)) >= 60

    @pytest.mark.parametrize(
        "provider", ["nobody", "GitHub", "GITHUB", "paypalsandbox", "mock", "%00", "é"]
    )
    def test_an_unknown_provider(self, browser: Browser, provider: str) -> None:
        for flow in ("sessions", "tokens"):
            response = browser.start(quote(provider, safe="%"), flow)
            assert_error(response, 400, "general_argument_invalid")

    @pytest.mark.parametrize(
        "config",
        [
            {},
            {"github": {"client_id": "1", "client_secret": "2", "enabled": False}},
            {"github": {"client_id": "1"}},
            {"github": {"client_secret": "2"}},
            {"github": {}},
            {"gitlab": {"client_id": "1", "client_secret": "2"}},
        ],
        ids=str,
    )
    def test_a_provider_that_is_off(
        self, browser: Browser, project: Project, config: dict[str, Any]
    ) -> None:
        project(OAUTH2_PROVIDERS=config)
        for flow in ("sessions", "tokens"):
            assert_error(browser.start("github", flow), 412, "project_provider_disabled")

    def test_a_provider_that_is_set_up_by_half(self, browser: Browser, project: Project) -> None:
        project(OAUTH2_PROVIDERS={"oidc": {"client_id": "1", "client_secret": "2"}})
        body = assert_error(browser.start("oidc"), 412, "project_provider_disabled")
        assert "endpoint" in body["message"]

    @pytest.mark.parametrize(
        "params",
        [
            {"scopes": "repo"},
            {"scopes[0]": ""},
            {"scopes[0]": "x" * 4097},
            {f"scopes[{number}]": "x" for number in range(101)},
            {"state": "x" * 257},
            {"state": "é"},
            {"state": "a\nb"},
        ],
        ids=lambda params: str(params)[:30],
    )
    def test_parameters_that_are_wrong(
        self, browser: Browser, oidc: OpenIdProvider, params: dict[str, str]
    ) -> None:
        assert_error(browser.start("oidc", **params), 400, "general_argument_invalid")

    def test_another_project(self, browser: Browser, oidc: OpenIdProvider) -> None:
        assert_error(browser.start("oidc", project="other"), 404, "project_not_found")

    def test_an_error_is_a_page_for_browsers(self, browser: Browser) -> None:
        response = browser.http.get("/v1/account/sessions/oauth2/github", headers=HTML)
        assert response.status_code == 412
        assert response["Content-Type"].startswith("text/html")
        assert b"project_provider_disabled" in response.content
        assert response["X-Frame-Options"] == "DENY"
        assert response["Cache-Control"] == "no-store"

    def test_a_blocked_person_cannot_begin(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_up()
        browser.sign_in()
        User.objects.update(is_active=False)
        assert_error(browser.start("oidc"), 403, "user_blocked")

    def test_a_key_without_the_scope(self, oidc: OpenIdProvider) -> None:
        client = ApiClient(key=create_api_key(name="k", scopes=["users.read"]).secret)
        response = client.get("/account/tokens/oauth2/oidc")
        assert_error(response, 401, "general_unauthorized_scope")

    def test_the_pages_of_a_host_that_nobody_vouches_for(
        self, browser: Browser, oidc: OpenIdProvider, settings: Any
    ) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        response = browser.http.get(
            "/v1/account/sessions/oauth2/oidc", headers={"Host": "evil.test"}
        )
        body = assert_error(response, 400, "general_argument_invalid")
        assert "success" in body["message"]


class TestSessionFlow:
    def test_signs_in(self, browser: Browser, oidc: OpenIdProvider) -> None:
        seen: list[Any] = []

        def logged_in(sender: object, user: Any, **kwargs: Any) -> None:
            seen.append(user)

        user_logged_in.connect(logged_in)
        try:
            response = browser.sign_in_by(oidc)
        finally:
            user_logged_in.disconnect(logged_in)
        assert_redirect(response, SUCCESS)
        assert {"a_session_demo", "a_session_demo_legacy"} <= set(response.cookies)
        session = browser.get("/account/sessions/current").json()
        assert (session["provider"], session["providerUid"]) == ("oidc", "subject-1")
        assert session["providerAccessToken"] == "access-token"
        assert session["providerRefreshToken"] == "refresh-token"
        expires = datetime.fromisoformat(session["providerAccessTokenExpiry"])
        assert abs(expires.timestamp() - time.time() - 3600) < 60
        assert session["factors"] == ["email", "oauth2"]
        account = browser.get("/account").json()
        assert (account["email"], account["emailVerification"]) == ("ada@example.org", True)
        assert (account["name"], account["passwordUpdate"]) == ("Ada Lovelace", "")
        assert [target["identifier"] for target in account["targets"]] == ["ada@example.org"]
        assert seen == [User.objects.get()]

    def test_by_the_callback_in_either_way(self, browser: Browser, oidc: OpenIdProvider) -> None:
        brought = oidc.consent(browser.start("oidc")["Location"])
        callback = browser.http.get(
            "/v1/account/sessions/oauth2/callback/oidc/demo", {**brought, "scope": "x"}
        )
        location = callback["Location"]
        assert_redirect(callback, location)
        assert without_query(location) == (
            "http://testserver/v1/account/sessions/oauth2/oidc/redirect"
        )
        assert dict(parse_qsl(urlsplit(location).query)) == {**brought, "project": "demo"}

    def test_keeps_the_success_urls_own_query(self, browser: Browser, oidc: OpenIdProvider) -> None:
        url = "http://localhost:3000/in?a=1&b=2#part"
        assert browser.sign_in_by(oidc, success=url)["Location"] == url

    def test_echoes_the_apps_state(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.sign_in_by(oidc, state="a&b=c d")
        assert query_of(response) == {"state": "a&b=c d"}

    def test_hands_native_apps_the_session_by_our_page(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        response = browser.sign_in_by(oidc, success=None, failure=None)
        assert without_query(response["Location"]) == RELAYED
        query = query_of(response)
        assert list(query) == ["project", "domain", "key", "secret"]
        assert (query["project"], query["domain"]) == ("demo", ".testserver")
        assert query["key"] == "a_session_demo"
        assert ApiClient(session=query["secret"]).get("/account").status_code == 200

    def test_does_not_hand_it_to_a_page_of_the_same_path(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        url = "http://localhost/v1/pages/oauth2-success"
        assert browser.sign_in_by(oidc, success=url)["Location"] == url

    def test_an_anonymous_person_keeps_what_they_have(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        before = browser.post("/account/sessions/anonymous").json()
        browser.patch("/account/prefs", {"prefs": {"theme": "dark"}})
        assert_redirect(browser.sign_in_by(oidc), SUCCESS)
        account = browser.get("/account").json()
        assert account["$id"] == before["userId"]
        assert (account["email"], account["name"]) == ("ada@example.org", "Ada Lovelace")
        assert account["prefs"] == {"theme": "dark"}
        sessions = browser.get("/account/sessions").json()["sessions"]
        assert [session["provider"] for session in sessions] == ["oidc"]

    def test_somebody_signed_in_links(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_up("elsewhere@example.org")
        browser.sign_in("elsewhere@example.org")
        before = browser.get("/account").json()["$id"]
        assert_redirect(browser.sign_in_by(oidc), SUCCESS)
        assert browser.get("/account").json()["$id"] == before
        assert browser.get("/account/identities").json()["total"] == 1

    def test_mfa_is_not_asked_for(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc)
        Account.objects.update(mfa_enabled=True)
        assert browser.get("/account").status_code == 200

    def test_somebody_else_is_signed_in_by_now(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        browser.sign_up("elsewhere@example.org")
        browser.sign_in("elsewhere@example.org")
        brought = oidc.consent(browser.start("oidc")["Location"])
        browser.delete("/account/sessions/current")
        response = browser.come_back("oidc", **brought)
        assert json.loads(query_of(response)["error"])["type"] == "user_unauthorized"
        assert not Identity.objects.exists()
        assert not Session.objects.exists()

    def test_platforms_that_have_changed_meanwhile(
        self, browser: Browser, oidc: OpenIdProvider, project: Project
    ) -> None:
        project(PLATFORMS=["shop.example.com", "localhost"])
        for success, failure, code in (
            ("https://shop.example.com/", FAILURE, "project_invalid_success_url"),
            (SUCCESS, "https://shop.example.com/", "project_invalid_failure_url"),
        ):
            project(PLATFORMS=["shop.example.com", "localhost"])
            started = browser.start("oidc", success=success, failure=failure)
            project(PLATFORMS=["localhost"])
            response = browser.come_back("oidc", **oidc.consent(started["Location"]))
            assert_error(response, 400, code)
        assert not Session.objects.exists()


class TestTokenFlow:
    def exchange(self, response: Any, client: ApiClient | None = None, **change: str) -> Any:
        body = {"userId": query_of(response)["userId"], "secret": query_of(response)["secret"]}
        return (client or ApiClient()).post("/account/sessions/token", body | change)

    def test_signs_in(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.sign_in_by(oidc, flow="tokens")
        assert_redirect(response, response["Location"])
        assert response["Location"].startswith(f"{SUCCESS}?secret=")
        assert list(query_of(response)) == ["secret", "userId"]
        assert len(query_of(response)["secret"]) <= 256
        assert "a_session_demo" not in response.cookies
        app = ApiClient()
        session = self.exchange(response, app)
        assert session.status_code == 201, session.content
        document = session.json()
        assert (document["provider"], document["providerUid"]) == ("oidc", "subject-1")
        assert document["providerAccessToken"] == "access-token"
        assert document["factors"] == ["email", "oauth2"]
        assert app.get("/account").json()["email"] == "ada@example.org"

    def test_with_a_query_of_its_own(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.sign_in_by(
            oidc, flow="tokens", success="http://localhost?a=b", state="s"
        )
        assert response["Location"].startswith("http://localhost/?a=b&secret=")
        assert list(query_of(response)) == ["a", "secret", "userId", "state"]

    def test_to_a_native_app(self, browser: Browser, oidc: OpenIdProvider) -> None:
        url = "appwrite-callback-demo://"
        response = browser.sign_in_by(oidc, flow="tokens", success=url)
        assert response["Location"].startswith("appwrite-callback-demo:///?secret=")

    def test_by_our_page(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.sign_in_by(oidc, flow="tokens", success=None)
        assert without_query(response["Location"]) == RELAYED
        assert list(query_of(response)) == ["secret", "userId", "project"]

    def test_a_secret_works_once(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.sign_in_by(oidc, flow="tokens")
        assert self.exchange(response).status_code == 201
        assert_error(self.exchange(response), 401, "user_invalid_token")

    def test_a_secret_is_short_lived(self, browser: Browser, oidc: OpenIdProvider) -> None:
        with time_machine.travel(datetime.now(UTC), tick=False) as clock:
            response = browser.sign_in_by(oidc, flow="tokens")
            clock.shift(121)
            assert_error(self.exchange(response), 401, "user_invalid_token")

    def test_a_secret_is_of_one_person(self, browser: Browser, oidc: OpenIdProvider) -> None:
        eve = ApiClient().sign_up("eve@example.org")
        response = browser.sign_in_by(oidc, flow="tokens")
        other = self.exchange(response, userId=eve["$id"])
        assert_error(other, 401, "user_invalid_token")

    def test_a_secret_without_its_wrapper(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.sign_in_by(oidc, flow="tokens")
        claims = jwt.decode(query_of(response)["secret"], options={"verify_signature": False})
        assert list(claims) == ["secret", "provider", "exp"]
        inner = self.exchange(response, secret=claims["secret"])
        assert_error(inner, 401, "user_invalid_token")
        assert Token.objects.exists()

    @pytest.mark.parametrize("change", ["provider", "signature", "algorithm"])
    def test_a_wrapper_that_is_forged(
        self, browser: Browser, oidc: OpenIdProvider, change: str
    ) -> None:
        response = browser.sign_in_by(oidc, flow="tokens")
        secret = query_of(response)["secret"]
        claims = jwt.decode(secret, options={"verify_signature": False})
        forged = {
            "provider": jwt.encode({**claims, "provider": "github"}, "k" * 32),
            "signature": secret[:-2] + ("AA" if not secret.endswith("AA") else "BB"),
            "algorithm": jwt.encode(claims, None, algorithm="none"),
        }[change]
        assert_error(self.exchange(response, secret=forged), 401, "user_invalid_token")

    def test_a_blocked_person_uses_nothing_up(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.sign_in_by(oidc, flow="tokens")
        User.objects.update(is_active=False)
        assert_error(self.exchange(response), 403, "user_blocked")
        User.objects.update(is_active=True)
        assert self.exchange(response).status_code == 201

    def test_the_session_stays_until_the_exchange_takes_its_place(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        browser.sign_up("elsewhere@example.org")
        old = browser.sign_in("elsewhere@example.org")
        response = browser.sign_in_by(oidc, flow="tokens")
        assert browser.get("/account/sessions/current").json()["$id"] == old["$id"]
        new = self.exchange(response, browser)
        assert new.status_code == 201, new.content
        assert [session.public_id for session in Session.objects.all()] == [new.json()["$id"]]

    def test_no_other_secret_is_exchanged_on_top_of_a_session(
        self, ada: ApiClient, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        response = browser.sign_in_by(oidc, flow="tokens", success=SUCCESS)
        eve = Browser()
        eve.sign_up("eve@example.org")
        eve.sign_in("eve@example.org")
        refused = self.exchange(response, eve)
        assert_error(refused, 401, "user_session_already_exists")
        refused = self.exchange(response, eve, secret="123456")
        assert_error(refused, 401, "user_session_already_exists")
        assert self.exchange(response).status_code == 201

    def test_unlinking_kills_it(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.sign_in_by(oidc, flow="tokens")
        Identity.objects.all().delete()
        assert_error(self.exchange(response), 401, "user_invalid_token")


class TestBegunByAServer:
    """A server SDK reads the address and hands it to its visitor, who has no cookie of ours."""

    SDK = {"X-SDK-Platform": "server"}

    def begin(self, oidc: OpenIdProvider, client: ApiClient) -> dict[str, str]:
        response = client.get(f"/account/tokens/oauth2/oidc?success={SUCCESS}", **self.SDK)
        assert response.status_code == 301, response.content
        assert "django_account_oauth2" not in response.cookies
        return oidc.consent(response["Location"])

    def test_its_visitor_signs_in(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = browser.come_back("oidc", **self.begin(oidc, ApiClient()))
        assert list(query_of(response)) == ["secret", "userId"]

    def test_whoever_the_visitor_is_signed_in_as_is_not_linked(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        """A stranger's sign-in, sent to a victim's browser, must not open the victim's account."""
        victim = browser.sign_up("victim@example.org")
        browser.sign_in("victim@example.org")
        response = browser.come_back("oidc", **self.begin(oidc, ApiClient()))
        assert query_of(response)["userId"] != victim["$id"]
        assert Identity.objects.get().account.email == "ada@example.org"

    @pytest.mark.parametrize("with_key", [False, True])
    def test_whoever_asked_is_not_linked(
        self, browser: Browser, oidc: OpenIdProvider, with_key: bool
    ) -> None:
        """Nor must a victim's identity open a stranger's account."""
        stranger = Browser()
        account = stranger.sign_up("stranger@example.org")
        stranger.sign_in("stranger@example.org")
        key = create_api_key(name="k", scopes=["sessions.write"]).secret if with_key else None
        brought = self.begin(oidc, ApiClient(session=stranger.credential, key=key))
        response = browser.come_back("oidc", **brought)
        assert query_of(response)["userId"] != account["$id"]

    def test_the_session_flow_is_for_browsers(self, browser: Browser, oidc: OpenIdProvider) -> None:
        response = ApiClient().get(f"/account/sessions/oauth2/oidc?success={SUCCESS}", **self.SDK)
        brought = oidc.consent(response["Location"])
        assert_error(browser.come_back("oidc", **brought), 400, "project_invalid_success_url")


class TestFailure:
    def test_the_person_declines(self, browser: Browser, oidc: OpenIdProvider) -> None:
        state = oidc.consent(browser.start("oidc")["Location"])["state"]
        response = browser.come_back(
            "oidc", state=state, error="access_denied", error_description="<b>No</b>"
        )
        assert_redirect(response, response["Location"])
        assert without_query(response["Location"]) == FAILURE
        query = query_of(response)
        assert list(query) == ["error"]
        told = json.loads(query["error"])
        assert (told["type"], told["code"]) == ("user_oauth2_provider_error", 424)
        assert "access_denied: <b>No</b>" in told["message"]

    def test_no_code(self, browser: Browser, oidc: OpenIdProvider) -> None:
        state = oidc.consent(browser.start("oidc")["Location"])["state"]
        told = json.loads(query_of(browser.come_back("oidc", state=state))["error"])
        assert told["type"] == "user_oauth2_provider_error"

    def test_our_page_learns_the_project(self, browser: Browser, oidc: OpenIdProvider) -> None:
        started = browser.start("oidc", failure=None, state="s")
        state = oidc.consent(started["Location"])["state"]
        response = browser.come_back("oidc", state=state, error="access_denied")
        assert without_query(response["Location"]) == RELAYED_FAILURE
        assert list(query_of(response)) == ["error", "project", "state"]

    def test_the_failure_urls_own_query_is_kept(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        started = browser.start("oidc", failure="http://localhost/no?a=b#c")
        state = oidc.consent(started["Location"])["state"]
        response = browser.come_back("oidc", state=state, error="x")
        assert response["Location"].startswith("http://localhost/no?a=b&error=%7B")
        assert response["Location"].endswith("#c")

    def test_a_provider_that_is_off_by_now(
        self, browser: Browser, oidc: OpenIdProvider, project: Project
    ) -> None:
        brought = oidc.consent(browser.start("oidc")["Location"])
        project(OAUTH2_PROVIDERS={})
        told = json.loads(query_of(browser.come_back("oidc", **brought))["error"])
        assert (told["type"], told["code"]) == ("project_provider_disabled", 412)

    @pytest.mark.parametrize(
        ("claims", "code", "status"),
        [
            ({"email": None}, "user_unauthorized", 401),
            ({"email": "nonsense"}, "general_invalid_email", 400),
            ({"email": "taken@example.org", "email_verified": False}, "general_bad_request", 400),
        ],
    )
    def test_the_rules_refuse(
        self,
        browser: Browser,
        oidc: OpenIdProvider,
        claims: dict[str, Any],
        code: str,
        status: int,
    ) -> None:
        ApiClient().sign_up("taken@example.org")
        oidc.claims |= claims
        told = json.loads(query_of(browser.sign_in_by(oidc))["error"])
        assert (told["type"], told["code"]) == (code, status)
        assert not Identity.objects.exists()

    def test_a_blocked_person(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc)
        User.objects.update(is_active=False)
        told = json.loads(query_of(Browser().sign_in_by(oidc))["error"])
        assert (told["type"], told["code"]) == ("user_blocked", 403)

    def test_a_page_for_browsers_that_come_from_nowhere(self, browser: Browser) -> None:
        response = browser.http.get(
            "/v1/account/sessions/oauth2/github/redirect?code=x&state=x", headers=HTML
        )
        assert response.status_code == 400
        assert b"project_invalid_success_url" in response.content


class TestCallback:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_hands_on_all_it_gets(self, browser: Browser, method: str) -> None:
        given = {"code": "c" * 5000, "state": "s&=", "user": '{"name": {"firstName": "Ä"}}'}
        response = getattr(Client(), method)(
            "/v1/account/sessions/oauth2/callback/apple/demo",
            given,
            headers={"Origin": "https://appleid.apple.com"},
        )
        assert_redirect(response, response["Location"])
        assert query_of(response) == {**given, "project": "demo"}

    def test_empty_state(self, browser: Browser) -> None:
        response = browser.get("/account/sessions/oauth2/callback/github/demo?state=")
        assert_error(response, 400, "general_argument_invalid")

    def test_too_long_a_parameter(self, browser: Browser) -> None:
        path = f"/account/sessions/oauth2/callback/github/demo?error={'x' * 2049}"
        assert_error(browser.get(path), 400, "general_argument_invalid")

    def test_an_unknown_provider(self, browser: Browser) -> None:
        response = browser.get("/account/sessions/oauth2/callback/nobody/demo")
        assert_error(response, 400, "general_argument_invalid")


@pytest.mark.django_db(transaction=True)
class TestSessionAlert:
    """core.md §10.4; mfa-oauth.md §9.7, step 13: not of the session flow."""

    @pytest.fixture(autouse=True)
    def alerts(self, oidc: OpenIdProvider, browser: Browser, project: Project) -> None:
        project(SESSION_ALERTS=True)
        browser.sign_in_by(oidc)

    def exchange(self, response: Any, client: ApiClient) -> None:
        assert client.post("/account/sessions/token", query_of(response)).status_code == 201

    def test_not_of_the_session_flow(self, oidc: OpenIdProvider) -> None:
        Browser().sign_in_by(oidc)
        assert (Session.objects.count(), len(mail.outbox)) == (2, 0)

    def test_of_the_exchange(self, oidc: OpenIdProvider) -> None:
        self.exchange(Browser().sign_in_by(oidc, flow="tokens"), ApiClient())
        assert (Session.objects.count(), len(mail.outbox)) == (2, 1)

    def test_not_of_one_that_takes_the_place_of_the_only_one(
        self, oidc: OpenIdProvider, browser: Browser
    ) -> None:
        self.exchange(browser.sign_in_by(oidc, flow="tokens"), browser)
        assert (Session.objects.count(), len(mail.outbox)) == (1, 0)


@pytest.mark.django_db(transaction=True)
class TestActivityLog:
    """What the log keeps of a sign-in: who, by which event, and why not."""

    def entries(self) -> list[tuple[str, str, str]]:
        rows = LogEntry.objects.order_by("pk").values_list("event", "user_id", "error")
        return list(rows)

    def test_a_session(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc)
        ada = Account.objects.get().public_id
        assert self.entries() == [("session.create", ada, "")]
        logs = browser.get("/account/logs").json()["logs"]
        assert [log["event"] for log in logs] == ["session.create"]

    def test_a_token(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc, flow="tokens")
        assert self.entries() == [("session.create", Account.objects.get().public_id, "")]

    def test_a_failure(self, browser: Browser, oidc: OpenIdProvider) -> None:
        state = oidc.consent(browser.start("oidc")["Location"])["state"]
        browser.come_back("oidc", state=state, error="access_denied")
        assert self.entries() == [("session.create", "", "user_oauth2_provider_error")]

    def test_a_failure_that_was_aimed_at_somebody(
        self, browser: Browser, oidc: OpenIdProvider, ada: ApiClient
    ) -> None:
        oidc.claims["email_verified"] = False
        browser.sign_in_by(oidc)
        entry = ada.get("/account/logs").json()["logs"][0]
        assert (entry["event"], entry["userType"]) == ("session.create.failed", "guest")
        assert self.entries()[-1][1:] == (ada.account["$id"], "general_bad_request")

    @pytest.mark.parametrize("flow", ["sessions", "tokens"])
    def test_a_failure_of_somebody_who_is_known_elsewhere(
        self, browser: Browser, oidc: OpenIdProvider, flow: str
    ) -> None:
        browser.sign_in_by(oidc)
        oidc.claims["email"] = "moved@example.org"
        User.objects.update(is_active=False)
        Browser().sign_in_by(oidc, flow=flow)
        ada = Account.objects.get().public_id
        assert self.entries()[1:] == [("session.create", ada, "user_blocked")]

    def test_a_deletion(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc)
        browser.delete(f"/account/identities/{Identity.objects.get().public_id}")
        assert self.entries()[-1][0] == "identity.delete"


class TestRelayPages:
    def test_leads_on_to_the_app(self, client: Client) -> None:
        response = client.get("/v1/pages/oauth2-success?project=demo&secret=a%26b&x=<script>")
        html = response.content.decode()
        assert response.status_code == 200
        assert 'href="appwrite-callback-demo://?project=demo&amp;secret=a%26b&amp;x=' in html
        assert "<script>" not in html.replace('<script nonce="', "")
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in response["Content-Security-Policy"]

    @pytest.mark.parametrize("project", ["", "other", "demo://evil", 'demo"onclick="x'])
    def test_leads_nowhere_else(self, client: Client, project: str) -> None:
        html = client.get(f"/v1/pages/oauth2-success?project={quote(project)}").content.decode()
        assert "appwrite-callback" not in html
        assert "has not said where to go next" in html

    def test_says_what_went_wrong(self, client: Client) -> None:
        error = quote(json.dumps({"message": "<i>No</i>", "type": "x", "code": 424}))
        html = client.get(f"/v1/pages/oauth2-failure?error={error}").content.decode()
        assert "&lt;i&gt;No&lt;/i&gt;" in html

    @pytest.mark.parametrize("error", ["{", "[]", "1", '{"message": 1}', "[" * 100_000])
    def test_errors_that_are_none(self, client: Client, error: str) -> None:
        response = client.get("/v1/pages/oauth2-failure", {"error": error[:2000]})
        assert response.status_code == 200

    def test_open_on_a_site_that_asks_everybody_to_log_in(
        self, client: Client, settings: Any
    ) -> None:
        settings.MIDDLEWARE = [
            *settings.MIDDLEWARE,
            "django.contrib.auth.middleware.LoginRequiredMiddleware",
        ]
        for name in ("oauth2-success", "oauth2-failure", "recovery"):
            assert client.get(f"/v1/pages/{name}").status_code in (200, 400)

    def test_only_reads(self, client: Client) -> None:
        assert client.post("/v1/pages/oauth2-success").status_code == 405


class TestIdentities:
    """``GET /account/identities`` and ``DELETE /account/identities/{identityId}``."""

    def test_lists(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc)
        body = browser.get("/account/identities").json()
        assert list(body) == ["total", "identities"]
        identity = Identity.objects.get()
        [document] = body["identities"]
        assert list(document) == [
            *("$id", "$createdAt", "$updatedAt", "userId", "provider", "providerUid"),
            *("providerEmail", "providerAccessToken", "providerAccessTokenExpiry"),
            *("providerRefreshToken", "providerIdToken"),
        ]
        assert document["$id"] == identity.public_id
        assert document["userId"] == browser.get("/account").json()["$id"]
        assert (document["provider"], document["providerUid"]) == ("oidc", "subject-1")
        assert document["providerEmail"] == "ada@example.org"
        assert document["providerAccessToken"] == "access-token"
        assert document["providerRefreshToken"] == "refresh-token"

    def test_lists_none(self, ada: ApiClient) -> None:
        assert ada.get("/account/identities").json() == {"total": 0, "identities": []}

    def test_not_those_of_others(
        self, ada: ApiClient, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        oidc.claims["email"] = "bob@example.org"
        browser.sign_in_by(oidc)
        assert ada.get("/account/identities").json()["total"] == 0

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert ada_by_jwt.get("/account/identities").status_code == 200

    def test_not_for_guests_and_keys(self, guest: ApiClient, server: ApiClient) -> None:
        for client in (guest, server):
            response = client.get("/account/identities")
            assert_error(response, 401, "general_unauthorized_scope")
            response = client.delete("/account/identities/x")
            assert_error(response, 401, "general_unauthorized_scope")

    def test_a_page(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc)
        account = Account.objects.get()
        for number in range(3):
            Identity.objects.create(account=account, provider="github", provider_uid=f"{number}")
        asked = [{"method": "limit", "values": [2]}, {"method": "offset", "values": [1]}]
        query = "&".join(f"queries[]={quote(json.dumps(each))}" for each in asked)
        body = browser.get(f"/account/identities?{query}").json()
        assert body["total"] == 4
        assert [each["providerUid"] for each in body["identities"]] == ["0", "1"]
        response = browser.get("/account/identities?queries=x")
        assert_error(response, 400, "general_argument_invalid")

    def test_without_a_total(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc)
        body = browser.get("/account/identities?total=false").json()
        assert (body["total"], len(body["identities"])) == (0, 1)

    def test_deletes(self, browser: Browser, oidc: OpenIdProvider) -> None:
        browser.sign_in_by(oidc)
        response = browser.delete(f"/account/identities/{Identity.objects.get().public_id}")
        assert (response.status_code, response.content) == (204, b"")
        assert not response["Content-Type"].startswith("application/json")
        assert browser.get("/account/identities").json()["total"] == 0
        assert browser.get("/account/sessions/current").json()["provider"] == "oidc"

    @pytest.mark.parametrize("identity_id", ["nobodys", "x" * 36])
    def test_deletes_not_what_is_not_there(self, ada: ApiClient, identity_id: str) -> None:
        response = ada.delete(f"/account/identities/{identity_id}")
        assert_error(response, 404, "user_identity_not_found")

    def test_deletes_not_anothers(
        self, ada: ApiClient, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        oidc.claims["email"] = "bob@example.org"
        browser.sign_in_by(oidc)
        response = ada.delete(f"/account/identities/{Identity.objects.get().public_id}")
        assert_error(response, 404, "user_identity_not_found")
        assert Identity.objects.exists()

    def test_an_id_that_is_none(self, ada: ApiClient) -> None:
        response = ada.delete(f"/account/identities/{'x' * 37}")
        assert_error(response, 400, "general_argument_invalid")

    def test_deletes_not_the_last_way_to_sign_in(
        self, browser: Browser, oidc: OpenIdProvider, project: Project
    ) -> None:
        off = {"email-password": False, "magic-url": False, "email-otp": False}
        project(AUTH_METHODS=off)
        browser.sign_in_by(oidc)
        response = browser.delete(f"/account/identities/{Identity.objects.get().public_id}")
        assert_error(response, 400, "user_deletion_prohibited")


class TestAddressesOnIdentities:
    """An address of somebody's account elsewhere is nobody else's here (mfa-oauth.md §7.3)."""

    @pytest.fixture
    def taken(self, browser: Browser, oidc: OpenIdProvider) -> str:
        browser.sign_up("elsewhere@example.org")
        browser.sign_in("elsewhere@example.org")
        browser.sign_in_by(oidc)
        return "ada@example.org"

    def test_sign_up(self, guest: ApiClient, taken: str) -> None:
        body = {"userId": "unique()", "email": taken, "password": PASSWORD}
        assert_error(guest.post("/account", body), 400, "general_bad_request")

    def test_magic_url(self, guest: ApiClient, taken: str) -> None:
        body = {"userId": "unique()", "email": taken}
        response = guest.post("/account/tokens/magic-url", body)
        assert_error(response, 409, "user_email_already_exists")

    def test_email_code(self, guest: ApiClient, taken: str) -> None:
        body = {"userId": "unique()", "email": taken}
        assert_error(guest.post("/account/tokens/email", body), 400, "general_bad_request")

    def test_change_of_address(self, taken: str, browser: Browser) -> None:
        eve = ApiClient()
        eve.sign_up("eve@example.org")
        eve.sign_in("eve@example.org")
        body = {"email": taken, "password": PASSWORD}
        assert_error(eve.patch("/account/email", body), 400, "general_bad_request")
        assert browser.patch("/account/email", body).status_code == 200


def test_behind_a_proxy_that_speaks_https(
    browser: Browser, oidc: OpenIdProvider, project: Project
) -> None:
    """The callback is an https address, as it is registered; the cookie is the host's alone."""
    project(TRUSTED_PROXIES=1, OAUTH2_PROVIDERS={"oidc": OIDC})
    response = browser.http.get(
        f"/v1/account/sessions/oauth2/oidc?success={SUCCESS}",
        headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"},
    )
    assert "redirect_uri=https%3A%2F%2Ftestserver%2F" in response["Location"]
    assert response.cookies["__Host-django_account_oauth2"]["secure"]
