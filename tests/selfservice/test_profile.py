"""What people change about their own account (core.md §9.19 to §9.24)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connection

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import authenticate, create_account, delete_account
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    BadRequest,
    EmailFree,
    InvalidArgument,
    InvalidCredentials,
    PasswordPersonalData,
    PasswordRecentlyUsed,
    PhoneAlreadyExists,
    TargetAlreadyExists,
    UserBlocked,
    UserNotFound,
)
from django_account.selfservice.profile import (
    block,
    update_email,
    update_name,
    update_password,
    update_phone,
    update_prefs,
)
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from django_account.targets.models import Target
from tests.client import PASSWORD

pytestmark = pytest.mark.django_db

User = get_user_model()

LATER = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)
NEW = "battery staple"


@pytest.fixture
def ada() -> Account:
    return create_account(
        account_id="ada-id", email="ada@example.org", password=PASSWORD, name="Ada"
    )


@pytest.fixture
def nobody() -> Account:
    """An anonymous account."""
    return create_account(account_id="nobody")


@pytest.fixture
def updates() -> Iterator[Callable[[], list[str]]]:
    """Run what waits for the commit; the attributes that were announced, in order."""
    seen: list[str] = []

    def receive(*, account: Account, attribute: str, **given: Any) -> None:
        seen.append(attribute)

    def commit() -> list[str]:
        for _, function, _ in connection.run_on_commit:
            function()
        return seen

    signals.account_updated.connect(receive)
    yield commit
    signals.account_updated.disconnect(receive)


def sign_in(account: Account) -> Session:
    return create_session(
        account=account, provider="email", factors=["password"], client=ClientInfo()
    ).session


def stored(account: Account) -> Account:
    return Account.objects.with_user().get(pk=account.pk)


def deleted(account: Account) -> Account:
    """An account as a request loaded it before another request deleted it."""
    loaded = stored(account)
    delete_account(stored(account))
    return loaded


class TestUpdateName:
    def test_stored(self, ada: Account, updates: Callable[[], list[str]]) -> None:
        with time_machine.travel(LATER, tick=False):
            update_name(account=ada, name="Ada Lovelace")
        assert stored(ada).name == "Ada Lovelace"
        assert stored(ada).updated_at == ada.updated_at == LATER
        assert updates() == ["name"]

    def test_nothing_else_is_written(self, ada: Account) -> None:
        """Two requests change two things at once: neither writes the other's value back."""
        stale = stored(ada)
        update_prefs(account=ada, prefs={"theme": "dark"})
        update_name(account=stale, name="Ada Lovelace")
        assert (stored(ada).name, stored(ada).prefs) == ("Ada Lovelace", {"theme": "dark"})

    def test_deleted_in_the_meantime(self, ada: Account, updates: Callable[[], list[str]]) -> None:
        with pytest.raises(UserNotFound):
            update_name(account=deleted(ada), name="Ada Lovelace")
        assert not Account.objects.exists()
        assert updates() == []


class TestUpdatePrefs:
    def test_replaces_all(self, ada: Account, updates: Callable[[], list[str]]) -> None:
        update_prefs(account=ada, prefs={"a": {"b": [1, None, "ä"]}})
        update_prefs(account=ada, prefs={"c": 1.5})
        assert stored(ada).prefs == {"c": 1.5}
        assert updates() == ["prefs", "prefs"]

    def test_cleared(self, ada: Account) -> None:
        update_prefs(account=ada, prefs={"a": 1})
        update_prefs(account=ada, prefs={})
        assert stored(ada).prefs == {}


