"""Bitly."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class BitlyOAuth2(PlainOAuth2):
    """Bitly."""

    AUTHORIZATION_URL = "https://bitly.com/oauth/authorize"
    ACCESS_TOKEN_URL = "https://api-ssl.bitly.com/oauth/access_token"
    USER_URL = "https://api-ssl.bitly.com/v4/user"
