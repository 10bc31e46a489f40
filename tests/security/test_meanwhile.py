"""What happens to an account while a password of it is being verified, which takes its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from django_account.accounts.models import Account
from django_account.accounts.services import authenticate, delete_account
from django_account.administration import services as administration
from django_account.core.clients import ClientInfo
from django_account.selfservice.passwordless import Requester
from django_account.selfservice.profile import block
from django_account.selfservice.recovery import complete_recovery, create_recovery_code
from django_account.sessions.models import Session
from django_account.tokens.models import Token
from tests.client import PASSWORD, ApiClient, assert_error
from tests.security.hashers import MeanwhileHasher

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "battery staple"
EMAIL = "ada@example.org"
OURS = "tests.security.hashers.MeanwhileHasher"
ANOTHER = "django.contrib.auth.hashers.MD5PasswordHasher"

Act = Callable[[Account], object]


@pytest.fixture(autouse=True)
def hashers(settings: Any) -> Iterator[None]:
    settings.PASSWORD_HASHERS = [OURS, ANOTHER]
    yield
    MeanwhileHasher.act = None


def account() -> Account:
    return Account.objects.with_user().get()


def meanwhile(act: Act) -> None:
    """Have something happen to Ada during the next verification."""
    MeanwhileHasher.act = lambda: act(account())


def require(account: Account) -> None:
    administration.require_new_password(account=account)


def set_new(account: Account) -> None:
    administration.update_password(account=account, password=NEW)


def sign_in(password: str = PASSWORD) -> Any:
    body = {"email": EMAIL, "password": password}
    return ApiClient().post("/account/sessions/email", body)


def recover(password: str) -> None:
    requester = Requester(client=ClientInfo(), locale="en")
    issued = create_recovery_code(email=EMAIL, phrase=False, requester=requester)
    complete_recovery(
        account_id=account().public_id,
        secret=issued.secret,
        password=password,
        kind=Token.Kind.RECOVERY_CODE,
    )


class TestSignIn:
    @pytest.mark.parametrize("keep", [True, False], ids=["sessions stay", "sessions end"])
    @pytest.mark.parametrize("act", [require, set_new])
    def test_with_what_was_the_password(
        self, ada: ApiClient, project: Callable[..., None], act: Act, keep: bool
    ) -> None:
        project(INVALIDATE_SESSIONS=not keep)
        before = Session.objects.count() if keep and act is set_new else 0
        meanwhile(act)
        assert_error(sign_in(), 401, "user_invalid_credentials")
        assert Session.objects.count() == before

    def test_nothing_of_it_lives_on_when_the_owner_has_recovered(
        self, ada: ApiClient, project: Callable[..., None]
    ) -> None:
        project(INVALIDATE_SESSIONS=False)
        meanwhile(require)
        sign_in()
        recover(NEW)
        assert not Session.objects.exists()
        assert sign_in(NEW).status_code == 201

    def test_of_somebody_who_is_blocked(self, ada: ApiClient) -> None:
        Session.objects.all().delete()
        meanwhile(block)
        assert_error(sign_in(), 403, "user_blocked")
        assert not Session.objects.exists()

    def test_of_somebody_who_is_deleted(self, ada: ApiClient) -> None:
        meanwhile(delete_account)
        assert_error(sign_in(), 401, "user_invalid_credentials")

    def test_any_other_change_is_none_of_its_business(self, ada: ApiClient) -> None:
        meanwhile(lambda account: administration.update_email(account=account, email=None))
        assert sign_in().status_code == 201


class TestRenewal:
    """Verifying a hash of an older kind writes one of the present kind."""

    @pytest.fixture(autouse=True)
    def older(self, hashers: None, ada: ApiClient, settings: Any) -> None:
        settings.PASSWORD_HASHERS = [ANOTHER, OURS]

    def test_of_an_untouched_one(self) -> None:
        assert sign_in().status_code == 201
        assert account().user.password.startswith("md5$")

    @pytest.mark.parametrize("act", [require, set_new])
    def test_does_not_bring_it_back(self, act: Act) -> None:
        meanwhile(act)
        assert_error(sign_in(), 401, "user_invalid_credentials")
        assert_error(sign_in(), 401, "user_invalid_credentials")
        assert (sign_in(NEW).status_code == 201) == (act is set_new)
        assert account().has_password == (act is set_new)

    def test_of_two_at_once_both_sign_in(self) -> None:
        meanwhile(lambda _: authenticate(email=EMAIL, password=PASSWORD))
        assert sign_in().status_code == 201
        assert sign_in().status_code == 201

    def test_somebody_who_is_deleted(self) -> None:
        meanwhile(delete_account)
        assert_error(sign_in(), 401, "user_invalid_credentials")
        assert not Account.objects.exists()


class TestConfirming:
    """Who confirms an act with a password that is none any more confirms nothing."""

    ACTS = [
        ("email", {"email": "eve@example.org", "password": PASSWORD}),
        ("phone", {"phone": "+14155550123", "password": PASSWORD}),
        ("password", {"password": "stolen horse", "oldPassword": PASSWORD}),
    ]

    @pytest.mark.parametrize("act", [require, set_new])
    @pytest.mark.parametrize(("attribute", "body"), ACTS)
    def test_with_what_was_the_password(
        self, ada: ApiClient, act: Act, attribute: str, body: dict[str, str]
    ) -> None:
        meanwhile(act)
        refused = ada.patch(f"/account/{attribute}", body)
        assert_error(refused, 401, "user_invalid_credentials")
        now = account()
        assert (now.email, now.phone) == (EMAIL, None)
        assert now.password_reset_required == (act is require)
        assert sign_in("stolen horse").status_code == 401

    def test_with_the_present_one(self, ada: ApiClient) -> None:
        for attribute, body in self.ACTS:
            assert ada.patch(f"/account/{attribute}", body).status_code == 200
