"""Who exists is not told by the work that a refusal takes: password hashes, counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from django_account.accounts.models import Account
from django_account.accounts.services import authenticate, create_account
from django_account.exceptions import InvalidCredentials
from tests.client import ApiClient, assert_error
from tests.security.hashers import CountingHasher

pytestmark = pytest.mark.django_db

User = get_user_model()

EMAIL = "ada@example.org"
RIGHT, WRONG = "correct horse", "wrong horse!"


@pytest.fixture(autouse=True)
def counted(settings: Any) -> None:
    """Count the work of every hash."""
    settings.PASSWORD_HASHERS = ["tests.security.hashers.CountingHasher"]


def cost_of(act: Callable[[], Any]) -> int:
    """How many hashes an act takes."""
    before = CountingHasher.work
    act()
    return CountingHasher.work - before


def with_password() -> None:
    create_account(email=EMAIL, password=RIGHT)


def without_password() -> None:
    create_account(email=EMAIL)


def with_empty_column() -> None:
    create_account(email=EMAIL)
    User.objects.update(password="")


def with_broken_hash() -> None:
    create_account(email=EMAIL)
    User.objects.update(password="no hash at all")


def with_unknown_algorithm() -> None:
    create_account(email=EMAIL)
    User.objects.update(password="rot13$salt$uryyb")


def blocked() -> None:
    create_account(email=EMAIL, password=RIGHT)
    User.objects.update(is_active=False)


def owing_a_reset() -> None:
    create_account(email=EMAIL, password=RIGHT)
    Account.objects.update(password_reset_required=True)


def site_user() -> None:
    User.objects.create_user("ada", EMAIL, RIGHT)


def site_user_without_password() -> None:
    User.objects.create_user("ada", EMAIL)


def two_site_users() -> None:
    User.objects.create_user("ada", EMAIL, RIGHT)
    User.objects.create_user("eve", EMAIL.upper(), RIGHT)


def nobody() -> None:
    """Nobody has the address."""


PEOPLE = [
    nobody,
    with_password,
    without_password,
    with_empty_column,
    with_broken_hash,
    with_unknown_algorithm,
    blocked,
    owing_a_reset,
    site_user,
    site_user_without_password,
    two_site_users,
]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.__name__)
class TestWrongPassword:
    def test_of_the_service(self, person: Callable[[], None]) -> None:
        person()

        def act() -> None:
            with pytest.raises(InvalidCredentials):
                authenticate(email=EMAIL, password=WRONG)

        assert cost_of(act) == 1

    def test_of_the_endpoint(self, person: Callable[[], None]) -> None:
        person()
        answers = []

        def act() -> None:
            body = {"email": EMAIL, "password": WRONG}
            answers.append(ApiClient().post("/account/sessions/email", body))

        assert cost_of(act) == 1
        assert_error(answers[0], 401, "user_invalid_credentials")

    def test_answers_are_the_same_to_the_letter(self, person: Callable[[], None]) -> None:
        body = {"email": EMAIL, "password": WRONG}
        stranger = ApiClient().post("/account/sessions/email", body)
        person()
        answer = ApiClient().post("/account/sessions/email", body)
        assert answer.content == stranger.content
        assert headers(answer) == headers(stranger)


def headers(response: Any) -> dict[str, str]:
    """Those that do not count requests."""
    return {
        name: value
        for name, value in response.headers.items()
        if not name.startswith("X-RateLimit-")
    }


class TestRightPassword:
    def test_costs_as_much(self) -> None:
        with_password()
        assert cost_of(lambda: authenticate(email=EMAIL, password=RIGHT)) == 1

    def test_of_a_site_user(self) -> None:
        site_user()
        assert cost_of(lambda: authenticate(email=EMAIL, password=RIGHT)) == 1


class TestSignUp:
    def test_hashes_once(self) -> None:
        assert cost_of(with_password) == 1


class TestConfirmingPassword:
    @pytest.mark.parametrize("path", ["email", "phone", "password"])
    def test_wrong_one_costs_one_hash(self, path: str) -> None:
        with_password()
        client = ApiClient()
        client.sign_in(EMAIL, RIGHT)
        body = {
            "email": "grace@example.org",
            "phone": "+14155550100",
            "password": WRONG,
            "oldPassword": WRONG,
        }
        answers = []
        assert cost_of(lambda: answers.append(client.patch(f"/account/{path}", body))) == 1
        assert_error(answers[0], 401, "user_invalid_credentials")
