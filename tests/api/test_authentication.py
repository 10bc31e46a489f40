"""Who is calling: sessions, JWTs and API keys (core.md §4, transport.md §4 to §6)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.api_keys.models import ApiKey
from django_account.api_keys.services import create_api_key
from django_account.core.crypto import derive_keys
from django_account.sessions.models import Session
from tests.api.rows import unchanged
from tests.client import ApiClient, assert_error

Project = Callable[..., None]

COOKIE = "a_session_demo"
LEGACY = "a_session_demo_legacy"


def packed(payload: Any) -> str:
    """Base64 of a JSON value."""
    return base64.b64encode(json.dumps(payload).encode()).decode()


def fallback(credential: Any, name: str = COOKIE) -> str:
    """The value of ``X-Fallback-Cookies``."""
    return json.dumps({name: credential})


def dead(credential: str) -> str:
    """A well-formed credential that no session has."""
    payload = json.loads(base64.b64decode(credential))
    return packed(payload | {"secret": "0" * 256})


def caller(**headers: str) -> ApiClient:
    """A client with nothing but these headers; underscores stand for hyphens."""
    return ApiClient(headers={name.replace("_", "-"): value for name, value in headers.items()})


def with_cookies(**cookies: str) -> ApiClient:
    """A client that sends these cookies, exactly as they are written here."""
    return caller(Cookie="; ".join(f"{name}={value}" for name, value in cookies.items()))


def email_of(client: ApiClient) -> str | None:
    """Whom the API takes a client for; None for a guest."""
    response = client.get("/account")
    if response.status_code == 200:
        return response.json()["email"]
    assert_error(response, 401, "general_unauthorized_scope")
    return None


# Values that are no credential, wherever they stand. "secret" becomes a live one's secret.
GARBAGE = [
    "x",
    "deleted",
    "null",
    "=",
    "====",
    "!!!!",
    "{}",
    "%",
    "%zz",
    "%00",
    "e30=",  # {}
    "e30",
    packed(None),
    packed([]),
    packed(1),
    packed("x"),
    packed({"id": "x"}),
    packed({"secret": "x"}),
    packed({"id": None, "secret": None}),
    packed({"id": 1, "secret": 1}),
    packed({"id": [], "secret": {}}),
    packed({"id": "", "secret": ""}),
    packed({"id": "\x00", "secret": "\x00"}),
    packed({"id": "\ud800", "secret": "\ud800"}),
    packed({"id": "й" * 40, "secret": "й" * 256}),
    packed({"id": "' OR 1=1 --", "secret": "' OR 1=1 --"}),
    base64.b64encode(b"\xff\xfe\xfd").decode(),
    base64.b64encode(b'{"id": NaN, "secret": Infinity}').decode(),
    base64.b64encode(b"[" * 100_000).decode(),
    base64.b64encode(b'{"id":' * 100_000).decode(),
    base64.b64encode(b'{"id": 1' + b"0" * 10_000 + b"}").decode(),
    "A" * 100_000,
    "\xe4\xf6\xfc",
]


def garbage_id(value: str) -> str:
    return f"{value[:20].encode()!r}"


class TestSessionTransport:
    """The same credential, wherever it travels."""

    @pytest.mark.parametrize("name", [COOKIE, LEGACY])
    @pytest.mark.parametrize(
        "written",
        [quote, str, '"{}"'.format, lambda value: f'"{quote(value, safe="")}"'],
        ids=["percent-encoded", "raw", "quoted", "quoted and percent-encoded"],
    )
    def test_cookie(self, ada: ApiClient, name: str, written: Callable[[str], str]) -> None:
        assert email_of(with_cookies(**{name: written(ada.credential)})) == "ada@example.org"

    def test_cookie_among_others(self, ada: ApiClient) -> None:
        client = with_cookies(a="1", **{COOKIE: ada.credential}, z='"x y"')
        assert email_of(client) == "ada@example.org"

    def test_header(self, ada: ApiClient) -> None:
        assert email_of(caller(X_Appwrite_Session=ada.credential)) == "ada@example.org"

    def test_fallback_header(self, ada: ApiClient) -> None:
        client = caller(X_Fallback_Cookies=fallback(ada.credential))
        assert email_of(client) == "ada@example.org"

    def test_credential_has_plus_and_slash(self, guest: ApiClient) -> None:
        # An id cannot hold what Base64 writes as "+" or "/"; whatever else the JSON holds may.
        account = guest.sign_up()
        guest.sign_in()
        payload = json.loads(base64.b64decode(guest.credential)) | {"x": "\U0001fbff?>~" * 3}
        text = base64.b64encode(json.dumps(payload, ensure_ascii=False).encode()).decode()
        assert "+" in text or "/" in text
        for client in (
            with_cookies(**{COOKIE: text}),
            with_cookies(**{COOKIE: quote(text, safe="")}),
            caller(X_Appwrite_Session=text),
        ):
            assert client.get("/account").json()["$id"] == account["$id"]

    def test_cookie_of_another_project(self, ada: ApiClient) -> None:
        client = with_cookies(a_session_other=ada.credential)
        assert email_of(client) is None
        assert email_of(caller(X_Fallback_Cookies=fallback(ada.credential, "a_session_x"))) is None

    @pytest.mark.parametrize("name", ["a_session_Shop", "a_session_shop", "a_session_shop_legacy"])
    def test_cookie_of_a_project_with_capitals_in_either_spelling(
        self, ada: ApiClient, project: Project, name: str
    ) -> None:
        project(PROJECT_ID="Shop")
        client = with_cookies(**{name: ada.credential})
        client.headers["X-Appwrite-Project"] = "Shop"
        assert email_of(client) == "ada@example.org"

    @pytest.mark.parametrize("name", ["a_session_Shop", "a_session_shop"])
    def test_fallback_of_a_project_with_capitals_in_either_spelling(
        self, ada: ApiClient, project: Project, name: str
    ) -> None:
        project(PROJECT_ID="Shop")
        client = caller(X_Fallback_Cookies=fallback(ada.credential, name))
        client.headers["X-Appwrite-Project"] = "Shop"
        assert email_of(client) == "ada@example.org"

    @pytest.mark.parametrize("value", GARBAGE, ids=garbage_id)
    def test_garbage_in_the_header_is_a_guest(self, db: None, value: str) -> None:
        assert email_of(caller(X_Appwrite_Session=value)) is None

    @pytest.mark.parametrize("value", GARBAGE, ids=garbage_id)
    def test_garbage_in_the_cookie_is_a_guest(self, db: None, value: str) -> None:
        assert email_of(with_cookies(**{COOKIE: value, LEGACY: value})) is None

    @pytest.mark.parametrize("value", GARBAGE, ids=garbage_id)
    def test_garbage_in_the_fallback_is_a_guest(self, db: None, value: str) -> None:
        assert email_of(caller(X_Fallback_Cookies=value)) is None
        assert email_of(caller(X_Fallback_Cookies=fallback(value))) is None

    @pytest.mark.parametrize(
        "value",
        ["[]", "1", '""', "[1]", "{", '{"a_session_demo": null}', '{"a_session_demo": {}}',
         '{"a_session_demo": 1}', "[" * 100_000, '{"a":' * 100_000, "1" * 10_000, "NaN"],
        ids=garbage_id,
    )  # fmt: skip
    def test_fallback_of_another_shape_is_a_guest(self, db: None, value: str) -> None:
        assert email_of(caller(X_Fallback_Cookies=value)) is None

    def test_cookie_with_two_junk_characters_is_a_guest(self, ada: ApiClient) -> None:
        assert email_of(with_cookies(**{COOKIE: ada.credential + "xx"})) is None

    def test_garbage_is_no_error_where_guests_may_be(self, guest: ApiClient) -> None:
        response = guest.post("/account/sessions/anonymous", X_Appwrite_Session="garbage")
        assert response.status_code == 201

    def test_somebody_elses_id_with_ones_own_secret_is_a_guest(
        self, ada: ApiClient, bob: ApiClient
    ) -> None:
        own, other = (json.loads(base64.b64decode(who.credential)) for who in (ada, bob))
        assert email_of(caller(X_Appwrite_Session=packed(own | {"id": other["id"]}))) is None

    def test_secret_in_capitals_is_a_guest(self, ada: ApiClient) -> None:
        own = json.loads(base64.b64decode(ada.credential))
        value = packed(own | {"secret": own["secret"].upper()})
        assert email_of(caller(X_Appwrite_Session=value)) is None

    def test_digest_from_the_database_is_no_secret(self, ada: ApiClient) -> None:
        own = json.loads(base64.b64decode(ada.credential))
        value = packed(own | {"secret": Session.objects.get().secret_digest})
        assert email_of(caller(X_Appwrite_Session=value)) is None

    def test_secret_is_not_stored(self, ada: ApiClient) -> None:
        secret = json.loads(base64.b64decode(ada.credential))["secret"]
        assert secret not in repr(list(Session.objects.values()))

    def test_expired(self, ada: ApiClient) -> None:
        client = caller(X_Appwrite_Session=ada.credential)
        expiry = Session.objects.get().expires_at
        with time_machine.travel(expiry - timedelta(seconds=1), tick=False):
            assert email_of(client) == "ada@example.org"
        with time_machine.travel(expiry + timedelta(seconds=1), tick=False):
            assert email_of(client) is None


class TestSessionPrecedence:
    """Of several credentials, which one counts."""

    @pytest.fixture
    def eve(self, db: None) -> ApiClient:
        client = ApiClient()
        client.sign_up("eve@example.org")
        client.sign_in("eve@example.org")
        return client

    def test_main_cookie_before_the_legacy_one(self, ada: ApiClient, eve: ApiClient) -> None:
        client = with_cookies(**{LEGACY: eve.credential, COOKIE: ada.credential})
        assert email_of(client) == "ada@example.org"

    def test_cookie_before_the_header(self, ada: ApiClient, eve: ApiClient) -> None:
        client = with_cookies(**{COOKIE: ada.credential})
        client.headers["X-Appwrite-Session"] = eve.credential
        assert email_of(client) == "ada@example.org"

    def test_legacy_cookie_before_the_header(self, ada: ApiClient, eve: ApiClient) -> None:
        client = with_cookies(**{LEGACY: ada.credential})
        client.headers["X-Appwrite-Session"] = eve.credential
        assert email_of(client) == "ada@example.org"

    def test_header_before_the_fallback(self, ada: ApiClient, eve: ApiClient) -> None:
        client = caller(
            X_Appwrite_Session=ada.credential, X_Fallback_Cookies=fallback(eve.credential)
        )
        assert email_of(client) == "ada@example.org"

    @pytest.mark.parametrize("name", [COOKIE, LEGACY])
    @pytest.mark.parametrize("other", ["X-Appwrite-Session", "X-Fallback-Cookies"])
    def test_dead_cookie_shadows_the_rest(self, ada: ApiClient, name: str, other: str) -> None:
        client = with_cookies(**{name: dead(ada.credential)})
        value = ada.credential if other == "X-Appwrite-Session" else fallback(ada.credential)
        client.headers[other] = value
        assert email_of(client) is None

    def test_dead_header_shadows_the_fallback(self, ada: ApiClient) -> None:
        client = caller(
            X_Appwrite_Session=dead(ada.credential), X_Fallback_Cookies=fallback(ada.credential)
        )
        assert email_of(client) is None

    @pytest.mark.parametrize("value", ["", "garbage", "deleted", "e30="])
    def test_garbage_cookie_shadows_nothing(self, ada: ApiClient, value: str) -> None:
        client = with_cookies(**{COOKIE: value})
        client.headers["X-Appwrite-Session"] = ada.credential
        assert email_of(client) == "ada@example.org"

    def test_garbage_cookie_and_header_shadow_nothing(self, ada: ApiClient) -> None:
        client = with_cookies(**{COOKIE: "garbage"})
        client.headers |= {
            "X-Appwrite-Session": "garbage",
            "X-Fallback-Cookies": fallback(ada.credential),
        }
        assert email_of(client) == "ada@example.org"

    @pytest.mark.parametrize(
        ("headers", "tried"),
        [
            ({}, "false"),
            ({"X-Appwrite-Session": "credential"}, "false"),
            ({"X-Fallback-Cookies": "fallback"}, "true"),
            ({"X-Appwrite-Session": "credential", "X-Fallback-Cookies": "fallback"}, "false"),
            ({"X-Appwrite-Session": "garbage", "X-Fallback-Cookies": "fallback"}, "true"),
        ],
    )
    def test_response_says_whether_the_fallback_was_tried(
        self, ada: ApiClient, headers: dict[str, str], tried: str
    ) -> None:
        values = {"credential": ada.credential, "fallback": fallback(ada.credential)}
        client = ApiClient(headers={k: values.get(v, v) for k, v in headers.items()})
        assert client.get("/account")["X-Debug-Fallback"] == tried


def signed(
    claims: Any,
    header: Any = None,
    *,
    key: bytes | None = None,
    digest: str = "sha256",
    raw: tuple[bytes, bytes] | None = None,
) -> str:
    """A JWT made by hand, by default with the site's own key."""
    header = {"typ": "JWT", "alg": "HS256"} if header is None else header
    parts = raw or (json.dumps(header).encode(), json.dumps(claims).encode())
    text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    signature = hmac.digest(next(derive_keys("jwt")) if key is None else key, text.encode(), digest)
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def claims_for(ada: ApiClient, **values: Any) -> dict[str, Any]:
    """The claims of a good JWT of Ada's, or of a changed one; None leaves a claim out."""
    claims = {
        "userId": ada.account["$id"],
        "sessionId": ada.session["$id"],
        "exp": int(datetime.now(UTC).timestamp()) + 60,
        **values,
    }
    return {name: value for name, value in claims.items() if value is not None}


