"""Bitbucket Cloud, which takes its token in a header only."""

from __future__ import annotations

from typing import Any

from social_core.backends import bitbucket


class BitbucketOAuth2(bitbucket.BitbucketOAuth2[Any]):
    """Bitbucket, with the first confirmed of the person's addresses."""

    USE_BASIC_AUTH = True
    API_URL = "https://api.bitbucket.org/2.0/user"

    def user_data(self, access_token: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"}
        user = dict(self.get_json(self.API_URL, headers=headers))
        listed = self.get_json(f"{self.API_URL}/emails", headers=headers)["values"]
        confirmed = [entry for entry in listed if entry.get("is_confirmed") is True]
        confirmed.sort(key=lambda entry: not entry.get("is_primary"))
        for entry in confirmed[:1]:
            user |= {"email": entry["email"], "is_confirmed": True}
        return user
