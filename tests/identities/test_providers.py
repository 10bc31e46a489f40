"""Every provider's whole dance against a server that answers as the provider documents it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from django_account.accounts.models import Account
from django_account.core.clients import ClientInfo
from django_account.identities.models import Identity
from django_account.identities.providers.registry import PROVIDERS
from django_account.sessions.services import create_identity_session
from tests.client import ApiClient, assert_error
from tests.identities.conftest import FAILURE, SUCCESS, Browser
from tests.identities.far_side import (
    Call,
    FarSide,
    OpenIdProvider,
    Reply,
    challenge_of,
    ec_pem,
    jwk,
    pem_of,
)
from tests.identities.shapes import (
    OPENID_SHAPES,
    SHAPES,
    TOKEN,
    OpenIdShape,
    Shape,
    resend_token,
)

pytestmark = pytest.mark.django_db

CREDENTIALS = {"client_id": "client-id", "client_secret": "client-secret"}
_DOCUMENT = """
    amazon apple auth0 authentik autodesk bitbucket bitly box dailymotion discord disqus dropbox
    etsy facebook figma github gitlab google linkedin microsoft notion oidc okta paypal
    paypalSandbox podio salesforce slack spotify stripe tradeshift tradeshiftBox twitch wordpress
    yahoo yammer yandex zoho zoom
"""
DOCUMENT = frozenset(_DOCUMENT.split())
CALLBACK = "http://testserver/v1/account/sessions/oauth2/callback/{}/demo"


def test_every_provider_has_a_shape() -> None:
    assert sorted(shape.key for shape in (*SHAPES, *OPENID_SHAPES)) == sorted(PROVIDERS)


def test_every_provider_of_the_users_document_is_there() -> None:
    assert len(DOCUMENT) == 39
    assert set(PROVIDERS) >= DOCUMENT


def asked_of(started: Any, shape: Shape | OpenIdShape) -> dict[str, str]:
    """The parameters of the provider's page, of which every provider has these."""
    assert started.status_code == 301, started.content
    asked = dict(parse_qsl(urlsplit(started["Location"]).query, strict_parsing=True))
    assert asked[client_id_of(shape)] == "client-id"
    assert asked["redirect_uri"] == CALLBACK.format(shape.key)
    assert asked.get("scope") == shape.scope
    assert shape.extra.items() <= asked.items()
    if shape.pkce:
        assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    else:
        assert "code_challenge" not in asked
    return asked


def client_id_of(shape: Shape | OpenIdShape) -> str:
    return "client_key" if shape.key == "tiktok" else "client_id"


def check_exchange(call: Call, shape: Shape, asked: dict[str, str]) -> None:
    """Check that a code was exchanged as the provider wants it."""
    given = call.query if shape.auth == "query" else call.form
    assert given["code"] == "the-code"
    assert given.get("redirect_uri", asked["redirect_uri"]) == asked["redirect_uri"]
    if shape.key not in ("facebook", "stripe"):
        assert given["grant_type"] == "authorization_code"
    if shape.pkce:
        assert challenge_of(given["code_verifier"]) == asked["code_challenge"]
    if shape.auth == "basic":
        assert call.basic == "client-id:client-secret"
        assert "client_secret" not in given
    elif shape.auth == "bearer":
        assert call.headers["authorization"] == "Bearer client-secret"
    else:
        assert given[client_id_of(shape)] == "client-id"
        assert given["client_secret"] == "client-secret"


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.key for shape in SHAPES])
def test_dance(
    browser: Browser, far_side: FarSide, project: Callable[..., None], shape: Shape
) -> None:
    project(OAUTH2_PROVIDERS={shape.key: CREDENTIALS | shape.config})
    answer = TOKEN if shape.token_answer is None else shape.token_answer
    far_side.says[shape.token] = (
        Reply(answer[0], content_type=answer[1]) if isinstance(answer, tuple) else answer
    )
    far_side.says |= shape.profile | shape.keys
    uid, email, verified, name = shape.person
    if not email:
        # Who has no address is linked to an account that has one.
        browser.sign_up("elsewhere@example.org")
        browser.sign_in("elsewhere@example.org")

    started = browser.start(shape.key)
    asked = asked_of(started, shape)
    assert started["Location"].startswith(shape.authorize + "?")
    last = browser.come_back(shape.key, code="the-code", state=asked["state"])

    assert last["Location"] == SUCCESS, last["Location"]
    check_exchange(far_side.called(shape.token), shape, asked)
    for url in shape.profile:
        call = far_side.called(url)
        if shape.authorization is not None:
            assert call.headers["authorization"] == shape.authorization
        else:
            assert "access-token" in call.query.values()
    identity = Identity.objects.get()
    assert (identity.provider, identity.provider_uid) == (shape.key, uid)
    assert (identity.provider_email, identity.email_verified) == (email, verified)
    session = browser.get("/account/sessions/current").json()
    assert (session["provider"], session["providerUid"]) == (shape.key, uid)
    given = answer[0] if isinstance(answer, tuple) else answer
    assert session["providerAccessToken"] in str(given)
    assert len(session["providerAccessToken"]) >= len("access-token")
    account = browser.get("/account").json()
    assert account["emailVerification"] is verified
    assert (account["email"] or "") == (email or "elsewhere@example.org")
    assert account["name"] == name


