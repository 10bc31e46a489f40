"""Signing in at a real OpenID provider, by its own pages, in Chromium and by the SDKs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit
from uuid import uuid4

import pytest
import requests

from tests.client import PASSWORD
from tests.live.people import Sdk, fresh_email
from tests.live.sdks import Bridge, JavaScriptClient, refused, server_sdks
from tests.live.server import PROJECT, Pages, Server

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("openid_provider")]

OpenPage = Callable[[], JavaScriptClient]


@pytest.fixture
def open_page(bridge: Bridge, pages: Pages, server: Server) -> Iterator[OpenPage]:
    """Open the app's page in a new browser profile."""
    clients = []

    def open_page() -> JavaScriptClient:
        client = JavaScriptClient(
            bridge, "chromium", server.endpoint("localhost"), origin=pages.origin("localhost")
        )
        clients.append(client)
        return client

    yield open_page
    for client in clients:
        client.close()


@pytest.fixture
def home(pages: Pages) -> str:
    return pages.origin("localhost")


def fresh_login() -> str:
    """Somebody whom the provider has not seen."""
    return f"p{uuid4().hex[:12]}"


def begin(page: JavaScriptClient, method: str, **params: Any) -> None:
    """Have the Web SDK lead the page to the provider."""
    arguments = json.dumps([{"provider": "oidc", **params}])
    page.leave(f"window.callMethod('account', '{method}', {arguments})")


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


class TestWebSessionFlow:
    """``account.createOAuth2Session`` in a page."""

    def test_signs_in(self, open_page: OpenPage, home: str) -> None:
        page, login = open_page(), fresh_login()
        begin(page, "createOAuth2Session", success=f"{home}/?in", failure=f"{home}/?out")
        assert page.consent(login, landing=home) == f"{home}/?in"
        page.visit(home)
        account = page.call("get")
        assert (account["email"], account["emailVerification"]) == (f"{login}@example.org", True)
        assert account["name"] == f"{login} of the provider"
        session = page.call("getSession", sessionId="current")
        assert (session["provider"], session["providerUid"]) == ("oidc", login)
        assert session["providerAccessToken"]
        assert session["factors"] == ["email", "oauth2"]

    def test_extends_the_session_with_a_new_token(self, open_page: OpenPage, home: str) -> None:
        page = open_page()
        begin(page, "createOAuth2Session", success=f"{home}/?in", failure=f"{home}/?out")
        page.consent(fresh_login(), landing=home)
        page.visit(home)
        before = page.call("getSession", sessionId="current")
        after = page.call("updateSession", sessionId="current")
        assert after["providerAccessToken"] not in ("", before["providerAccessToken"])
        [identity] = page.call("listIdentities")["identities"]
        assert identity["providerAccessToken"] == after["providerAccessToken"]

    def test_declines(self, open_page: OpenPage, home: str) -> None:
        page = open_page()
        begin(page, "createOAuth2Session", success=f"{home}/?in", failure=f"{home}/?out")
        url = page.decline(landing=home)
        assert url.startswith(f"{home}/?out")
        told = json.loads(query_of(url)["error"])
        assert (told["type"], told["code"]) == ("user_oauth2_provider_error", 424)
        assert "access_denied" in told["message"]
        page.visit(home)
        with refused(401, "general_unauthorized_scope"):
            page.call("get")

    def test_converts_an_anonymous_account(self, open_page: OpenPage, home: str) -> None:
        page, login = open_page(), fresh_login()
        anonymous = page.call("createAnonymousSession")
        page.call("updatePrefs", prefs={"theme": "dark"})
        begin(page, "createOAuth2Session", success=f"{home}/?in", failure=f"{home}/?out")
        assert page.consent(login, landing=home) == f"{home}/?in"
        page.visit(home)
        account = page.call("get")
        assert account["$id"] == anonymous["userId"]
        assert (account["email"], account["prefs"]) == (f"{login}@example.org", {"theme": "dark"})

    def test_an_unverified_address_does_not_link(
        self, open_page: OpenPage, home: str, server: Server
    ) -> None:
        login = f"unverified{uuid4().hex[:8]}"
        body = {"userId": "unique()", "email": f"{login}@example.org", "password": PASSWORD}
        assert server.call("POST", "/account", body).status_code == 201
        page = open_page()
        begin(page, "createOAuth2Session", success=f"{home}/?in", failure=f"{home}/?out")
        url = page.consent(login, landing=home)
        assert json.loads(query_of(url)["error"])["type"] == "general_bad_request"

    def test_links_and_unlinks_an_identity(self, open_page: OpenPage, home: str) -> None:
        page, email = open_page(), fresh_email()
        page.call("create", userId="unique()", email=email, password=PASSWORD)
        page.call("createEmailPasswordSession", email=email, password=PASSWORD)
        begin(page, "createOAuth2Session", success=f"{home}/?in", failure=f"{home}/?out")
        assert page.consent(fresh_login(), landing=home) == f"{home}/?in"
        page.visit(home)
        assert page.call("get")["email"] == email
        [identity] = page.call("listIdentities")["identities"]
        page.call("deleteIdentity", identityId=identity["$id"])
        assert page.call("listIdentities")["total"] == 0

    def test_our_page_when_the_app_names_none(self, open_page: OpenPage, server: Server) -> None:
        """Native apps: their web view is led to the app's own scheme, with the session."""
        page = open_page()
        begin(page, "createOAuth2Session")
        landing = server.endpoint("localhost") + "/pages/oauth2-success"
        url = page.consent(fresh_login(), landing=landing)
        # Whoever was led here may have come before the page has.
        link = page.evaluate(
            "new Promise((done) => { const look = () => {"
            " const app = document.getElementById('app');"
            " app ? done(app.href) : setTimeout(look, 50) }; look() })"
        )
        assert link == "appwrite-callback-demo://?" + urlsplit(url).query
        query = query_of(url)
        assert list(query) == ["project", "key", "secret"]
        headers = {"X-Appwrite-Session": query["secret"], "X-Appwrite-Project": "demo"}
        answer = requests.get(server.endpoint() + "/account", headers=headers, timeout=30)
        assert answer.status_code == 200
        # It stays there: a page that has tried to open an app is of no use to the next test.