# What makes a JWT of no good, given good claims.
FORGERIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "foreign key": lambda c: signed(c, key=b"x" * 32),
    "empty key": lambda c: signed(c, key=b""),
    "none, signed": lambda c: signed(c, {"typ": "JWT", "alg": "none"}),
    "none, empty signature": lambda c: (
        signed(c, {"typ": "JWT", "alg": "none"}).rpartition(".")[0] + "."
    ),
    "None": lambda c: signed(c, {"typ": "JWT", "alg": "None"}).rpartition(".")[0] + ".",
    "NONE": lambda c: signed(c, {"typ": "JWT", "alg": "NONE"}).rpartition(".")[0],
    "empty alg": lambda c: signed(c, {"typ": "JWT", "alg": ""}),
    "lower-case alg": lambda c: signed(c, {"typ": "JWT", "alg": "hs256"}),
    "HS384": lambda c: signed(c, {"typ": "JWT", "alg": "HS384"}, digest="sha384"),
    "HS512": lambda c: signed(c, {"typ": "JWT", "alg": "HS512"}, digest="sha512"),
    "RS256": lambda c: signed(c, {"typ": "JWT", "alg": "RS256"}),
    "alg list": lambda c: signed(c, {"typ": "JWT", "alg": ["HS256"]}),
    "alg object": lambda c: signed(c, {"typ": "JWT", "alg": {}}),
    "no alg": lambda c: signed(c, {"typ": "JWT"}),
    "header list": lambda c: signed(c, []),
    "header string": lambda c: signed(c, "HS256"),
    "b64": lambda c: signed(c, {"alg": "HS256", "b64": False}),
    "claims list": lambda c: signed([c]),
    "claims string": lambda c: signed("x"),
    "claims null": lambda c: signed(None),
    "no claims": lambda c: signed({}),
    "no exp": lambda c: signed({k: v for k, v in c.items() if k != "exp"}),
    "exp word": lambda c: signed(c | {"exp": "x"}),
    "exp object": lambda c: signed(c | {"exp": {}}),
    "expired": lambda c: signed(c | {"exp": int(datetime.now(UTC).timestamp()) - 1}),
    "exp 0": lambda c: signed(c | {"exp": 0}),
    "exp negative": lambda c: signed(c | {"exp": -1}),
    "not yet valid": lambda c: signed(c | {"nbf": c["exp"]}),
    "user number": lambda c: signed(c | {"userId": 1}),
    "user null": lambda c: signed(c | {"userId": None}),
    "session list": lambda c: signed(c | {"sessionId": ["x"]}),
    "signature cut": lambda c: signed(c)[:-2],
    "signature longer": lambda c: signed(c) + "x",
    "four parts": lambda c: signed(c) + ".x",
    "capitals": lambda c: signed(c).upper(),
    "two parts": lambda c: signed(c).rpartition(".")[0],
    "no signature": lambda c: signed(c).rpartition(".")[0] + ".",
    "no header": lambda c: signed(c).partition(".")[2],
    "Bearer": lambda c: "Bearer " + signed(c),
    "two of them": lambda c: f"{signed(c)}, {signed(c)}",
    "nested header": lambda c: signed(c, raw=(b"[" * 100_000, b"{}")),
    "nested object header": lambda c: signed(c, raw=(b'{"alg":' * 100_000, b"{}")),
    "binary header": lambda c: signed(c, raw=(b"\xff\xfe", b"{}")),
    "two algs": lambda c: signed(c, raw=(b'{"alg": "HS256", "alg": "none"}', b"{}")),
    "NaN header": lambda c: signed(c, raw=(b'{"alg": NaN}', b"{}")),
    "word": lambda c: "x",
    "dot": lambda c: ".",
    "dots": lambda c: "..",
    "three dots": lambda c: "...",
    "abc": lambda c: "a.b.c",
    "nulls": lambda c: "null.null.null",
    "empty objects": lambda c: "e30.e30.",
    "latin-1": lambda c: "\xe4.\xf6.\xfc",
    "percent": lambda c: "%00.%00.%00",
    "many dots": lambda c: "." * 10_000,
    "long": lambda c: "A" * 100_000,
}


