"""What a correct provider never does: refused, with no session and no identity."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from django_account.accounts.models import Account
from django_account.identities.models import Identity, OAuth2Flow
from django_account.identities.providers import base
from django_account.sessions.models import Session
from django_account.tokens.models import Token
from tests.client import ApiClient, assert_error
from tests.identities.conftest import (
    FAILURE,
    ISSUER,
    OIDC,
    Browser,
    forget_discovered,
    query_of,
)
from tests.identities.far_side import Call, FarSide, OpenIdProvider, Reply, jwk, rsa_key, sign

pytestmark = pytest.mark.django_db

Twist = Callable[[OpenIdProvider], None]


def nobody_is_signed_in() -> None:
    for model in (Account, Identity, Session, Token):
        assert not model.objects.exists(), model


def assert_failed(response: Any, code: str = "user_oauth2_provider_failure") -> dict[str, Any]:
    """Check that the browser ends at the failure URL with an error, and nobody is signed in."""
    assert response.status_code == 301, response.content
    assert response["Location"].startswith(f"{FAILURE}?error="), response["Location"]
    told: dict[str, Any] = json.loads(query_of(response)["error"])
    assert list(told) == ["message", "type", "code"]
    assert told["type"] == code, told
    assert "a_session_demo" not in response.cookies
    nobody_is_signed_in()
    return told


def claim(name: str, value: Any) -> Twist:
    """Put another value into the ID token; None takes the claim out."""

    def twist(provider: OpenIdProvider) -> None:
        def change(claims: dict[str, Any]) -> None:
            claims[name] = value
            if value is None:
                del claims[name]

        provider.twist = change

    return twist


def token(make: Callable[[dict[str, Any]], str]) -> Twist:
    """Make the ID token in another way."""

    def twist(provider: OpenIdProvider) -> None:
        provider.make_token = make

    return twist


def person(**claims: Any) -> Twist:
    """Say so of the person everywhere."""
    return lambda provider: provider.claims.update(claims)


def userinfo(**document: Any) -> Twist:
    def twist(provider: OpenIdProvider) -> None:
        provider.userinfo = document

    return twist


def says(path: str, said: Any) -> Twist:
    """Answer something else at one of the provider's addresses."""

    def twist(provider: OpenIdProvider) -> None:
        provider.far_side.says[ISSUER + path] = said

    return twist


def public_pem() -> bytes:
    from cryptography.hazmat.primitives import serialization

    return (
        rsa_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def confused(claims: dict[str, Any]) -> str:
    """Signed by the public key as if it were a shared secret: the algorithm confusion attack."""
    import base64
    import hashlib
    import hmac

    def encode(raw: bytes) -> bytes:
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    head = encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "first"}).encode())
    signed = head + b"." + encode(json.dumps(claims).encode())
    return (signed + b"." + encode(hmac.digest(public_pem(), signed, hashlib.sha256))).decode()


