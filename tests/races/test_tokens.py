"""One-time secrets when everybody comes at once: each works once, and guesses are counted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.client import PASSWORD
from tests.live.sink import Files, Received
from tests.races.site import Person, Site, credential, statuses, types

# More of them for a longer search: RACES_ROUNDS=100. The redemption of each kind has more.
ROUNDS = int(os.environ.get("RACES_ROUNDS", "3"))
REDEMPTIONS = int(os.environ.get("RACES_ROUNDS", "20"))
URL = "http://localhost/landing"
NEW_PASSWORD = "battery staple"


@dataclass
class TokenSite:
    """A site, and the files that it writes its messages to."""

    site: Site
    files: Files


@pytest.fixture(scope="module")
def there(
    run_site: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TokenSite]:
    """A site that writes its messages to files."""
    files = Files(tmp_path_factory.mktemp("tokens"))
    with run_site(files.environment, SESSION_LIMIT=0) as site:
        yield TokenSite(site, files)


@dataclass
class Flow:
    """A kind of token: how one gets it, and how one redeems it.

    Attributes:
        ask: method is POST; ``address`` takes the place of the empty value.
        redeem: method, path, and what the body has besides userId and secret.
        signed_in: whether one must be, to ask.
    """

    ask: str
    given: dict[str, Any]
    redeem: tuple[str, str]
    also: dict[str, Any]
    by_phone: bool = False
    signed_in: bool = False


SIGN_IN = ("POST", "/account/sessions/token")
FLOWS = {
    "magic URL": Flow(
        "/account/tokens/magic-url", {"userId": "unique()", "email": "", "url": URL}, SIGN_IN, {}
    ),
    "magic URL, old name": Flow(
        "/account/sessions/magic-url",
        {"userId": "unique()", "email": "", "url": URL},
        ("PUT", "/account/sessions/magic-url"),
        {},
    ),
    "e-mail code": Flow("/account/tokens/email", {"userId": "unique()", "email": ""}, SIGN_IN, {}),
    "phone code": Flow(
        "/account/tokens/phone", {"userId": "unique()", "phone": ""}, SIGN_IN, {}, by_phone=True
    ),
    "recovery": Flow(
        "/account/recovery",
        {"email": "", "url": URL},
        ("PUT", "/account/recovery"),
        {"password": NEW_PASSWORD},
    ),
    "recovery code": Flow(
        "/account/recovery/otp",
        {"email": ""},
        ("PUT", "/account/recovery/otp"),
        {"password": NEW_PASSWORD},
    ),
    "verification": Flow(
        "/account/verifications/email",
        {"url": URL},
        ("PUT", "/account/verifications/email"),
        {},
        signed_in=True,
    ),
    "verification code": Flow(
        "/account/verifications/email/otp",
        {},
        ("PUT", "/account/verifications/email/otp"),
        {},
        signed_in=True,
    ),
    "phone verification": Flow(
        "/account/verifications/phone",
        {},
        ("PUT", "/account/verifications/phone"),
        {},
        by_phone=True,
        signed_in=True,
    ),
}
CODES = [
    name for name, flow in FLOWS.items() if "code" in name or (flow.by_phone and flow.signed_in)
]
LINKS = [name for name in FLOWS if name not in CODES]


def new_email() -> str:
    return f"somebody.{uuid4().hex}@example.org"


def new_phone() -> str:
    return f"+1415{uuid4().int % 10**7:07}"


@dataclass
class Issued:
    """A token that somebody got a message with."""

    there: TokenSite
    flow: Flow
    token: dict[str, Any]
    message: Received

    def redeem(self, secret: str | None = None) -> requests.Response:
        """Present a secret: the right one, or another."""
        method, path = self.flow.redeem
        given = self.message.secret if secret is None else secret
        body = {"userId": self.token["userId"], "secret": given, **self.flow.also}
        return self.there.site.guest.call(method, path, body)

    @property
    def tries(self) -> list[int]:
        """How many guesses were compared; empty when the token is no more."""
        statement = "SELECT tries FROM django_account_token WHERE public_id = '{}'"
        return [row[0] for row in self.there.site.rows(statement.format(self.token["$id"]))]


def issue(there: TokenSite, flow: Flow) -> Issued:
    """Ask for a token of somebody new, and wait for the message."""
    email, phone = new_email(), new_phone()
    asker = there.site.guest
    if flow.signed_in or "recovery" in flow.ask:
        asker = there.site.person(email)
        if flow.by_phone:
            body = {"phone": phone, "password": PASSWORD}
            assert asker.call("PATCH", "/account/phone", body).status_code == 200
    if not flow.signed_in:
        asker = there.site.guest
    address = phone if flow.by_phone else email
    body = {name: value or address for name, value in flow.given.items()}
    response = asker.call("POST", flow.ask, body)
    assert response.status_code == 201, response.text
    assert response.json()["secret"] == ""
    return Issued(there, flow, response.json(), there.files.to(address))


@pytest.mark.parametrize("name", FLOWS)
def test_one_of_many_redeems(there: TokenSite, name: str) -> None:
    """32 at once: one gets in, whatever the others present at the same moment."""
    for _ in range(REDEMPTIONS):
        issued = issue(there, FLOWS[name])
        answers = there.site.together([issued.redeem] * 32)
        counts = statuses(answers)
        assert counts.pop(401) == 31
        assert set(counts) <= {200, 201}
        assert types(answers) == {"user_invalid_token"}
        assert issued.tries == []
        assert issued.redeem().status_code == 401


class TestGuesses:
    @pytest.mark.parametrize("name", CODES)
    def test_at_most_five_are_compared(self, there: TokenSite, name: str) -> None:
        issued = issue(there, FLOWS[name])
        right = int(issued.message.code)
        wrong = [f"{(right + step) % 1_000_000:06d}" for step in range(1, 101)]
        answers = there.site.together([partial(issued.redeem, guess) for guess in wrong])
        assert statuses(answers) == {401: 100}
        assert types(answers) == {"user_invalid_token"}
        assert issued.tries == [5]
        assert issued.redeem().status_code == 401, "the right one comes too late"
        assert issued.tries == [5]

    def test_the_right_one_among_wrong_ones(self, there: TokenSite) -> None:
        """It gets in, or the others have used the tries up; never both, never a server error."""
        for _ in range(ROUNDS):
            issued = issue(there, FLOWS["e-mail code"])
            right = int(issued.message.code)
            guesses = [f"{(right + step) % 1_000_000:06d}" for step in range(16)]
            answers = there.site.together([partial(issued.redeem, guess) for guess in guesses])
            if answers[0].status_code == 201:
                assert statuses(answers) == {201: 1, 401: 15}
                assert issued.tries == []
            else:
                assert statuses(answers) == {401: 16}
                assert issued.tries == [5]

    @pytest.mark.parametrize("name", LINKS)
    def test_links_do_not_die_of_wrong_ones(self, there: TokenSite, name: str) -> None:
        """Nobody guesses a long secret, and nobody locks another's link."""
        issued = issue(there, FLOWS[name])
        wrong = [f"{number:064x}" for number in range(20)]
        answers = there.site.together([partial(issued.redeem, guess) for guess in wrong])
        assert statuses(answers) == {401: 20}
        assert issued.redeem().status_code in {200, 201}


