"""Single values that have broken other servers: the answer is documented, and is the same again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from django_account.sessions.models import Session
from tests.client import PASSWORD, ApiClient, assert_error


def nested(depth: int, opening: str = '{"a":', closing: str = "}", core: str = "1") -> bytes:
    """A body whose preferences lie that deep."""
    return f'{{"prefs":{opening * depth}{core}{closing * depth}}}'.encode()


class TestPrefs:
    @pytest.mark.parametrize("depth", [1, 10, 30, 90, 200, 490, 900, 1100, 1500, 3000, 6000])
    @pytest.mark.parametrize("kind", ["objects", "lists"])
    def test_depth(self, ada: ApiClient, depth: int, kind: str) -> None:
        """Deep values are stored, or refused; what was stored can be read."""
        lists = nested(1, core="[" * depth + "]" * depth)
        body = nested(depth) if kind == "objects" else lists
        response = ada.call("PATCH", "/account/prefs", body)
        if depth <= 30:
            assert response.status_code == 200, response.content
        elif response.status_code != 200:
            assert_error(response, 400, "general_argument_invalid")
        for path in ("/account", "/account/prefs"):
            assert ada.get(path).status_code == 200

    @pytest.mark.parametrize(
        "number",
        ["1e400", "-1e400", "1" * 4_000, "9" * 400, "0.1", "-0", "1E-400", "9007199254740993"],
    )
    def test_number(self, ada: ApiClient, number: str) -> None:
        response = ada.call("PATCH", "/account/prefs", b'{"prefs":{"n":' + number.encode() + b"}}")
        if response.status_code == 200:
            assert ada.get("/account/prefs").json() == response.json()["prefs"]
        else:
            assert_error(response, 400, "general_argument_invalid")
        assert ada.get("/account").status_code == 200

    @pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity"])
    def test_no_number(self, ada: ApiClient, literal: bytes) -> None:
        response = ada.call("PATCH", "/account/prefs", b'{"prefs":{"n":' + literal + b"}}")
        assert_error(response, 400, "general_argument_invalid")

    @pytest.mark.parametrize(
        "key", ["", " ", "$id", "a.b", "__proto__", "constructor", "\N{GRINNING FACE}", "%", "0"]
    )
    def test_key(self, ada: ApiClient, key: str) -> None:
        response = ada.patch("/account/prefs", {"prefs": {key: {key: key}}})
        assert response.status_code == 200, response.content
        assert ada.get("/account/prefs").json() == {key: {key: key}}

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udfff\ud800", "a\ud83d"])
    @pytest.mark.parametrize("place", ["key", "value"])
    def test_text_that_no_database_holds(self, ada: ApiClient, text: str, place: str) -> None:
        prefs = {text: 1} if place == "key" else {"a": [text]}
        response = ada.patch("/account/prefs", {"prefs": prefs})
        assert_error(response, 400, "general_argument_invalid")
        assert ada.get("/account/prefs").json() == {}

    def test_escaped_pair_is_one_letter(self, ada: ApiClient) -> None:
        body = b'{"prefs":{"a":"\\ud83d\\ude00"}}'
        assert ada.call("PATCH", "/account/prefs", body).status_code == 200
        assert ada.get("/account/prefs").json() == {"a": "\N{GRINNING FACE}"}


class TestClientsWord:
    @pytest.mark.parametrize(
        "forwarded",
        [
            "fe80::1%eth0",
            "fe80::1%" + "x" * 300,
            "[fe80::1%" + "x" * 300 + "]:80",
            "::ffff:203.0.113.9",
            "1.2.3.4" * 50,
            "," * 500,
            "unknown",
            "\xff\xfe",
            "2001:0db8:0000:0000:0000:ff00:0042:8329",
        ],
    )
    def test_forwarded_address(
        self, guest: ApiClient, project: Callable[..., None], forwarded: str
    ) -> None:
        project(TRUSTED_PROXIES=1)
        guest.sign_up()
        guest.headers["X-Forwarded-For"] = forwarded
        guest.sign_in()
        assert len(Session.objects.get().ip) <= 45, "longer than the column"

    @pytest.mark.parametrize(
        "user_agent", ["", "\x00", "a\x00b", "\xff" * 20_000, "x" * 20_000, "{}", "%s%s%n"]
    )
    def test_user_agent(self, guest: ApiClient, user_agent: str) -> None:
        guest.sign_up()
        guest.headers["User-Agent"] = user_agent
        document = guest.sign_in()
        assert set(map(type, document.values())) <= {str, bool, list}
        assert "\x00" not in Session.objects.get().user_agent


class TestBodies:
    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", '{"name":"Gr\xf6\xdfe"}'.encode("latin-1")),
            ("application/json; charset=utf-16", b'{"name":"x"}'),
            ("application/json; charset=nope", b"{"),
            ("multipart/form-data", b"--x--"),
            ("multipart/form-data; boundary=" + "x" * 500, b"--x--"),
            ("multipart/form-data; boundary=\xff", b""),
            ("application/x-www-form-urlencoded; charset=utf-16", b"name=x"),
            ("application/x-www-form-urlencoded", b"name=%ff%fe"),
            ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 1_500)),
            ("application/x-www-form-urlencoded", b"name" + b"[a]" * 5_000 + b"=1"),
        ],
        ids=range(10),
    )
    def test_that_cannot_be_read(self, ada: ApiClient, content_type: str, body: bytes) -> None:
        headers = {"Content-Type": content_type}
        response = ada.call("PATCH", "/account/name", body, **headers)
        assert response.status_code in {200, 400}, response.content
        if response.status_code == 400:
            assert response.json()["type"] in {"general_argument_invalid", "general_bad_request"}
        assert ada.get("/account").status_code == 200

    def test_larger_than_the_site_accepts(self, ada: ApiClient, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
        response = ada.patch("/account/name", {"name": "x" * 2_000})
        assert_error(response, 413, "general_request_too_large")

    @pytest.mark.parametrize("name", ["userId", "email", "password", "name"])
    @pytest.mark.parametrize(
        "value", [1, 1.5, True, [], {}, ["a"], {"$ne": None}, [[[[]]]], 10**400], ids=str
    )
    def test_other_type_than_text(self, guest: ApiClient, name: str, value: Any) -> None:
        body = {"userId": "ada", "email": "ada@example.org", "password": PASSWORD, "name": "Ada"}
        response = guest.post("/account", {**body, name: value})
        error = assert_error(response, 400, "general_argument_invalid")
        assert f"`{name}`" in error["message"]

    def test_name_given_twice(self, guest: ApiClient) -> None:
        """JSON's usual reading: the last one counts."""
        body = json.dumps({"userId": "ada", "email": "ada@example.org", "password": PASSWORD})
        response = guest.call("POST", "/account", f'{{"userId":"bob",{body[1:]}'.encode())
        assert response.json()["$id"] == "ada"


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            *(
                "/",
                "//",
                "/account/",
                "//account",
                "/account//sessions",
                "/ACCOUNT",
                "/account/x",
            ),
            *("/account%0a", "/account%00", "/account%2Fsessions", "/account/sessions/%2e%2e"),
            *(
                "/%ff",
                "/..",
                "/../v1/account",
                "/account/sessions/\u00e9",
                "/account;x=1",
                "/a" * 2000,
            ),
        ],
    )
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_every_answer_is_the_envelope(self, guest: ApiClient, method: str, path: str) -> None:
        response = guest.call(method, path)
        assert response.status_code in {400, 401, 404}, response.content
        assert list(response.json()) == ["message", "code", "type", "version"]
