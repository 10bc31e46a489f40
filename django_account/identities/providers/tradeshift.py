"""Tradeshift, live and sandbox."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class TradeshiftOAuth2(PlainOAuth2):
    """Tradeshift."""

    AUTHORIZATION_URL = "https://api.tradeshift.com/tradeshift/auth/login"
    ACCESS_TOKEN_URL = "https://api.tradeshift.com/tradeshift/auth/token"
    USER_URL = "https://api.tradeshift.com/tradeshift/rest/external/account/info/user"
    USE_BASIC_AUTH = True


class TradeshiftSandboxOAuth2(TradeshiftOAuth2):
    """Tradeshift's sandbox."""

    AUTHORIZATION_URL = "https://api-sandbox.tradeshift.com/tradeshift/auth/login"
    ACCESS_TOKEN_URL = "https://api-sandbox.tradeshift.com/tradeshift/auth/token"
    USER_URL = "https://api-sandbox.tradeshift.com/tradeshift/rest/external/account/info/user"
