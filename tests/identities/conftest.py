"""A far side for every sign-in, and a browser that goes there and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from django_account.core import http
from tests.client import ApiClient
from tests.identities.far_side import FarSide, OpenIdProvider

SUCCESS = "http://localhost/signed-in"
FAILURE = "http://localhost/not-signed-in"
ISSUER = "https://id.example.net"
OIDC = {"client_id": "client-id", "client_secret": "client-secret", "endpoint": ISSUER}


@pytest.fixture(scope="session")
def far_side_server() -> Iterator[FarSide]:
    far_side = FarSide()
    with far_side.running():
        yield far_side


@pytest.fixture
def far_side(far_side_server: FarSide, monkeypatch: pytest.MonkeyPatch) -> FarSide:
    """The local server that every call to a provider reaches instead."""
    forget_discovered()
    far_side_server.says.clear()
    far_side_server.calls.clear()
    send = http.send

    def turned_round(method: str, url: str, **rest: Any) -> http.RawAnswer:
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        there = f"http://127.0.0.1:{far_side_server.port}/{parts.netloc}{parts.path}{query}"
        return send(method, there, **rest)

    monkeypatch.setattr(http, "send", turned_round)
    return far_side_server


def forget_discovered() -> None:
    """Key sets and discovery documents are kept for a day, longer than a test."""
    from social_core.backends.open_id_connect import OpenIdConnectAuth

    OpenIdConnectAuth.get_jwks_keys_for_uri.invalidate()
    OpenIdConnectAuth.get_openid_configuration.invalidate()


class Browser(ApiClient):
    """Somebody's browser: keeps cookies and follows the redirects of a sign-in."""

    def start(self, provider: str, flow: str = "sessions", **params: Any) -> Any:
        """Open the start page."""
        given = {"success": SUCCESS, "failure": FAILURE, "project": "demo", **params}
        query = urlencode({name: value for name, value in given.items() if value is not None})
        return self.http.get(f"/v1/account/{flow}/oauth2/{provider}?{query}")

    def come_back(self, provider: str, **brought: str) -> Any:
        """Come back from the provider; the last answer of ours."""
        callback = self.http.get(
            f"/v1/account/sessions/oauth2/callback/{provider}/demo?{urlencode(brought)}"
        )
        assert callback.status_code == 301, callback.content
        return self.http.get(callback["Location"])

    def sign_in_by(
        self, provider: OpenIdProvider, key: str = "oidc", flow: str = "sessions", **params: Any
    ) -> Any:
        """Go all the way, consenting at the provider; the last answer of ours."""
        started = self.start(key, flow, **params)
        assert started.status_code == 301, started.content
        return self.come_back(key, **provider.consent(started["Location"]))


def query_of(response: Any) -> dict[str, str]:
    """The parameters of the address that a redirect leads to."""
    assert response.status_code == 301, response.content
    return dict(parse_qsl(urlsplit(response["Location"]).query))


@pytest.fixture
def browser(db: None) -> Browser:
    return Browser()


@pytest.fixture
def new_browser(db: None) -> Callable[[], Browser]:
    return Browser


@pytest.fixture
def oidc(far_side: FarSide, project: Callable[..., None]) -> OpenIdProvider:
    """A generic OpenID provider that the site has set up."""
    project(OAUTH2_PROVIDERS={"oidc": OIDC})
    return OpenIdProvider(far_side, ISSUER)