@pytest.mark.parametrize("shape", OPENID_SHAPES, ids=[shape.key for shape in OPENID_SHAPES])
def test_openid_dance(
    browser: Browser, far_side: FarSide, project: Callable[..., None], shape: OpenIdShape
) -> None:
    credentials = dict(CREDENTIALS)
    if shape.key == "apple":
        del credentials["client_secret"]
    project(OAUTH2_PROVIDERS={shape.key: credentials | shape.config})
    provider = OpenIdProvider(far_side, shape.issuer)
    if shape.basic:
        provider.document["token_endpoint_auth_methods_supported"] = ["client_secret_basic"]

    started = browser.start(shape.key)
    asked = asked_of(started, shape)
    assert set(asked["scope"].split()) == set(shape.scope.split())
    assert ("nonce" in asked) is shape.nonce
    last = browser.come_back(shape.key, **provider.consent(started["Location"]))

    assert last["Location"] == SUCCESS, last["Location"]
    exchange = far_side.called(f"{provider.issuer}/token")
    if shape.basic:
        assert exchange.basic == "client-id:client-secret"
    elif shape.key != "apple":
        assert exchange.form["client_secret"] == "client-secret"
    identity = Identity.objects.get()
    assert (identity.provider, identity.provider_uid) == (shape.key, "subject-1")
    assert identity.email_verified is shape.verifies
    account = browser.get("/account").json()
    assert (account["email"], account["emailVerification"]) == ("ada@example.org", shape.verifies)


