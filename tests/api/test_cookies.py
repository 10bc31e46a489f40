"""The cookies of a session, and the header that stands in for them (core.md §4.3 to §4.5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import pytest
import time_machine

from tests.client import PASSWORD, ApiClient

Project = Callable[..., None]

NAMES = ["a_session_demo_legacy", "a_session_demo"]
CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}
PASSED = datetime(2000, 1, 1, tzinfo=UTC)

# Everything that signs in, as a guest or a server.
SIGN_INS = ["/account/sessions/email", "/account/sessions", "/account/sessions/anonymous"]

# Everything that signs the caller out.
SIGN_OUTS = [
    ("DELETE", "/account"),
    ("DELETE", "/account/sessions"),
    ("DELETE", "/account/sessions/current"),
    ("PATCH", "/account/status"),
]

# A request's host, Origin and Referer, and whether the page may be on another site than the API.
SITES = [
    ("api.example.org", None, None, True),
    ("api.example.org", "https://example.org", None, False),
    ("api.example.org", "https://shop.example.org:8443", None, False),
    ("API.Example.ORG:8443", "https://Shop.EXAMPLE.org", None, False),
    ("example.org", "https://a.b.example.org", None, False),
    ("api.example.org", None, "https://shop.example.org/page?x=1", False),
    ("api.example.org", "", "https://shop.example.org/page", False),
    ("api.example.org", "https://example.com", None, True),
    ("api.example.org", "https://example.com", "https://example.org/", True),
    ("api.example.org", None, "https://example.com/https://example.org/", True),
    ("api.example.org", None, "https://example.org.evil.example/", True),
    ("api.example.org", None, "https://notexample.org/", True),
    ("api.example.co.uk", "https://example.co.uk", None, False),
    ("api.example.co.uk", "https://other.co.uk", None, True),
    ("ada.github.io", "https://eve.github.io", None, True),
    ("localhost", "http://localhost:3000", None, True),
    ("localhost:8000", "http://localhost:8000", None, True),
    ("127.0.0.1", "http://127.0.0.1:3000", None, True),
    ("[::1]:8000", "http://[::1]:3000", None, True),
    ("testserver", "http://testserver", None, True),
    ("api.example.org", None, "garbage", True),
    ("api.example.org", None, "http://[", True),
    ("api.example.org", None, "http://\xe4\xf6.example.org\xfc", True),
]  # fmt: skip


def headers(host: str, origin: str | None, referer: str | None) -> dict[str, str]:
    given = {"Host": host, "Origin": origin, "Referer": referer}
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
def everywhere(project: Project) -> None:
    """Every page may call."""
    project(PLATFORMS=["*", "localhost"])


class TestSigningIn:
    @pytest.mark.parametrize("caller", ["guest", "server"])
    @pytest.mark.parametrize("path", SIGN_INS)
    def test_sets_two_cookies_the_legacy_one_first(
        self, request: pytest.FixtureRequest, guest: ApiClient, path: str, caller: str
    ) -> None:
        guest.sign_up()
        response = request.getfixturevalue(caller).post(path, CREDENTIALS)
        assert response.status_code == 201
        assert list(response.cookies) == NAMES

    def test_attributes(self, ada: ApiClient) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        with time_machine.travel(now, tick=False):
            cookies = ApiClient().post("/account/sessions/email", CREDENTIALS).cookies
        same_site = {NAMES[0]: "", NAMES[1]: "None"}
        for name, cookie in cookies.items():
            assert cookie["path"] == "/"
            assert cookie["httponly"] is True
            assert not cookie["secure"]
            assert cookie["samesite"] == same_site[name]
            # Django adds a second against rounding.
            late = parsedate_to_datetime(cookie["expires"]) - now - timedelta(days=365)
            assert timedelta() <= late <= timedelta(seconds=1)

    def test_attributes_are_not_the_sites_own(self, ada: ApiClient, settings: Any) -> None:
        settings.SESSION_COOKIE_SAMESITE = "Strict"
        settings.SESSION_COOKIE_PATH = "/admin"
        settings.SESSION_COOKIE_DOMAIN = "elsewhere.example"
        cookies = ApiClient().post("/account/sessions/email", CREDENTIALS).cookies
        assert [cookie["samesite"] for cookie in cookies.values()] == ["", "None"]
        assert {cookie["path"] for cookie in cookies.values()} == {"/"}
        assert {cookie["domain"] for cookie in cookies.values()} == {".testserver"}

    def test_cookie_lives_as_long_as_its_session(self, ada: ApiClient) -> None:
        response = ApiClient().post("/account/sessions/email", CREDENTIALS | {"duration": 600})
        expire = datetime.fromisoformat(response.json()["expire"])
        for cookie in response.cookies.values():
            late = parsedate_to_datetime(cookie["expires"]) - expire
            assert abs(late) <= timedelta(seconds=1)

    def test_value_is_the_percent_encoded_credential(self, ada: ApiClient) -> None:
        response = ApiClient().post("/account/sessions/email", CREDENTIALS)
        credential = json.loads(response["X-Fallback-Cookies"])["a_session_demo"]
        for name, cookie in response.cookies.items():
            # "coded_value" is what stands on the wire: no quotation marks, no "=", "+" or "/".
            assert cookie.coded_value == quote(credential, safe="")
            assert cookie.OutputString().startswith(f"{name}={quote(credential, safe='')};")
        assert ApiClient(session=credential).get("/account").status_code == 200

    def test_names_are_lower_case_and_the_fallback_is_not(
        self, guest: ApiClient, project: Project
    ) -> None:
        project(PROJECT_ID="Shop")
        response = guest.post("/account/sessions/anonymous", X_Appwrite_Project="Shop")
        assert list(response.cookies) == ["a_session_shop_legacy", "a_session_shop"]
        assert list(json.loads(response["X-Fallback-Cookies"])) == ["a_session_Shop"]

    @pytest.mark.parametrize(
        ("host", "domain"),
        [
            ("localhost", ""),
            ("localhost:8000", ""),
            ("LOCALHOST", ""),
            ("127.0.0.1", ""),
            ("127.0.0.1:8000", ""),
            ("192.168.178.20:8000", ""),
            ("[::1]", ""),
            ("[::1]:8000", ""),
            ("api.example.org", ".api.example.org"),
            ("api.example.org:8443", ".api.example.org"),
            ("API.Example.ORG", ".api.example.org"),
            ("example.co.uk", ".example.co.uk"),
            ("localhost.example.org", ".localhost.example.org"),
            ("intranet", ".intranet"),
        ],
    )
    def test_domain(self, guest: ApiClient, host: str, domain: str) -> None:
        response = guest.post("/account/sessions/anonymous", Host=host)
        assert response.status_code == 201
        assert [cookie["domain"] for cookie in response.cookies.values()] == [domain] * 2

    @pytest.mark.parametrize(
        ("https", "trusted", "forwarded", "secure"),
        [
            (False, 0, None, False),
            (True, 0, None, True),
            (False, 0, "https", False),
            (True, 0, "http", True),
            (False, 1, None, False),
            (False, 1, "https", True),
            (False, 1, "HTTPS", True),
            (False, 1, "http", False),
            (True, 1, "http", False),
            (False, 1, "https, http", False),
            (False, 1, "http, https", True),
            (False, 1, "garbage", False),
        ],
    )
    def test_secure_when_the_client_speaks_https(
        self,
        guest: ApiClient,
        project: Project,
        https: bool,
        trusted: int,
        forwarded: str | None,
        secure: bool,
    ) -> None:
        project(TRUSTED_PROXIES=trusted)
        sent = guest.headers | ({"X-Forwarded-Proto": forwarded} if forwarded else {})
        response = guest.http.generic(
            "POST", "/v1/account/sessions/anonymous", "", secure=https, headers=sent
        )
        assert [bool(cookie["secure"]) for cookie in response.cookies.values()] == [secure] * 2

    @pytest.mark.parametrize(("host", "origin", "referer", "cross_site"), SITES)
    def test_fallback_for_pages_of_other_sites(
        self,
        guest: ApiClient,
        everywhere: None,
        host: str,
        origin: str | None,
        referer: str | None,
        cross_site: bool,
    ) -> None:
        guest.headers |= headers(host, origin, referer)
        response = guest.post("/account/sessions/anonymous")
        assert response.status_code == 201
        assert response.has_header("X-Fallback-Cookies") is cross_site
        if cross_site:
            given = json.loads(response["X-Fallback-Cookies"])
            assert list(given) == ["a_session_demo"]
            client = ApiClient(headers={"X-Fallback-Cookies": response["X-Fallback-Cookies"]})
            assert client.get("/account").status_code == 200

    def test_refused_sets_nothing(self, ada: ApiClient, guest: ApiClient) -> None:
        body = CREDENTIALS | {"password": "wrong horse"}
        for client, path in ((guest, "/account/sessions"), (ada, "/account/sessions/anonymous")):
            response = client.post(path, body)
            assert response.status_code == 401
            assert not response.cookies
            assert not response.has_header("X-Fallback-Cookies")


@pytest.mark.parametrize(("method", "path"), SIGN_OUTS)
class TestSigningOut:
    def test_clears_both_cookies(self, ada: ApiClient, method: str, path: str) -> None:
        response = ada.call(method, path)
        assert list(response.cookies) == NAMES
        for cookie in response.cookies.values():
            assert cookie.coded_value == "deleted"
            assert parsedate_to_datetime(cookie["expires"]) < PASSED

    def test_with_the_attributes_they_were_set_with(
        self, ada: ApiClient, method: str, path: str
    ) -> None:
        host = {"Host": "api.example.org"}
        client = ApiClient(headers=host)
        signed_in = client.post("/account/sessions/email", CREDENTIALS)
        # The jar of the test client has no domains: it sends the cookie back.
        signed_out = client.call(method, path)
        for name in NAMES:
            for attribute in ("path", "domain", "secure", "httponly", "samesite"):
                before, after = signed_in.cookies[name], signed_out.cookies[name]
                assert before[attribute] == after[attribute], attribute

    def test_secure_under_https(self, ada: ApiClient, method: str, path: str) -> None:
        response = ada.http.generic(method, f"/v1{path}", "", secure=True, headers=ada.headers)
        assert all(cookie["secure"] for cookie in response.cookies.values())

    @pytest.mark.parametrize(("host", "origin", "referer", "cross_site"), SITES[:8:2])
    def test_empties_the_fallback_for_pages_of_other_sites(
        self,
        ada: ApiClient,
        everywhere: None,
        method: str,
        path: str,
        host: str,
        origin: str | None,
        referer: str | None,
        cross_site: bool,
    ) -> None:
        ada.headers |= headers(host, origin, referer)
        response = ada.call(method, path)
        assert response.status_code in (200, 204)
        assert response.get("X-Fallback-Cookies") == ("[]" if cross_site else None)

    def test_refused_clears_nothing(self, guest: ApiClient, method: str, path: str) -> None:
        response = guest.call(method, path)
        assert response.status_code == 401
        assert not response.cookies
        assert not response.has_header("X-Fallback-Cookies")


class TestOtherRequests:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/account", None),
            ("GET", "/account/sessions", None),
            ("GET", "/account/sessions/current", None),
            ("PATCH", "/account/name", {"name": "Bob"}),
            ("PATCH", "/account/password", {"password": "x" * 8, "oldPassword": PASSWORD}),
            ("PATCH", "/account/email", {"email": "x@example.org", "password": PASSWORD}),
            ("POST", "/account/jwts", {}),
            ("DELETE", "/account/sessions", {"current": False}),
            ("GET", "/nope", None),
        ],
    )
    def test_set_no_cookies(self, ada: ApiClient, method: str, path: str, body: Any) -> None:
        response = ada.call(method, path, body)
        assert not response.cookies
        assert not response.has_header("X-Fallback-Cookies")