MISDEEDS: dict[str, Twist] = {
    "another issuer": claim("iss", "https://evil.example.net"),
    "no issuer": claim("iss", None),
    "another audience": claim("aud", "another-client"),
    "two audiences without authorized party": claim("aud", ["client-id", "another-client"]),
    "another authorized party": claim("azp", "another-client"),
    "no audience": claim("aud", None),
    "another nonce": claim("nonce", "another"),
    "no nonce": claim("nonce", None),
    "a nonce that is no string": claim("nonce", ["x"]),
    "expired": claim("exp", int(time.time()) - 3600),
    "no end": claim("exp", None),
    "made long ago": claim("iat", 1),
    "no subject": claim("sub", None),
    "a subject that is no string": claim("sub", {"a": 1}),
    "the hash of another access token": claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
    "an unknown key": token(lambda claims: sign(claims, key="second")),
    "an unknown key under a known name": token(
        lambda claims: sign(claims, key="second", kid="first")
    ),
    "unsigned": token(lambda claims: jwt.encode(claims, None, algorithm="none")),
    "a shared secret": token(
        lambda claims: jwt.encode(claims, "client-secret" * 4, headers={"kid": "first"})
    ),
    "the public key as a shared secret": token(confused),
    "another algorithm": token(
        lambda claims: jwt.encode(claims, rsa_key(), algorithm="PS256", headers={"kid": "first"})
    ),
    "cut off": token(lambda claims: sign(claims)[:-5]),
    "no token": token(lambda claims: "rubbish"),
    "an empty token": token(lambda claims: ""),
    "userinfo of another person": userinfo(sub="subject-2", email="eve@example.org"),
    "userinfo of nobody": userinfo(email="eve@example.org", email_verified=True),
    "userinfo that is a list": says("/userinfo", []),
    "userinfo that is refused": says("/userinfo", Reply({"error": "invalid_token"}, 401)),
    "userinfo that is a page": says("/userinfo", Reply(b"<html>", content_type="text/html")),
    "no keys": says("/keys", {"keys": []}),
    "keys that are none": says("/keys", {"keys": [{"kid": "first", "kty": "RSA"}]}),
    "keys that are a list": says("/keys", []),
    "a token endpoint that redirects": says(
        "/token", Reply({}, 302, {"Location": "https://evil.example.net/token"})
    ),
    "a token endpoint that fails": says("/token", Reply({"error": "server_error"}, 500)),
    "a token endpoint that answers a list": says("/token", []),
    "a token endpoint that answers nothing": says("/token", Reply(b"")),
    "a token endpoint that answers an error with 200": says("/token", {"error": "invalid_grant"}),
    "no access token": says("/token", {"token_type": "Bearer"}),
    "an access token that is a number": says("/token", {"access_token": 1, "id_token": "x"}),
    "a huge answer": says("/token", Reply(b"[" + b"1," * 600_000 + b"1]")),
    "a deep answer": says("/token", Reply(b"[" * 200_000)),
    "a huge profile": says("/userinfo", Reply(b"x" * 700_000)),
    "a subject of 300 characters": person(sub="s" * 300),
    "a subject with a null character": person(sub="a\x00b"),
}


@pytest.mark.parametrize("twist", MISDEEDS.values(), ids=MISDEEDS)
def test_a_provider_that_cannot_be_believed(
    browser: Browser, oidc: OpenIdProvider, twist: Twist
) -> None:
    twist(oidc)
    told = assert_failed(browser.sign_in_by(oidc))
    assert told["code"] == 424
    assert not OAuth2Flow.objects.exists()


def test_the_same_provider_does_everything_right(browser: Browser, oidc: OpenIdProvider) -> None:
    """So that the misdeeds above fail for their own reason."""
    assert browser.sign_in_by(oidc).status_code == 301
    assert Identity.objects.get().provider_uid == "subject-1"