class TestJWT:
    def test_made_by_hand_with_the_right_key(self, ada: ApiClient) -> None:
        assert email_of(ApiClient(jwt=signed(claims_for(ada)))) == "ada@example.org"

    def test_empty_header_is_no_jwt(self, ada: ApiClient, guest: ApiClient) -> None:
        assert email_of(caller(X_Appwrite_JWT="")) is None
        assert ada.get("/account", X_Appwrite_JWT="").status_code == 200

    @pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
    def test_no_good(self, ada: ApiClient, forge: Callable[[dict[str, Any]], str]) -> None:
        client = ApiClient(jwt=forge(claims_for(ada)))
        for path in ("/account", "/ping"):
            body = assert_error(client.get(path), 401, "user_jwt_invalid")
            assert body["message"].startswith("Failed to verify JWT. ")

    @pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "claims", "signature"])
    def test_tampered_with(self, ada: ApiClient, part: int) -> None:
        parts = ada.post("/account/jwts").json()["jwt"].split(".")
        for position in (0, len(parts[part]) // 2):
            changed = list(parts)
            letters = list(changed[part])
            letters[position] = "A" if letters[position] != "A" else "B"
            changed[part] = "".join(letters)
            response = ApiClient(jwt=".".join(changed)).get("/account")
            assert_error(response, 401, "user_jwt_invalid")

    def test_claims_of_one_with_the_signature_of_another(
        self, ada: ApiClient, bob: ApiClient
    ) -> None:
        first, second = (who.post("/account/jwts").json()["jwt"].split(".") for who in (ada, bob))
        mixed = ".".join([first[0], first[1], second[2]])
        assert_error(ApiClient(jwt=mixed).get("/account"), 401, "user_jwt_invalid")

    def test_is_over_at_its_very_end(self, ada: ApiClient) -> None:
        client = ApiClient(jwt=signed(claims_for(ada, exp=2_000_000_000)))
        Session.objects.update(expires_at=datetime(2034, 1, 1, tzinfo=UTC))
        with time_machine.travel(1_999_999_999.9, tick=False):
            assert email_of(client) == "ada@example.org"
        with time_machine.travel(2_000_000_000, tick=False):
            assert_error(client.get("/account"), 401, "user_jwt_invalid")

    @pytest.mark.parametrize(
        "values",
        [
            {"sessionId": "6630c2ff11aa4be0c9d2"},
            {"sessionId": "current"},
            {"userId": "6630c2ff11aa4be0c9d2"},
            {"userId": "' OR 1=1 --"},
            {"sessionId": "\x00"},
        ],
        ids=repr,
    )
    def test_for_a_session_that_is_not_there_is_a_guest(
        self, ada: ApiClient, values: dict[str, str]
    ) -> None:
        assert email_of(ApiClient(jwt=signed(claims_for(ada, **values)))) is None

    def test_for_somebody_elses_session_is_a_guest(self, ada: ApiClient, bob: ApiClient) -> None:
        claims = claims_for(ada, sessionId=bob.session["$id"])
        assert email_of(ApiClient(jwt=signed(claims))) is None

    def test_for_an_expired_session_is_a_guest(self, ada: ApiClient) -> None:
        jwt = ada.post("/account/jwts").json()["jwt"]
        Session.objects.update(expires_at=timezone.now())
        assert email_of(ApiClient(jwt=jwt)) is None

    @pytest.mark.parametrize("jwt", ["good", "garbage"])
    def test_beside_a_live_session(self, ada: ApiClient, ada_by_jwt: ApiClient, jwt: str) -> None:
        value = ada_by_jwt.headers["X-Appwrite-JWT"] if jwt == "good" else jwt
        for client in (ada, caller(X_Appwrite_Session=ada.credential)):
            response = client.get("/account", X_Appwrite_JWT=value)
            assert_error(response, 403, "user_jwt_and_cookie_set")

    def test_beside_a_dead_session(self, ada: ApiClient, ada_by_jwt: ApiClient) -> None:
        ada_by_jwt.headers["X-Appwrite-Session"] = dead(ada.credential)
        assert email_of(ada_by_jwt) == "ada@example.org"

    def test_key_rotation_keeps_it(self, ada: ApiClient, settings: Any) -> None:
        client = ApiClient(jwt=ada.post("/account/jwts").json()["jwt"])
        settings.SECRET_KEY_FALLBACKS = ["older " * 10, settings.SECRET_KEY]
        settings.SECRET_KEY = "new " * 15
        assert email_of(client) == "ada@example.org"
        assert email_of(ApiClient(jwt=ada.post("/account/jwts").json()["jwt"])) is not None

    def test_key_that_is_gone_ends_it(self, ada: ApiClient, settings: Any) -> None:
        client = ApiClient(jwt=ada.post("/account/jwts").json()["jwt"])
        settings.SECRET_KEY = "new " * 15
        assert_error(client.get("/account"), 401, "user_jwt_invalid")

    def test_expired_one_of_a_former_key_is_expired(self, ada: ApiClient, settings: Any) -> None:
        old = signed(claims_for(ada, exp=1))
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "new " * 15
        assert_error(ApiClient(jwt=old).get("/account"), 401, "user_jwt_invalid")

    def test_key_rotation_keeps_sessions(self, ada: ApiClient, settings: Any) -> None:
        settings.SECRET_KEY = "new " * 15
        assert ada.get("/account").status_code == 200


class TestApiKey:
    def sign_in(self, client: ApiClient) -> Any:
        return client.post("/account/sessions/anonymous")

    def test_good_one(self, server: ApiClient) -> None:
        assert self.sign_in(server).status_code == 201

    def test_form(self, db: None) -> None:
        secret = create_api_key(name="tests", scopes=[]).secret
        assert secret.startswith("standard_")
        assert len(secret) == len("standard_") + 256
        assert secret not in repr(list(ApiKey.objects.values()))

    @pytest.mark.parametrize(
        "key",
        [
            "standard_",
            "standard_x",
            "standard_" + "0" * 256,
            "0" * 256,
            "x",
            "\xe4\xf6\xfc",
            "standard_" + "\xe4" * 10,
            "standard_" + "x" * 100_000,
        ],
        ids=garbage_id,
    )
    def test_unknown(self, server: ApiClient, key: str) -> None:
        with unchanged():
            assert_error(self.sign_in(ApiClient(key=key)), 401, "user_unauthorized")

    @pytest.mark.parametrize("change", [str.upper, lambda key: key[:-1], lambda key: key + "0"])
    def test_changed(self, db: None, change: Callable[[str], str]) -> None:
        prefix, _, secret = create_api_key(name="tests", scopes=[]).secret.partition("_")
        key = f"{prefix}_{change(secret)}"
        assert_error(self.sign_in(ApiClient(key=key)), 401, "user_unauthorized")

    @pytest.mark.parametrize("expired_for", [timedelta(0), timedelta(days=1)])
    def test_expired(self, db: None, expired_for: timedelta) -> None:
        now = datetime(2030, 1, 1, tzinfo=UTC)
        issued = create_api_key(name="tests", scopes=["sessions.write"], expires_at=now)
        with time_machine.travel(now + expired_for, tick=False), unchanged():
            response = self.sign_in(ApiClient(key=issued.secret))
            assert_error(response, 401, "project_key_expired")

    def test_not_expired_yet(self, db: None) -> None:
        now = datetime(2030, 1, 1, tzinfo=UTC)
        issued = create_api_key(name="tests", scopes=["sessions.write"], expires_at=now)
        with time_machine.travel(now - timedelta(seconds=1), tick=False):
            assert self.sign_in(ApiClient(key=issued.secret)).status_code == 201

    @pytest.mark.parametrize("prefix", ["dynamic", "ephemeral", "account", "organization", "", "x"])
    def test_other_prefix_is_a_guest(self, db: None, prefix: str) -> None:
        secret = create_api_key(name="tests", scopes=["sessions.write"]).secret
        client = ApiClient(key=f"{prefix}_{secret.partition('_')[2]}")
        body = assert_error(client.get("/account"), 401, "general_unauthorized_scope")
        assert "(role: guests)" in body["message"]
        assert self.sign_in(client).json()["secret"] == ""

    def test_other_prefix_beside_a_session_is_the_person(self, ada: ApiClient) -> None:
        assert ada.get("/account", X_Appwrite_Key="x_y").status_code == 200

    def test_empty_header_is_no_key(self, ada: ApiClient) -> None:
        assert ada.get("/account", X_Appwrite_Key="").status_code == 200

    @pytest.mark.parametrize("project_id", [None, "", "other"])
    def test_needs_its_project_in_the_header(
        self, server: ApiClient, project_id: str | None
    ) -> None:
        server.headers.pop("X-Appwrite-Project")
        if project_id is not None:
            server.headers["X-Appwrite-Project"] = project_id
        for query in ("", "?project=demo"):
            response = server.post(f"/account/sessions/anonymous{query}", {"project": "demo"})
            assert_error(response, 403, "project_id_missing")

    @pytest.mark.parametrize(
        "scopes", [[], ["sessions.read"], ["users.read", "users.write", "targets.write"]]
    )
    def test_without_the_routes_scope(self, db: None, scopes: list[str]) -> None:
        client = ApiClient(key=create_api_key(name="tests", scopes=scopes).secret)
        body = assert_error(self.sign_in(client), 401, "general_unauthorized_scope")
        assert body["message"] == (
            'app.demo@service.testserver (role: applications) missing scopes (["sessions.write"])'
        )

    def test_label_has_the_host_of_the_request_without_its_port(self, server: ApiClient) -> None:
        body = server.get("/account", Host="API.example.org:8443").json()
        assert body["message"].startswith("app.demo@service.api.example.org (role")

    def test_any_scope_opens_ping(self, db: None) -> None:
        client = ApiClient(key=create_api_key(name="tests", scopes=[]).secret)
        assert client.get("/ping").status_code == 200

    def test_use_is_noted_once_a_day(self, server: ApiClient) -> None:
        start = datetime(2030, 1, 1, tzinfo=UTC)
        for hours, noted in ((0, 0), (23, 0), (25, 25), (48, 25)):
            with time_machine.travel(start + timedelta(hours=hours), tick=False):
                server.get("/ping")
            assert ApiKey.objects.get().accessed_at == start + timedelta(hours=noted)

    def test_beside_a_session_the_keys_scopes_win(self, ada: ApiClient, server: ApiClient) -> None:
        server.headers["X-Appwrite-Session"] = ada.credential
        body = assert_error(server.get("/account"), 401, "general_unauthorized_scope")
        assert "(role: applications)" in body["message"]
        response = server.post(
            "/account",
            {"userId": "unique()", "email": "bob@example.org", "password": "correct horse"},
        )
        assert response.status_code == 201

    def test_beside_a_session_nobody_may_sign_in(self, ada: ApiClient, server: ApiClient) -> None:
        server.headers["X-Appwrite-Session"] = ada.credential
        assert_error(self.sign_in(server), 401, "user_session_already_exists")

    def test_beside_a_jwt_nobody_may_sign_in(
        self, ada_by_jwt: ApiClient, server: ApiClient
    ) -> None:
        server.headers |= ada_by_jwt.headers
        assert_error(self.sign_in(server), 401, "user_session_already_exists")


class TestAccessedAt:
    """When a person was last active is noted once a day (transport.md §7)."""

    START = datetime(2030, 1, 1, tzinfo=UTC)

    @pytest.fixture
    def active(self, guest: ApiClient) -> ApiClient:
        with time_machine.travel(self.START, tick=False):
            guest.sign_up()
            guest.sign_in()
        return guest

    @pytest.mark.parametrize(
        ("later", "noted"),
        [
            (timedelta(hours=24), False),
            (timedelta(hours=24, milliseconds=1), True),
            (timedelta(days=30), True),
        ],
    )
    def test_after_more_than_24_hours(
        self, active: ApiClient, later: timedelta, noted: bool
    ) -> None:
        with time_machine.travel(self.START + later, tick=False):
            body = active.get("/account").json()
            again = active.get("/account").json()
        expected = self.START + (later if noted else timedelta())
        assert body["accessedAt"] == expected.isoformat(timespec="milliseconds")
        assert again == body

    def test_when_it_never_was(self, active: ApiClient) -> None:
        Account.objects.update(accessed_at=None)
        with time_machine.travel(self.START, tick=False):
            body = active.get("/account").json()
        assert body["accessedAt"] == "2030-01-01T00:00:00.000+00:00"

    def test_is_no_update_of_the_account(self, active: ApiClient) -> None:
        with time_machine.travel(self.START + timedelta(days=2), tick=False):
            assert active.get("/account").json()["$updatedAt"] == "2030-01-01T00:00:00.000+00:00"

    def test_not_by_a_request_that_is_refused_before(self, active: ApiClient) -> None:
        with time_machine.travel(self.START + timedelta(days=2), tick=False), unchanged():
            active.get("/account", Origin="https://evil.example")
            active.get("/account", X_Appwrite_Project="nope")


def test_authorization_header_signs_nobody_in(ada: ApiClient) -> None:
    jwt = ada.post("/account/jwts").json()["jwt"]
    for value in (f"Bearer {jwt}", f"Bearer {ada.credential}", "Basic YWRhOmNvcnJlY3QgaG9yc2U="):
        assert email_of(caller(Authorization=value)) is None


def test_django_session_signs_nobody_in_here(ada: ApiClient) -> None:
    client = ApiClient()
    client.http.force_login(Account.objects.get().user)
    assert email_of(client) is None
