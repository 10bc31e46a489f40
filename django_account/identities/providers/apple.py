"""Sign in with Apple: OpenID Connect, with a client secret that one makes oneself."""

from __future__ import annotations

import time
from typing import Any

import jwt
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import AuthConfigurationError

# Seconds that a made secret is good for; Apple takes half a year at most.
SECRET_LIFETIME = 600


class AppleOpenId(OpenIdConnectAuth[Any]):
    """Apple. All of the profile is in the ID token, but the name, which the browser posts."""

    OIDC_ENDPOINT = "https://appleid.apple.com"
    TOKEN_ENDPOINT_AUTH_METHOD = "client_secret_post"
    HAS_USERINFO = False

    def get_key_and_secret(self) -> tuple[str, str]:
        """The client id, and a secret signed with the site's private key.

        Raises:
            AuthConfigurationError: the private key is none.
        """
        config = self.setting("CONFIG")
        now = int(time.time())
        claims = {
            "iss": config["team_id"],
            "iat": now,
            "exp": now + SECRET_LIFETIME,
            "aud": self.OIDC_ENDPOINT,
            "sub": config["client_id"],
        }
        headers = {"kid": config["key_id"]}
        try:
            secret = jwt.encode(claims, config["private_key"], algorithm="ES256", headers=headers)
        except (jwt.PyJWTError, ValueError, TypeError):
            failure = AuthConfigurationError(self, parameter="private_key", code="invalid_setting")
        else:
            return config["client_id"], secret
        # Outside the except block: the original may quote the key.
        raise failure
