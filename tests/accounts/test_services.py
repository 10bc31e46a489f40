"""Accounts come and go: create, adopt, authenticate, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import ProtectedError
from django.db.models.signals import pre_delete
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_account import signals
from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.services import (
    adopt_user,
    authenticate,
    create_account,
    delete_account,
    touch_account,
)
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    DeletionProhibited,
    EmailDisposable,
    EmailFree,
    EmailNotCanonical,
    EmailNotCorporate,
    InvalidCredentials,
    InvalidEmail,
    UserAlreadyExists,
    UserBlocked,
    UserCountExceeded,
)
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from django_account.targets.models import Target
from tests.client import PASSWORD

pytestmark = pytest.mark.django_db

User = get_user_model()

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def events() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The events of a test, by name, with their arguments."""
    seen: list[tuple[str, dict[str, Any]]] = []
    receivers = []
    for name in ("account_created", "account_adopted", "account_deleted"):

        def receive(*, sender: Any, signal: Any, name: str = name, **given: Any) -> None:
            seen.append((name, given))

        getattr(signals, name).connect(receive)
        receivers.append((getattr(signals, name), receive))
    yield seen
    for signal, receive in receivers:
        signal.disconnect(receive)


class TestCreateAccount:
    def test_user_and_account_and_target(self) -> None:
        with time_machine.travel(MOMENT, tick=False):
            account = create_account(
                account_id="ada", email="ada@example.org", password=PASSWORD, name="Ada"
            )
        account.refresh_from_db()
        assert (account.public_id, account.name, account.phone) == ("ada", "Ada", None)
        assert (account.email, account.email_verified) == ("ada@example.org", False)
        assert account.registered_at == account.password_changed_at == account.accessed_at == MOMENT
        assert (account.labels, account.prefs, account.password_history) == ([], {}, [])
        user = User.objects.get()
        assert account.user == user
        assert (user.email, user.is_active) == ("ada@example.org", True)
        assert user.check_password(PASSWORD)
        assert not user.is_staff
        assert not user.is_superuser
        target = Target.objects.get()
        assert (target.account, target.provider_type, target.identifier) == (
            account,
            "email",
            "ada@example.org",
        )

    def test_anonymous(self) -> None:
        account = create_account()
        account.refresh_from_db()
        assert (account.email, account.phone, account.name) == (None, None, "")
        assert account.password_changed_at is None
        assert not account.has_password
        assert not Target.objects.exists()

    def test_phone_has_a_target(self) -> None:
        account = create_account(phone="+14155550100")
        target = account.targets.get()
        assert (target.provider_type, target.identifier) == ("sms", "+14155550100")

    def test_unique_asks_for_a_new_id(self) -> None:
        assert create_account(account_id="unique()").public_id != "unique()"

    def test_same_password_gives_different_hashes(self) -> None:
        one, two = create_account(password=PASSWORD), create_account(password=PASSWORD)
        assert one.user.password != two.user.password

    def test_address_that_hangs_on_another_as_extra_target(self) -> None:
        other = create_account(account_id="bob")
        Target.objects.create(account=other, provider_type="email", identifier="ada@example.org")
        account = create_account(email="ada@example.org")
        assert not account.targets.exists()
        assert account.email == "ada@example.org"

    @pytest.mark.parametrize(
        "second",
        [
            {"account_id": "ada"},
            {"email": "ada@example.org"},
            {"phone": "+14155550100"},
        ],
        ids=["id", "email", "phone"],
    )
    def test_taken(self, second: dict[str, Any]) -> None:
        create_account(account_id="ada", email="ada@example.org", phone="+14155550100")
        with pytest.raises(UserAlreadyExists):
            create_account(**second)
        assert (Account.objects.count(), User.objects.count()) == (1, 1)

    @pytest.mark.parametrize("stored", ["eve@example.org", "Eve@Example.org"])
    def test_email_of_a_user_without_account(self, stored: str) -> None:
        User.objects.create_user("eve", stored, PASSWORD)
        with pytest.raises(UserAlreadyExists):
            create_account(email="eve@example.org", password=PASSWORD)

    def test_id_that_is_a_site_users_name(self) -> None:
        """A client chooses its id freely; the site's user names are not its business."""
        User.objects.create_user("admin", "root@example.org", PASSWORD)
        account = create_account(account_id="admin", email="ada@example.org", password=PASSWORD)
        assert account.public_id == "admin"
        assert account.user.get_username() != "admin"
        assert authenticate(email="ada@example.org", password=PASSWORD) == account

    def test_nothing_remains_of_a_failure(self, project: Callable[..., None]) -> None:
        project(BLOCK_EMAILS=["free"])
        with pytest.raises(EmailFree):
            create_account(email="ada@gmail.com", password=PASSWORD)
        assert not User.objects.exists()
        assert not Account.objects.exists()

    def test_event_after_commit(
        self, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            account = create_account(email="ada@example.org", password=PASSWORD)
            assert events == []
        assert events == [("account_created", {"account": account, "reported": False})]

    def test_receiver_that_fails_hurts_nobody(
        self, django_capture_on_commit_callbacks: Any
    ) -> None:
        def fail(**given: Any) -> None:
            raise RuntimeError

        signals.account_created.connect(fail)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                create_account()
        finally:
            signals.account_created.disconnect(fail)
        assert Account.objects.count() == 1

    def test_new_user_fields_of_the_site(self, project: Callable[..., None]) -> None:
        asked = []

        def fields(**given: Any) -> dict[str, Any]:
            asked.append(given)
            return {"first_name": "From", "last_name": "Site"}

        project(NEW_USER_FIELDS=fields)
        account = create_account(account_id="ada", email="ada@example.org", name="Ada")
        assert account.user.get_full_name() == "From Site"
        assert asked == [
            {"account_id": "ada", "email": "ada@example.org", "phone": None, "name": "Ada"}
        ]


class TestUsersLimit:
    def test_reached(self, project: Callable[..., None]) -> None:
        project(USERS_LIMIT=2)
        create_account()
        create_account()
        with pytest.raises(UserCountExceeded):
            create_account()
        assert Account.objects.count() == User.objects.count() == 2

    def test_raised_again(self, project: Callable[..., None]) -> None:
        project(USERS_LIMIT=1)
        create_account()
        project(USERS_LIMIT=2)
        create_account()

    def test_zero_is_none(self, project: Callable[..., None]) -> None:
        project(USERS_LIMIT=0)
        for _ in range(3):
            create_account()

    def test_site_users_without_account_do_not_count(self, project: Callable[..., None]) -> None:
        User.objects.create_user("staff")
        project(USERS_LIMIT=1)
        create_account()

    def test_full_is_told_before_taken(self, project: Callable[..., None]) -> None:
        create_account(email="ada@example.org")
        project(USERS_LIMIT=1)
        with pytest.raises(UserCountExceeded):
            create_account(email="ada@example.org")


class TestBlockedEmails:
    @pytest.mark.parametrize(
        ("kind", "email", "error"),
        [
            ("disposable", "ada@mailinator.com", EmailDisposable),
            ("non-canonical", "a.da+x@gmail.com", EmailNotCanonical),
            ("free", "ada@gmail.com", EmailFree),
            ("non-corporate", "ada@gmail.com", EmailNotCorporate),
            ("non-corporate", "ada@mailinator.com", EmailNotCorporate),
        ],
    )
    def test_refused(
        self, project: Callable[..., None], kind: str, email: str, error: type[Exception]
    ) -> None:
        create_account(email=email)
        Account.objects.all().delete()
        User.objects.all().delete()
        project(BLOCK_EMAILS=[kind])
        with pytest.raises(error):
            create_account(email=email)

    def test_order(self, project: Callable[..., None]) -> None:
        project(BLOCK_EMAILS=["non-corporate", "free", "non-canonical", "disposable"])
        for email, error in [
            ("ada@mailinator.com", EmailDisposable),
            ("a.da@gmail.com", EmailNotCanonical),
            ("ada@gmail.com", EmailFree),
        ]:
            with pytest.raises(error):
                create_account(email=email)

    def test_corporate_address_passes_all(self, project: Callable[..., None]) -> None:
        project(BLOCK_EMAILS=["non-corporate", "free", "non-canonical", "disposable"])
        create_account(email="ada@manchester-united.co.uk")

    @pytest.mark.parametrize("email", ["Ada@example.org", " ada@example.org", "ada"])
    def test_address_not_in_normal_form(self, email: str) -> None:
        with pytest.raises(InvalidEmail):
            create_account(email=email)

    def test_longer_than_the_user_models_column(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(User._meta.get_field("email"), "max_length", 20)
        with pytest.raises(InvalidEmail):
            create_account(email="ada.lovelace@example.org")


class TestAuthenticate:
    def test_right(self) -> None:
        account = create_account(email="ada@example.org", password=PASSWORD)
        assert authenticate(email="ada@example.org", password=PASSWORD) == account

    @pytest.mark.parametrize("password", ["wrong horse", PASSWORD + " ", PASSWORD.upper(), "", "!"])
    def test_wrong_password(self, password: str) -> None:
        create_account(email="ada@example.org", password=PASSWORD)
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password=password)

    def test_unknown_email(self) -> None:
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password=PASSWORD)

    def test_account_without_password(self) -> None:
        account = create_account(email="ada@example.org")
        for password in ("", PASSWORD, account.user.password):
            with pytest.raises(InvalidCredentials):
                authenticate(email="ada@example.org", password=password)

    def test_empty_password_column(self) -> None:
        create_account(email="ada@example.org")
        User.objects.update(password="")
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password="")

    def test_blocked_is_told_to_the_owner_only(self) -> None:
        create_account(email="ada@example.org", password=PASSWORD)
        User.objects.update(is_active=False)
        with pytest.raises(UserBlocked):
            authenticate(email="ada@example.org", password=PASSWORD)
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password="wrong horse")

    def test_old_hash_is_renewed(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        account = create_account(email="ada@example.org", password=PASSWORD)
        before = account.password_changed_at
        settings.PASSWORD_HASHERS = [
            "django_account.accounts.hashers.Argon2idHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        assert authenticate(email="ada@example.org", password=PASSWORD) == account
        account.refresh_from_db()
        assert account.user.password.startswith("argon2$")
        assert account.password_changed_at == before
        assert authenticate(email="ada@example.org", password=PASSWORD) == account

    def test_wrong_password_renews_nothing(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        create_account(email="ada@example.org", password=PASSWORD)
        settings.PASSWORD_HASHERS = [
            "django_account.accounts.hashers.Argon2idHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password="wrong horse")
        assert User.objects.get().password.startswith("md5$")


class TestAuthenticateAdopts:
    """People of the site sign in before anybody made them an account."""

    def test_first_sign_in(
        self, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        user = User.objects.create_user("eve", "Eve@Example.org", PASSWORD, first_name="Eve")
        with django_capture_on_commit_callbacks(execute=True):
            account = authenticate(email="eve@example.org", password=PASSWORD)
        account.refresh_from_db()
        assert account.user == user
        assert (account.email, account.email_verified) == ("eve@example.org", False)
        assert account.name == "Eve"
        assert account.registered_at == user.date_joined
        assert account.password_changed_at == user.date_joined
        assert account.targets.get().identifier == "eve@example.org"
        assert events == [("account_adopted", {"account": account, "reported": False})]

    def test_second_sign_in_is_the_same_account(self) -> None:
        User.objects.create_user("eve", "eve@example.org", PASSWORD)
        first = authenticate(email="eve@example.org", password=PASSWORD)
        assert authenticate(email="eve@example.org", password=PASSWORD) == first
        assert Account.objects.count() == 1

    def test_user_is_not_changed(self) -> None:
        User.objects.create_user("eve", "Eve@Example.org", PASSWORD, last_name="E")
        before = User.objects.values().get()
        authenticate(email="eve@example.org", password=PASSWORD)
        assert User.objects.values().get() == before

    def test_wrong_password_adopts_nobody(self) -> None:
        User.objects.create_user("eve", "eve@example.org", PASSWORD)
        with pytest.raises(InvalidCredentials):
            authenticate(email="eve@example.org", password="wrong horse")
        assert not Account.objects.exists()

    def test_blocked_user(self) -> None:
        User.objects.create_user("eve", "eve@example.org", PASSWORD, is_active=False)
        with pytest.raises(UserBlocked):
            authenticate(email="eve@example.org", password=PASSWORD)
        assert not Account.objects.exists()

    def test_two_users_with_the_address(self) -> None:
        User.objects.create_user("eve", "eve@example.org", PASSWORD)
        User.objects.create_user("eve2", "EVE@example.org", "another horse")
        for password in (PASSWORD, "another horse"):
            with pytest.raises(InvalidCredentials):
                authenticate(email="eve@example.org", password=password)

    def test_user_without_password(self) -> None:
        User.objects.create_user("eve", "eve@example.org")
        with pytest.raises(InvalidCredentials):
            authenticate(email="eve@example.org", password=PASSWORD)

    def test_switched_off(self, project: Callable[..., None]) -> None:
        User.objects.create_user("eve", "eve@example.org", PASSWORD)
        project(ADOPT_USERS=False)
        with pytest.raises(InvalidCredentials):
            authenticate(email="eve@example.org", password=PASSWORD)

    def test_site_user_with_the_address_of_an_account(self) -> None:
        """The account was there first; its owner keeps the address."""
        account = create_account(email="ada@example.org", password=PASSWORD)
        User.objects.create_user("eve", "ada@example.org", "another horse")
        assert authenticate(email="ada@example.org", password=PASSWORD) == account
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password="another horse")


class TestAdoptUser:
    def test_user_that_has_an_account_keeps_it(self) -> None:
        account = create_account()
        assert adopt_user(User.objects.get()) == account

    @pytest.mark.parametrize("email", ["", "not an address", "x@users.invalid"])
    def test_user_without_a_usable_address(self, email: str) -> None:
        account = adopt_user(User.objects.create_user("eve", email, PASSWORD))
        assert account.email is None
        assert not account.targets.exists()

    def test_user_without_password(self) -> None:
        account = adopt_user(User.objects.create_user("eve", "eve@example.org"))
        assert account.password_changed_at is None

    def test_address_of_another_account(self) -> None:
        create_account(email="ada@example.org")
        eve = User.objects.create_user("eve", "ada@example.org", PASSWORD)
        with pytest.raises(UserAlreadyExists):
            adopt_user(eve)
        assert Account.objects.count() == 1

    def test_long_name_is_cut(self) -> None:
        eve = User.objects.create_user("eve", first_name="E" * 100, last_name="F" * 100)
        assert adopt_user(eve).name == ("E" * 100 + " " + "F" * 100)[:128]

    def test_several_users_without_address(self) -> None:
        for name in ("eve", "bob", "kim"):
            adopt_user(User.objects.create_user(name))
        assert Account.objects.count() == 3
        assert not users.without_account().exists()


class TestDeleteAccount:
    def test_everything_goes(
        self, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        account = create_account(account_id="ada", email="ada@example.org", password=PASSWORD)
        create_session(account=account, provider="email", factors=["password"], client=ClientInfo())
        create_account(account_id="bob", email="bob@example.org")
        with django_capture_on_commit_callbacks(execute=True):
            delete_account(account)
        assert Account.objects.get().public_id == "bob"
        assert User.objects.count() == 1
        assert not Session.objects.exists()
        assert Target.objects.get().identifier == "bob@example.org"
        assert events == [("account_deleted", {"account_id": "ada", "reported": False})]

    def test_address_and_id_are_free_again(self) -> None:
        delete_account(create_account(account_id="ada", email="ada@example.org"))
        assert create_account(account_id="ada", email="ada@example.org").public_id == "ada"

    def test_other_data_of_the_site_goes_as_the_site_says(self) -> None:
        account = create_account()
        LogEntry.objects.create(
            user=account.user, action_flag=ADDITION, object_repr="x", action_time=timezone.now()
        )
        delete_account(account)
        assert not LogEntry.objects.exists()

    def test_site_forbids(self, events: list[Any]) -> None:
        account = create_account()

        def protect(sender: Any, instance: Any, **given: Any) -> None:
            raise ProtectedError("invoices", {instance})

        pre_delete.connect(protect, sender=User)
        try:
            with pytest.raises(DeletionProhibited):
                delete_account(account)
        finally:
            pre_delete.disconnect(protect, sender=User)
        assert Account.objects.count() == 1
        assert events == []


class TestTouchAccount:
    def test_writes_once_in_24_hours(self) -> None:
        with time_machine.travel(MOMENT, tick=False) as clock:
            account = create_account()
            clock.shift(timedelta(hours=24))
            with CaptureQueriesContext(connection) as captured:
                touch_account(account)
            assert len(captured) == 0
            clock.shift(timedelta(seconds=1))
            touch_account(account)
            account.refresh_from_db()
            assert account.accessed_at == MOMENT + timedelta(hours=24, seconds=1)
            with CaptureQueriesContext(connection) as captured:
                touch_account(account)
            assert len(captured) == 0

    def test_is_no_update_of_the_account(self) -> None:
        with time_machine.travel(MOMENT, tick=False) as clock:
            account = create_account()
            clock.shift(timedelta(days=2))
            touch_account(account)
            account.refresh_from_db()
            assert account.updated_at == MOMENT
