"""The secret of an OAuth2 token as an app sees it: wrapped in a JWT that names the provider.

At most 256 characters long, which is what ``POST /account/sessions/token`` takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import jwt

from django_account.core.crypto import derive_keys
from django_account.tokens.models import Token

_ALGORITHM = "HS256"
_PURPOSE = "oauth2-secret"


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A secret, and the provider by which the person signed in."""

    provider: str
    secret: str = field(repr=False)


def wrap_secret(secret: str, *, token: Token, provider: str) -> str:
    """Sign an OAuth2 token's secret for the way through the browser.

    Args:
        token: the wrapper ends with it.
    """
    claims = {
        "secret": secret,
        "provider": provider,
        "exp": int(token.expires_at.timestamp()),
    }
    return jwt.encode(claims, next(derive_keys(_PURPOSE)), algorithm=_ALGORITHM)


def unwrap_secret(value: str) -> Wrapped | None:
    """Take a wrapper apart.

    Returns:
        None for anything that is no wrapper of ours, or has expired.
    """
    if value.count(".") != 2:
        return None
    for key in derive_keys(_PURPOSE):
        try:
            claims = jwt.decode(value, key, algorithms=[_ALGORITHM], options={"require": ["exp"]})
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, TypeError, ValueError, RecursionError):
            return None
        provider, secret = claims.get("provider"), claims.get("secret")
        if isinstance(provider, str) and isinstance(secret, str) and provider and secret:
            return Wrapped(provider, secret)
        return None
    return None
