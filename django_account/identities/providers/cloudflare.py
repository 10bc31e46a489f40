"""Cloudflare."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class CloudflareOAuth2(PlainOAuth2):
    """Cloudflare's dashboard accounts."""

    AUTHORIZATION_URL = "https://dash.cloudflare.com/oauth2/auth"
    ACCESS_TOKEN_URL = "https://dash.cloudflare.com/oauth2/token"
    USER_URL = "https://api.cloudflare.com/client/v4/user"
    USE_BASIC_AUTH = True
