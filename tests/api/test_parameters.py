"""Reading parameters: what is wrong with them, and bodies of every kind (core.md §3.1 and §6).

Nothing that a client sends is answered with a 5xx, and nothing refused changes the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from django_account.accounts.models import Account
from tests.api.rows import unchanged
from tests.client import PASSWORD, ApiClient, assert_error, encode_multipart

Project = Callable[..., None]

NEW = {
    "userId": "unique()",
    "email": "eve@example.org",
    "password": PASSWORD,
    "name": "Eve",
}
CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}

# Who calls, the route, and parameters that are right.
ENDPOINTS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "create": ("guest", "POST", "/account", NEW),
    "sign in": ("guest", "POST", "/account/sessions/email", CREDENTIALS | {"duration": 60}),
    "sign in by alias": ("guest", "POST", "/account/sessions", CREDENTIALS),
    "name": ("ada", "PATCH", "/account/name", {"name": "Eve"}),
    "prefs": ("ada", "PATCH", "/account/prefs", {"prefs": {"a": 1}}),
    "email": ("ada", "PATCH", "/account/email", {"email": "x@example.org", "password": PASSWORD}),
    "phone": ("ada", "PATCH", "/account/phone", {"phone": "+16308520394", "password": PASSWORD}),
    "password": (
        "ada",
        "PATCH",
        "/account/password",
        {"password": "battery staple", "oldPassword": PASSWORD},
    ),
    "jwt": ("ada", "POST", "/account/jwts", {"duration": 60}),
    "delete sessions": ("ada", "DELETE", "/account/sessions", {"current": False}),
}

# Wrong for every parameter but prefs, which is an object.
OTHER_TYPES = {
    "float": 1.5,
    "list": [],
    "list of strings": ["ada@example.org"],
    "object": {},
    "object with keys": {"$ne": ""},
    "nested": [[[{"a": [1]}]]],
}

# Wrong for every text.
NO_TEXT = OTHER_TYPES | {"true": True, "false": False, "int": 12345678, "huge int": 10**400}

# No database can hold these.
UNSTORABLE = {
    "NUL": "\x00",
    "NUL within": "correct\x00horse",
    "lone high surrogate": "correct \ud800 horse",
    "lone low surrogate": "\udfff correct horse",
    "surrogates the wrong way round": "correct \udc00\ud800 horse",
}

WRONG: dict[str, dict[str, Any]] = {
    "userId": NO_TEXT
    | UNSTORABLE
    | {
        "empty": "",
        "37 characters": "x" * 37,
        "a megabyte": "x" * 1_000_000,
        "blank": " ",
        "inner blank": "a b",
        "outer blank": " ada",
        "line end": "ada\n",
        "leading hyphen": "-ada",
        "leading period": ".ada",
        "leading underscore": "_ada",
        "slash": "a/b",
        "percent": "a%41",
        "dollar": "wrongId$",
        "unique with a blank": "unique( )",
        "Unique": "Unique()",
        "Cyrillic a": "\u0430da",
        "full-width": "\uff41\uff44\uff41",
        "Arabic digit": "a\u0661",
        "right-to-left override": "ada\u202e",
        "zero-width space": "ada\u200b",
    },
    "email": NO_TEXT
    | UNSTORABLE
    | {
        "empty": "",
        "blank": "   ",
        "no at": "ada.example.org",
        "two ats": "ada@@example.org",
        "two addresses": "ada@example.org,eve@example.org",
        "quoted at": '"a@b"@example.org',
        "no local part": "@example.org",
        "no domain": "ada@",
        "no dot": "ada@localhost",
        "bare address": "ada@127.0.0.1",
        "display name": "Ada <ada@example.org>",
        "inner blank": "a da@example.org",
        "inner line end": "ada@example.org\nBcc: eve@example.org",
        "two dots": "a..da@example.org",
        "trailing dot": "ada.@example.org",
        "leading dot": ".ada@example.org",
        "hyphen in front": "ada@-example.org",
        "underscore in the domain": "ada@ex_ample.org",
        "long local part": "x" * 65 + "@example.org",
        "long label": "ada@" + "x" * 64 + ".org",
        "long": "ada@" + "x." * 300 + "org",
        "a megabyte": "x" * 1_000_000 + "@example.org",
        "Cyrillic a": "\u0430da@example.org",
        "Cyrillic a in the domain": "ada@ex\u0430mple.org",
        "dotless i": "\u0131da@example.org",
        "Kelvin sign": "ada@\u212aexample.org",
        "full-width at": "ada\uff20example.org",
        "full-width": "\uff41da@example.org",
        "ideographic stop": "ada@example\u3002org",
        "right-to-left override": "ada\u202e@example.org",
        "emoji": "\U0001f600@example.org",
        "umlaut": "ada@m\xfcller.example",
    },
    "password": NO_TEXT
    | UNSTORABLE
    | {
        "empty": "",
        "7 characters": "x" * 7,
        "257 characters": "x" * 257,
        "257 bytes": "\xe9" * 128 + "x",
        "7 bytes": "\u5bc6\u7801x",
        "a megabyte": "x" * 1_000_000,
    },
    "oldPassword": NO_TEXT
    | UNSTORABLE
    | {"257 characters": "x" * 257, "a megabyte": "x" * 1_000_000},
    "name": NO_TEXT
    | UNSTORABLE
    | {"empty": "", "129 characters": "\xe9" * 129, "a megabyte": "x" * 1_000_000},
    "phone": NO_TEXT
    | UNSTORABLE
    | {
        "empty": "",
        "+1": "+1",
        "6 digits": "+141555",
        "no plus": "8989829304",
        "hyphens": "786-307-3615",
        "letter": "+16308A520397",
        "leading zero": "+0415553452342",
        "blank": "+14 155 5524564",
        "16 digits": "+1415555245634543",
        "no such country": "+8020000000",
        "no such country either": "+2100000000",
        "two pluses": "++16308520394",
        "outer blank": " +16308520394",
        "line end": "+16308520394\n",
        "00 for plus": "0016308520394",
        "full-width plus": "\uff0b16308520394",
        "full-width digits": "+\uff11\uff16\uff13\uff10\uff18\uff15\uff12\uff10",
        "Arabic digits": "+\u0661\u0666\u0663\u0660\u0668\u0665\u0662\u0660",
        "superscript": "+1630852039\xb2",
        "right-to-left mark": "+16308520394\u200f",
        "a megabyte": "+" + "1" * 1_000_000,
    },
    "prefs": {
        "float": 1.5,
        "true": True,
        "false": False,
        "int": 1,
        "string": "x",
        "empty string": "",
        "JSON in a string": "{}",
        "list": [1],
        "list of objects": [{}],
        "NUL in a value": {"a": "x\x00"},
        "NUL in a key": {"x\x00": 1},
        "NUL in the deep": {"a": [{"b": ["\x00"]}]},
        "lone surrogate in a value": {"a": "\ud800"},
        "lone surrogate in a key": {"\udfff": 1},
        "lone surrogate in the deep": {"a": [[{"b": {"\ud800": 1}}]]},
        "70 kB": {"a": "x" * 70_000},
        "many keys": {f"key{number}": number for number in range(10_000)},
        "a megabyte": {"a": "x" * 1_000_000},
    },
    "duration": OTHER_TYPES
    | {
        "true": True,
        "false": False,
        "empty": "",
        "word": "x",
        "negative": -1,
        "zero": 0,
        "too long": 31_536_001,
        "huge int": 10**400,
        "huge numeral": "9" * 5000,
        "numeral with a blank": " 60",
        "numeral with a plus": "+60",
        "decimals": "60.0",
        "exponent": "6e1",
        "hexadecimal": "0x3c",
        "underscore": "6_0",
        "full-width digits": "\uff16\uff10",
        "Arabic digits": "\u0666\u0660",
        "superscript": "6\xb2",
        "NUL": "60\x00",
        "lone surrogate": "60\ud800",
    },
    "current": OTHER_TYPES
    | {"one": 1, "zero": 0, "word": "false", "capitals": "FALSE", "empty": "", "NUL": "\x00"},
}

OPTIONAL = {
    ("create", "name"),
    ("sign in", "duration"),
    ("password", "oldPassword"),
    ("jwt", "duration"),
    ("delete sessions", "current"),
}


PARAMETERS = [(label, name) for label, (_, _, _, good) in ENDPOINTS.items() for name in good]


@pytest.fixture
def call(guest: ApiClient, ada: ApiClient) -> Callable[..., Any]:
    """Call an endpoint of the table, with changed parameters or a raw body."""

    def send(label: str, body: Any = None, **headers: str) -> Any:
        who, method, path, good = ENDPOINTS[label]
        client = {"guest": guest, "ada": ada}[who]
        given = good if body is None else body
        return client.call(method, path, given, **headers)

    return send


def assert_missing(response: Any, name: str) -> None:
    body = assert_error(response, 400, "general_argument_invalid")
    assert body["message"] == f'Param "{name}" is not optional.'


def assert_invalid(response: Any, name: str) -> None:
    body = assert_error(response, 400, "general_argument_invalid")
    assert body["message"].startswith(f"Invalid `{name}` param: ")
    reason = body["message"].partition(" param: ")[2]
    # A sentence for people, not the value, however long that is.
    assert 10 < len(reason) < 200


class TestWrongValues:
    @pytest.mark.parametrize("label", ENDPOINTS)
    def test_the_table_is_right_about_what_is_right(
        self, call: Callable[..., Any], label: str
    ) -> None:
        assert call(label).status_code in (200, 201, 204)

    @pytest.mark.parametrize(("label", "name"), PARAMETERS)
    def test_is_refused_by_its_name(self, call: Callable[..., Any], label: str, name: str) -> None:
        accepted = {}
        with unchanged():
            for what, value in WRONG[name].items():
                response = call(label, ENDPOINTS[label][3] | {name: value})
                try:
                    assert_invalid(response, name)
                except AssertionError:
                    accepted[what] = response.content[:300]
        assert not accepted

    @pytest.mark.parametrize(
        ("label", "name"), [pair for pair in PARAMETERS if pair not in OPTIONAL]
    )
    def test_required_but_absent_or_null(
        self, call: Callable[..., Any], label: str, name: str
    ) -> None:
        good = ENDPOINTS[label][3]
        with unchanged():
            assert_missing(call(label, {key: good[key] for key in good if key != name}), name)
            assert_missing(call(label, good | {name: None}), name)

    @pytest.mark.parametrize(("label", "name"), [pair for pair in PARAMETERS if pair in OPTIONAL])
    def test_optional_and_null_is_absent(
        self, call: Callable[..., Any], label: str, name: str
    ) -> None:
        response = call(label, ENDPOINTS[label][3] | {name: None})
        if name == "oldPassword":
            assert_error(response, 401, "user_invalid_credentials")
        else:
            assert response.status_code in (201, 204)

    @pytest.mark.parametrize("label", ENDPOINTS)
    def test_only_the_first_of_several_is_named(self, call: Callable[..., Any], label: str) -> None:
        names = list(ENDPOINTS[label][3])
        assert_invalid(call(label, dict.fromkeys(reversed(names), 1.5)), names[0])

    @pytest.mark.parametrize("label", ["create", "sign in", "email", "phone", "password"])
    def test_wrong_before_missing_in_the_order_of_the_table(
        self, call: Callable[..., Any], label: str
    ) -> None:
        first, second = list(ENDPOINTS[label][3])[:2]
        assert_missing(call(label, {second: 1}), first)
        good = ENDPOINTS[label][3]
        if (label, second) not in OPTIONAL:
            assert_missing(call(label, {first: good[first]}), second)

    @pytest.mark.parametrize(
        "phone", ["+1415555", "+16308520394", "+5511552563253", "+919367788755111"]
    )
    def test_phone_of_any_country(self, ada: ApiClient, phone: str) -> None:
        response = ada.patch("/account/phone", {"phone": phone, "password": PASSWORD})
        assert response.json()["phone"] == phone

    @pytest.mark.parametrize(
        "email",
        [
            "a@b.co",
            "x" * 64 + "@example.org",
            "o'hara+tag=1/2_3-4@sub.example.co.uk",
            "1@1.example",
            "ada@xn--mller-kva.example",
        ],
    )
    def test_email_of_any_kind(self, guest: ApiClient, email: str) -> None:
        assert guest.sign_up(email)["email"] == email

    @pytest.mark.parametrize("user_id", ["a", "A", "0", "x" * 36, "a.b_c-d", "a--", "current"])
    def test_user_id_of_any_kind(self, guest: ApiClient, user_id: str) -> None:
        assert guest.sign_up(userId=user_id)["$id"] == user_id


# Bodies that hold no parameters, as JSON.
EMPTY_BODIES = {
    "nothing": b"",
    "blank": b"  \n",
    "open brace": b"{",
    "open string": b'{"userId": "x',
    "trailing comma": b'{"userId": "x",}',
    "trailing garbage": b'{"userId": "x"} x',
    "two objects": b'{"userId": "x"}{"userId": "y"}',
    "single quotes": b"{'userId': 'x'}",
    "comment": b'{"userId": "x" /* */}',
    "form": b"userId=x&email=y",
    "null": b"null",
    "true": b"true",
    "number": b"1",
    "string": b'"userId"',
    "array": b"[]",
    "array of objects": b'[{"userId": "x"}]',
    "NaN": b"NaN",
    "NaN within": b'{"userId": NaN}',
    "Infinity within": b'{"userId": "x", "x": Infinity}',
    "-Infinity within": b'{"userId": "x", "x": -Infinity}',
    "huge int": b'{"userId": 1' + b"0" * 100_000 + b"}",
    "not UTF-8": b'{"userId": "\xff\xfe"}',
    "overlong UTF-8": b'{"userId": "\xc0\xaf"}',
    "UTF-8 surrogate": b'{"userId": "\xed\xa0\x80"}',
    "NUL bytes": b"\x00" * 100,
    "raw control in a string": b'{"userId": "a\x01b"}',
    "random": bytes(range(256)),
    "nested arrays": b"[" * 100_000,
    "closed nested arrays": b"[" * 100_000 + b"]" * 100_000,
    "nested objects": b'{"userId":' * 100_000,
    "nested in a parameter": b'{"userId":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


class TestJSONBodies:
    @pytest.mark.parametrize("body", EMPTY_BODIES.values(), ids=EMPTY_BODIES.keys())
    def test_without_parameters(self, guest: ApiClient, body: bytes) -> None:
        with unchanged():
            assert_missing(guest.post("/account", body), "userId")

    def test_where_none_are_read(self, ada: ApiClient) -> None:
        with unchanged():
            for body in EMPTY_BODIES.values():
                response = ada.delete("/account/sessions/nope", body)
                assert_error(response, 404, "user_session_not_found")

    def test_number_beyond_float(self, ada: ApiClient) -> None:
        # JSON knows no infinity, so 1e999 must not become one on the way to the database.
        response = ada.patch("/account/prefs", b'{"prefs": {"a": 1e999}}')
        assert_error(response, 400, "general_argument_invalid")
        assert ada.get("/account/prefs").content == b"{}"

    def test_last_of_repeated_keys_counts(self, ada: ApiClient) -> None:
        response = ada.patch("/account/name", b'{"name": "Bob", "name": "Eve"}')
        assert response.json()["name"] == "Eve"

    def test_escapes_and_raw_characters_are_the_same(self, ada: ApiClient) -> None:
        for body in (
            '{"name": "Zo\xeb \U0001f680"}'.encode(),
            b'{"name": "Zo\\u00eb \\ud83d\\ude80"}',
            b'{"na\\u006de": "Zo\xc3\xab \\uD83D\\uDE80"}',
        ):
            response = ada.patch("/account/name", body)
            assert response.json()["name"] == "Zo\xeb \U0001f680"
            assert "Zo\xeb \U0001f680".encode() in response.content

    def test_byte_order_mark(self, guest: ApiClient) -> None:
        response = guest.post("/account", b"\xef\xbb\xbf" + json.dumps(NEW).encode())
        assert response.status_code in (201, 400)

    def test_unknown_parameters_are_ignored(self, ada: ApiClient) -> None:
        body = {"name": "Bob", "email": 1, "prefs": "x", "": None, "$id": "x", "\x00": "\ud800"}
        assert ada.patch("/account/name", body).json()["name"] == "Bob"

    @pytest.mark.parametrize("opening", ['{"a":', "[", '[{"a":'], ids=["objects", "arrays", "both"])
    def test_nested_prefs_are_kept_or_refused_but_never_lock_their_owner_out(
        self, ada: ApiClient, opening: str
    ) -> None:
        closing = "".join({"{": "}", "[": "]"}.get(letter, "") for letter in reversed(opening))
        expected = b"{}"
        for depth in (10, 50, 100, 400, 490, 700, 900, 990, 1_000, 2_000, 5_000, 9_000):
            nested = opening * depth + "1" + closing * depth
            response = ada.patch("/account/prefs", f'{{"prefs": {{"x": {nested}}}}}'.encode())
            assert response.status_code in (200, 400), (depth, response.content[:200])
            if response.status_code == 200:
                expected = f'{{"x":{nested}}}'.encode()
            assert ada.get("/account").status_code == 200
            assert ada.get("/account/prefs").content == expected

    def test_nested_deeper_than_every_database_holds(self, ada: ApiClient) -> None:
        for depth, status in ((28, 200), (32, 400)):
            nested = '{"a":' * depth + "1" + "}" * depth
            response = ada.patch("/account/prefs", f'{{"prefs": {nested}}}'.encode())
            assert response.status_code == status

    def test_some_nesting_is_kept(self, ada: ApiClient) -> None:
        prefs = {"a": [{"b": [{"c": [{"d": [{"e": [{"f": [{"g": [1]}]}]}]}]}]}]}
        assert ada.patch("/account/prefs", {"prefs": prefs}).json()["prefs"] == prefs


class TestLargeBodies:
    MEGABYTE = 1_000_000

    def test_a_megabyte_is_read(self, ada: ApiClient) -> None:
        body = {"padding": "x" * self.MEGABYTE, "name": "Bob"}
        assert ada.patch("/account/name", body).json()["name"] == "Bob"

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/account"), ("PATCH", "/account/name"), ("DELETE", "/account/sessions")],
    )
    def test_three_megabytes_are_too_large(self, ada: ApiClient, method: str, path: str) -> None:
        body = json.dumps(NEW | {"padding": "x" * 3 * self.MEGABYTE}).encode()
        with unchanged():
            response = ada.call(method, path, body)
            assert_error(response, 413, "general_request_too_large")

    def test_three_megabytes_that_nobody_reads(self, ada: ApiClient) -> None:
        body = b"x" * 3 * self.MEGABYTE
        with unchanged():
            response = ada.patch("/account/name", body, Content_Type="text/plain")
        assert response.status_code in (400, 413)
        assert response.json()["code"] == response.status_code

    def test_three_megabytes_of_form(self, ada: ApiClient) -> None:
        with unchanged():
            response = ada.patch(
                "/account/name",
                b"name=Bob&padding=" + b"x" * 3 * self.MEGABYTE,
                Content_Type="application/x-www-form-urlencoded",
            )
            assert_error(response, 413, "general_request_too_large")

    def test_three_megabytes_of_multipart(self, ada: ApiClient) -> None:
        body = encode_multipart("limit", {"name": "Bob", "padding": "x" * 3 * self.MEGABYTE})
        with unchanged():
            response = ada.patch(
                "/account/name", body, Content_Type="multipart/form-data; boundary=limit"
            )
            assert_error(response, 413, "general_request_too_large")

    def test_the_site_sets_the_limit(self, ada: ApiClient, settings: Any) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
        assert ada.patch("/account/name", {"name": "Bob"}).status_code == 200
        with unchanged():
            response = ada.patch("/account/name", {"name": "Bob", "padding": "x" * 100})
            assert_error(response, 413, "general_request_too_large")

    @pytest.mark.parametrize(
        "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=limit"]
    )
    def test_too_many_fields(self, ada: ApiClient, content_type: str) -> None:
        fields = {f"field{number}": "x" for number in range(1_001)} | {"name": "Bob"}
        body = (
            encode_multipart("limit", fields)
            if "boundary" in content_type
            else "&".join(f"{name}={value}" for name, value in fields.items()).encode()
        )
        with unchanged():
            response = ada.patch("/account/name", body, Content_Type=content_type)
            assert_error(response, 400, "general_bad_request")

    def test_too_many_parameters_in_the_query_string(self, ada: ApiClient) -> None:
        query = "&".join(f"a{number}=x" for number in range(1_001))
        assert_error(ada.get(f"/account/sessions?{query}"), 400, "general_bad_request")


FORM = "application/x-www-form-urlencoded"


class TestForms:
    def test_urlencoded(self, guest: ApiClient) -> None:
        body = b"userId=unique()&email=ada%40example.org&password=correct+horse&name=Zo%C3%AB"
        response = guest.post("/account", body, Content_Type=FORM)
        assert response.status_code == 201
        assert (response.json()["email"], response.json()["name"]) == ("ada@example.org", "Zoë")
        assert guest.sign_in()

    @pytest.mark.parametrize("content_type", ["text/plain", "x/y; charset=utf-8", "x", ""])
    def test_whatever_is_not_json_is_a_form(self, ada: ApiClient, content_type: str) -> None:
        response = ada.patch("/account/name", b"name=Zo%C3%AB", Content_Type=content_type)
        assert response.json()["name"] == "Zoë"

    def test_multipart(self, guest: ApiClient) -> None:
        response = guest.post(
            "/account",
            encode_multipart("limit", NEW | {"name": "Zoë"}),
            Content_Type="multipart/form-data; boundary=limit",
        )
        assert response.status_code == 201
        assert response.json()["name"] == "Zoë"

    def test_numbers_are_numerals(self, ada: ApiClient) -> None:
        assert ada.post("/account/jwts", b"duration=60", Content_Type=FORM).status_code == 201

    @pytest.mark.parametrize(
        ("body", "prefs"),
        [
            ("prefs[theme]=dark", {"theme": "dark"}),
            ("prefs[a][b][c]=1", {"a": {"b": {"c": "1"}}}),
            ("prefs[a][]=1&prefs[a][]=2", {"a": ["1", "2"]}),
            ("prefs[a][0]=1&prefs[a][1]=2", {"a": ["1", "2"]}),
            ("prefs%5Ba%5D=1&prefs%5Bb%5D=", {"a": "1", "b": ""}),
            ("prefs[a]=1&prefs[a]=2", {"a": "2"}),
        ],
    )
    def test_php_brackets(self, ada: ApiClient, body: str, prefs: dict[str, Any]) -> None:
        response = ada.patch("/account/prefs", body.encode(), Content_Type=FORM)
        assert response.status_code == 200
        assert response.json()["prefs"] == prefs

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("", 'Param "name" is not optional.'),
            ("name", "Invalid `name` param: "),
            ("name=", "Invalid `name` param: "),
            ("name[]=Bob", "Invalid `name` param: "),
            ("name[0]=Bob", "Invalid `name` param: "),
            ("name[x]=Bob", "Invalid `name` param: "),
            ("name[x][y]=Bob", "Invalid `name` param: "),
            ("name=Bob&name[x]=Bob", "Invalid `name` param: "),
            ("name[x]=1&name[x][y]=2", "Invalid `name` param: "),
            ("name" + "[x]" * 10_000 + "=1", "Invalid `name` param: "),
            ("name" + "[" * 10_000 + "=1", None),
            ("name" + "]" * 10_000 + "=1", None),
            ("[name]=Bob", 'Param "name" is not optional.'),
            ("[]=Bob", 'Param "name" is not optional.'),
            ("=Bob", 'Param "name" is not optional.'),
            ("&&&;;;===", 'Param "name" is not optional.'),
            ("%=%&%zz=%zz", 'Param "name" is not optional.'),
            ("name=%00", "Invalid `name` param: "),
            ('{"name": "Bob"}', 'Param "name" is not optional.'),
            ("na%00me=Bob", 'Param "name" is not optional.'),
        ],
    )  # fmt: skip
    def test_garbage(self, ada: ApiClient, body: str, message: str | None) -> None:
        with unchanged():
            response = ada.patch("/account/name", body.encode(), Content_Type=FORM)
            answer = assert_error(response, 400, "general_argument_invalid")
        assert answer["message"].startswith(message or "")

    @pytest.mark.parametrize(
        "body", [b"name=\xff\xfe", b"name=%FF%FE", b"\xff=\xfe", b"name=%ED%A0%80"]
    )
    def test_bytes_that_are_no_utf8(self, ada: ApiClient, body: bytes) -> None:
        response = ada.patch("/account/name", body, Content_Type=FORM)
        # Whether they are replaced or refused: never a lone surrogate, never an error of ours.
        assert response.status_code in (200, 400)
        Account.objects.get().name.encode()

    MULTIPART = [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=other",
        "multipart/form-data; boundary=\xff",
        "multipart/form-data; boundary=" + "x" * 1_000,
        "multipart/form-data; boundary=limit",
        "multipart/form-data; boundary=limit; charset=nonsense",
        "multipart/form-data;;;",
    ]

    @pytest.mark.parametrize(
        "body",
        [
            b"--limit\r\n",
            b"--limit--\r\n",
            b"--limit\r\nContent-Disposition: form-data\r\n\r\nx\r\n--limit--\r\n",
            b'--limit\r\nContent-Disposition: form-data; name="name"\r\n\r\n\x00\r\n--limit--\r\n',
            b'--limit\r\nContent-Disposition: form-data; name="name"; filename="x"\r\n\r\nBob\r\n'
            b"--limit--\r\n",
            b'--limit\r\nContent-Disposition: form-data; name="x"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n--limit--\r\n",
            b"\r\n" * 1_000,
            b"\xff" * 1_000,
        ],
        ids=["open", "closed", "nameless", "NUL", "file", "bad base64", "lines", "bytes"],
    )
    def test_broken_multipart(self, ada: ApiClient, body: bytes) -> None:
        with unchanged():
            for content_type in self.MULTIPART:
                response = ada.patch("/account/name", body, Content_Type=content_type)
                assert_error(response, 400, "general_argument_invalid")


class TestContentTypes:
    @pytest.mark.parametrize(
        "content_type",
        [
            "application/json",
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
            "Application/JSON",
            "application/json ; charset=utf-8",
            "application/json; boundary=x",
        ],
    )
    def test_json(self, ada: ApiClient, content_type: str) -> None:
        response = ada.patch("/account/name", b'{"name": "Bob"}', Content_Type=content_type)
        assert response.json()["name"] == "Bob"

    @pytest.mark.parametrize(
        "content_type",
        [
            "",
            "text/plain",
            "text/plain; charset=utf-8",
            "text/json",
            "application/jsonx",
            "application/vnd.api+json",
            "application/octet-stream",
            "application/xml",
            "json",
            "x",
            "/",
            ";",
            "; application/json",
            "text/plain; application/json",
            "application/json, text/plain",
            "\xff",
            "x" * 10_000,
        ],
    )
    def test_json_by_another_name_holds_no_parameters(
        self, ada: ApiClient, content_type: str
    ) -> None:
        # Above all text/plain, which a foreign page may send without asking.
        with unchanged():
            response = ada.patch("/account/name", b'{"name": "Bob"}', Content_Type=content_type)
            assert_missing(response, "name")

    # Names that Python knows as codecs, of which some are no text encodings at all.
    CHARSETS = [
        "utf-8",
        "utf-16",
        "utf-32",
        "utf-7",
        "latin-1",
        "ascii",
        "cp037",
        "nonsense",
        "",
        '"',
        "\xff",
        "zlib",
        "bz2",
        "hex",
        "base64",
        "uu",
        "quopri",
        "rot13",
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
        "raw_unicode_escape",
        "mbcs",
        "string_escape",
        "../../etc/passwd",
    ]

    @pytest.mark.parametrize("media_type", ["application/json", FORM, "text/plain"])
    def test_charset_of_any_name(self, ada: ApiClient, media_type: str) -> None:
        body = b'{"name": "Bob"}' if media_type == "application/json" else b"name=Bob"
        for charset in self.CHARSETS:
            content_type = f"{media_type}; charset={charset}"
            response = ada.patch("/account/name", body, Content_Type=content_type)
            if response.status_code == 200:
                assert response.json()["name"] == "Bob", charset
            else:
                assert response.status_code == 400, charset
                types = ("general_argument_invalid", "general_bad_request")
                assert response.json()["type"] in types, charset

    def test_charset_of_any_name_on_a_get(self, ada: ApiClient) -> None:
        # Without a query string: Django itself fails to read one under some of these names.
        for charset in self.CHARSETS:
            headers = ada.headers | {"Content-Type": f"application/json; charset={charset}"}
            response = ada.http.generic("GET", "/v1/account/sessions", headers=headers)
            assert response.status_code == 200, charset

    def test_empty_content_type_on_a_get_as_the_python_sdk_sends_it(self, ada: ApiClient) -> None:
        headers = ada.headers | {"Content-Type": ""}
        response = ada.http.generic("GET", "/v1/account", headers=headers)
        assert response.status_code == 200

    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "x", "", "*/*;q=0", "\xff"])
    def test_answer_is_json_whatever_is_accepted(self, ada: ApiClient, accept: str) -> None:
        for path in ("/account", "/account?format=xml", "/nope"):
            response = ada.get(path, Accept=accept)
            assert response["Content-Type"] == "application/json; charset=UTF-8"


class TestQueryStrings:
    @pytest.mark.parametrize(
        "query",
        [
            "total=maybe",
            "total=",
            "total=2",
            "total[]=1",
            "total[x]=1",
            "total=%00",
            "total=%FF",
            "total=null",
            "total=" + "1" * 5_000,
            "total=%EF%BC%91",
        ],
    )
    def test_wrong(self, ada: ApiClient, query: str) -> None:
        assert_invalid(ada.get(f"/account/sessions?{query}"), "total")

    @pytest.mark.parametrize(
        "query",
        ["total=TRUE", "total=0&total=1", "x=1", "%", "%zz=%zz", "[]=1", "=", "&&&", "\xff"],
    )
    def test_right_or_ignored(self, ada: ApiClient, query: str) -> None:
        response = ada.get(f"/account/sessions?{query}")
        assert (response.status_code, response.json()["total"]) == (200, 1)

    def test_of_a_post_is_not_read(self, guest: ApiClient) -> None:
        query = "&".join(f"{name}={quote(value)}" for name, value in NEW.items())
        with unchanged():
            assert_missing(guest.post(f"/account?{query}"), "userId")

    def test_of_a_patch_is_not_read(self, ada: ApiClient) -> None:
        with unchanged():
            assert_missing(ada.patch("/account/name?name=Bob"), "name")

    def test_body_of_a_get_is_not_read(self, ada: ApiClient) -> None:
        response = ada.http.generic(
            "GET", "/v1/account/sessions", b'{"total": false}', "application/json",
            headers=ada.headers,
        )  # fmt: skip
        assert response.json()["total"] == 1


HEADERS = [
    "X-Appwrite-Locale",
    "X-Appwrite-Mode",
    "X-Appwrite-Dev-Key",
    "X-Appwrite-Organization",
    "X-Appwrite-Response-Format",
    "X-Appwrite-Timestamp",
    "X-Appwrite-Impersonate-User-Id",
    "X-Appwrite-Impersonate-User-Email",
    "X-SDK-Name",
    "X-SDK-Version",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-User-Agent",
    "User-Agent",
    "Referer",
    "Accept-Language",
    "X-HTTP-Method-Override",
    "If-None-Match",
    "Range",
]

VALUES = {
    "empty": "",
    "latin-1": "\xe4\xf6\xfc\xff",
    "NUL": "a\x00b",
    "JSON": '{"a": [1]}',
    "nested": "[" * 10_000,
    "SQL": "' OR 1=1 --",
    "format": "%s %(x)s {0} {x.y}",
    "long": "x" * 100_000,
    "numbers": "9" * 5_000,
    "separators": ",;=:,,;;==\t",
    "version": "99999.99999.99999",
    "admin": "admin",
}


class TestHeaders:
    @pytest.mark.parametrize("header", HEADERS)
    def test_garbage_changes_nothing(self, ada: ApiClient, header: str) -> None:
        answers = {}
        for what, value in VALUES.items():
            ada.headers[header] = value
            response = ada.get("/account")
            answers[what] = (response.status_code, response.json())
        assert answers == dict.fromkeys(VALUES, (200, ada.account))

    @pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
    @pytest.mark.parametrize("trusted", [0, 1])
    def test_garbage_is_no_obstacle_to_signing_in(
        self, guest: ApiClient, project: Project, trusted: int, value: str
    ) -> None:
        project(TRUSTED_PROXIES=trusted)
        guest.headers |= dict.fromkeys(HEADERS, value)
        response = guest.post("/account/sessions/anonymous")
        assert response.status_code == 201
        assert response.json()["ip"] == "127.0.0.1"
        assert guest.get("/account/sessions/current").status_code == 200

    @pytest.mark.parametrize(
        ("header", "code"),
        [
            ("X-Appwrite-Project", "project_not_found"),
            ("X-Appwrite-Key", "user_unauthorized"),
            ("X-Appwrite-JWT", "user_jwt_and_cookie_set"),
            ("Origin", "general_unknown_origin"),
            ("X-Appwrite-Session", ""),
            ("X-Fallback-Cookies", ""),
        ],
    )
    def test_garbage_where_it_matters_is_refused_or_as_good_as_none(
        self, ada: ApiClient, header: str, code: str
    ) -> None:
        answers = {}
        with unchanged():
            for what, value in VALUES.items():
                ada.headers[header] = value
                answers[what] = ada.get("/account").json().get("type", "")
        assert answers == dict.fromkeys(VALUES, code) | {"empty": ""}

    @pytest.mark.parametrize("length", ["", "0", "-1", "abc", "5", "9" * 30, "1e3", "\xff"])
    def test_content_length_that_lies(self, ada: ApiClient, length: str) -> None:
        headers = ada.headers | {"Content-Length": length}
        with unchanged():
            response = ada.http.generic(
                "PATCH", "/v1/account/name", b'{"name": ""}', "application/json", headers=headers
            )
            body = response.json()
        assert (response.status_code, body["type"]) in {
            (400, "general_argument_invalid"),
            (400, "general_bad_request"),
            (413, "general_request_too_large"),
        }
