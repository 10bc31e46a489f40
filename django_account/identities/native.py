"""Signing in natively: an app has an ID token from its platform, and no browser is involved.

The token is a bearer's proof, so that it must be meant for this site: signed by the provider, for
the site's client id or one of its apps', and fresh.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any, cast

import jwt
from django.utils import timezone
from social_core.exceptions import SocialAuthBaseException

from django_account.conf import conf
from django_account.exceptions import InvalidToken, OAuth2ProviderFailure, ProviderDisabled
from django_account.identities.oauth2 import MAX_NAME, Profile, Strategy, make_profile
from django_account.identities.providers.base import OpenIdDance
from django_account.identities.providers.registry import (
    POSTED,
    PROVIDERS,
    Provider,
    backend_class,
    backend_settings,
)
from django_account.sessions.provider_tokens import ProviderTokens

# By which apps sign in.
NATIVE_PROVIDERS = tuple(key for key, provider in PROVIDERS.items() if provider.native_issuers)

_ALGORITHMS = ["RS256"]
_LEEWAY = timedelta(seconds=60)
_NEEDED = ["iss", "aud", "exp", "iat", "sub"]


def verify_id_token(
    *,
    provider: Provider,
    id_token: str,
    nonce: str = "",
    access_token: str = "",
    access_token_lifetime: timedelta | None = None,
    name: str = "",
) -> Profile:
    """Whom an ID token speaks of.

    Args:
        nonce: as the app made it; the token holds it, or its SHA-256 in hex. A token with a nonce
            needs it, and Apple's always have one.
        access_token: what the provider gave the app to call it with; kept, never looked at.
        access_token_lifetime: how long it is good for.
        name: what Apple told the app, as no token of Apple's does.

    Raises:
        ProviderDisabled: the site has not named the provider, or switched native sign-in off.
        InvalidToken: it is forged, expired, another site's, or of another nonce.
        OAuth2ProviderFailure: the provider's keys cannot be read.
    """
    config = conf.oauth2_providers.get(provider.key, {})
    if not config.get("client_id") or config.get("native", True) is not True:
        raise ProviderDisabled(provider.name)
    audience = [config["client_id"], *config.get("native_client_ids", ())]
    strategy = Strategy(backend_settings(provider, config), {}, {})
    backend = cast(OpenIdDance, backend_class(provider)(strategy))
    try:
        jwt.get_unverified_header(id_token)
        key = backend.find_valid_key(id_token)
    except (jwt.PyJWTError, RecursionError):
        raise InvalidToken from None
    except (SocialAuthBaseException, ValueError, TypeError, LookupError):
        raise OAuth2ProviderFailure(provider.name, "its keys cannot be read") from None
    if key is None:
        raise InvalidToken
    try:
        claims: dict[str, Any] = jwt.decode(
            id_token,
            jwt.PyJWK(key).key,
            algorithms=_ALGORITHMS,
            audience=audience,
            issuer=list(provider.native_issuers),
            leeway=_LEEWAY,
            options={"require": _NEEDED},
        )
    except (jwt.PyJWTError, TypeError, ValueError, RecursionError):
        raise InvalidToken from None
    _check_nonce(claims.get("nonce"), nonce, required=provider.key == "apple")
    if not claims.get("name") and name:
        claims["name"] = name[:MAX_NAME]
        claims[POSTED] = {"name": {"firstName": name[:MAX_NAME]}}
    expires_at = timezone.now() + (access_token_lifetime or timedelta())
    tokens = ProviderTokens(access=access_token, expires_at=expires_at if access_token else None)
    return make_profile(provider, claims, tokens)


def _check_nonce(claimed: Any, nonce: str, *, required: bool) -> None:
    if claimed is None and not required:
        return
    made_of = (nonce.encode(), hashlib.sha256(nonce.encode()).hexdigest().encode())
    given = claimed.encode(errors="replace") if isinstance(claimed, str) else b""
    if not nonce or not any(hmac.compare_digest(given, each) for each in made_of):
        raise InvalidToken
