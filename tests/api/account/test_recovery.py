"""A forgotten password (mfa-oauth.md §6.1 and §6.2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.sessions.models import Session
from django_account.tokens.models import MAX_TRIES
from tests.api.account.messages import URL, mailed_code, mailed_link, mailed_secret
from tests.client import PASSWORD, ApiClient, assert_error

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL = "ada@example.org"
NEW = "a new passphrase"


@pytest.fixture(autouse=True)
def empty_outbox() -> None:
    mail.outbox.clear()


def ask(client: ApiClient, email: str = EMAIL, url: str = URL) -> Any:
    return client.post("/account/recovery", {"email": email, "url": url})


def confirm(client: ApiClient, user_id: str, secret: str, password: Any = NEW) -> Any:
    body = {"userId": user_id, "secret": secret, "password": password}
    return client.put("/account/recovery", body)


class TestCreateRecovery:
    def test_sends_a_link(self, ada: ApiClient) -> None:
        body = ask(ApiClient()).json()
        assert body["secret"] == ""
        assert len(mailed_secret()) == 256
        assert mail.outbox[0].subject == "Password Reset for demo"

    def test_the_links_end_is_the_answers(self, ada: ApiClient) -> None:
        with time_machine.travel("2026-01-02T03:04:05Z", tick=False):
            body = ask(ApiClient()).json()
        assert body["expire"] == "2026-01-02T04:04:05.000+00:00"
        assert "expire=2026-01-02T04%3A04%3A05.000%2B00%3A00" in mailed_link()

    def test_the_link_adds_nothing_else(self, ada: ApiClient) -> None:
        ask(ApiClient(), url="http://localhost/?project=theirs")
        query = parse_qs(urlsplit(mailed_link()).query)
        assert list(query) == ["project", "userId", "secret", "expire"]
        assert query["project"] == ["theirs"]

    def test_unknown_address(self, guest: ApiClient) -> None:
        assert_error(ask(guest), 404, "user_not_found")

    def test_blocked(self, ada: ApiClient) -> None:
        User.objects.update(is_active=False)
        assert_error(ask(ApiClient()), 403, "user_blocked")

    def test_foreign_url(self, ada: ApiClient) -> None:
        response = ask(ApiClient(), url="https://evil.example/")
        assert_error(response, 400, "general_argument_invalid")

    def test_site_user_without_an_account(self, guest: ApiClient) -> None:
        User.objects.create_user("old-hand", EMAIL, PASSWORD)
        user_id = ask(guest).json()["userId"]
        assert confirm(guest, user_id, mailed_secret()).status_code == 200
        guest.sign_in(EMAIL, NEW)


class TestUpdateRecovery:
    @pytest.fixture
    def user_id(self, ada: ApiClient) -> str:
        return str(ask(ApiClient()).json()["userId"])

    def test_sets_the_password(self, guest: ApiClient, user_id: str) -> None:
        body = confirm(guest, user_id, mailed_secret()).json()
        assert (body["userId"], body["secret"]) == (user_id, "")
        guest.sign_in(EMAIL, NEW)

    def test_proves_the_address(self, guest: ApiClient, user_id: str) -> None:
        confirm(guest, user_id, mailed_secret())
        assert Account.objects.get().email_verified is True

    def test_ends_every_session(self, ada: ApiClient, user_id: str) -> None:
        confirm(ada, user_id, mailed_secret())
        assert not Session.objects.exists()

    def test_ends_none_where_the_site_says_so(
        self, ada: ApiClient, user_id: str, project: Callable[..., None]
    ) -> None:
        project(INVALIDATE_SESSIONS=False)
        confirm(ada, user_id, mailed_secret())
        assert ada.get("/account").status_code == 200

    def test_signs_nobody_in(self, guest: ApiClient, user_id: str) -> None:
        confirm(guest, user_id, mailed_secret())
        assert guest.get("/account").status_code == 401

    def test_leaves_the_second_factor_alone(self, guest: ApiClient, user_id: str) -> None:
        Account.objects.update(mfa_enabled=True)
        confirm(guest, user_id, mailed_secret())
        guest.sign_in(EMAIL, NEW)
        assert_error(guest.get("/account"), 401, "user_more_factors_required")

    def test_second_use(self, guest: ApiClient, user_id: str) -> None:
        secret = mailed_secret()
        confirm(guest, user_id, secret)
        assert_error(confirm(guest, user_id, secret), 401, "user_invalid_token")

    def test_one_use_kills_the_others(self, guest: ApiClient, user_id: str) -> None:
        first = mailed_secret()
        ask(guest)
        confirm(guest, user_id, mailed_secret())
        assert_error(confirm(guest, user_id, first), 401, "user_invalid_token")

    def test_a_new_password_kills_it(self, ada: ApiClient, user_id: str) -> None:
        ada.patch("/account/password", {"password": NEW, "oldPassword": PASSWORD})
        response = confirm(ApiClient(), user_id, mailed_secret())
        assert_error(response, 401, "user_invalid_token")

    def test_expired(self, guest: ApiClient, user_id: str) -> None:
        with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1), tick=False):
            response = confirm(guest, user_id, mailed_secret())
            assert_error(response, 401, "user_invalid_token")

    def test_wrong_secret(self, guest: ApiClient, user_id: str) -> None:
        assert_error(confirm(guest, user_id, "0" * 256), 401, "user_invalid_token")

    def test_unknown_person(self, guest: ApiClient, user_id: str) -> None:
        assert_error(confirm(guest, "nobody", mailed_secret()), 404, "user_not_found")

    def test_short_password(self, guest: ApiClient, user_id: str) -> None:
        response = confirm(guest, user_id, mailed_secret(), "short")
        assert_error(response, 400, "general_argument_invalid")

    def test_a_refused_password_leaves_the_link_usable(
        self, guest: ApiClient, user_id: str, project: Callable[..., None]
    ) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        response = confirm(guest, user_id, mailed_secret(), f"my {EMAIL}")
        assert_error(response, 400, "password_personal_data")
        assert confirm(guest, user_id, mailed_secret()).status_code == 200

    def test_old_sdks_repeat_the_password(self, guest: ApiClient, user_id: str) -> None:
        body = {"userId": user_id, "secret": mailed_secret(), "password": NEW, "passwordAgain": NEW}
        assert guest.put("/account/recovery", body).status_code == 200


class TestRecoveryOTP:
    def test_code_sets_the_password(self, ada: ApiClient) -> None:
        guest = ApiClient()
        body = guest.post("/account/recovery/otp", {"email": EMAIL, "phrase": True}).json()
        assert body["phrase"] in str(mail.outbox[0].body)
        confirmation = {"userId": body["userId"], "secret": mailed_code(), "password": NEW}
        assert guest.put("/account/recovery/otp", confirmation).status_code == 200
        guest.sign_in(EMAIL, NEW)

    def test_refused_passwords_leave_the_code_usable(
        self, ada: ApiClient, project: Callable[..., None]
    ) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        guest = ApiClient()
        user_id = guest.post("/account/recovery/otp", {"email": EMAIL}).json()["userId"]
        body = {"userId": user_id, "secret": mailed_code()}
        for _ in range(MAX_TRIES + 1):
            response = guest.put("/account/recovery/otp", {**body, "password": f"my {EMAIL}"})
            assert_error(response, 400, "password_personal_data")
        response = guest.put("/account/recovery/otp", {**body, "password": NEW})
        assert response.status_code == 200

    def test_code_is_no_link_and_link_no_code(self, ada: ApiClient) -> None:
        guest = ApiClient()
        user_id = guest.post("/account/recovery/otp", {"email": EMAIL}).json()["userId"]
        assert_error(confirm(guest, user_id, mailed_code()), 401, "user_invalid_token")

    def test_unknown_address(self, guest: ApiClient) -> None:
        response = guest.post("/account/recovery/otp", {"email": EMAIL})
        assert_error(response, 404, "user_not_found")

    def test_six_wrong_codes(self, ada: ApiClient) -> None:
        guest = ApiClient()
        user_id = guest.post("/account/recovery/otp", {"email": EMAIL}).json()["userId"]
        code = mailed_code()
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        body = {"userId": user_id, "secret": wrong, "password": NEW}
        for _ in range(5):
            assert_error(guest.put("/account/recovery/otp", body), 401, "user_invalid_token")
        response = guest.put("/account/recovery/otp", {**body, "secret": code})
        assert_error(response, 401, "user_invalid_token")
