"""Resend, which tells who somebody is by the access token alone."""

from __future__ import annotations

from typing import Any

import jwt
from social_core.exceptions import AuthResponseError

from django_account.identities.providers.base import PlainOAuth2

_ISSUER = "https://api.resend.com"


class ResendOAuth2(PlainOAuth2):
    """Resend."""

    AUTHORIZATION_URL = f"{_ISSUER}/oauth/authorize"
    ACCESS_TOKEN_URL = f"{_ISSUER}/oauth/token"

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The claims of the access token, which is a JWT (RFC 9068).

        Raises:
            AuthResponseError: Resend has not signed it, or it has expired.
        """
        document = self.get_json(f"{_ISSUER}/.well-known/jwks.json", stage="token_validation")
        try:
            keys = jwt.PyJWKSet.from_dict(document)
            key = keys[jwt.get_unverified_header(access_token).get("kid", "")]
            claims: dict[str, Any] = jwt.decode(
                access_token,
                key.key,
                algorithms=["ES256"],
                issuer=_ISSUER,
                # It is for Resend's API.
                options={"require": ["iss", "exp", "sub"], "verify_aud": False},
            )
        except (jwt.PyJWTError, LookupError, TypeError, ValueError, AttributeError):
            raise AuthResponseError(
                self, "its access token is not signed by it", stage="token_validation"
            ) from None
        return claims
