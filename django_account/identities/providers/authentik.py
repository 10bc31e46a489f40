"""Authentik, by its addresses that all applications share."""

from __future__ import annotations

from django_account.identities.providers.base import PlainOAuth2


class AuthentikOAuth2(PlainOAuth2):
    """One's own Authentik. Its issuer differs with the application, so that the profile comes from
    userinfo; give ``oidc`` the application's issuer to have ID tokens checked as well."""

    def authorization_url(self) -> str:
        return f"{self.setting('BASE_URL')}/application/o/authorize/"

    def access_token_url(self) -> str:
        return f"{self.setting('BASE_URL')}/application/o/token/"