def test_a_provider_that_signs_with_an_elliptic_curve(
    browser: Browser, oidc: OpenIdProvider
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    oidc.far_side.says[f"{ISSUER}/keys"] = {"keys": [{**public, "kid": "ec", "alg": "ES256"}]}
    oidc.make_token = lambda claims: jwt.encode(claims, key, "ES256", headers={"kid": "ec"})
    browser.sign_in_by(oidc)
    assert Identity.objects.exists()


def test_a_provider_whose_addresses_all_stand_in_the_settings(
    browser: Browser, oidc: OpenIdProvider, project: Callable[..., None]
) -> None:
    said = oidc.far_side.says.pop(f"{ISSUER}/.well-known/openid-configuration")(None)
    config = {
        "client_id": "client-id",
        "client_secret": "client-secret",
        "issuer": ISSUER,
        "authorization_url": said["authorization_endpoint"],
        "token_url": said["token_endpoint"],
        "user_info_url": said["userinfo_endpoint"],
        "jwks_url": said["jwks_uri"],
        "token_auth_method": "client_secret_basic",
    }
    project(OAUTH2_PROVIDERS={"oidc": config})
    browser.sign_in_by(oidc)
    assert Identity.objects.exists()
    assert oidc.far_side.called(f"{ISSUER}/token").basic == "client-id:client-secret"


class TestIssuer:
    """Discovery leads to the provider that was asked, and to no other (Discovery §4.3)."""

    @pytest.mark.parametrize(
        "said", ["https://evil.example.net", ISSUER.upper(), f"{ISSUER}/x", f"{ISSUER}//", "", 5]
    )
    def test_another_one(self, browser: Browser, oidc: OpenIdProvider, said: Any) -> None:
        oidc.document["issuer"] = said
        body = assert_error(browser.start("oidc"), 500, "user_oauth2_provider_failure")
        assert "'issuer'" in body["message"]
        assert "OAUTH2_PROVIDERS" in body["message"]
        assert ISSUER in body["message"]
        assert not OAuth2Flow.objects.exists()

    def test_none(self, browser: Browser, oidc: OpenIdProvider) -> None:
        del oidc.document["issuer"]
        assert_error(browser.start("oidc"), 500, "user_oauth2_provider_failure")

    def test_a_slash_at_the_end(self, browser: Browser, oidc: OpenIdProvider) -> None:
        oidc.document["issuer"] = ISSUER + "/"
        browser.sign_in_by(oidc)
        assert Identity.objects.exists()

    @pytest.mark.parametrize(
        ("key", "address"), [("oidc", "endpoint"), ("fusionauth", "domain"), ("okta", "domain")]
    )
    def test_as_the_settings_say(
        self,
        browser: Browser,
        far_side: FarSide,
        project: Callable[..., None],
        key: str,
        address: str,
    ) -> None:
        credentials = {"client_id": "client-id", "client_secret": "client-secret"}
        project(OAUTH2_PROVIDERS={key: {**credentials, address: ISSUER, "issuer": "acme.com"}})
        path = "/oauth2/default" if key == "okta" else ""
        provider = OpenIdProvider(far_side, ISSUER + path)
        # The one that the address tells is the wrong one then.
        assert_error(browser.start(key), 500, "user_oauth2_provider_failure")
        forget_discovered()
        provider.document["issuer"] = "acme.com"
        browser.sign_in_by(provider, key)
        assert Identity.objects.get().provider == key

    def test_keys_of_a_native_sign_in(
        self, guest: ApiClient, far_side: FarSide, project: Callable[..., None]
    ) -> None:
        project(OAUTH2_PROVIDERS={"google": {"client_id": "client-id"}})
        google = OpenIdProvider(far_side, "https://accounts.google.com")
        google.document["issuer"] = "https://evil.example.net"
        now = int(time.time())
        claims = {"iss": "https://accounts.google.com", "aud": "client-id", "sub": "1"}
        body = {"provider": "google", "idToken": sign({**claims, "iat": now, "exp": now + 60})}
        response = guest.post("/account/sessions/id-token", body)
        assert_error(response, 500, "user_oauth2_provider_failure")


def test_a_well_known_address_for_an_endpoint(
    browser: Browser, oidc: OpenIdProvider, project: Callable[..., None]
) -> None:
    whole = f"{ISSUER}/.well-known/openid-configuration"
    project(OAUTH2_PROVIDERS={"oidc": {**OIDC, "endpoint": whole}})
    browser.sign_in_by(oidc)
    assert Identity.objects.exists()


def test_nothing_secret_is_logged(
    browser: Browser, oidc: OpenIdProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    brought = oidc.consent(browser.start("oidc")["Location"])
    browser.come_back("oidc", **brought)
    browser.come_back("oidc", **brought)
    browser.patch("/account/sessions/current")
    oidc.make_token = lambda claims: sign(claims, key="second")
    browser.sign_in_by(oidc)
    cookie = browser.http.cookies["django_account_oauth2"].value
    logged = caplog.text + str([record.__dict__.get("args") for record in caplog.records])
    for secret in (*brought.values(), cookie, "client-secret", "access-token", "refresh-token"):
        assert secret not in logged


def test_a_provider_that_answers_byte_by_byte_is_given_up_on(
    browser: Browser, oidc: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "TIMEOUT", 0.5)
    oidc.far_side.says[f"{ISSUER}/token"] = Reply({"x": "y" * 500}, trickle=0.1)
    began = time.monotonic()
    assert_failed(browser.sign_in_by(oidc))
    assert time.monotonic() - began < 5


def test_a_provider_that_is_not_there(
    browser: Browser, oidc: OpenIdProvider, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = browser.start("oidc")
    monkeypatch.setattr(far_side, "port", 1)
    assert_failed(browser.come_back("oidc", **oidc.consent(started["Location"])))


def test_a_redirect_is_not_followed(browser: Browser, oidc: OpenIdProvider) -> None:
    elsewhere = "https://evil.example.net/token"
    oidc.far_side.says[f"{ISSUER}/token"] = Reply({}, 302, {"Location": elsewhere})
    assert_failed(browser.sign_in_by(oidc))
    assert elsewhere not in {call.url for call in oidc.far_side.calls}


def test_an_answer_of_another_issuer(browser: Browser, oidc: OpenIdProvider) -> None:
    brought = oidc.consent(browser.start("oidc")["Location"])
    assert_failed(browser.come_back("oidc", **brought, iss="https://evil.example.net"))
    assert f"{ISSUER}/token" not in {call.url for call in oidc.far_side.calls}


def test_an_answer_that_names_its_issuer(browser: Browser, oidc: OpenIdProvider) -> None:
    brought = oidc.consent(browser.start("oidc")["Location"])
    assert browser.come_back("oidc", **brought, iss=ISSUER).status_code == 301
    assert Identity.objects.exists()


def test_keys_are_read_anew_when_the_provider_has_a_new_one(
    browser: Browser, new_browser: Callable[[], Browser], oidc: OpenIdProvider
) -> None:
    browser.sign_in_by(oidc)
    oidc.far_side.says[f"{ISSUER}/keys"] = {"keys": [jwk("second")]}
    oidc.make_token = lambda claims: sign(claims, key="second")
    other = new_browser()
    other.sign_in_by(oidc)
    assert other.get("/account").status_code == 200


def test_a_provider_without_a_description_of_itself(browser: Browser, oidc: OpenIdProvider) -> None:
    oidc.far_side.says.clear()
    response = browser.start("oidc")
    assert_error(response, 500, "user_oauth2_provider_failure")
    nobody_is_signed_in()


# --- the state ------------------------------------------------------------------------------------


def assert_refused(response: Any) -> None:
    """Check for the error of a sign-in that was not begun here."""
    assert_error(response, 400, "project_invalid_success_url")
    nobody_is_signed_in()


class TestState:
    @pytest.mark.parametrize(
        "state",
        [
            "",
            "x",
            "0" * 96,
            "é" * 96,
            "%00",
            json.dumps({"success": "http://localhost/ok", "failure": "", "token": False}),
        ],
    )
    def test_a_forged_one(self, browser: Browser, oidc: OpenIdProvider, state: str) -> None:
        browser.start("oidc")
        brought = {"code": "x"} | ({"state": state} if state else {})
        assert_refused(browser.come_back("oidc", **brought))

    def test_a_changed_one(self, browser: Browser, oidc: OpenIdProvider) -> None:
        brought = oidc.consent(browser.start("oidc")["Location"])
        state = brought["state"]
        for place in (0, 63, 64, 95):
            changed = state[:place] + ("0" if state[place] != "0" else "1") + state[place + 1 :]
            assert_refused(browser.come_back("oidc", code=brought["code"], state=changed))

    def test_one_of_another_browser(
        self, browser: Browser, new_browser: Callable[[], Browser], oidc: OpenIdProvider
    ) -> None:
        brought = oidc.consent(browser.start("oidc")["Location"])
        victim = new_browser()
        assert_refused(victim.come_back("oidc", **brought))
        victim.start("oidc")
        assert_refused(victim.come_back("oidc", **brought))
        assert f"{ISSUER}/token" not in {call.url for call in oidc.far_side.calls}

    def test_one_of_another_provider(
        self, browser: Browser, oidc: OpenIdProvider, project: Callable[..., None]
    ) -> None:
        github = {"client_id": "1", "client_secret": "2"}
        project(OAUTH2_PROVIDERS={"oidc": OIDC, "github": github})
        brought = oidc.consent(browser.start("oidc")["Location"])
        assert_refused(browser.come_back("github", **brought))

    def test_one_that_has_been_used(self, browser: Browser, oidc: OpenIdProvider) -> None:
        brought = oidc.consent(browser.start("oidc")["Location"])
        assert browser.come_back("oidc", **brought).status_code == 301
        again = browser.come_back("oidc", **brought)
        assert_error(again, 400, "project_invalid_success_url")
        assert Session.objects.count() == 1

    def test_a_code_that_has_been_used(self, browser: Browser, oidc: OpenIdProvider) -> None:
        brought = oidc.consent(browser.start("oidc")["Location"])
        oidc.codes.clear()
        assert_failed(browser.come_back("oidc", **brought))

    def test_somebody_elses_code_meets_the_verifier(
        self, browser: Browser, new_browser: Callable[[], Browser], oidc: OpenIdProvider
    ) -> None:
        """Code injection: a stolen code in one's own sign-in is of another PKCE challenge."""
        stolen = oidc.consent(browser.start("oidc")["Location"])["code"]
        verify = oidc.token

        def checked(call: Call) -> Reply:
            try:
                return verify(call)
            except AssertionError:
                return Reply({"error": "invalid_grant"}, 400)

        oidc.far_side.says[f"{ISSUER}/token"] = checked
        thief = new_browser()
        own = oidc.consent(thief.start("oidc")["Location"])
        assert_failed(thief.come_back("oidc", code=stolen, state=own["state"]))

    def test_one_that_has_taken_too_long(self, browser: Browser, oidc: OpenIdProvider) -> None:
        with time_machine.travel(time.time(), tick=False) as clock:
            brought = oidc.consent(browser.start("oidc")["Location"])
            clock.shift(OAuth2Flow.LIFETIME + timedelta(seconds=1))
            # The cookie of the browser has gone by then; a thief keeps it.
            assert_refused(browser.come_back("oidc", **brought))

    def test_the_browsers_cookie_is_kept_from_scripts(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        cookie = browser.start("oidc").cookies["django_account_oauth2"]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (
            True,
            "Lax",
            "/",
        )

    def test_two_tabs_of_one_browser(self, browser: Browser, oidc: OpenIdProvider) -> None:
        first = oidc.consent(browser.start("oidc")["Location"])
        second = oidc.consent(browser.start("oidc")["Location"])
        assert "error" not in query_of(browser.come_back("oidc", **first))
        assert "error" not in query_of(browser.come_back("oidc", **second))

    def test_nothing_of_it_is_readable_in_the_database(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        brought = oidc.consent(browser.start("oidc", state="of the app")["Location"])
        stored = str(OAuth2Flow.objects.values())
        cookie = browser.http.cookies["django_account_oauth2"].value
        for secret in (brought["state"], cookie, "of the app", "code_verifier", "nonce"):
            assert secret not in stored


def test_the_callback_needs_no_cookies_of_its_own(oidc: OpenIdProvider, browser: Browser) -> None:
    """Providers that post bring none; what follows does (Apple)."""
    brought = oidc.consent(browser.start("oidc")["Location"])
    posted = Client().post(
        "/v1/account/sessions/oauth2/callback/oidc/demo",
        brought,
        headers={"Origin": "https://id.example.net"},
    )
    assert posted.status_code == 301
    assert "error" not in query_of(browser.http.get(posted["Location"]))
    assert Identity.objects.exists()
