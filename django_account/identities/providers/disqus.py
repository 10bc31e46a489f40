"""Disqus, whose API wants the application's key beside the token."""

from __future__ import annotations

from typing import Any

from social_core.backends import disqus


class DisqusOAuth2(disqus.DisqusOAuth2[Any]):
    """Disqus."""

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        key, secret = self.get_key_and_secret()
        found: dict[str, Any] = self.get_json(
            "https://disqus.com/api/3.0/users/details.json",
            params={"access_token": access_token, "api_key": key, "api_secret": secret},
        )
        return found
