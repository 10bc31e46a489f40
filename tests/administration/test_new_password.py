"""Staff require a new password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail

from django_account.accounts.models import Account
from django_account.accounts.services import create_account, get_account
from django_account.administration.services import require_new_password
from django_account.exceptions import BadRequest, EmailNotFound, MailDisabled, UserNotFound
from django_account.selfservice.recovery import create_recovery_code
from django_account.sessions.models import Session
from django_account.tokens.models import Token
from django_account.tokens.services import create_custom_token
from tests.client import PASSWORD, ApiClient, assert_error

Project = Callable[..., None]

EMAIL = "ada@example.org"
NEW = "battery staple"
URL = "http://localhost/recover"

pytestmark = pytest.mark.django_db(transaction=True)


def account_of(client: Any) -> Account:
    return get_account(client.account["$id"])


def recover(password: str = NEW) -> Any:
    """What the person does with the code that they asked for."""
    guest = ApiClient()
    asked = guest.post("/account/recovery/otp", {"email": EMAIL}).json()
    code = next(word for word in mail.outbox[-1].body.split() if word.isdigit())
    return guest.put(
        "/account/recovery/otp", {"userId": asked["userId"], "secret": code, "password": password}
    )


class TestRequireNewPassword:
    def test_the_present_one_signs_in_no_more(self, ada: ApiClient) -> None:
        require_new_password(account=account_of(ada))
        assert not Session.objects.exists()
        body = {"email": EMAIL, "password": PASSWORD}
        refused = ApiClient().post("/account/sessions/email", body)
        assert_error(refused, 401, "user_invalid_credentials")
        assert ada.get("/account").status_code == 401

    def test_until_a_new_one_is_set_by_recovery(self, ada: ApiClient) -> None:
        require_new_password(account=account_of(ada))
        assert recover().status_code == 200
        ada.http.cookies.clear()
        ada.sign_in(password=NEW)
        assert ada.get("/account").status_code == 200

    def test_ends_the_sessions_whatever_a_changed_password_does(
        self, ada: ApiClient, project: Project
    ) -> None:
        project(INVALIDATE_SESSIONS=False)
        require_new_password(account=account_of(ada))
        assert not Session.objects.exists()

    def test_outstanding_secrets_die(self, ada: ApiClient) -> None:
        account = account_of(ada)
        create_custom_token(account=account, length=64, lifetime=Token.LIFETIMES["generic"])
        require_new_password(account=account)
        assert not Token.objects.exists()

    def test_the_hash_is_gone(self, ada: ApiClient) -> None:
        account = account_of(ada)
        old = account.user.password
        require_new_password(account=account)
        row = Account.objects.values().get()
        user = get_user_model()._default_manager.get()
        assert not user.has_usable_password()
        assert old not in str(row)
        assert old not in user.password

    def test_signing_in_otherwise_opens_nothing_and_sets_no_password(self, ada: ApiClient) -> None:
        account = account_of(ada)
        require_new_password(account=account)
        token = create_custom_token(account=account, length=64, lifetime=Token.LIFETIMES["generic"])
        thief = ApiClient()
        body = {"userId": account.public_id, "secret": token.secret}
        assert thief.post("/account/sessions/token", body).status_code == 201
        for method, path, given in (
            ("PATCH", "/account/password", {"password": NEW}),
            ("PATCH", "/account/email", {"email": "eve@example.org", "password": NEW}),
            ("PATCH", "/account/phone", {"phone": "+14155550123", "password": NEW}),
            ("POST", "/account/jwts", {}),
        ):
            refused = thief.call(method, path, given)
            assert_error(refused, 412, "user_password_reset_required")
        assert not account_of(ada).has_password

    def test_history_refuses_the_old_one(self, ada: ApiClient, project: Project) -> None:
        # Set before the site began to remember passwords.
        project(PASSWORD_HISTORY=3)
        require_new_password(account=account_of(ada))
        assert len(account_of(ada).password_history) == 1
        assert_error(recover(PASSWORD), 400, "password_recently_used")
        assert recover().status_code == 200

    def test_history_holds_it_once(self, ada: ApiClient, project: Project) -> None:
        project(PASSWORD_HISTORY=2)
        ada.patch("/account/password", {"password": NEW, "oldPassword": PASSWORD})
        before = account_of(ada).password_history
        require_new_password(account=account_of(ada))
        assert account_of(ada).password_history == before

    def test_mails_a_link_that_sets_one(self, ada: ApiClient) -> None:
        require_new_password(account=account_of(ada), url=URL)
        (sent,) = mail.outbox
        assert sent.to == [f"Ada <{EMAIL}>"]
        assert URL in sent.body
        assert Token.objects.get().kind == Token.Kind.RECOVERY

    def test_without_an_address_nothing_happens(self, ada: ApiClient) -> None:
        Account.objects.update(email=None)
        with pytest.raises(EmailNotFound):
            require_new_password(account=account_of(ada))
        assert account_of(ada).has_password
        assert Session.objects.exists()

    @pytest.mark.usefixtures("db")
    def test_whoever_never_had_one(self) -> None:
        account = create_account(email="eve@example.org")
        with pytest.raises(BadRequest, match="without a password"):
            require_new_password(account=account)
        assert not get_account(account.public_id).password_reset_required

    def test_a_site_that_sends_no_mail(self, ada: ApiClient, monkeypatch: Any) -> None:
        from django_account.conf import AccountSettings

        monkeypatch.setattr(AccountSettings, "sends_mail", False)
        with pytest.raises(MailDisabled):
            require_new_password(account=account_of(ada))
        assert account_of(ada).has_password

    def test_again_sends_another_link(self, ada: ApiClient) -> None:
        for _ in range(2):
            require_new_password(account=account_of(ada), url=URL)
        assert len(mail.outbox) == 2
        # The first died with the second requirement.
        assert Token.objects.count() == 1

    def test_a_blocked_person_gets_no_mail(self, ada: ApiClient) -> None:
        get_user_model()._default_manager.update(is_active=False)
        require_new_password(account=account_of(ada), url=URL)
        assert mail.outbox == []
        assert account_of(ada).password_reset_required

    def test_a_recovery_under_way_dies(self, ada: ApiClient) -> None:
        from django_account.core.clients import ClientInfo
        from django_account.selfservice.passwordless import Requester

        requester = Requester(client=ClientInfo(), locale="en")
        issued = create_recovery_code(email=EMAIL, phrase=False, requester=requester)
        require_new_password(account=account_of(ada))
        body = {"userId": ada.account["$id"], "secret": issued.secret, "password": NEW}  # type: ignore[attr-defined]
        refused = ApiClient().put("/account/recovery/otp", body)
        assert_error(refused, 401, "user_invalid_token")

    def test_somebody_who_is_gone(self, ada: ApiClient) -> None:
        account = account_of(ada)
        account.user.delete()
        account.pk = account.pk or 1
        with pytest.raises(UserNotFound):
            require_new_password(account=account)
