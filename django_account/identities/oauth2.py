"""Sending a browser to a provider, and finding out who comes back.

social-core's backends speak the protocols (:mod:`providers`); its pipeline, models and URLs are not
used. What it would keep in a web session lies in our flow record, which is found by the state,
belongs to one browser and one provider, and is used up before the provider is asked anything.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from social_core.exceptions import (
    AuthCanceled,
    AuthConfigurationError,
    SocialAuthBaseException,
)
from social_core.storage import BaseStorage
from social_core.strategy import BaseStrategy

from django_account.accounts.models import Account
from django_account.core.crypto import derive_keys, digest, generate_secret
from django_account.exceptions import (
    InvalidState,
    MissingProviderId,
    OAuth2BadRequest,
    OAuth2ProviderError,
    OAuth2ProviderFailure,
    OAuth2Unauthorized,
)
from django_account.identities.models import MAX_UID, OAuth2Flow
from django_account.identities.providers.base import Dance, OpenIdDance
from django_account.identities.providers.registry import (
    POSTED,
    Provider,
    backend_class,
    backend_settings,
    find_provider,
    read,
    read_config,
)
from django_account.sessions.provider_tokens import ProviderTokens

MAX_NAME = 128
MAX_TOKEN = 16_384

# What of a callback is looked at.
CALLBACK_FIELDS = ("code", "state", "error", "error_description", "iss", "user")

# A provider's answer may be of any shape; what reading it raises then.
_MISSHAPEN = (AttributeError, LookupError, TypeError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who somebody is at a provider, as it says."""

    provider: str
    uid: str
    # As given, in no particular form; empty when there is none.
    email: str = ""
    email_verified: bool = False
    name: str = ""
    tokens: ProviderTokens = field(default_factory=ProviderTokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a sign-in leads.

    Attributes:
        kind: whether the browser gets a session or the app a token.
        success, failure: addresses of the app; the caller has checked them.
        client_state: what the app wants to find on them.
        callback: our own address, as the provider knows it.
    """

    kind: OAuth2Flow.Kind
    success: str
    failure: str
    client_state: str
    callback: str

    @classmethod
    def of(cls, flow: OAuth2Flow, details: Mapping[str, Any]) -> Destination:
        """Where a flow leads, from what is sealed in it."""
        given = {name: details[name] for name in ("success", "failure", "client_state", "callback")}
        return cls(kind=OAuth2Flow.Kind(flow.kind), **given)


class Storage(BaseStorage):
    """social-core's storage: nothing is kept there."""


class Strategy(BaseStrategy[Any]):
    """social-core's view of the site: one provider's settings, one flow, one callback.

    Args:
        settings: of the provider's backend.
        transaction: what is remembered between the way out and the way back.
        data: the parameters of the callback.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        transaction: dict[str, Any],
        data: Mapping[str, str],
    ) -> None:
        super().__init__(storage=Storage)
        self.settings, self.transaction, self.data = settings, transaction, data

    def setting(self, name: str, default: Any = None, backend: Any = None) -> Any:
        return self.settings.get(name, default)

    def get_request_data(self, merge: bool = True) -> dict[str, Any]:
        return dict(self.data)

    def build_absolute_uri(self, path: str | None = None) -> str:
        return path or ""

    def authenticate(self, *args: Any, **kwargs: Any) -> Any:
        """Where social-core's pipeline would begin: hand over what the provider said."""
        return kwargs["response"]


def make_backend(
    provider: Provider,
    *,
    scopes: Sequence[str] = (),
    transaction: dict[str, Any] | None = None,
    data: Mapping[str, str] | None = None,
    callback: str = "",
) -> Dance:
    """A provider's backend, set up for one call of ours.

    Raises:
        ProviderDisabled: the site has not set the provider up.
    """
    config = read_config(provider)
    settings = backend_settings(provider, config)
    asked = (*provider.scopes, *config.get("scopes", ()), *scopes) if provider.sends_scopes else ()
    settings |= {"SCOPE": list(dict.fromkeys(asked)), "IGNORE_DEFAULT_SCOPE": True}
    strategy = Strategy(settings, {} if transaction is None else transaction, data or {})
    return backend_class(provider)(strategy, redirect_uri=callback)


# --- the way out ----------------------------------------------------------------------------------


def begin(
    *,
    provider: Provider,
    destination: Destination,
    scopes: Sequence[str],
    account: Account | None,
    browser_secret: str,
) -> str:
    """Begin a sign-in: remember it, and say where to send the browser.

    Args:
        scopes: asked for besides the provider's usual ones.
        account: who is signed in; only they may come back.
        browser_secret: what the browser will prove itself by; empty for none.

    Returns:
        the address of the provider's page.

    Raises:
        ProviderDisabled: the site has not set the provider up.
        OAuth2ProviderFailure: the provider's own description of itself cannot be read.
    """
    state = _sign(generate_secret(64))
    transaction: dict[str, Any] = {"state": state}
    with _failures(provider):
        backend = make_backend(
            provider, scopes=scopes, transaction=transaction, callback=destination.callback
        )
        url = backend.auth_url()
    flow = OAuth2Flow(
        state_digest=digest(state),
        browser_digest=digest(browser_secret) if browser_secret else "",
        provider=provider.key,
        kind=destination.kind,
        account=account,
        expires_at=timezone.now() + OAuth2Flow.LIFETIME,
    )
    flow.seal(
        {
            "success": destination.success,
            "failure": destination.failure,
            "client_state": destination.client_state,
            "callback": destination.callback,
            "transaction": transaction,
        }
    )
    flow.save(force_insert=True)
    return url


def _sign(nonce: str) -> str:
    """A state: a random part, and our signature, so that a forged one costs no look-up."""
    return nonce + _signature(next(derive_keys("oauth2-state")), nonce)


def _signature(key: bytes, nonce: str) -> str:
    return hmac.digest(key, nonce.encode(), "sha256").hex()[:32]


def _is_signed(state: str) -> bool:
    nonce, signature = state[:64], state[64:]
    return state.isascii() and any(
        hmac.compare_digest(signature, _signature(key, nonce))
        for key in derive_keys("oauth2-state")
    )


# --- the way back ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Return:
    """A browser that has come back."""

    provider: Provider
    flow: OAuth2Flow
    destination: Destination
    transaction: dict[str, Any] = field(repr=False)


def find_flow(*, provider: Provider, state: str, browser_secret: str) -> Return:
    """Find the sign-in that a browser comes back from. It is not used up yet.

    Args:
        browser_secret: what the browser proves itself by; empty for nothing.

    Raises:
        InvalidState: there is none, or it is another browser's or another provider's.
    """
    if not _is_signed(state):
        raise InvalidState
    flow = (
        OAuth2Flow.objects.open()
        .select_related("account")
        .filter(state_digest=digest(state), provider=provider.key)
        .first()
    )
    if flow is None:
        raise InvalidState
    if flow.browser_digest and not hmac.compare_digest(flow.browser_digest, digest(browser_secret)):
        raise InvalidState
    try:
        details = flow.unseal()
    except ValueError:
        raise InvalidState from None
    return Return(provider, flow, Destination.of(flow, details), details["transaction"])


def claim_flow(flow: OAuth2Flow) -> None:
    """Use a flow up: of two browsers that come back with one state, one gets on.

    Raises:
        InvalidState: somebody was faster.
    """
    deleted, _ = OAuth2Flow.objects.open().filter(pk=flow.pk).delete()
    if not deleted:
        raise InvalidState


def fetch_profile(back: Return, data: Mapping[str, str]) -> Profile:
    """Trade the code of a callback for tokens, and ask who their owner is.

    Args:
        data: the callback's parameters.

    Raises:
        ProviderDisabled: the site has switched the provider off in the meantime.
        OAuth2ProviderError: the person declined, or the provider said so in the callback.
        OAuth2ProviderFailure: the provider could not be talked to or believed.
        MissingProviderId: it does not say who somebody is.
    """
    provider = back.provider
    given = {name: data[name] for name in CALLBACK_FIELDS if data.get(name)}
    user = _posted_user(given.pop("user", ""))
    read_config(provider)
    if error := given.get("error"):
        reason = ": ".join(filter(None, (error, given.get("error_description", ""))))
        raise OAuth2ProviderError(provider.name, reason[:500])
    if "code" not in given:
        raise OAuth2ProviderError(provider.name, "it sent no code")
    with _failures(provider):
        backend = make_backend(
            provider, transaction=back.transaction, data=given, callback=back.destination.callback
        )
        _require_issuer(backend, given.get("iss"))
        # As of before the call: what the provider counts from.
        now = timezone.now()
        # The browser's word, and so apart from the provider's.
        answer = {**backend.auth_complete(), POSTED: user}
        return make_profile(provider, answer, _tokens(backend.token_answer, now))


def _posted_user(text: str) -> dict[str, Any]:
    """What Apple has the browser post at the first consent: a name."""
    try:
        user = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return user if isinstance(user, dict) else {}


def _require_issuer(backend: Dance, issuer: str | None) -> None:
    """Refuse an answer of another provider than the one asked (RFC 9207)."""
    if issuer and isinstance(backend, OpenIdDance) and issuer != backend.id_token_issuer():
        raise ValueError("the answer is another issuer's")


def make_profile(provider: Provider, answer: Mapping[str, Any], tokens: ProviderTokens) -> Profile:
    """Read a profile out of an answer, by the registry's fields.

    Raises:
        MissingProviderId: there is no id in it.
    """
    uid = read(answer, provider.uid)
    if isinstance(uid, bool) or not isinstance(uid, str | int) or not str(uid):
        raise MissingProviderId
    if len(str(uid)) > MAX_UID or not is_storable(str(uid)):
        raise OAuth2ProviderFailure(provider.name, "its id for you cannot be used")
    email = read(answer, provider.email)
    verified = read(answer, provider.verified) if provider.verified is not None else False
    name = read(answer, provider.display_name)
    return Profile(
        provider=provider.key,
        uid=str(uid),
        email=email if isinstance(email, str) and is_storable(email) else "",
        email_verified=verified is True,
        name=name[:MAX_NAME].strip() if isinstance(name, str) and is_storable(name) else "",
        tokens=tokens,
    )


def is_storable(text: str) -> bool:
    """Whether every database holds it: no null characters, no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _tokens(answer: Mapping[str, Any], now: datetime) -> ProviderTokens:
    """The tokens of an answer. One without a lifetime ends now (mfa-oauth.md §9.6)."""
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if isinstance(access, Mapping):
        # Yammer's lies in an object of its own.
        access = access.get("token")
    try:
        seconds = min(max(int(float(answer.get("expires_in") or 0)), 0), 10 * 366 * 86_400)
    except (TypeError, ValueError, OverflowError):
        seconds = 0
    return ProviderTokens(
        access=_token(access), refresh=_token(refresh), expires_at=now + timedelta(seconds=seconds)
    )


def _token(value: Any) -> str:
    fits = isinstance(value, str) and len(value) <= MAX_TOKEN and is_storable(value)
    return value if fits else ""


# --- afterwards -----------------------------------------------------------------------------------


def renew_tokens(*, provider_key: str, uid: str, tokens: ProviderTokens) -> ProviderTokens:
    """Have a provider renew an access token.

    Args:
        uid: whose it is; an ID token that comes along must say the same.
        tokens: with a refresh token, which is kept when no new one is given.

    Raises:
        ProviderUnsupported, ProviderDisabled: the provider is no longer known or set up.
        OAuth2BadRequest, OAuth2Unauthorized: it answered 400 or 401.
        OAuth2ProviderError: it answered anything else, or not at all.
    """
    provider = find_provider(provider_key)
    backend = make_backend(provider)
    now = timezone.now()
    try:
        answer = backend.refresh_token(tokens.refresh)
        id_token = backend.id_token if isinstance(backend, OpenIdDance) else None
        if id_token and id_token.get("sub") != uid:
            raise ValueError("the renewed ID token is another person's")
        renewed = _tokens(answer, now)
    except SocialAuthBaseException as error:
        failure = {400: OAuth2BadRequest(), 401: OAuth2Unauthorized()}.get(
            error.status_code or 0, OAuth2ProviderError(provider.name, status=error.status_code)
        )
    except _MISSHAPEN:
        failure = OAuth2ProviderError(provider.name)
    else:
        return ProviderTokens(
            access=renewed.access,
            refresh=renewed.refresh or tokens.refresh,
            expires_at=renewed.expires_at,
        )
    # Outside the except block: the original may quote a token.
    raise failure from None


@contextmanager
def _failures(provider: Provider) -> Iterator[None]:
    """Make whatever goes wrong with a provider an error of ours, without quoting its answers.

    Raises:
        OAuth2ProviderError: the person declined.
        OAuth2ProviderFailure: anything else.
    """
    failure: OAuth2ProviderError | OAuth2ProviderFailure
    try:
        yield
    except AuthCanceled:
        failure = OAuth2ProviderError(provider.name, "the sign-in was declined")
    except AuthConfigurationError as error:
        failure = OAuth2ProviderFailure(
            provider.name, f"this site's setting {error.parameter or error.code} is wrong"
        )
    except SocialAuthBaseException as error:
        said = f" ({error.provider_code[:100]})" if isinstance(error.provider_code, str) else ""
        failure = OAuth2ProviderFailure(provider.name, f"{error}{said}")
    except _MISSHAPEN:
        failure = OAuth2ProviderFailure(provider.name, "its answer cannot be read")
    else:
        return
    raise failure from None


def new_browser_secret() -> str:
    """What a browser proves itself by when it comes back."""
    return secrets.token_urlsafe(32)
