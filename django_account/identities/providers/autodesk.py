"""Autodesk Platform Services."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class AutodeskOAuth2(PlainOAuth2):
    """Autodesk."""

    AUTHORIZATION_URL = "https://developer.api.autodesk.com/authentication/v2/authorize"
    ACCESS_TOKEN_URL = "https://developer.api.autodesk.com/authentication/v2/token"
    USER_URL = "https://api.userprofile.autodesk.com/userinfo"
    USE_BASIC_AUTH = True
