"""Webflow."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class WebflowOAuth2(PlainOAuth2):
    """Webflow."""

    AUTHORIZATION_URL = "https://webflow.com/oauth/authorize"
    ACCESS_TOKEN_URL = "https://api.webflow.com/oauth/access_token"
    USER_URL = "https://api.webflow.com/v2/token/authorized_by"