class TestWebTokenFlow:
    """``account.createOAuth2Token`` in a page, and the exchange of its secret."""

    def test_signs_in(self, open_page: OpenPage, home: str) -> None:
        page, login = open_page(), fresh_login()
        begin(page, "createOAuth2Token", success=f"{home}/", failure=f"{home}/?out")
        query = query_of(page.consent(login, landing=home))
        assert list(query) == ["secret", "userId"]
        page.visit(home)
        session = page.call("createSession", **{name: query[name] for name in ("userId", "secret")})
        assert (session["provider"], session["providerUid"]) == ("oidc", login)
        assert page.call("get")["$id"] == query["userId"]


@server_sdks
class TestServerTokenFlow:
    """``createOAuth2Token`` of the Node.js and Python SDKs: a server hands the address to its
    visitor's browser and exchanges the secret that comes back."""

    def test_signs_in(self, sdk: Sdk, open_page: OpenPage, home: str) -> None:
        login = fresh_login()
        given: dict[str, Any] = {"success": f"{home}/", "failure": f"{home}/?out"}
        if sdk.name == "python":
            given["state"] = "what the app keeps"
        location = sdk.client().call("createOAuth2Token", provider="oidc", **given)
        visitor = open_page()
        visitor.leave(f"location.href = {json.dumps(location)}")
        query = query_of(visitor.consent(login, landing=home))
        assert query.get("state", "") == given.get("state", "")
        session = sdk.with_key().call(
            "createSession", userId=query["userId"], secret=query["secret"]
        )
        assert (session["provider"], session["providerUid"]) == ("oidc", login)
        account = sdk.with_session(session["secret"]).call("get")
        assert account["email"] == f"{login}@example.org"
        with refused(401, "user_invalid_token"):
            sdk.client().call("createSession", userId=query["userId"], secret=query["secret"])


def consent_by_hand(server: Server, home: str, login: str) -> tuple[requests.Session, str]:
    """Go to the provider, log in and consent, without a browser: whoever does so, and the address
    that a browser would come back to, which is not opened."""
    visitor = requests.Session()
    start = server.endpoint("localhost") + "/account/sessions/oauth2/oidc"
    params = {"success": f"{home}/?in", "failure": f"{home}/?out", "project": PROJECT}
    answer = visitor.get(start, params=params, allow_redirects=False, timeout=30)
    for form in ({"prompt": "login", "login": login, "password": "any"}, {"prompt": "consent"}):
        answer = follow(visitor, answer)
        action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
        assert action is not None, answer.text
        answer = visitor.post(action[1], form, allow_redirects=False, timeout=30)
    return visitor, follow(visitor, answer, until="/callback/oidc/").headers["Location"]


def follow(visitor: requests.Session, answer: requests.Response, until: str = "\n") -> Any:
    """Follow redirects to a page, or to one that leads to an address with something in it."""
    while answer.is_redirect and until not in answer.headers["Location"]:
        url = urljoin(answer.url, answer.headers["Location"])
        answer = visitor.get(url, allow_redirects=False, timeout=30)
    return answer


class TestState:
    def test_a_sign_in_belongs_to_one_browser(
        self, open_page: OpenPage, home: str, server: Server
    ) -> None:
        """A stranger consents as themselves and sends somebody the address to come back to."""
        stranger, address = consent_by_hand(server, home, fresh_login())
        victim = open_page()
        begin(victim, "createOAuth2Session", success=f"{home}/?in", failure=f"{home}/?out")
        victim.decline(landing=home)
        api = server.endpoint("localhost")
        victim.go(address, landing=f"{api}/account/sessions/oauth2/oidc/redirect")
        assert "not begun in this browser" in victim.evaluate("document.body.innerText")
        victim.visit(home)
        with refused(401, "general_unauthorized_scope"):
            victim.call("get")
        # It was good, and still is, where it was begun.
        assert stranger.get(address, timeout=30).url == f"{home}/?in"
        me = stranger.get(f"{api}/account", headers={"X-Appwrite-Project": PROJECT}, timeout=30)
        assert me.status_code == 200
