"""Bodies, key by key: held to the golden ones in ``tests/wire`` (core.md §8).

Ids, credentials and JWTs differ each time and stand there as ``<id>``, ``<credential>`` and
``<jwt>``; the clock stands still, so dates are exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from django_account.accounts.models import Account
from django_account.api.serializers.account import (
    AccountSerializer,
    PreferencesSerializer,
    TargetSerializer,
)
from django_account.api.serializers.documents import ErrorSerializer
from django_account.api.serializers.mfa import (
    MfaChallengeSerializer,
    MfaFactorsSerializer,
    MfaRecoveryCodesSerializer,
    MfaTypeSerializer,
)
from django_account.api.serializers.session import (
    JWTSerializer,
    SessionListSerializer,
    SessionSerializer,
)
from django_account.sessions.models import Session
from django_account.targets.models import Target
from tests.client import PASSWORD, ApiClient

WIRE = Path(__file__).parent.parent / "wire"

TOTP = "/account/mfa/authenticators/totp"
CODES = "/account/mfa/recovery-codes"
CHALLENGES = "/account/mfa/challenges"
BY_CODE = {"factor": "recoveryCode"}

NOW = "2026-03-04T05:06:07.089+00:00"

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/120.0.0.0 Safari/537.36"
)

VOLATILE = [
    (re.compile(r"[0-9a-f]{20}"), "<id>"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "<jwt>"),
    (re.compile(r"eyJpZCI6[A-Za-z0-9+/=]+"), "<credential>"),
]

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")

DATE_KEYS = {
    "$createdAt",
    "$updatedAt",
    "registration",
    "passwordUpdate",
    "accessedAt",
    "expire",
    "providerAccessTokenExpiry",
    "mfaUpdatedAt",
}

# The only keys of the slice that may be null (core.md §3.2).
NULLABLE = {
    "emailCanonical",
    "emailIsFree",
    "emailIsDisposable",
    "emailIsCorporate",
    "emailIsCanonical",
    "impersonatorUserId",
    "providerId",
}


def steady(value: Any) -> Any:
    """A body without what differs each time."""
    if isinstance(value, dict):
        return {key: steady(item) for key, item in value.items()}
    if isinstance(value, list):
        return [steady(item) for item in value]
    if isinstance(value, str):
        for pattern, name in VOLATILE:
            if pattern.fullmatch(value):
                return name
    return value


def assert_golden(response: Any, name: str) -> None:
    """Hold a body to its golden one: keys, their order, types and values."""
    written = json.dumps(steady(response.json()), indent=2, ensure_ascii=False) + "\n"
    assert written == (WIRE / f"{name}.json").read_text()


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a body that holds no others, with its key; prefs are the person's own."""
    if isinstance(value, dict) and key != "prefs":
        for name, item in value.items():
            yield from leaves(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, key)
    else:
        yield key, value


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(datetime.fromisoformat(NOW), tick=False):
        yield


@pytest.fixture
def chrome(db: None) -> ApiClient:
    """Ada in a browser, signed up and not signed in."""
    client = ApiClient(headers={"User-Agent": CHROME})
    client.sign_up(name="Ada Example")
    return client


@pytest.fixture
def full(chrome: ApiClient) -> ApiClient:
    """Ada with everything that an account can hold."""
    chrome.sign_in()
    account = Account.objects.get()
    Account.objects.update(
        labels=["vip", "β"],
        email_verified=True,
        phone_verified=True,
        impersonator=True,
    )
    chrome.patch("/account/phone", {"phone": "+4915112345678", "password": PASSWORD})
    chrome.patch("/account/prefs", {"prefs": {"sizes": [1, 2.5, None], "thème": {"dark": True}}})
    Target.objects.create(
        account=account,
        session=Session.objects.get(),
        provider_type="push",
        provider_id="fcm",
        identifier="device token",
        name="Phone",
        expired=True,
    )
    Session.objects.update(factors=["password", "totp"], mfa_updated_at=datetime.fromisoformat(NOW))
    return chrome


