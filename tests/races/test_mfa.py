"""Second factors when everybody comes at once: each code works once, and guesses are counted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pyotp
import pytest
import requests

from tests.races.site import Person, Site, statuses, types

ROUNDS = int(os.environ.get("RACES_ROUNDS", "2"))

# More than the 32 of a race, so that it is the codes that let one pass; far fewer than 200 guesses.
CAP = 40

TOTP = "/account/mfa/authenticators/totp"
CODES = "/account/mfa/recovery-codes"
CHALLENGES = "/account/mfa/challenges"


@pytest.fixture(scope="module")
def site(run_site: Callable[..., Any]) -> Iterator[Site]:
    """A site without a limit of sessions, on which guesses are what is limited."""
    factors = {"custom": True}
    with run_site(SESSION_LIMIT=0, MFA_WRONG_ANSWERS=CAP, MFA_FACTORS=factors) as site:
        yield site


@pytest.fixture
def ada(site: Site) -> Person:
    """Somebody new, signed in."""
    return site.person(f"{uuid4().hex}@example.org")


def code(secret: str, ahead: int = 0) -> str:
    """The code of the present step or of one ahead, with at least five seconds left to use it."""
    while time.time() % 30 > 25:
        time.sleep(0.2)
    return pyotp.TOTP(secret).generate_otp(int(time.time()) // 30 + ahead)


def enrol(person: Person) -> str:
    """A verified authenticator's secret. The present step is used, the next is not."""
    secret = person.call("POST", TOTP).json()["secret"]
    assert person.call("PUT", TOTP, {"otp": code(secret)}).status_code == 200
    return str(secret)


def begin(person: Person, factor: str) -> str:
    response = person.call("POST", CHALLENGES, {"factor": factor})
    assert response.status_code == 201, response.text
    return str(response.json()["$id"])


def answer(person: Person, challenge: str, otp: str) -> Callable[[], requests.Response]:
    return partial(person.call, "PUT", CHALLENGES, {"challengeId": challenge, "otp": otp})


def session_of(person: Person) -> Any:
    return person.call("GET", "/account/sessions/current").json()


def guesses(site: Site) -> int:
    """The most wrong answers that are counted for anybody."""
    return int(site.rows("SELECT MAX(count) FROM django_account_guesscount")[0][0])


class TestOneOf32:
    def test_recovery_code_in_as_many_challenges(self, site: Site, ada: Person) -> None:
        codes = ada.call("POST", CODES).json()["recoveryCodes"]
        challenges = [begin(ada, "recoveryCode") for _ in range(32)]
        answers = site.together([answer(ada, at, codes[0]) for at in challenges])
        assert statuses(answers) == {200: 1, 401: 31}
        assert types(answers) == {"user_invalid_token"}
        assert ada.call("GET", CODES).json()["recoveryCodes"] == codes[1:]

    def test_time_step_in_as_many_challenges(self, site: Site, ada: Person) -> None:
        secret = enrol(ada)
        challenges = [begin(ada, "totp") for _ in range(32)]
        shown = code(secret, ahead=1)
        answers = site.together([answer(ada, at, shown) for at in challenges])
        assert statuses(answers) == {200: 1, 401: 31}
        assert types(answers) == {"user_invalid_token"}

    @pytest.mark.parametrize("factor", ["recoveryCode", "custom"])
    def test_challenge(self, site: Site, factor: str) -> None:
        """Also where the answer would be right each time."""
        for _ in range(ROUNDS):
            ada = site.person(f"{uuid4().hex}@example.org")
            codes = ada.call("POST", CODES).json()["recoveryCodes"]
            challenge = begin(ada, factor)
            if factor == "custom":
                codes = [self.custom_code(site, challenge)] * 6
            answers = site.together([answer(ada, challenge, each) for each in codes * 5])
            assert statuses(answers) == {200: 1, 401: 29}
            if factor == "recoveryCode":
                assert len(ada.call("GET", CODES).json()["recoveryCodes"]) == 5

    def custom_code(self, site: Site, challenge: str) -> str:
        return site.manage(
            "shell",
            "-v",
            "0",
            "-c",
            "from django_account.mfa.models import Challenge;"
            f"print(Challenge.objects.get(public_id='{challenge}').code)",
        ).split()[-1]

    def test_authenticator_is_confirmed(self, site: Site, ada: Person) -> None:
        secret = ada.call("POST", TOTP).json()["secret"]
        otp = {"otp": code(secret)}
        answers = site.together([partial(ada.call, "PUT", TOTP, otp)] * 16)
        assert statuses(answers) == {200: 1, 409: 15}
        assert session_of(ada)["factors"] == ["password", "totp"]

    def test_authenticator_is_added(self, site: Site, ada: Person) -> None:
        answers = site.together([partial(ada.call, "POST", TOTP)] * 8)
        assert statuses(answers) == {200: 8}
        confirmed = [
            ada.call("PUT", TOTP, {"otp": code(each.json()["secret"])}).status_code
            for each in answers
        ]
        # Codes of others are wrong before the one that stayed is confirmed, and late after it.
        before = confirmed.index(200)
        assert confirmed == [401] * before + [200] + [409] * (7 - before)

    def test_set_of_recovery_codes(self, site: Site, ada: Person) -> None:
        answers = site.together([partial(ada.call, "POST", CODES)] * 16)
        assert statuses(answers) == {201: 1, 409: 15}


