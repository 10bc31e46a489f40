"""WordPress.com."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class WordPressOAuth2(PlainOAuth2):
    """WordPress.com."""

    AUTHORIZATION_URL = "https://public-api.wordpress.com/oauth2/authorize"
    ACCESS_TOKEN_URL = "https://public-api.wordpress.com/oauth2/token"
    USER_URL = "https://public-api.wordpress.com/rest/v1.1/me"