class TestRequests:
    @pytest.mark.parametrize("name", ["magic URL", "e-mail code", "phone code"])
    def test_of_a_new_address_make_one_account(self, there: TokenSite, name: str) -> None:
        flow = FLOWS[name]
        for _ in range(ROUNDS):
            address = new_phone() if flow.by_phone else new_email()
            body = {key: value or address for key, value in flow.given.items()}
            answers = there.site.together(
                [partial(there.site.guest.call, "POST", flow.ask, body)] * 16
            )
            assert statuses(answers) == {201: 16}
            assert len({answer.json()["userId"] for answer in answers}) == 1
            assert len({answer.json()["$id"] for answer in answers}) == 16

    def test_of_a_new_address_by_different_ways(self, there: TokenSite) -> None:
        for _ in range(ROUNDS):
            email = new_email()
            calls = []
            for name in ("magic URL", "e-mail code"):
                flow = FLOWS[name]
                body = {key: value or email for key, value in flow.given.items()}
                calls += [partial(there.site.guest.call, "POST", flow.ask, body)] * 8
            answers = there.site.together([*calls, *[partial(there.site.guest.sign_up, email)] * 4])
            assert statuses(answers[:16]) == {201: 16}
            assert set(statuses(answers[16:])) <= {201, 409}
            created = [answer.json() for answer in answers if answer.status_code == 201]
            assert len({given.get("userId", given["$id"]) for given in created}) == 1

    def test_of_one_id_for_two_addresses(self, there: TokenSite) -> None:
        """An id is one account's; the others are told so."""
        account_id = uuid4().hex
        answers = there.site.together(
            [
                partial(
                    there.site.guest.call,
                    "POST",
                    "/account/tokens/email",
                    {"userId": account_id, "email": new_email()},
                )
                for _ in range(8)
            ]
        )
        assert statuses(answers) == {201: 1, 409: 7}