class TestGolden:
    def test_new_account(self, chrome: ApiClient) -> None:
        body = {"userId": "grace", "email": "grace@example.org", "password": PASSWORD}
        assert_golden(chrome.post("/account", body | {"name": "Grace Example"}), "account_new")

    def test_account(self, chrome: ApiClient) -> None:
        chrome.sign_in()
        assert_golden(chrome.get("/account"), "account")

    def test_account_with_everything(self, full: ApiClient) -> None:
        assert_golden(full.get("/account"), "account_full")

    def test_account_of_somebody_anonymous(self, guest: ApiClient) -> None:
        guest.post("/account/sessions/anonymous")
        assert_golden(guest.get("/account"), "account_anonymous")

    def test_session(self, chrome: ApiClient) -> None:
        body = {"email": "ada@example.org", "password": PASSWORD}
        assert_golden(chrome.post("/account/sessions/email", body), "session")

    def test_session_for_a_server(self, chrome: ApiClient, server: ApiClient) -> None:
        body = {"email": "ada@example.org", "password": PASSWORD}
        assert_golden(server.post("/account/sessions/email", body), "session_for_a_server")

    def test_session_of_somebody_anonymous(self, guest: ApiClient) -> None:
        assert_golden(guest.post("/account/sessions/anonymous"), "session_anonymous")

    def test_session_list(self, full: ApiClient) -> None:
        other = ApiClient()
        other.sign_in()
        assert_golden(full.get("/account/sessions"), "session_list")

    def test_preferences(self, full: ApiClient) -> None:
        assert_golden(full.get("/account/prefs"), "preferences")

    def test_jwt(self, full: ApiClient) -> None:
        assert_golden(full.post("/account/jwts"), "jwt")

    @pytest.mark.parametrize(
        ("name", "method", "path"),
        [
            ("error_scope", "GET", "/account"),
            ("error_argument", "POST", "/account"),
            ("error_route", "GET", "/nope"),
        ],
    )
    def test_error(self, guest: ApiClient, name: str, method: str, path: str) -> None:
        assert_golden(guest.call(method, path), name)

    def test_every_golden_body_has_its_test(self) -> None:
        source = Path(__file__).read_text()
        for path in WIRE.glob("*.json"):
            assert f'"{path.stem}"' in source


class TestShape:
    """What holds for every body, whatever is in it."""

    CALLS = [
        ("GET", "/account", None),
        ("GET", "/account/sessions", None),
        ("GET", "/account/sessions/current", None),
        ("PATCH", "/account/sessions/current", {}),
        ("PATCH", "/account/name", {"name": "x"}),
        ("PATCH", "/account/prefs", {"prefs": {}}),
        ("PATCH", "/account/email", {"email": "x@example.org", "password": PASSWORD}),
        ("PATCH", "/account/phone", {"phone": "+16308520394", "password": PASSWORD}),
        ("PATCH", "/account/password", {"password": "new " + PASSWORD, "oldPassword": PASSWORD}),
        ("POST", "/account/jwts", {}),
        ("PATCH", "/account/status", {}),
    ]

    @pytest.fixture(params=["full", "anonymous"])
    def bodies(self, request: pytest.FixtureRequest) -> list[Any]:
        client = request.getfixturevalue(request.param)
        responses = [client.call(*call) for call in self.CALLS]
        assert {response.status_code for response in responses} <= {200, 201, 401, 409}
        return [response.json() for response in responses if response.status_code < 300]

    def test_null_only_where_the_sdks_take_it(self, bodies: list[Any]) -> None:
        assert {key for key, value in leaves(bodies) if value is None} <= NULLABLE

    def test_dates_have_milliseconds_and_an_offset_or_are_empty(self, bodies: list[Any]) -> None:
        dates = [(key, value) for key, value in leaves(bodies) if key in DATE_KEYS]
        assert len(dates) > 20
        for key, value in dates:
            assert DATE.fullmatch(value) or value == "", key
        # Nothing else is a date.
        others = {key for key, value in leaves(bodies) if DATE.fullmatch(str(value))}
        assert others <= DATE_KEYS

    def test_prefs_are_an_object(self, bodies: list[Any]) -> None:
        for body in bodies:
            assert isinstance(body.get("prefs", {}), dict)

    @pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Pacific/Auckland"])
    def test_dates_are_utc_whatever_the_site_keeps(
        self, chrome: ApiClient, settings: Any, zone: str
    ) -> None:
        settings.TIME_ZONE = zone
        chrome.sign_in()
        assert chrome.get("/account").json()["$createdAt"] == NOW

    def test_milliseconds_are_always_three_digits(self, db: None) -> None:
        seen = []
        for moment in ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00.000999+00:00"):
            with time_machine.travel(datetime.fromisoformat(moment), tick=False):
                seen.append(ApiClient().sign_up(f"{len(seen)}@example.org")["registration"])
        assert seen == ["2026-01-01T00:00:00.000+00:00"] * 2

    def test_language_of_the_site_changes_the_countrys_name_alone(
        self, chrome: ApiClient, settings: Any
    ) -> None:
        chrome.sign_in()
        before = [chrome.get("/account").json(), chrome.get("/account/sessions").json()]
        settings.LANGUAGE_CODE = "de"
        settings.USE_THOUSAND_SEPARATOR = True
        after = [chrome.get("/account").json(), chrome.get("/account/sessions").json()]
        (session,) = after[1]["sessions"]
        assert session["countryName"] == "Unbekannt"
        session["countryName"] = before[1]["sessions"][0]["countryName"]
        assert after == before


