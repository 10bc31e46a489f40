"""Only for this host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import call_command

from django_account.accounts.models import Account
from django_account.notifications import sms
from tests.client import PASSWORD, ApiClient, assert_error


def test_site_user_has_no_address_to_sign_in_by(guest: ApiClient) -> None:
    get_user_model().objects.create_user("+14155550100", PASSWORD)
    for email in ("eve@example.org", "14155550100@users.invalid"):
        body = {"email": email, "password": PASSWORD}
        response = guest.post("/account/sessions/email", body)
        assert_error(response, 401, "user_invalid_credentials")


def test_people_without_a_number_do_not_share_one(guest: ApiClient) -> None:
    for number in range(3):
        guest.sign_up(f"ada{number}@example.org")
    assert get_user_model().objects.values("phone").distinct().count() == 3


def test_site_user_signs_in_by_their_number(
    guest: ApiClient, django_capture_on_commit_callbacks: Any
) -> None:
    """The code proves the number; the user of the site gets an account."""
    eve = get_user_model().objects.create_user("+14155550100", PASSWORD)
    body = {"userId": "another", "phone": "+14155550100"}
    with django_capture_on_commit_callbacks(execute=True):
        user_id = guest.post("/account/tokens/phone", body).json()["userId"]
    account = Account.objects.get(public_id=user_id)
    assert account.user == eve
    assert (account.phone, account.phone_verified) == ("+14155550100", False)
    assert [target.identifier for target in account.targets.all()] == ["+14155550100"]
    body = {"userId": user_id, "secret": sms.outbox[-1].body}
    assert guest.post("/account/sessions/token", body).status_code == 201
    assert guest.get("/account").json()["phoneVerification"] is True


def test_site_users_that_are_not_adopted_keep_their_number(
    guest: ApiClient, project: Callable[..., None]
) -> None:
    project(ADOPT_USERS=False)
    get_user_model().objects.create_user("+14155550100", PASSWORD)
    body = {"userId": "ada", "phone": "+14155550100"}
    assert_error(guest.post("/account/tokens/phone", body), 409, "user_already_exists")
    assert not Account.objects.exists()


def test_adopted_in_bulk(guest: ApiClient) -> None:
    get_user_model().objects.create_user("+14155550100", PASSWORD)
    get_user_model().objects.create_user("eve", PASSWORD)
    call_command("adoptusers", "--without-email", verbosity=0)
    assert {account.phone for account in Account.objects.all()} == {"+14155550100", None}