class TestMixtures:
    def test_recovery_and_sign_in(self, there: TokenSite) -> None:
        """Signing in with the old password while it is replaced: one of the two holds."""
        for _ in range(ROUNDS):
            issued = issue(there, FLOWS["recovery"])
            email = issued.message.to
            answers = there.site.together(
                [*[partial(there.site.guest.sign_in, email)] * 8, issued.redeem]
            )
            assert answers[-1].status_code == 200
            assert set(statuses(answers[:-1])) <= {201, 401}
            assert there.site.guest.sign_in(email).status_code == 401
            assert there.site.guest.sign_in(email, NEW_PASSWORD).status_code == 201

    def test_verification_and_a_change_of_address(self, there: TokenSite) -> None:
        """A link that went to the old address never verifies the new one."""
        for _ in range(ROUNDS):
            issued = issue(there, FLOWS["verification"])
            person = there.site.guest.signed_in(issued.message.to)
            wanted = new_email()
            body = {"email": wanted, "password": PASSWORD}
            answers = there.site.together(
                [
                    *[issued.redeem] * 4,
                    partial(person.call, "PATCH", "/account/email", body),
                    *[issued.redeem] * 4,
                ]
            )
            assert answers[4].status_code == 200
            account = person.call("GET", "/account").json()
            assert (account["email"], account["emailVerification"]) == (wanted, False)

    def test_redeeming_while_the_account_is_deleted(self, there: TokenSite) -> None:
        for _ in range(ROUNDS):
            issued = issue(there, FLOWS["verification"])
            person = there.site.guest.signed_in(issued.message.to)
            answers = there.site.together(
                [*[issued.redeem] * 6, partial(person.call, "DELETE", "/account")]
            )
            assert answers[-1].status_code == 204
            assert set(statuses(answers[:-1])) <= {200, 401, 404}

    def test_signing_in_while_the_account_is_deleted(self, there: TokenSite) -> None:
        for _ in range(ROUNDS):
            email = new_email()
            owner = there.site.person(email)
            flow = FLOWS["magic URL"]
            body = {name: value or email for name, value in flow.given.items()}
            token = there.site.guest.call("POST", flow.ask, body).json()
            issued = Issued(there, flow, token, there.files.to(email))
            answers = there.site.together(
                [*[issued.redeem] * 6, partial(owner.call, "DELETE", "/account")]
            )
            assert answers[-1].status_code == 204
            for answer in answers[:-1]:
                assert answer.status_code in {201, 401, 404}
                if answer.status_code == 201:
                    session = Person(there.site, credential(answer))
                    assert session.call("GET", "/account").status_code == 401
