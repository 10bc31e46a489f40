"""The error envelope, whatever goes wrong, and the headers of every answer (core.md §3.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404

from django_account.api.errors import STATUS
from django_account.exceptions import AccountError
from django_account.selfservice import profile
from tests.api.rows import unchanged
from tests.client import ApiClient, assert_error

Edit = Callable[..., None]
Project = Callable[..., None]

# Every path of the slice, and the methods that it knows.
ROUTES = {
    "/ping": {"GET"},
    "/account": {"GET", "POST", "DELETE"},
    "/account/prefs": {"GET", "PATCH"},
    "/account/name": {"PATCH"},
    "/account/password": {"PATCH"},
    "/account/email": {"PATCH"},
    "/account/phone": {"PATCH"},
    "/account/status": {"PATCH"},
    "/account/sessions": {"GET", "POST", "DELETE"},
    "/account/sessions/current": {"GET", "PATCH", "DELETE"},
    "/account/jwts": {"POST"},
    "/account/jwt": {"POST"},
}

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW", "INITIAL", "SETUP"]

UNKNOWN_PATHS = [
    "",
    "/",
    "/nope",
    "/account/nope",
    "/account/name/x",
    "/account/sessions/current/x",
    "/Account",
    "/account/SESSIONS/x/y",
    "/account.json",
    "/account%2Fname",
    "/account%2Fname%2F",
    "/..",
    "/../admin",
    "/account/../ping",
    "/ping%00",
    "/nope%0Aline",
    "/%FF%FE",
    "/%E2%98%83",
    "/account/sessions/a%2Fb",
    "/account/sessions/a%0Ab%2Fc",
    "/account/prefs%0A",
    "/" + "x" * 10_000,
    "/" + "x/" * 2_000,
    "/%",
    "/?nope",
]

ERROR_HEADERS = {
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Expires": "0",
    "Pragma": "no-cache",
    "Content-Type": "application/json; charset=UTF-8",
}


def assert_no_route(response: Any) -> None:
    assert_error(response, 404, "general_route_not_found")


class TestEnvelope:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nope", 404, "general_route_not_found"),
            ("PUT", "/account", 404, "general_route_not_found"),
            ("GET", "/account", 401, "general_unauthorized_scope"),
            ("POST", "/account", 400, "general_argument_invalid"),
        ],
    )
    def test_is_the_same_for_every_error(
        self, guest: ApiClient, method: str, path: str, status: int, code: str
    ) -> None:
        response = guest.call(method, path)
        body = assert_error(response, status, code)
        assert body["message"]
        assert body["version"] == "1.9.6"
        for name, value in ERROR_HEADERS.items():
            assert response[name] == value

    def test_names_the_version_that_the_site_says(self, guest: ApiClient, project: Project) -> None:
        project(API_VERSION="2.0.0")
        assert guest.get("/account").json()["version"] == "2.0.0"

    def test_every_error_of_ours_has_a_status(self) -> None:
        def tree(error: type[AccountError]) -> set[str]:
            return {error.code}.union(*map(tree, error.__subclasses__()))

        assert tree(AccountError) <= set(STATUS)
        passed_through = {400, 401, 403, 404, 409, 412, 413, 429, 500, 501, 503}
        assert set(STATUS.values()) <= passed_through

    def test_is_in_english(self, guest: ApiClient) -> None:
        messages = {
            guest.get("/account", Accept_Language=language, X_Appwrite_Locale=language).content
            for language in ("en", "de", "fr")
        }
        assert len(messages) == 1

    def test_characters_are_not_escaped(self, ada: ApiClient) -> None:
        response = ada.patch("/account/name", {"name": "Zo\xeb <&'\"/> \U0001f680"})
        assert "Zo\xeb <&'\\\"/> \U0001f680".encode() in response.content


class TestUnknownRoute:
    @pytest.mark.parametrize("path", UNKNOWN_PATHS, ids=lambda path: path[:30])
    def test_path(self, ada: ApiClient, guest: ApiClient, path: str) -> None:
        # Without its slash the mount point itself is the site's.
        path = path or "/"
        for client in (guest, ada):
            assert_no_route(client.get(path))
            with unchanged():
                assert_no_route(client.delete(path))

    @pytest.mark.parametrize("path", ROUTES)
    def test_method(self, ada: ApiClient, guest: ApiClient, path: str) -> None:
        for method in (method for method in METHODS if method not in ROUTES[path]):
            for client in (guest, ada):
                with unchanged():
                    response = client.call(method, path, {})
                    assert_no_route(response)
                # That would tell which methods there are.
                assert not response.has_header("Allow")

    @pytest.mark.parametrize("path", ["/nope", "/account/nope"])
    def test_goes_through_the_checks_all_the_same(
        self, ada: ApiClient, guest: ApiClient, edit: Edit, path: str
    ) -> None:
        response = guest.get(path, Origin="https://evil.example")
        assert_error(response, 403, "general_unknown_origin")
        response = guest.get(path, X_Appwrite_Project="nope")
        assert_error(response, 404, "project_not_found")
        assert_error(guest.get(path, X_Appwrite_JWT="x"), 401, "user_jwt_invalid")
        assert_error(guest.get(path, X_Appwrite_Key="standard_x"), 401, "user_unauthorized")
        edit(is_active=False)
        assert_error(ada.get(path), 403, "user_blocked")
        edit(is_active=True, password_reset_required=True)
        assert_error(ada.get(path), 412, "user_password_reset_required")

    def test_service_switch_does_not_hide_it(self, guest: ApiClient, project: Project) -> None:
        project(SERVICES={"account": False})
        assert_no_route(guest.get("/nope"))


class TestPaths:
    """What is tolerated in a path: empty segments (transport.md §2)."""

    @pytest.mark.parametrize(
        "path", ["/account/", "//account", "/account//", "///account///", "//account/?x=1"]
    )
    def test_empty_segments(self, ada: ApiClient, path: str) -> None:
        response = ada.get(path)
        assert (response.status_code, response.json()) == (200, ada.account)

    @pytest.mark.parametrize("path", ["/account/sessions/current/", "/account//sessions//current"])
    def test_empty_segments_around_a_placeholder(self, ada: ApiClient, path: str) -> None:
        assert ada.get(path).json() == ada.session

    @pytest.mark.parametrize("path", ["/account/name/", "//account/name", "/account//name/"])
    def test_empty_segments_never_redirect(self, ada: ApiClient, path: str) -> None:
        # A redirect would lose the method and the body.
        assert ada.patch(path, {"name": "Bob"}).json()["name"] == "Bob"

    def test_empty_segments_in_a_debugging_site(self, ada: ApiClient, settings: Any) -> None:
        settings.DEBUG = True
        assert ada.patch("/account/name/", {"name": "Bob"}).status_code == 200
        assert_no_route(ada.patch("/nope/", {"name": "Bob"}))

    def test_refused_all_the_same(self, guest: ApiClient) -> None:
        assert_error(guest.get("//account"), 401, "general_unauthorized_scope")

    def test_percent_encoded_placeholder(self, ada: ApiClient) -> None:
        encoded = "".join(f"%{ord(letter):02X}" for letter in ada.session["$id"])
        assert ada.get(f"/account/sessions/{encoded}").json() == ada.session


class TestHead:
    @pytest.mark.parametrize("path", ["/account", "/account/prefs", "/account/sessions", "/ping"])
    def test_is_a_get_without_a_body(self, ada: ApiClient, path: str) -> None:
        get, head = ada.get(path), ada.call("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head["Content-Type"] == get["Content-Type"]

    @pytest.mark.parametrize(
        ("path", "status"), [("/account", 401), ("/nope", 404), ("/account/name", 404)]
    )
    def test_errors_have_no_body_either(self, guest: ApiClient, path: str, status: int) -> None:
        response = guest.call("HEAD", path)
        assert (response.status_code, response.content) == (status, b"")

    def test_reads_the_query_string(self, ada: ApiClient) -> None:
        assert ada.call("HEAD", "/account/sessions?total=maybe").status_code == 400


class TestContentType:
    def test_of_a_body_is_json(self, ada: ApiClient) -> None:
        for response in (ada.get("/account"), ada.get("/account/prefs"), ada.post("/account/jwts")):
            assert response["Content-Type"] == "application/json; charset=UTF-8"

    @pytest.mark.parametrize("path", ["/account", "/account/sessions", "/account/sessions/current"])
    def test_of_nothing_is_there_and_is_not_json(self, ada: ApiClient, path: str) -> None:
        # The Python SDK reads the header of every answer and parses what says it is JSON.
        response = ada.delete(path)
        assert (response.status_code, response.content) == (204, b"")
        assert response["Content-Type"] == "text/html; charset=UTF-8"

    def test_no_answer_warns_the_sdks(self, ada: ApiClient) -> None:
        response = ada.get("/account", X_Appwrite_Response_Format="99.0.0")
        assert not response.has_header("X-Appwrite-Warning")


class TestUnexpectedError:
    """Something of ours, or of the site's, breaks."""

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
        def breaks(error: Exception) -> None:
            def update_name(**kwargs: Any) -> None:
                raise error

            monkeypatch.setattr(profile, "update_name", update_name)

        return breaks

    @pytest.fixture
    def heard(self) -> Any:
        requests = []

        def listener(sender: object, request: Any, **kwargs: Any) -> None:
            requests.append(request.path)

        got_request_exception.connect(listener)
        yield requests
        got_request_exception.disconnect(listener)

    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError("the password is hunter2"),
            KeyError("hunter2"),
            OperationalError("connection to hunter2 refused"),
            RecursionError("hunter2"),
            ExceptionGroup("hunter2", [ValueError("hunter2")]),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_says_no_more_than_server_error(
        self,
        ada: ApiClient,
        broken: Callable[[Exception], None],
        caplog: pytest.LogCaptureFixture,
        heard: list[str],
        error: Exception,
    ) -> None:
        broken(error)
        with caplog.at_level(logging.ERROR, "django_account.request"), unchanged():
            response = ada.patch("/account/name", {"name": "Bob"}, Origin="http://localhost:3000")
        body = assert_error(response, 500, "general_unknown")
        assert body["message"] == "Server Error"
        assert "hunter2" not in response.content.decode() + str(response.headers)
        for name, value in ERROR_HEADERS.items():
            assert response[name] == value
        assert response["Access-Control-Allow-Origin"] == "http://localhost:3000"
        # Error trackers hear of it, by Django's signal and by the log.
        assert heard == ["/v1/account/name"]
        (record,) = [record for record in caplog.records if record.name.startswith("django_acc")]
        assert record.exc_info[1] is error

    def test_says_no_more_in_a_debugging_site(
        self, ada: ApiClient, broken: Callable[[Exception], None], settings: Any
    ) -> None:
        settings.DEBUG = True
        broken(RuntimeError("hunter2"))
        response = ada.patch("/account/name", {"name": "Bob"})
        assert_error(response, 500, "general_unknown")
        assert b"hunter2" not in response.content

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (Http404("hunter2"), 404, "general_route_not_found"),
            (SuspiciousOperation("hunter2"), 400, "general_bad_request"),
        ],
    )
    def test_djangos_own_errors_keep_their_meaning(
        self,
        ada: ApiClient,
        broken: Callable[[Exception], None],
        heard: list[str],
        error: Exception,
        status: int,
        code: str,
    ) -> None:
        broken(error)
        response = ada.patch("/account/name", {"name": "Bob"})
        assert_error(response, status, code)
        assert b"hunter2" not in response.content
        assert heard == []

    def test_permission_denied_by_the_site(
        self, ada: ApiClient, broken: Callable[[Exception], None]
    ) -> None:
        broken(PermissionDenied("hunter2"))
        response = ada.patch("/account/name", {"name": "Bob"})
        assert response.status_code in (401, 403, 500)
        assert response.json()["code"] == response.status_code
        assert b"hunter2" not in response.content

    def test_nobody_hears_of_expected_errors(self, guest: ApiClient, heard: list[str]) -> None:
        guest.get("/account")
        guest.get("/nope")
        guest.post("/account", b"{")
        assert heard == []