class TestGuesses:
    def test_twenty_challenges_with_ten_wrong_answers_each(self, site: Site, ada: Person) -> None:
        secret = enrol(ada)
        elsewhere = site.person(f"{uuid4().hex}@example.org")
        right = int(code(secret))
        challenges = [begin(ada, "totp") for _ in range(20)]
        calls = [
            answer(ada, at, f"{(right + 1000 * number + place) % 1_000_000:06d}")
            for number, at in enumerate(challenges, start=1)
            for place in range(10)
        ]
        answers = site.together(calls)
        counts = statuses(answers)
        assert set(counts) == {401, 429}
        assert guesses(site) == CAP
        assert types(answers) == {"user_invalid_token", "general_rate_limit_exceeded"}
        # Not even a right one is looked at now; and nobody else is touched.
        assert answer(ada, begin(ada, "totp"), code(secret, ahead=1))().status_code == 429
        codes = elsewhere.call("POST", CODES).json()["recoveryCodes"]
        assert answer(elsewhere, begin(elsewhere, "recoveryCode"), codes[0])().status_code == 200

    def test_at_most_five_in_one_challenge(self, site: Site, ada: Person) -> None:
        secret = enrol(ada)
        challenge = begin(ada, "totp")
        right = int(code(secret))
        wrong = [f"{(right + 1000 * step) % 1_000_000:06d}" for step in range(1, 31)]
        answers = site.together([answer(ada, challenge, each) for each in wrong])
        assert statuses(answers) == {401: 30}
        tries = site.rows(
            f"SELECT tries FROM django_account_challenge WHERE public_id = '{challenge}'"
        )
        assert tries == [(5,)]


class TestMixtures:
    def test_two_factors_of_one_session(self, site: Site) -> None:
        """Neither overwrites what the other has proven."""
        for _ in range(ROUNDS):
            ada = site.person(f"{uuid4().hex}@example.org")
            secret = enrol(ada)
            codes = ada.call("POST", CODES).json()["recoveryCodes"]
            by_code, by_app = begin(ada, "recoveryCode"), begin(ada, "totp")
            calls = [answer(ada, by_code, codes[0]), answer(ada, by_app, code(secret, 1))]
            assert statuses(site.together(calls)) == {200: 2}
            assert set(session_of(ada)["factors"]) == {"password", "totp", "recoveryCode"}

    def test_answering_while_the_authenticator_goes(self, site: Site) -> None:
        """No session is left with a claim to it, whoever comes first."""
        for _ in range(ROUNDS):
            email = f"{uuid4().hex}@example.org"
            ada = site.person(email)
            secret = enrol(ada)
            codes = ada.call("POST", CODES).json()["recoveryCodes"]
            assert answer(ada, begin(ada, "recoveryCode"), codes[0])().status_code == 200
            other = site.guest.signed_in(email)
            challenge = begin(other, "totp")
            answers = site.together(
                [
                    answer(other, challenge, code(secret, ahead=1)),
                    partial(ada.call, "DELETE", TOTP),
                ]
            )
            assert answers[1].status_code == 204
            assert answers[0].status_code in {200, 401}
            sessions = ada.call("GET", "/account/sessions").json()["sessions"]
            assert not any("totp" in session["factors"] for session in sessions)

    def test_answering_while_the_account_is_deleted(self, site: Site) -> None:
        for _ in range(ROUNDS):
            ada = site.person(f"{uuid4().hex}@example.org")
            codes = ada.call("POST", CODES).json()["recoveryCodes"]
            challenges = [begin(ada, "recoveryCode") for _ in range(6)]
            calls = [answer(ada, at, each) for at, each in zip(challenges, codes, strict=True)]
            answers = site.together([*calls, partial(ada.call, "DELETE", "/account")])
            assert answers[-1].status_code == 204
            assert set(statuses(answers[:-1])) <= {200, 401}
