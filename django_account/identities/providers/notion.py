"""Notion, which nests its people in bots."""

from __future__ import annotations

from typing import Any

from django_account.identities.providers.base import PlainOAuth2


class NotionOAuth2(PlainOAuth2):
    """Notion."""

    AUTHORIZATION_URL = "https://api.notion.com/v1/oauth/authorize"
    ACCESS_TOKEN_URL = "https://api.notion.com/v1/oauth/token"
    ACCESS_TOKEN_PAYLOAD = "json"
    USE_BASIC_AUTH = True

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}", "Notion-Version": "2022-06-28"}
        found: dict[str, Any] = self.get_json("https://api.notion.com/v1/users/me", headers=headers)
        return found
