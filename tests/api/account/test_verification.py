"""Proving an address (mfa-oauth.md §6.3 to §6.6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.api_keys.services import create_api_key
from django_account.notifications import sms
from tests.api.account.messages import URL, mailed_code, mailed_secret, texted_code
from tests.client import PASSWORD, ApiClient, assert_error

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = "+16308520394"


@pytest.fixture(autouse=True)
def empty_outbox() -> None:
    mail.outbox.clear()
    sms.outbox.clear()


@pytest.fixture
def ada_by_phone(ada: ApiClient) -> ApiClient:
    """Ada with a phone number."""
    ada.patch("/account/phone", {"phone": PHONE, "password": PASSWORD})
    return ada


def ask(client: ApiClient, path: str = "/account/verifications/email", **body: Any) -> Any:
    return client.post(path, {"url": URL, **body})


def confirm(client: ApiClient, user_id: str, secret: str, what: str = "email") -> Any:
    return client.put(f"/account/verifications/{what}", {"userId": user_id, "secret": secret})


class TestByAServer:
    """A key of any scope may pass a confirmation on: the secret is the proof."""

    def test_confirms(self, ada: ApiClient) -> None:
        user_id = ask(ada).json()["userId"]
        server = ApiClient(key=create_api_key(name="tests", scopes=["users.read"]).secret)
        answer = confirm(server, user_id, mailed_secret())
        assert (answer.status_code, answer.json()["secret"]) == (200, "")
        assert ada.get("/account").json()["emailVerification"] is True


class TestCreateEmailVerification:
    def test_sends_a_link_that_lives_seven_days(self, ada: ApiClient) -> None:
        with time_machine.travel(timezone.now(), tick=False):
            body = ask(ada).json()
            expected = timezone.now() + timedelta(days=7)
        assert body["expire"][:19] == expected.isoformat()[:19]
        assert mail.outbox[0].subject == "Account Verification for demo"
        assert mail.outbox[0].to == ["Ada <ada@example.org>"]

    def test_old_path(self, ada: ApiClient) -> None:
        assert ask(ada, "/account/verification").status_code == 201

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(ask(guest), 401, "general_unauthorized_scope")

    def test_without_an_address(self, guest: ApiClient) -> None:
        guest.post("/account/sessions/anonymous")
        assert_error(ask(guest), 400, "user_email_not_found")

    def test_verified_already(self, ada: ApiClient) -> None:
        Account.objects.update(email_verified=True)
        assert_error(ask(ada), 409, "user_email_already_verified")

    def test_foreign_url(self, ada: ApiClient) -> None:
        assert_error(ask(ada, url="https://evil.example"), 400, "general_argument_invalid")


class TestUpdateEmailVerification:
    @pytest.fixture
    def user_id(self, ada: ApiClient) -> str:
        return str(ask(ada).json()["userId"])

    def test_verifies(self, ada: ApiClient, user_id: str) -> None:
        assert confirm(ada, user_id, mailed_secret()).status_code == 200
        assert ada.get("/account").json()["emailVerification"] is True

    def test_nobody_need_be_signed_in(self, guest: ApiClient, user_id: str) -> None:
        assert confirm(guest, user_id, mailed_secret()).status_code == 200

    def test_second_use(self, guest: ApiClient, user_id: str) -> None:
        confirm(guest, user_id, mailed_secret())
        response = confirm(guest, user_id, mailed_secret())
        assert_error(response, 401, "user_invalid_token")

    def test_wrong_secret(self, guest: ApiClient, user_id: str) -> None:
        assert_error(confirm(guest, user_id, "nope"), 401, "user_invalid_token")

    def test_unknown_person(self, guest: ApiClient, user_id: str) -> None:
        assert_error(confirm(guest, "nobody", mailed_secret()), 404, "user_not_found")

    def test_address_changed_in_between(self, ada: ApiClient, user_id: str) -> None:
        ada.patch("/account/email", {"email": "new@example.org", "password": PASSWORD})
        assert_error(confirm(ada, user_id, mailed_secret()), 401, "user_invalid_token")
        assert ada.get("/account").json()["emailVerification"] is False

    def test_after_seven_days(self, guest: ApiClient, user_id: str) -> None:
        with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1), tick=False):
            response = confirm(guest, user_id, mailed_secret())
            assert_error(response, 401, "user_invalid_token")


class TestEmailVerificationOTP:
    def test_code_verifies(self, ada: ApiClient) -> None:
        body = ada.post("/account/verifications/email/otp", {"phrase": True}).json()
        assert body["phrase"] in str(mail.outbox[0].body)
        assert confirm(ada, body["userId"], mailed_code(), "email/otp").status_code == 200
        assert ada.get("/account").json()["emailVerification"] is True

    def test_code_is_no_link(self, ada: ApiClient) -> None:
        user_id = ada.post("/account/verifications/email/otp").json()["userId"]
        assert_error(confirm(ada, user_id, mailed_code()), 401, "user_invalid_token")

    def test_verified_already(self, ada: ApiClient) -> None:
        Account.objects.update(email_verified=True)
        response = ada.post("/account/verifications/email/otp")
        assert_error(response, 409, "user_email_already_verified")


class TestPhoneVerification:
    def test_code_verifies(self, ada_by_phone: ApiClient) -> None:
        body = ada_by_phone.post("/account/verifications/phone").json()
        assert sms.outbox[0].to == PHONE
        assert confirm(ApiClient(), body["userId"], texted_code(), "phone").status_code == 200
        assert ada_by_phone.get("/account").json()["phoneVerification"] is True

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    def test_old_path(self, ada_by_phone: ApiClient, method: str) -> None:
        response = ada_by_phone.call(method, "/account/verification/phone")
        assert response.status_code in (201, 400)

    def test_without_a_number(self, ada: ApiClient) -> None:
        response = ada.post("/account/verifications/phone")
        assert_error(response, 400, "user_phone_not_found")

    def test_verified_already(self, ada_by_phone: ApiClient) -> None:
        Account.objects.update(phone_verified=True)
        response = ada_by_phone.post("/account/verifications/phone")
        assert_error(response, 409, "user_phone_already_verified")

    def test_phone_switched_off(
        self, ada_by_phone: ApiClient, project: Callable[..., None]
    ) -> None:
        project(AUTH_METHODS={"phone": False})
        response = ada_by_phone.post("/account/verifications/phone")
        assert_error(response, 501, "user_auth_method_unsupported")

    def test_mock_number(self, ada_by_phone: ApiClient, project: Callable[..., None]) -> None:
        project(MOCK_NUMBERS={PHONE: "424242"})
        user_id = ada_by_phone.post("/account/verifications/phone").json()["userId"]
        assert not sms.outbox
        assert confirm(ada_by_phone, user_id, "424242", "phone").status_code == 200

    def test_a_verification_code_does_not_sign_in(self, ada_by_phone: ApiClient) -> None:
        user_id = ada_by_phone.post("/account/verifications/phone").json()["userId"]
        body = {"userId": user_id, "secret": texted_code()}
        response = ApiClient().put("/account/sessions/phone", body)
        assert_error(response, 401, "user_invalid_token")
