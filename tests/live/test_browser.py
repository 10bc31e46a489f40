"""A person's browser: the Web SDK in a page in Chromium, at allowed and at foreign origins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.client import PASSWORD
from tests.live.people import fresh_email
from tests.live.sdks import Bridge, FetchFailed, JavaScriptClient, refused
from tests.live.server import Pages, Server

pytestmark = pytest.mark.live

APP = "shop.example.com"
API = "api.example.com"

# What the Web SDK remembers of a session where cookies may not arrive.
FALLBACK = "localStorage.getItem('cookieFallback')"


@dataclass(frozen=True)
class Site:
    """Where a web app and its API are, and what carries the session between them."""

    page: str
    api: str
    cookies: set[str]
    has_fallback: bool

    def __str__(self) -> str:
        return f"{self.page} to {self.api}"


# Over plain http, browsers refuse the main cookie: it is SameSite=None and not Secure.
LEGACY = {"a_session_demo_legacy"}

SITES = [
    # One site at two ports: the cookie arrives, which the server cannot know of localhost.
    Site("localhost", "localhost", cookies=LEGACY, has_fallback=True),
    # Two sites: no cookie crosses, and the fallback in localStorage carries the session.
    Site("127.0.0.1", "localhost", cookies=set(), has_fallback=True),
    # Two hosts of one registrable domain: the cookie arrives, and nothing is in localStorage.
    Site(APP, API, cookies=LEGACY, has_fallback=False),
]

# Foreign pages. The second is of the API's own site, so that the browser sends it the cookies too.
FOREIGN = ["evil.test", "blog.example.com"]

OpenPage = Callable[[str, str], JavaScriptClient]


@pytest.fixture
def open_page(bridge: Bridge, pages: Pages, server: Server) -> Iterator[OpenPage]:
    """Open the page at a host in a new browser profile, with the API at another host."""
    clients = []

    def open_page(page: str, api: str) -> JavaScriptClient:
        client = JavaScriptClient(
            bridge, "chromium", server.endpoint(api), origin=pages.origin(page)
        )
        clients.append(client)
        return client

    yield open_page
    for client in clients:
        client.close()


def post_form(browser: JavaScriptClient, url: str, **fields: str) -> None:
    """Have the page send a form, which browsers send anywhere without asking (no preflight)."""
    browser.evaluate(
        f"""fetch({json.dumps(url)}, {{
            method: "POST",
            mode: "no-cors",
            credentials: "include",
            body: new URLSearchParams({json.dumps(fields)}),
        }}).then(() => null)"""
    )


def can_sign_in(server: Server, email: str) -> bool:
    """Whether there is an account of an address with the usual password."""
    body = {"email": email, "password": PASSWORD}
    status = server.call("POST", "/account/sessions/email", body).status_code
    assert status in (201, 401)
    return status == 201


@pytest.mark.parametrize("site", SITES, ids=str)
class TestAppsPage:
    """The app's own page, at an allowed origin."""

    def test_signs_up_in_and_out(self, open_page: OpenPage, site: Site) -> None:
        browser, email = open_page(site.page, site.api), fresh_email()
        account = browser.call("create", userId="unique()", email=email, password=PASSWORD)
        session = browser.call("createEmailPasswordSession", email=email, password=PASSWORD)
        assert (session["secret"], session["clientType"]) == ("", "browser")
        assert browser.call("get")["$id"] == account["$id"]
        listed = browser.call("listSessions")["sessions"]
        assert [(each["$id"], each["current"]) for each in listed] == [(session["$id"], True)]
        browser.call("deleteSession", sessionId="current")
        with refused(401, "general_unauthorized_scope"):
            browser.call("get")

    def test_stays_signed_in_after_a_reload(
        self, open_page: OpenPage, site: Site, pages: Pages
    ) -> None:
        browser = open_page(site.page, site.api)
        session = browser.call("createAnonymousSession")
        browser.visit(pages.origin(site.page))
        assert browser.call("get")["$id"] == session["userId"]

    def test_keeps_the_session_in_cookies_or_else_in_local_storage(
        self, open_page: OpenPage, site: Site
    ) -> None:
        browser = open_page(site.page, site.api)
        browser.call("createAnonymousSession")
        assert browser.cookie_names() == site.cookies
        assert bool(browser.evaluate(FALLBACK)) is site.has_fallback
        browser.evaluate("localStorage.clear()")
        if site.cookies:
            assert browser.call("get")
        else:
            with refused(401, "general_unauthorized_scope"):
                browser.call("get")

    def test_forgets_the_session_at_sign_out(self, open_page: OpenPage, site: Site) -> None:
        browser = open_page(site.page, site.api)
        browser.call("createAnonymousSession")
        browser.call("deleteSessions")
        assert browser.cookie_names() == set()
        assert browser.evaluate(FALLBACK) == ("[]" if site.has_fallback else None)

    def test_reads_errors(self, open_page: OpenPage, site: Site) -> None:
        with refused(401, "user_invalid_credentials"):
            open_page(site.page, site.api).call(
                "createEmailPasswordSession", email=fresh_email(), password=PASSWORD
            )