def flat(serializer: type) -> list[str]:
    return list(serializer().fields)


class TestDescription:
    """The serializers that describe the documents say what the documents hold."""

    @pytest.mark.parametrize(
        ("serializer", "document"),
        [
            (AccountSerializer, lambda client: client.get("/account").json()),
            (TargetSerializer, lambda client: client.get("/account").json()["targets"][0]),
            (SessionSerializer, lambda client: client.get("/account/sessions/current").json()),
            (SessionListSerializer, lambda client: client.get("/account/sessions").json()),
            (JWTSerializer, lambda client: client.post("/account/jwts").json()),
            (ErrorSerializer, lambda client: client.get("/nope").json()),
            (MfaFactorsSerializer, lambda client: client.get("/account/mfa/factors").json()),
            (MfaTypeSerializer, lambda client: client.post(TOTP).json()),
            (MfaRecoveryCodesSerializer, lambda client: client.post(CODES).json()),
            (MfaChallengeSerializer, lambda client: client.post(CHALLENGES, BY_CODE).json()),
        ],
        ids=[
            "Account",
            "Target",
            "Session",
            "SessionList",
            "JWT",
            "Error",
            "MfaFactors",
            "MfaType",
            "MfaRecoveryCodes",
            "MfaChallenge",
        ],
    )
    @pytest.mark.parametrize("person", ["full", "anonymous"])
    def test_has_the_keys_in_their_order_and_accepts_the_values(
        self,
        request: pytest.FixtureRequest,
        serializer: Any,
        document: Callable[[ApiClient], dict[str, Any]],
        person: str,
    ) -> None:
        if (person, serializer) == ("anonymous", TargetSerializer):
            person = "ada"
        body = document(request.getfixturevalue(person))
        assert list(body) == flat(serializer)
        described = serializer(data=body)
        assert described.is_valid(), described.errors

    def test_preferences_have_no_keys_of_their_own(self) -> None:
        assert flat(PreferencesSerializer) == []

    def test_nullable_fields_are_those_of_the_contract(self) -> None:
        fields = {
            name: field
            for serializer in (AccountSerializer, TargetSerializer, SessionSerializer)
            for name, field in serializer().fields.items()
        }
        assert {name for name, field in fields.items() if field.allow_null} == NULLABLE

    def test_session_has_29_keys(self) -> None:
        assert len(flat(SessionSerializer)) == 29