class TestVerified:
    """A provider that does not vouch for an address, in each way in which it may not."""

    CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
        "bitbucket": ("user/emails", "", {"values": [{"email": "a@b.org", "is_confirmed": False}]}),
        "bitly": ("user", "", {"emails": [{"email": "a@b.org", "is_verified": False}]}),
        "dailymotion": ("me", "ada@example.org", {"verified": False}),
        "discord": ("@me", "ada@example.org", {"verified": False}),
        "dropbox": ("account", "ada@example.org", {"email_verified": False}),
        "gitlab": ("user", "ada@example.org", {"confirmed_at": None}),
        "kakao": (
            "me",
            "ada@example.org",
            {"kakao_account": {"email": "ada@example.org", "is_email_verified": False}},
        ),
        "paypal": ("userinfo", "ada@example.org", {"verified_account": "false"}),
        "podio": ("user", "ada@example.org", {"mails": [{"mail": "ada@example.org"}]}),
        "salesforce": ("userinfo", "ada@example.org", {"email_verified": False}),
        "wordpress": ("me", "ada@example.org", {"verified": False}),
        "yahoo": ("userinfo", "ada@example.org", {"email_verified": "true"}),
        "zoom": ("me", "ada@example.org", {"verified": 0}),
    }

    @pytest.mark.parametrize("key", CASES)
    def test_not(
        self, browser: Browser, far_side: FarSide, project: Callable[..., None], key: str
    ) -> None:
        shape = next(shape for shape in SHAPES if shape.key == key)
        path, email, change = self.CASES[key]
        project(OAUTH2_PROVIDERS={key: CREDENTIALS | shape.config})
        far_side.says |= {shape.token: TOKEN, **shape.profile}
        url = next(url for url in shape.profile if url.endswith(path))
        far_side.says[url] = {**shape.profile[url], **change}
        browser.sign_up("elsewhere@example.org")
        browser.sign_in("elsewhere@example.org")
        asked = asked_of(browser.start(key), shape)
        browser.come_back(key, code="the-code", state=asked["state"])
        identity = Identity.objects.get()
        assert (identity.provider_email, identity.email_verified) == (email, False)

    @pytest.mark.parametrize(
        ("emails", "email", "verified"),
        [
            ([], "shown@example.org", False),
            (
                [{"email": "a@b.org", "primary": True, "verified": False}],
                "a@b.org",
                False,
            ),
            (
                [
                    {"email": "a@b.org", "primary": True, "verified": False},
                    {"email": "c@d.org", "primary": False, "verified": True},
                ],
                "c@d.org",
                True,
            ),
        ],
    )
    def test_github_s_addresses(
        self,
        browser: Browser,
        far_side: FarSide,
        project: Callable[..., None],
        emails: list[dict[str, Any]],
        email: str,
        verified: bool,
    ) -> None:
        shape = next(shape for shape in SHAPES if shape.key == "github")
        project(OAUTH2_PROVIDERS={"github": CREDENTIALS})
        far_side.says |= {shape.token: TOKEN, **shape.profile}
        far_side.says["https://api.github.com/user/emails"] = emails
        asked = asked_of(browser.start("github"), shape)
        browser.come_back("github", code="the-code", state=asked["state"])
        identity = Identity.objects.get()
        assert (identity.provider_email, identity.email_verified) == (email, verified)

    def test_an_address_of_userinfo_needs_the_flag_of_userinfo(
        self, browser: Browser, oidc: OpenIdProvider
    ) -> None:
        oidc.userinfo = {"sub": "subject-1", "email": "eve@example.org"}
        browser.sign_in_by(oidc)
        identity = Identity.objects.get()
        assert (identity.provider_email, identity.email_verified) == ("eve@example.org", False)


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.key for shape in SHAPES])
def test_what_the_browser_says_of_the_person_counts_for_nothing(
    browser: Browser, far_side: FarSide, project: Callable[..., None], shape: Shape
) -> None:
    """A callback may carry a ``user``, as Apple's does; providers answer with objects of that name,
    in which the id lies."""
    project(OAUTH2_PROVIDERS={shape.key: CREDENTIALS | shape.config})
    answer = TOKEN if shape.token_answer is None else shape.token_answer
    far_side.says[shape.token] = (
        Reply(answer[0], content_type=answer[1]) if isinstance(answer, tuple) else answer
    )
    far_side.says |= shape.profile | shape.keys
    browser.sign_up("elsewhere@example.org")
    browser.sign_in("elsewhere@example.org")
    asked = asked_of(browser.start(shape.key), shape)
    forged = {"id": 1, "user_id": 1, "mail": "eve@example.org", "email": "eve@example.org"}
    user = json.dumps({**forged, "name": {"firstName": "Eve"}, "open_id": "1"})
    browser.come_back(shape.key, code="the-code", state=asked["state"], user=user)
    identity = Identity.objects.get()
    uid, email, *_ = shape.person
    assert (identity.provider_uid, identity.provider_email) == (uid, email)