@pytest.mark.parametrize("foreign", FOREIGN)
class TestForeignPage:
    """A page at an origin that is none of the project's platforms."""

    def test_cannot_sign_up(self, open_page: OpenPage, server: Server, foreign: str) -> None:
        email = fresh_email()
        with pytest.raises(FetchFailed):
            open_page(foreign, API).call(
                "create", userId="unique()", email=email, password=PASSWORD
            )
        assert not can_sign_in(server, email)

    def test_cannot_sign_in(self, open_page: OpenPage, foreign: str) -> None:
        owner, email = open_page(APP, API), fresh_email()
        owner.call("create", userId="unique()", email=email, password=PASSWORD)
        browser = open_page(foreign, API)
        with pytest.raises(FetchFailed):
            browser.call("createEmailPasswordSession", email=email, password=PASSWORD)
        assert browser.cookie_names() == set()
        owner.call("createEmailPasswordSession", email=email, password=PASSWORD)
        assert owner.call("listSessions")["total"] == 1

    def test_cannot_act_for_a_visitor(
        self, open_page: OpenPage, pages: Pages, foreign: str
    ) -> None:
        visitor, email = open_page(APP, API), fresh_email()
        visitor.call("create", userId="unique()", email=email, password=PASSWORD, name="Ada")
        visitor.call("createEmailPasswordSession", email=email, password=PASSWORD)
        visitor.visit(pages.origin(foreign))
        for method, params in (
            ("get", {}),
            ("updateName", {"name": "Eve"}),
            ("createJWT", {}),
            ("deleteSessions", {}),
        ):
            with pytest.raises(FetchFailed):
                visitor.call(method, **params)
        visitor.visit(pages.origin(APP))
        assert visitor.call("get")["name"] == "Ada"

    def test_cannot_send_a_form(self, open_page: OpenPage, server: Server, foreign: str) -> None:
        for page, works in ((foreign, False), (APP, True)):
            browser, email = open_page(page, API), fresh_email()
            form = {"userId": "unique()", "email": email, "password": PASSWORD}
            post_form(browser, f"{server.endpoint(API)}/account", **form)
            assert can_sign_in(server, email) is works, page

    def test_cannot_sign_a_visitor_in_with_a_form(
        self, open_page: OpenPage, server: Server, foreign: str
    ) -> None:
        for page, cookies in ((foreign, set()), (APP, LEGACY)):
            browser = open_page(page, API)
            post_form(browser, f"{server.endpoint(API)}/account/sessions/anonymous")
            assert browser.cookie_names() == cookies, page

    def test_is_told_so(self, server: Server, foreign: str) -> None:
        response = server.call("GET", "/ping", Origin=f"http://{foreign}:3000")
        assert (response.status_code, response.json()["type"]) == (403, "general_unknown_origin")
        assert "Access-Control-Allow-Origin" not in response.headers
