"""How every provider is spoken to: our state and bounds around social-core's backends.

A provider's class is made of one of these and of its own backend (:mod:`registry`): the state is
ours, PKCE is on where the provider knows it, and every call goes through :mod:`core.http`.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from social_core.backends.oauth import BaseOAuth2, BaseOAuth2PKCE
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import AuthProviderError, AuthResponseError
from social_core.utils import constant_time_compare

from django_account.core import http

# Seconds for one call; a dance makes at most five.
TIMEOUT = 8.0

# Bytes of one answer. Key sets and profiles are far smaller.
MAX_ANSWER = 512 * 1024


class Dance(BaseOAuth2PKCE[Any]):
    """The authorization code flow with our state, and with bounded calls."""

    # Providers compare the callback URL with the registered one to the letter.
    REDIRECT_STATE = False
    PKCE_DEFAULT_CODE_CHALLENGE_METHOD = "S256"

    # What the token endpoint answered.
    token_answer: dict[str, Any]

    # --- the state, which our flow record keeps ---

    def get_or_create_state(self) -> str:
        state: str = self.strategy.transaction["state"]
        return state

    def validate_state(self) -> str:
        """The flow record was found by this state and claimed before we got here."""
        self._oauth2_transaction = self.strategy.transaction
        return self.get_or_create_state()

    def create_code_verifier(self, state: str | None = None) -> str:
        verifier = secrets.token_urlsafe(48)
        self.strategy.transaction["code_verifier"] = verifier
        return verifier

    def auth_url(self) -> str:
        """The provider's page, every parameter quoted: scopes are the client's own words."""
        params = {
            **self.auth_params(self.get_or_create_state()),
            **self.get_scope_argument(),
            **self.auth_extra_arguments(),
        }
        url = self.authorization_url()
        return f"{url}{'&' if '?' in url else '?'}{urlencode(params, quote_via=quote)}"

    # --- the way back ---

    def get_access_token(self, response: dict[str, Any]) -> str:
        self.token_answer = dict(response)
        token: str = super().get_access_token(response)
        return token

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        # Where the profile is, when it is not where the backend looks.
        url = self.setting("USER_URL", getattr(self, "USER_URL", ""))
        found: dict[str, Any] | None = (
            self.get_json(url, headers={"Authorization": f"Bearer {access_token}"})
            if url
            else super().user_data(access_token, *args, **kwargs)
        )
        return found

    def refresh_token_auth(self) -> AuthBase | None:
        own: AuthBase | None = super().refresh_token_auth()
        return own or (HTTPBasicAuth(*self.get_key_and_secret()) if self.use_basic_auth() else None)

    def refresh_token_params(self, token: str, *args: Any, **kwargs: Any) -> dict[str, str]:
        params: dict[str, str] = super().refresh_token_params(token, *args, **kwargs)
        if self.use_basic_auth():
            # Once is enough: RFC 6749 §2.3 forbids two ways in one request.
            params = {name: params[name] for name in params if name != "client_secret"}
        return params

    # --- calls ---

    def request(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Any = None,
        data: Any = None,
        json: Any = None,
        auth: Any = None,
        params: Any = None,
        timeout: float | None = None,
        stage: Any = "user_info",
    ) -> requests.Response:
        """Call the provider: in time, with a short answer, and nobody but the provider.

        Raises:
            AuthProviderError: it did not answer so.
        """
        prepared = requests.Request(
            method, url, headers=headers, data=data, json=json, auth=auth, params=params
        ).prepare()
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        try:
            answer = http.send(
                method,
                str(prepared.url),
                body=body if isinstance(body, bytes) else None,
                headers={name: _text(value) for name, value in prepared.headers.items()},
                timeout=TIMEOUT,
                limit=MAX_ANSWER + 1,
            )
        except http.NoAnswer as error:
            code = "timeout" if str(error) == "TimeoutError" else "connection_failed"
            raise AuthProviderError(self, code=code, stage=stage) from None
        if len(answer.body) > MAX_ANSWER:
            raise AuthProviderError(self, "too long an answer", stage=stage)
        response = requests.Response()
        response.status_code = answer.status
        response.url = url.partition("?")[0]
        response.encoding = "utf-8"
        response.headers.update(answer.headers)
        response._content = answer.body
        if not 200 <= answer.status < 300:
            error_status = answer.status if answer.status >= 400 else 502
            raise self.get_provider_error(
                _document(response), stage=stage, status_code=error_status
            ) or AuthProviderError(self, stage=stage, status_code=error_status)
        return response

    def get_json(self, url: str, *args: Any, **kwargs: Any) -> Any:
        """What the provider answers; a token may also come as a form, as it used to.

        Raises:
            AuthResponseError: it is neither.
        """
        response = self.request(url, *args, **kwargs)
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kwargs.get("stage") == "token_exchange" and kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(response.text))
        try:
            return response.json()
        except (ValueError, RecursionError):
            raise AuthResponseError(
                self, code="malformed_response", stage=kwargs.get("stage", "user_info")
            ) from None


class OtherIssuer(AuthResponseError):
    """A provider calls itself otherwise than the site does."""

    def __init__(self, backend: OpenIdDance, issuer: str, expected: str) -> None:
        super().__init__(backend, code="invalid_claim", claim="issuer", stage="begin")
        self.issuer, self.expected = issuer[:200], expected

    def __str__(self) -> str:
        return (
            f"it calls itself {self.issuer!r}, not {self.expected!r}; if that is right, write it "
            "as its 'issuer' in OAUTH2_PROVIDERS"
        )


class OpenIdDance(Dance, OpenIdConnectAuth[Any]):
    """The same with an ID token: nonce, signature, issuer, audience, and ``sub`` in userinfo."""

    DEFAULT_USE_PKCE = True

    # Those of key pairs. A key names the one it is for; nothing is ever signed with our secret.
    JWT_ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]

    # Whether the profile is also asked for, or all of it is in the ID token.
    HAS_USERINFO = True

    def oidc_config(self) -> dict[str, Any]:
        """What the provider says about itself, as far as it is the one that was asked: all that
        follows believes the issuer named there (OpenID Connect Discovery §4.3).

        Raises:
            OtherIssuer: it names another one.
        """
        document: dict[str, Any] = super().oidc_config()
        expected = self.setting("ISSUER")
        issuer = str(document.get("issuer"))
        # A slash at the end is no part of the address that it is found by.
        found = issuer if expected else issuer.removesuffix("/")
        if found != (expected or self.oidc_endpoint()):
            raise OtherIssuer(self, issuer, expected or self.oidc_endpoint())
        return document

    def get_and_store_nonce(self, url: str, state: str | None) -> str:
        nonce = secrets.token_urlsafe(24)
        self.strategy.transaction["nonce"] = nonce
        return nonce

    def _store_session_nonce(self, state: str | None, nonce: str) -> None:
        """It is in the flow record."""

    def validate_claims(self, id_token: dict[str, Any]) -> None:
        self.validate_temporal_claims(id_token)
        if not self.USE_NONCE:
            return
        nonce, expected = id_token.get("nonce"), self.strategy.transaction.get("nonce")
        if not isinstance(nonce, str) or not expected or not constant_time_compare(nonce, expected):
            raise AuthResponseError(self, code="nonce_mismatch", stage="token_validation")

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The claims of the ID token, and those of userinfo over them.

        Raises:
            AuthResponseError: they speak of two people.
        """
        claims = dict(self.id_token or {})
        if not self.HAS_USERINFO:
            return claims
        userinfo = self.get_json(
            self.userinfo_url(), headers={"Authorization": f"Bearer {access_token}"}
        )
        if not isinstance(userinfo, dict) or userinfo.get("sub") != claims.get("sub"):
            raise AuthResponseError(
                self, "Invalid UserInfo sub", code="invalid_claim", claim="sub", stage="user_info"
            )
        if userinfo.get("email") not in (None, claims.get("email")):
            # The flag belongs to the address it came with.
            claims.pop("email_verified", None)
        return claims | userinfo


class PlainOAuth2(BaseOAuth2[Any]):
    """A provider that social-core lacks: three addresses, and a profile read with the token."""

    REDIRECT_STATE = False

    # Where its profiles are.
    USER_URL = ""

    def get_user_details(self, response: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the registry says which field is what."""
        return {}


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _document(response: requests.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
