"""Podio, with its list of addresses, of which each is verified or not."""

from __future__ import annotations

from typing import Any

from social_core.backends import podio


class PodioOAuth2(podio.PodioOAuth2[Any]):
    """Podio."""

    ACCESS_TOKEN_URL = "https://api.podio.com/oauth/token"

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        headers = {"Authorization": f"OAuth2 {access_token}"}
        return {
            "user": self.get_json("https://api.podio.com/user", headers=headers),
            "profile": self.get_json("https://api.podio.com/user/profile", headers=headers),
        }
