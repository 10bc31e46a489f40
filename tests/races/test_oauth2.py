"""Browsers that come back from a provider all at once: each sign-in counts once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
import requests

from tests.identities.far_side import FarSide, OpenIdProvider
from tests.races.site import TIMEOUT, Site, statuses

# More of them for a longer search: RACES_ROUNDS=20.
ROUNDS = int(os.environ.get("RACES_ROUNDS", "3"))
AT_ONCE = 6
SUCCESS = "http://localhost/signed-in"


class SiteWithProvider:
    """A running site, and the provider that it asks."""

    def __init__(self, site: Site, provider: OpenIdProvider) -> None:
        self.site, self.provider = site, provider
        self.api = f"http://127.0.0.1:{site.port}/v1/account"

    def start(self, browser: requests.Session, flow: str = "sessions") -> str:
        """Go to the provider and consent; the address that the browser comes back to."""
        params = {"success": SUCCESS, "failure": "http://localhost/failed", "project": "demo"}
        started = browser.get(
            f"{self.api}/{flow}/oauth2/oidc", params=params, allow_redirects=False, timeout=TIMEOUT
        )
        assert started.status_code == 301, started.text
        brought = self.provider.consent(started.headers["Location"])
        query = "&".join(f"{name}={value}" for name, value in brought.items())
        return f"{self.api}/sessions/oauth2/oidc/redirect?{query}&project=demo"

    def come_back(self, browser: requests.Session, url: str) -> requests.Response:
        # Each on a connection of its own, as other browsers and tabs have.
        return requests.get(url, cookies=browser.cookies, allow_redirects=False, timeout=TIMEOUT)


@pytest.fixture(scope="module")
def there(run_site: Callable[..., Any]) -> Iterator[SiteWithProvider]:
    far_side = FarSide()
    with far_side.running():
        provider = OpenIdProvider(far_side, "https://provider")
        address = f"http://127.0.0.1:{far_side.port}/provider"
        for name, value in provider.document.items():
            if isinstance(value, str):
                provider.document[name] = value.replace("https://provider", address)
        config = {"client_id": "client-id", "client_secret": "secret", "endpoint": address}
        with run_site(OAUTH2_PROVIDERS={"oidc": config}, SESSION_LIMIT=0) as site:
            yield SiteWithProvider(site, provider)


def new_person(provider: OpenIdProvider) -> None:
    name = uuid4().hex
    provider.claims |= {"sub": name, "email": f"{name}@example.org"}


def landed(answers: list[requests.Response]) -> list[dict[str, str]]:
    """What stands on the success URL, of those who got there."""
    return [
        dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        for answer in answers
        if answer.status_code == 301 and answer.headers["Location"].startswith(SUCCESS)
    ]


def sessions_of(there: SiteWithProvider, answer: requests.Response) -> dict[str, Any]:
    """The sessions of whoever an answer has signed in."""
    headers = {"X-Appwrite-Project": "demo"}
    listed = requests.get(
        f"{there.api}/sessions", cookies=answer.cookies, headers=headers, timeout=TIMEOUT
    )
    assert listed.status_code == 200, listed.text
    found: dict[str, Any] = listed.json()
    return found


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_one_state_gives_one_session(there: SiteWithProvider, round_number: int) -> None:
    new_person(there.provider)
    browser = requests.Session()
    url = there.start(browser)
    answers = there.site.together([partial(there.come_back, browser, url)] * AT_ONCE)
    assert statuses(answers) == {301: 1, 400: AT_ONCE - 1}
    assert len(landed(answers)) == 1
    winner = next(answer for answer in answers if answer.status_code == 301)
    assert sessions_of(there, winner)["total"] == 1


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_first_sign_ins_of_one_person_make_one_account(
    there: SiteWithProvider, round_number: int
) -> None:
    new_person(there.provider)
    browsers = [requests.Session() for _ in range(AT_ONCE)]
    urls = [there.start(browser) for browser in browsers]
    calls = [
        partial(there.come_back, browser, url) for browser, url in zip(browsers, urls, strict=True)
    ]
    answers = there.site.together(calls)
    assert len(landed(answers)) == AT_ONCE, [answer.headers for answer in answers]
    assert sessions_of(there, answers[0])["total"] == AT_ONCE


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_one_secret_gives_one_session(there: SiteWithProvider, round_number: int) -> None:
    new_person(there.provider)
    browser = requests.Session()
    [query] = landed([there.come_back(browser, there.start(browser, "tokens"))])
    exchange = partial(there.site.guest.call, "POST", "/account/sessions/token", query)
    answers = there.site.together([exchange] * AT_ONCE)
    assert statuses(answers) == {201: 1, 401: AT_ONCE - 1}