class TestApple:
    @pytest.fixture
    def apple(self, far_side: FarSide, project: Callable[..., None]) -> OpenIdProvider:
        shape = next(shape for shape in OPENID_SHAPES if shape.key == "apple")
        project(OAUTH2_PROVIDERS={"apple": {"client_id": "client-id", **shape.config}})
        provider = OpenIdProvider(far_side, shape.issuer)
        del provider.claims["name"]
        return provider

    def test_the_name_that_the_browser_posts(self, browser: Browser, apple: OpenIdProvider) -> None:
        brought = apple.consent(browser.start("apple")["Location"])
        user = '{"name": {"firstName": "Ada", "lastName": "Lovelace"}, "email": "eve@example.org"}'
        assert browser.come_back("apple", **brought, user=user)["Location"] == SUCCESS
        account = Account.objects.get()
        assert (account.name, account.email) == ("Ada Lovelace", "ada@example.org")

    @pytest.mark.parametrize("user", ["{", "[]", '{"name": 1}', '{"name": {"firstName": []}}'])
    def test_a_name_that_is_none(self, browser: Browser, apple: OpenIdProvider, user: str) -> None:
        brought = apple.consent(browser.start("apple")["Location"])
        assert browser.come_back("apple", **brought, user=user)["Location"] == SUCCESS
        assert Account.objects.get().name == ""

    def test_the_secret_is_signed_with_the_sites_key(
        self, browser: Browser, apple: OpenIdProvider, far_side: FarSide
    ) -> None:
        browser.sign_in_by(apple, "apple")
        secret = far_side.called("https://appleid.apple.com/token").form["client_secret"]
        assert jwt.get_unverified_header(secret) == {
            "alg": "ES256",
            "kid": "KEY1234567",
            "typ": "JWT",
        }
        claims = jwt.decode(secret, options={"verify_signature": False})
        assert (claims["iss"], claims["sub"]) == ("TEAM123456", "client-id")
        assert claims["aud"] == "https://appleid.apple.com"

    def test_a_key_that_is_none(
        self, browser: Browser, apple: OpenIdProvider, project: Callable[..., None]
    ) -> None:
        config = {"client_id": "x", "team_id": "x", "key_id": "x", "private_key": "rubbish-key"}
        project(OAUTH2_PROVIDERS={"apple": config})
        response = browser.start("apple")
        body = assert_error(response, 500, "user_oauth2_provider_failure")
        assert "private_key" in body["message"]
        assert "rubbish" not in body["message"]

    def test_a_flag_as_text(self, browser: Browser, apple: OpenIdProvider) -> None:
        apple.claims["email_verified"] = "false"
        browser.sign_in_by(apple, "apple")
        assert not Identity.objects.get().email_verified


class TestResend:
    """Its access token says who somebody is, and must be Resend's own."""

    @pytest.mark.parametrize(
        "token",
        [
            resend_token(iss="https://evil.example.net"),
            resend_token(exp=1_000_000_000),
            resend_token(sub=""),
            resend_token(pem_of(ec.generate_private_key(ec.SECP256R1()))),
            jwt.encode({"sub": "1"}, "secret" * 6, headers={"kid": "oauth_key"}),
            jwt.encode({"sub": "1"}, "", algorithm="none", headers={"kid": "oauth_key"}),
            jwt.encode({"sub": "1"}, ec_pem(), algorithm="ES256", headers={"kid": "other"}),
            "no JWT",
        ],
    )
    def test_refused(
        self, browser: Browser, far_side: FarSide, project: Callable[..., None], token: str
    ) -> None:
        shape = next(shape for shape in SHAPES if shape.key == "resend")
        project(OAUTH2_PROVIDERS={"resend": CREDENTIALS})
        far_side.says |= {shape.token: {**TOKEN, "access_token": token}, **shape.keys}
        browser.sign_up("elsewhere@example.org")
        browser.sign_in("elsewhere@example.org")
        asked = asked_of(browser.start("resend"), shape)
        last = browser.come_back("resend", code="the-code", state=asked["state"])
        assert last["Location"].startswith(FAILURE)
        assert not Identity.objects.exists()


class TestScopes:
    def test_of_the_settings_and_of_the_app(
        self, browser: Browser, project: Callable[..., None]
    ) -> None:
        project(OAUTH2_PROVIDERS={"github": {**CREDENTIALS, "scopes": ["read:org"]}})
        params = {"scopes[0]": "repo", "scopes[1]": "user:email", "scopes[2]": "a&b=c"}
        location = browser.start("github", **params)["Location"]
        assert dict(parse_qsl(urlsplit(location).query))["scope"] == (
            "user:email read:org repo a&b=c"
        )

    def test_none_for_providers_that_take_none(
        self, browser: Browser, project: Callable[..., None]
    ) -> None:
        project(OAUTH2_PROVIDERS={"notion": CREDENTIALS})
        assert "scope" not in browser.start("notion", **{"scopes[0]": "x"})["Location"]


# Providers that renew tokens, and how they want to know the site.
RENEWING = [shape for shape in SHAPES if (shape.token_answer or TOKEN).__class__ is dict]


