"""Figma."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class FigmaOAuth2(PlainOAuth2):
    """Figma."""

    AUTHORIZATION_URL = "https://www.figma.com/oauth"
    ACCESS_TOKEN_URL = "https://api.figma.com/v1/oauth/token"
    REFRESH_TOKEN_URL = "https://api.figma.com/v1/oauth/refresh"
    USER_URL = "https://api.figma.com/v1/me"
    USE_BASIC_AUTH = True
