"""TikTok, which calls a client id a key."""

from __future__ import annotations

from typing import Any

from django_account.identities.providers.base import PlainOAuth2


class TikTokOAuth2(PlainOAuth2):
    """TikTok."""

    AUTHORIZATION_URL = "https://www.tiktok.com/v2/auth/authorize/"
    ACCESS_TOKEN_URL = "https://open.tiktokapis.com/v2/oauth/token/"
    USER_URL = "https://open.tiktokapis.com/v2/user/info/?fields=open_id,display_name"
    SCOPE_SEPARATOR = ","

    def auth_params(self, state: str | None = None) -> dict[str, str]:
        return _with_key(super().auth_params(state))

    def auth_complete_params(self, state: str | None = None) -> dict[str, str]:
        return _with_key(super().auth_complete_params(state))

    def refresh_token_params(self, token: str, *args: Any, **kwargs: Any) -> dict[str, str]:
        return _with_key(super().refresh_token_params(token, *args, **kwargs))


def _with_key(params: dict[str, str]) -> dict[str, str]:
    return {("client_key" if name == "client_id" else name): params[name] for name in params}
