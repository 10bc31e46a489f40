"""Kakao, whose token endpoint wants the callback URL again; social-core's backend leaves it out."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class KakaoOAuth2(PlainOAuth2):
    """Kakao."""

    AUTHORIZATION_URL = "https://kauth.kakao.com/oauth/authorize"
    ACCESS_TOKEN_URL = "https://kauth.kakao.com/oauth/token"
    USER_URL = "https://kapi.kakao.com/v2/user/me"
    SCOPE_SEPARATOR = ","