class TestUpdatePassword:
    def change(self, account: Account, old: str = PASSWORD, **given: Any) -> None:
        update_password(
            **{
                "account": account,
                "password": NEW,
                "old_password": old,
                "current": None,
                **given,
            }
        )

    def test_new_one_signs_in(self, ada: Account, updates: Callable[[], list[str]]) -> None:
        with time_machine.travel(LATER, tick=False):
            self.change(ada)
        assert authenticate(email="ada@example.org", password=NEW) == ada
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password=PASSWORD)
        assert stored(ada).password_changed_at == LATER
        assert updates() == ["password"]

    @pytest.mark.parametrize("old", ["", "wrong horse", NEW])
    def test_wrong_old_one(self, ada: Account, old: str, updates: Callable[[], list[str]]) -> None:
        with pytest.raises(InvalidCredentials):
            self.change(ada, old)
        assert authenticate(email="ada@example.org", password=PASSWORD) == ada
        assert updates() == []

    def test_first_one_needs_no_old_one(self, nobody: Account) -> None:
        self.change(nobody, "whatever")
        assert stored(nobody).user.check_password(NEW)
        assert stored(nobody).password_changed_at is not None

    def test_same_one_again(self, ada: Account) -> None:
        self.change(ada, password=PASSWORD)
        assert authenticate(email="ada@example.org", password=PASSWORD) == ada

    def test_clears_the_forced_reset(self, ada: Account) -> None:
        Account.objects.update(password_reset_required=True)
        self.change(stored(ada))
        assert stored(ada).password_reset_required is False

    def test_other_sessions_end(self, ada: Account) -> None:
        sign_in(ada)
        current = sign_in(ada)
        sign_in(ada)
        others = sign_in(create_account(account_id="bob"))
        self.change(ada, current=current)
        assert set(Session.objects.all()) == {current, others}

    def test_no_session_ends_when_switched_off(
        self, ada: Account, project: Callable[..., None]
    ) -> None:
        project(INVALIDATE_SESSIONS=False)
        kept = {sign_in(ada), sign_in(ada)}
        self.change(ada, current=min(kept, key=lambda session: session.pk))
        assert set(Session.objects.all()) == kept

    def test_no_session_ends_without_a_current_one(self, ada: Account) -> None:
        kept = {sign_in(ada), sign_in(ada)}
        self.change(ada)
        assert set(Session.objects.all()) == kept

    def test_last_three_are_refused(self, ada: Account, project: Callable[..., None]) -> None:
        project(PASSWORD_HISTORY=3)
        used = [f"horse number {number}" for number in range(4)]
        old = PASSWORD
        for password in used:
            self.change(stored(ada), old, password=password)
            old = password
        for password in used[1:]:
            with pytest.raises(PasswordRecentlyUsed):
                self.change(stored(ada), old, password=password)
        self.change(stored(ada), old, password=used[0])

    def test_current_one_counts_only_when_recorded(
        self, ada: Account, project: Callable[..., None]
    ) -> None:
        project(PASSWORD_HISTORY=3)
        self.change(ada, password=PASSWORD)
        with pytest.raises(PasswordRecentlyUsed):
            self.change(stored(ada), password=PASSWORD)

    @pytest.mark.parametrize("datum", ["ada-id", "ADA@example.org", "xadax"])
    def test_personal_data(self, ada: Account, project: Callable[..., None], datum: str) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        with pytest.raises(PasswordPersonalData):
            self.change(ada, password=f"1234 {datum} 5678")
        assert stored(ada).user.check_password(PASSWORD)

    def test_wrong_old_one_is_told_before_the_rules(
        self, ada: Account, project: Callable[..., None]
    ) -> None:
        project(PASSWORD_HISTORY=3, PASSWORD_PERSONAL_DATA=True)
        with pytest.raises(InvalidCredentials):
            self.change(ada, "wrong horse", password="ada@example.org")

    def test_site_validators(self, ada: Account, settings: Any) -> None:
        settings.AUTH_PASSWORD_VALIDATORS = [
            {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"}
        ]
        with pytest.raises(InvalidArgument):
            self.change(ada, password="1928374650")

    def test_deleted_in_the_meantime(self, ada: Account) -> None:
        with pytest.raises(UserNotFound):
            self.change(deleted(ada))

    def test_user_keeps_what_the_site_changed_meanwhile(self, ada: Account) -> None:
        User.objects.update(last_name="By the site")
        self.change(ada)
        assert User.objects.get().last_name == "By the site"


class TestUpdateEmail:
    def test_everywhere(self, ada: Account, updates: Callable[[], list[str]]) -> None:
        Account.objects.update(email_verified=True)
        target = Target.objects.get()
        update_email(account=stored(ada), email="grace@example.org", password=PASSWORD)
        found = stored(ada)
        assert (found.email, found.email_verified) == ("grace@example.org", False)
        assert found.user.email == "grace@example.org"
        moved = Target.objects.get()
        assert (moved.public_id, moved.identifier) == (target.public_id, "grace@example.org")
        assert updates() == ["email"]

    def test_signs_in_with_the_new_one_only(self, ada: Account) -> None:
        update_email(account=ada, email="grace@example.org", password=PASSWORD)
        assert authenticate(email="grace@example.org", password=PASSWORD) == ada
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password=PASSWORD)

    def test_old_one_is_free_again(self, ada: Account) -> None:
        update_email(account=ada, email="grace@example.org", password=PASSWORD)
        assert create_account(email="ada@example.org").email == "ada@example.org"

    def test_password_stays(self, ada: Account) -> None:
        before = (stored(ada).user.password, stored(ada).password_changed_at)
        update_email(account=ada, email="grace@example.org", password=PASSWORD)
        assert (stored(ada).user.password, stored(ada).password_changed_at) == before

    def test_sessions_stay(self, ada: Account) -> None:
        session = sign_in(ada)
        update_email(account=ada, email="grace@example.org", password=PASSWORD)
        assert Session.objects.get() == session

    @pytest.mark.parametrize("password", ["wrong horse", ""])
    def test_wrong_password(
        self, ada: Account, password: str, updates: Callable[[], list[str]]
    ) -> None:
        with pytest.raises(InvalidCredentials):
            update_email(account=ada, email="grace@example.org", password=password)
        assert stored(ada).email == "ada@example.org"
        assert updates() == []

    def test_of_another_account(self, ada: Account) -> None:
        create_account(email="bob@example.org")
        with pytest.raises(TargetAlreadyExists):
            update_email(account=ada, email="bob@example.org", password=PASSWORD)
        assert stored(ada).user.email == "ada@example.org"

    def test_ones_own(self, ada: Account) -> None:
        with pytest.raises(TargetAlreadyExists):
            update_email(account=ada, email="ada@example.org", password=PASSWORD)

    def test_of_another_account_without_target(self, ada: Account) -> None:
        create_account(email="bob@example.org")
        Target.objects.filter(identifier="bob@example.org").delete()
        with pytest.raises(BadRequest):
            update_email(account=ada, email="bob@example.org", password=PASSWORD)

    def test_of_a_site_user_without_account(self, ada: Account) -> None:
        User.objects.create_user("eve", "Eve@example.org")
        with pytest.raises(BadRequest):
            update_email(account=ada, email="eve@example.org", password=PASSWORD)

    def test_blocked_kind(self, ada: Account, project: Callable[..., None]) -> None:
        project(BLOCK_EMAILS=["free"])
        with pytest.raises(EmailFree):
            update_email(account=ada, email="ada@gmail.com", password=PASSWORD)

    def test_anonymous_account_becomes_a_person(
        self, nobody: Account, updates: Callable[[], list[str]]
    ) -> None:
        update_email(account=nobody, email="grace@example.org", password=NEW)
        assert authenticate(email="grace@example.org", password=NEW) == nobody
        found = stored(nobody)
        assert (found.public_id, found.email_verified) == ("nobody", False)
        assert found.password_changed_at is not None
        assert Target.objects.get().identifier == "grace@example.org"
        assert "email" in updates()

    def test_first_password_keeps_the_rules(
        self, nobody: Account, project: Callable[..., None]
    ) -> None:
        project(PASSWORD_DICTIONARY=True)
        with pytest.raises(InvalidArgument):
            update_email(account=nobody, email="grace@example.org", password="password123")
        assert stored(nobody).email is None
        assert not stored(nobody).has_password

    def test_first_password_may_not_hold_the_new_address(
        self, nobody: Account, project: Callable[..., None]
    ) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        with pytest.raises(PasswordPersonalData):
            update_email(account=nobody, email="grace@example.org", password="grace1234")

    def test_deleted_in_the_meantime(self, ada: Account) -> None:
        with pytest.raises(UserNotFound):
            update_email(account=deleted(ada), email="grace@example.org", password=PASSWORD)