class TestRenewal:
    @pytest.mark.parametrize(
        "shape",
        [shape for shape in RENEWING if "refresh_token" in (shape.token_answer or TOKEN)],
        ids=lambda shape: shape.key,
    )
    def test_extending_a_session_renews_the_token(
        self, browser: Browser, far_side: FarSide, project: Callable[..., None], shape: Shape
    ) -> None:
        project(OAUTH2_PROVIDERS={shape.key: CREDENTIALS | shape.config})
        far_side.says |= {shape.token: shape.token_answer or TOKEN, **shape.profile, **shape.keys}
        if not shape.person[1]:
            browser.sign_up("elsewhere@example.org")
            browser.sign_in("elsewhere@example.org")
        asked = asked_of(browser.start(shape.key), shape)
        browser.come_back(shape.key, code="the-code", state=asked["state"])
        url = "https://api.figma.com/v1/oauth/refresh" if shape.key == "figma" else shape.token
        renewed = {"access_token": "renewed", "expires_in": 7200, "token_type": "Bearer"}
        far_side.says[url] = renewed

        before = browser.get("/account/sessions/current").json()
        response = browser.patch("/account/sessions/current")

        assert response.status_code == 200, response.content
        session = response.json()
        assert session["providerAccessToken"] == "renewed"
        assert session["providerRefreshToken"] == "refresh-token"
        assert session["providerAccessTokenExpiry"] > before["providerAccessTokenExpiry"]
        call = far_side.called(url)
        assert call.form["grant_type"] == "refresh_token"
        assert call.form["refresh_token"] == "refresh-token"
        knows = call.basic or call.headers.get("authorization") or call.form.get("client_secret")
        assert knows in ("client-id:client-secret", "Bearer client-secret", "client-secret")
        assert Identity.objects.get().provider_tokens.access == "renewed"

    def test_a_provider_that_gave_nothing_to_renew_with(
        self, browser: Browser, far_side: FarSide, project: Callable[..., None]
    ) -> None:
        shape = next(shape for shape in SHAPES if shape.key == "github")
        project(OAUTH2_PROVIDERS={"github": CREDENTIALS})
        far_side.says |= {shape.token: shape.token_answer, **shape.profile}
        asked = asked_of(browser.start("github"), shape)
        browser.come_back("github", code="the-code", state=asked["state"])
        far_side.says.clear()
        assert browser.patch("/account/sessions/current").status_code == 200

    @pytest.mark.parametrize(
        ("answer", "status", "code"),
        [
            (Reply({"error": "invalid_grant"}, 400), 400, "user_oauth2_bad_request"),
            (Reply({"error": "invalid_client"}, 401), 401, "user_oauth2_unauthorized"),
            (Reply({}, 403), 403, "user_oauth2_provider_error"),
            (Reply({}, 500), 500, "user_oauth2_provider_error"),
            (
                Reply({}, 302, {"Location": "https://evil.example"}),
                500,
                "user_oauth2_provider_error",
            ),
            (Reply(b"rubbish"), 500, "user_oauth2_provider_error"),
            (Reply({"access_token": ""}), 500, "user_oauth2_provider_error"),
        ],
    )
    def test_a_provider_that_does_not_renew(
        self, browser: Browser, oidc: OpenIdProvider, answer: Reply, status: int, code: str
    ) -> None:
        browser.sign_in_by(oidc)
        before = browser.get("/account/sessions/current").json()
        oidc.far_side.says[f"{oidc.issuer}/token"] = answer
        assert_error(browser.patch("/account/sessions/current"), status, code)
        assert browser.get("/account/sessions/current").json() == before

    def test_a_refresh_token_that_works_once(self, browser: Browser, oidc: OpenIdProvider) -> None:
        """Two sessions of one exchange share it; the second uses what the first was given."""
        browser.sign_in_by(oidc)
        identity = Identity.objects.get()
        second = create_identity_session(
            identity=identity, account=identity.account, client=ClientInfo()
        )
        far_side, url = oidc.far_side, f"{oidc.issuer}/token"
        far_side.says[url] = TOKEN | {"access_token": "2nd", "refresh_token": "r2"}
        assert browser.patch("/account/sessions/current").status_code == 200
        assert far_side.called(url).form["refresh_token"] == "refresh-token"
        other = ApiClient(session=second.credential)
        assert other.patch("/account/sessions/current").status_code == 200
        assert far_side.called(url).form["refresh_token"] == "r2"

    def test_an_id_token_of_another_person(self, browser: Browser, oidc: OpenIdProvider) -> None:
        from tests.identities.far_side import sign

        browser.sign_in_by(oidc)
        now = int(time.time())
        claims = {"iss": oidc.issuer, "aud": "client-id", "iat": now, "exp": now + 60, "sub": "eve"}
        oidc.far_side.says[f"{oidc.issuer}/token"] = {
            "access_token": "renewed",
            "id_token": sign(claims),
        }
        response = browser.patch("/account/sessions/current")
        assert_error(response, 500, "user_oauth2_provider_error")
        assert Identity.objects.get().provider_tokens.access == "access-token"

    def test_a_provider_that_is_off_by_now(
        self, browser: Browser, oidc: OpenIdProvider, project: Callable[..., None]
    ) -> None:
        browser.sign_in_by(oidc)
        project(OAUTH2_PROVIDERS={})
        response = browser.patch("/account/sessions/current")
        assert_error(response, 412, "project_provider_disabled")


