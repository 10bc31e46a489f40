"""Which pages may call, and what browsers are told (transport.md §12)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.rows import unchanged
from tests.client import ApiClient, assert_error

Project = Callable[..., None]

# Every answer has these, whatever it is.
STANDING = {
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Max-Age": "86400",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Expose-Headers": (
        "X-Appwrite-Session, X-Fallback-Cookies, X-RateLimit-Limit, X-RateLimit-Remaining,"
        " X-RateLimit-Reset, Retry-After"
    ),
}

ALLOW_HEADERS = (
    "Accept, Origin, Cookie, Set-Cookie, Content-Type, Content-Range, X-Appwrite-Project,"
    " X-Appwrite-Key, X-Appwrite-Dev-Key, X-Appwrite-Locale, X-Appwrite-Mode, X-Appwrite-JWT,"
    " X-Appwrite-Organization, X-Appwrite-Response-Format, X-Appwrite-Timeout, X-Appwrite-ID,"
    " X-Appwrite-Timestamp, X-Appwrite-Session, X-Appwrite-Platform,"
    " X-Appwrite-Impersonate-User-Id, X-Appwrite-Impersonate-User-Email,"
    " X-Appwrite-Impersonate-User-Phone, X-SDK-Version, X-SDK-Name, X-SDK-Language,"
    " X-SDK-Platform, X-SDK-GraphQL, X-SDK-Profile, Range, Cache-Control, Expires, Pragma,"
    " X-Fallback-Cookies, X-Requested-With, X-Forwarded-For, X-Forwarded-User-Agent"
)

# PLATFORMS, and the origins that it lets in.
ALLOWED = [
    (["localhost"], "http://localhost"),
    (["localhost"], "https://localhost"),
    (["localhost"], "http://localhost:3000"),
    (["localhost"], "HTTP://LocalHost:3000"),
    (["localhost"], "http://127.0.0.1"),
    (["localhost"], "http://127.0.0.1:5173"),
    (["localhost"], "http://[::1]:5173"),
    (["localhost"], "chrome-extension://localhost"),
    (["localhost"], "tauri://localhost"),
    (["localhost"], "exp://192.168.0.2:8081"),
    (["localhost"], "appwrite-callback-demo://"),
    (["localhost"], "appwrite-callback-demo://com.example.app"),
    ([], "http://testserver"),
    ([], "https://testserver:8443"),
    (["shop.example.com"], "https://shop.example.com"),
    (["Shop.Example.com"], "https://shop.example.COM:8443"),
    (["https://shop.example.com"], "https://shop.example.com"),
    (["https://shop.example.com:8443"], "http://shop.example.com"),
    (["a.example", "b.example"], "https://b.example"),
    (["*.example.com"], "https://a.example.com"),
    (["*.example.com"], "https://a.b.example.com"),
    (["*example.com"], "https://a.example.com"),
    (["*example.com"], "https://evilexample.com"),
    (["*example.com"], "https://example.com"),
    (["*"], "https://anything.example"),
    (["*"], "http://localhost:3000"),
    (["*"], "https://10.0.0.1"),
    (["appwrite-android"], "appwrite-android://com.example.shop"),
    (["appwrite-ios"], "appwrite-ios://anything"),
    (["myapp"], "myapp://login"),
    (["MyApp"], "MYAPP://login"),
    (["moz-extension://3ff2-7a"], "moz-extension://3ff2-7a"),
]

# PLATFORMS, and origins that look as if it let them in.
FOREIGN = [
    (["localhost"], "https://evil.example"),
    (["localhost"], "null"),
    (["localhost"], "localhost"),
    (["localhost"], "//localhost"),
    (["localhost"], "http:localhost"),
    (["localhost"], "http:/localhost"),
    (["localhost"], "http:///localhost"),
    (["localhost"], "http://"),
    (["localhost"], "://localhost"),
    (["localhost"], "x"),
    (["localhost"], "http://localhost.evil.example"),
    (["localhost"], "http://localhost."),
    (["localhost"], "http://evil-localhost"),
    (["localhost"], "http://evil.example/localhost"),
    (["localhost"], "http://evil.example?localhost"),
    (["localhost"], "http://evil.example#localhost"),
    (["localhost"], "http://evil.example#@localhost"),
    (["localhost"], "http://evil.example\\@localhost"),
    (["localhost"], "http://localhost@evil.example"),
    (["localhost"], "http://localhost:80@evil.example"),
    (["localhost"], "http://localhost:x@evil.example"),
    (["localhost"], "http://user@localhost"),
    (["localhost"], "http://localhost\\.evil.example"),
    (["localhost"], "http://localhost\\@evil.example"),
    (["localhost"], "http://localhost evil.example"),
    (["localhost"], "http://localhost\t.evil.example"),
    (["localhost"], "http://localhost\x00.evil.example"),
    (["localhost"], "http://localhost\x7f.evil.example"),
    (["localhost"], "http://localhost\xa0.evil.example"),
    (["localhost"], "http://localhost\u3002evil.example".encode().decode("latin-1")),
    (["localhost"], "http://l\u043ecalhost".encode().decode("latin-1")),
    (["localhost"], "http://localhost%00.evil.example"),
    (["localhost"], "http://localhost%2eevil.example"),
    (["localhost"], "http://localhost,http://evil.example"),
    (["localhost"], "http://localhost;evil.example"),
    (["localhost"], "http://127.0.0.2"),
    (["localhost"], "http://127.0.0.1.evil.example"),
    (["localhost"], "http://127.1"),
    (["localhost"], "http://2130706433"),
    (["localhost"], "http://0x7f.0.0.1"),
    (["localhost"], "http://0177.0.0.1"),
    (["localhost"], "http://0.0.0.0"),
    (["localhost"], "http://[0:0:0:0:0:0:0:1]"),
    (["localhost"], "http://[::ffff:127.0.0.1]"),
    (["localhost"], "http://[::1"),
    (["localhost"], "http://[::1].evil.example"),
    (["localhost"], "http://[]"),
    (["localhost"], "ftp://localhost"),
    (["localhost"], "file://localhost"),
    (["localhost"], "javascript://localhost"),
    (["localhost"], "data://localhost"),
    (["localhost"], "myapp://localhost"),
    (["localhost"], "appwrite-android://localhost"),
    (["localhost"], "appwrite-callback-other://localhost"),
    (["localhost"], "appwrite-callback-://localhost"),
    (["localhost"], "expo://x"),
    (["127.0.0.1"], "http://localhost"),
    (["[::1]", "127.0.0.1"], "http://localhost"),
    ([], "http://localhost"),
    ([""], "http://evil.example"),
    ([" "], "http://evil.example"),
    (["shop.example.com"], "https://example.com"),
    (["shop.example.com"], "https://a.shop.example.com"),
    (["shop.example.com"], "https://shopXexample.com"),
    (["shop.example.com"], "https://shop.example.com.evil.example"),
    (["*.example.com"], "https://example.com"),
    (["*.example.com"], "https://evilexample.com"),
    (["*.example.com"], "https://a.example.com.evil.example"),
    (["*.example.com"], "https://evil.example/.example.com"),
    (["*.example.com"], "https://evil.example?.example.com"),
    (["*.example.com"], "https://evil.example#.example.com"),
    (["*.example.com"], "https://evil.example\\.example.com"),
    (["*.example.com"], "https://evil.example:.example.com"),
    (["shop.*"], "https://shop.evil.example"),
    (["a.*.com"], "https://a.b.com"),
    (["*"], "null"),
    (["*"], "javascript://x"),
    (["*"], "myapp://x"),
    (["*"], "http://"),
    (["appwrite-android"], "appwrite-ios://com.example.shop"),
    (["appwrite-android"], "https://appwrite-android.example"),
    (["myapp"], "myapp2://x"),
    (["myapp"], "notmyapp://x"),
    (["moz-extension://3ff2-7a"], "moz-extension://other"),
]  # fmt: skip

ROUTES = ["/account", "/ping", "/nope"]


def assert_standing(response: object) -> None:
    """Check the headers that every answer has."""
    for name, value in STANDING.items():
        assert response[name] == value
    given = response["Access-Control-Allow-Headers"].split(", ")
    wanted = ALLOW_HEADERS.split(", ")
    # Upstream's list in its order; more may follow.
    assert given[: len(wanted)] == wanted
    assert "Origin" in [name.strip() for name in response["Vary"].split(",")]


class TestOrigin:
    @pytest.mark.parametrize(("platforms", "origin"), ALLOWED)
    def test_of_the_project(
        self, ada: ApiClient, project: Project, platforms: list[str], origin: str
    ) -> None:
        project(PLATFORMS=platforms)
        response = ada.get("/account", Origin=origin)
        assert response.status_code == 200
        assert response["Access-Control-Allow-Origin"] == origin.lower()
        assert_standing(response)

    @pytest.mark.parametrize(("platforms", "origin"), FOREIGN)
    def test_foreign(
        self, ada: ApiClient, project: Project, platforms: list[str], origin: str
    ) -> None:
        project(PLATFORMS=platforms)
        with unchanged():
            response = ada.patch("/account/name", {"name": "Eve"}, Origin=origin)
            assert_error(response, 403, "general_unknown_origin")
        assert not response.has_header("Access-Control-Allow-Origin")
        assert_standing(response)

    def test_default_is_localhost(self, ada: ApiClient) -> None:
        assert ada.get("/account", Origin="http://localhost:3000").status_code == 200
        assert ada.get("/account", Origin="https://shop.example.com").status_code == 403

    def test_blanks_around_it(self, ada: ApiClient) -> None:
        response = ada.get("/account", Origin="  http://localhost:3000 ")
        assert response["Access-Control-Allow-Origin"] == "http://localhost:3000"

    def test_none(self, ada: ApiClient) -> None:
        for response in (ada.get("/account"), ada.get("/account", Origin="")):
            assert response.status_code == 200
            assert not response.has_header("Access-Control-Allow-Origin")
            assert_standing(response)

    def test_referer_is_not_checked(self, ada: ApiClient) -> None:
        assert ada.get("/account", Referer="https://evil.example/").status_code == 200

    @pytest.mark.parametrize("path", ROUTES)
    def test_foreign_on_any_path(self, guest: ApiClient, path: str) -> None:
        response = guest.get(path, Origin="https://evil.example")
        assert_error(response, 403, "general_unknown_origin")

    @pytest.mark.parametrize(
        ("path", "status"), [("/account", 401), ("/nope", 404), ("/account/name", 404)]
    )
    def test_errors_tell_the_projects_own_pages(
        self, guest: ApiClient, path: str, status: int
    ) -> None:
        response = guest.get(path, Origin="http://localhost:3000")
        assert response.status_code == status
        assert response["Access-Control-Allow-Origin"] == "http://localhost:3000"
        assert_standing(response)

    def test_server_may_call_from_anywhere_but_no_page_reads_it(self, server: ApiClient) -> None:
        server.headers["Origin"] = "https://evil.example"
        response = server.post("/account/sessions/anonymous")
        assert response.status_code == 201
        assert not response.has_header("Access-Control-Allow-Origin")

    @pytest.mark.parametrize("key", ["standard_" + "0" * 256, "x_y", "garbage"])
    def test_key_that_is_none_opens_no_door(self, ada: ApiClient, key: str) -> None:
        ada.headers |= {"X-Appwrite-Key": key, "Origin": "https://evil.example"}
        assert_error(ada.get("/account"), 403, "general_unknown_origin")

    def test_django_csrf_token_is_not_asked_for(self, ada: ApiClient) -> None:
        ada.http.handler.enforce_csrf_checks = True
        assert ada.patch("/account/name", {"name": "Bob"}).status_code == 200
        assert ada.patch("//account//name/", {"name": "Bob"}).status_code == 200


class TestPreflight:
    ASKED = {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type,x-appwrite-project",
    }

    @pytest.mark.parametrize("path", [*ROUTES, "/account/", "//account", "", "/account/%00"])
    @pytest.mark.parametrize(
        "origin", ["http://localhost:3000", "https://evil.example", "myapp://x"]
    )
    def test_any_path_and_origin(self, guest: ApiClient, path: str, origin: str) -> None:
        guest.headers = self.ASKED | {"Origin": origin}
        response = guest.call("OPTIONS", path or "/")
        assert (response.status_code, response.content) == (204, b"")
        assert response["Access-Control-Allow-Origin"] == origin
        assert not response["Content-Type"].startswith("application/json")
        assert_standing(response)

    def test_without_an_origin(self, guest: ApiClient) -> None:
        response = guest.call("OPTIONS", "/account")
        assert response.status_code == 204
        assert not response.has_header("Access-Control-Allow-Origin")
        assert_standing(response)

    def test_looks_at_nothing_else(
        self, ada: ApiClient, project: Project, django_assert_num_queries: Callable[..., object]
    ) -> None:
        project(SERVICES={"account": False}, REST_API=False)
        ada.headers |= {
            "X-Appwrite-Project": "nope",
            "X-Appwrite-JWT": "garbage",
            "X-Appwrite-Key": "standard_x",
        }
        with django_assert_num_queries(0):
            response = ada.call("OPTIONS", "/account")
        assert response.status_code == 204

    def test_sets_no_cookies(self, ada: ApiClient) -> None:
        assert not ada.call("OPTIONS", "/account/sessions/current").cookies


class TestCaching:
    """Answers are a person's own: no cache may keep one or give it to another."""

    @pytest.mark.parametrize("path", [*ROUTES, "/account/sessions", "/account/prefs"])
    def test_no_answer_is_stored(self, ada: ApiClient, path: str) -> None:
        response = ada.get(path)
        stored = "no-store" if response.status_code >= 400 else "private, no-store"
        assert stored in response["Cache-Control"]
        vary = {name.strip().lower() for name in response["Vary"].split(",")}
        credentials = {"cookie", "x-appwrite-session", "x-appwrite-jwt", "x-appwrite-key"}
        assert {"origin", "x-fallback-cookies", *credentials} <= vary

    def test_site_wide_cache_of_django(self, ada: ApiClient, settings: Any) -> None:
        settings.MIDDLEWARE = [
            "django.middleware.cache.UpdateCacheMiddleware",
            *settings.MIDDLEWARE,
            "django.middleware.cache.FetchFromCacheMiddleware",
        ]
        bob = ApiClient()
        bob.sign_up("bob@example.org")
        bob.sign_in("bob@example.org")
        for client, email in ((ada, "ada@example.org"), (bob, "bob@example.org")):
            stored = json.dumps({"a_session_demo": client.credential})
            by_fallback = ApiClient(headers={"X-Fallback-Cookies": stored})
            assert by_fallback.get("/account").json()["email"] == email

    @pytest.mark.parametrize("path", ROUTES)
    def test_no_type_is_guessed(self, ada: ApiClient, path: str) -> None:
        assert ada.get(path)["X-Content-Type-Options"] == "nosniff"