class TestUpdatePhone:
    def test_everywhere(self, ada: Account, updates: Callable[[], list[str]]) -> None:
        update_phone(account=ada, phone="+14155550100", password=PASSWORD)
        Account.objects.update(phone_verified=True)
        update_phone(account=stored(ada), phone="+14155550101", password=PASSWORD)
        found = stored(ada)
        assert (found.phone, found.phone_verified) == ("+14155550101", False)
        sms = Target.objects.get(provider_type="sms")
        assert sms.identifier == "+14155550101"
        assert updates() == ["phone", "phone"]

    def test_email_target_is_left_alone(self, ada: Account) -> None:
        update_phone(account=ada, phone="+14155550100", password=PASSWORD)
        assert Target.objects.get(provider_type="email").identifier == "ada@example.org"

    def test_wrong_password(self, ada: Account) -> None:
        with pytest.raises(InvalidCredentials):
            update_phone(account=ada, phone="+14155550100", password="wrong horse")
        assert stored(ada).phone is None

    def test_of_another_account(self, ada: Account) -> None:
        create_account(phone="+14155550100")
        with pytest.raises(TargetAlreadyExists):
            update_phone(account=ada, phone="+14155550100", password=PASSWORD)

    def test_of_another_account_without_target(self, ada: Account) -> None:
        create_account(phone="+14155550100")
        Target.objects.filter(provider_type="sms").delete()
        with pytest.raises(PhoneAlreadyExists):
            update_phone(account=ada, phone="+14155550100", password=PASSWORD)

    def test_anonymous_account_gets_a_password(self, nobody: Account) -> None:
        update_phone(account=nobody, phone="+14155550100", password=NEW)
        assert stored(nobody).user.check_password(NEW)
        assert stored(nobody).password_changed_at is not None

    def test_deleted_in_the_meantime(self, ada: Account) -> None:
        with pytest.raises(UserNotFound):
            update_phone(account=deleted(ada), phone="+14155550100", password=PASSWORD)


class TestBlock:
    def test_nobody_signs_in_any_more(self, ada: Account, updates: Callable[[], list[str]]) -> None:
        session = sign_in(ada)
        block(ada)
        assert not stored(ada).is_active
        with pytest.raises(UserBlocked):
            authenticate(email="ada@example.org", password=PASSWORD)
        assert Session.objects.get() == session, "staff may unblock the person"
        assert updates() == ["status"]

    def test_deleted_in_the_meantime(self, ada: Account) -> None:
        with pytest.raises(UserNotFound):
            block(deleted(ada))