class TestNative:
    """``POST /account/sessions/id-token``."""

    @pytest.fixture
    def google(self, far_side: FarSide, project: Callable[..., None]) -> OpenIdProvider:
        config = {**CREDENTIALS, "native_client_ids": ["ios-app"]}
        project(OAUTH2_PROVIDERS={"google": config})
        return OpenIdProvider(far_side, "https://accounts.google.com")

    def token(self, provider: OpenIdProvider, **claims: Any) -> str:
        from tests.identities.far_side import sign

        now = int(time.time())
        made = {
            "iss": provider.issuer,
            "aud": "client-id",
            "iat": now,
            "exp": now + 3600,
            **provider.claims,
            **claims,
        }
        return sign({name: value for name, value in made.items() if value is not None})

    def test_signs_in(self, guest: ApiClient, google: OpenIdProvider) -> None:
        body = {
            "provider": "google",
            "idToken": self.token(google),
            "accessToken": "ya29.x",
            "accessTokenExpiry": 3599.0,
        }
        response = guest.post("/account/sessions/id-token", body)
        assert response.status_code == 201, response.content
        session = response.json()
        assert (session["provider"], session["providerUid"]) == ("google", "subject-1")
        assert session["factors"] == ["email", "oauth2"]
        assert session["providerAccessToken"] == "ya29.x"
        assert (session["providerRefreshToken"], session["secret"]) == ("", "")
        account = guest.get("/account").json()
        assert (account["email"], account["emailVerification"]) == ("ada@example.org", True)
        assert account["name"] == "Ada Lovelace"

    @pytest.mark.django_db(transaction=True)
    def test_by_the_newest_python_sdk(self, live_server: Any, google: OpenIdProvider) -> None:
        from appwrite.client import Client
        from appwrite.enums.id_token_provider import IdTokenProvider
        from appwrite.exception import AppwriteException
        from appwrite.services.account import Account as AccountService

        client = Client().set_endpoint(f"{live_server.url}/v1").set_project("demo")
        service = AccountService(client)
        session = service.create_id_token_session(
            provider=IdTokenProvider.GOOGLE,
            id_token=self.token(google, nonce=hashlib.sha256(b"raw").hexdigest()),
            nonce="raw",
            access_token="ya29.x",
            access_token_expiry=3599.0,
            name="Ada",
        )
        assert (session.provider, session.provideruid) == ("google", "subject-1")
        assert session.provideraccesstoken == "ya29.x"
        with pytest.raises(AppwriteException) as refused:
            service.create_id_token_session(IdTokenProvider.GOOGLE, self.token(google, aud="x"))
        assert (refused.value.code, refused.value.type) == (401, "user_invalid_token")

    @pytest.mark.parametrize("aud", ["ios-app", "client-id"])
    @pytest.mark.parametrize("iss", ["accounts.google.com", "https://accounts.google.com"])
    def test_of_the_sites_apps(
        self, guest: ApiClient, google: OpenIdProvider, aud: str, iss: str
    ) -> None:
        body = {"provider": "google", "idToken": self.token(google, aud=aud, iss=iss)}
        assert guest.post("/account/sessions/id-token", body).status_code == 201

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "another-site"},
            {"iss": "https://evil.example.net"},
            {"exp": 1},
            {"exp": None},
            {"iat": None},
            {"sub": None},
            {"nonce": "of-another-request"},
        ],
        ids=str,
    )
    def test_not_another_token(
        self, guest: ApiClient, google: OpenIdProvider, claims: dict[str, Any]
    ) -> None:
        body = {"provider": "google", "idToken": self.token(google, **claims)}
        assert_error(guest.post("/account/sessions/id-token", body), 401, "user_invalid_token")
        body["nonce"] = "mine"
        assert_error(guest.post("/account/sessions/id-token", body), 401, "user_invalid_token")
        assert not Account.objects.exists()

    @pytest.mark.parametrize("text", ["x", "a.b.c", "é.é.é", "." * 50, "e30.e30."])
    def test_not_what_is_no_token(
        self, guest: ApiClient, google: OpenIdProvider, text: str
    ) -> None:
        body = {"provider": "google", "idToken": text}
        assert_error(guest.post("/account/sessions/id-token", body), 401, "user_invalid_token")

    def test_not_signed_by_somebody_else(self, guest: ApiClient, google: OpenIdProvider) -> None:
        google.far_side.says["https://accounts.google.com/keys"] = {"keys": [jwk("second")]}
        body = {"provider": "google", "idToken": self.token(google)}
        assert_error(guest.post("/account/sessions/id-token", body), 401, "user_invalid_token")

    @pytest.mark.parametrize(
        ("claimed", "given"),
        [
            ("mine", "mine"),
            ("cb9cfb93deda3d6d2cda9c37a3ebbd5de78cb8e77f4bd8d1b1a3a0bb4f1c8a8d", None),
        ],
    )
    def test_nonce(
        self, guest: ApiClient, google: OpenIdProvider, claimed: str, given: str | None
    ) -> None:
        body = {"provider": "google", "idToken": self.token(google, nonce=claimed), "nonce": given}
        status = guest.post("/account/sessions/id-token", body).status_code
        assert status == (201 if given else 401)

    def test_apple_needs_a_nonce(
        self, guest: ApiClient, far_side: FarSide, project: Callable[..., None]
    ) -> None:
        import hashlib

        project(OAUTH2_PROVIDERS={"apple": {"client_id": "client-id"}})
        apple = OpenIdProvider(far_side, "https://appleid.apple.com", email_verified="true")
        del apple.claims["name"]
        hashed = hashlib.sha256(b"raw").hexdigest()
        body = {"provider": "apple", "idToken": self.token(apple), "nonce": "raw", "name": "Ada L"}
        assert_error(guest.post("/account/sessions/id-token", body), 401, "user_invalid_token")
        body["idToken"] = self.token(apple, nonce=hashed)
        assert guest.post("/account/sessions/id-token", body).status_code == 201
        account = guest.get("/account").json()
        assert (account["name"], account["emailVerification"]) == ("Ada L", True)

    def test_links_to_whoever_is_signed_in(self, ada: ApiClient, google: OpenIdProvider) -> None:
        before = ada.get("/account").json()["$id"]
        body = {"provider": "google", "idToken": self.token(google)}
        response = ada.post("/account/sessions/id-token", body)
        assert response.status_code == 201, response.content
        assert response.json()["userId"] == before
        assert ada.get("/account/sessions").json()["total"] == 1

    def test_other_providers(self, guest: ApiClient, google: OpenIdProvider) -> None:
        body = {"provider": "github", "idToken": "x"}
        assert_error(
            guest.post("/account/sessions/id-token", body), 400, "general_argument_invalid"
        )

    @pytest.mark.parametrize("config", [{}, {"google": {**CREDENTIALS, "native": False}}])
    def test_switched_off(
        self, guest: ApiClient, project: Callable[..., None], config: dict[str, Any]
    ) -> None:
        project(OAUTH2_PROVIDERS=config)
        body = {"provider": "google", "idToken": "x"}
        response = guest.post("/account/sessions/id-token", body)
        assert_error(response, 412, "project_provider_disabled")
