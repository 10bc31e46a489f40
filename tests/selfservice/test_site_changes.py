"""What the site itself does to a user reaches the user's account."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate as site_authenticate
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test.utils import isolate_apps

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import authenticate, create_account
from django_account.core.clients import ClientInfo
from django_account.exceptions import InvalidCredentials
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from django_account.targets.models import Target
from django_account.tokens.models import Token
from django_account.tokens.services import issue_token
from tests.client import PASSWORD

pytestmark = pytest.mark.django_db

User = get_user_model()

LATER = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)
NEW = "battery staple"


@pytest.fixture
def ada() -> Account:
    """Ada, verified, with two sessions."""
    account = create_account(account_id="ada", email="ada@example.org", password=PASSWORD)
    Account.objects.update(email_verified=True, password_reset_required=True)
    for _ in range(2):
        create_session(account=account, provider="email", factors=["password"], client=ClientInfo())
    return account


@pytest.fixture
def user(ada: Account) -> Any:
    """Ada's user, as the site's own code gets hold of it."""
    return User.objects.get(email="ada@example.org")


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


def stored(account: Account) -> Account:
    return Account.objects.with_user().get(pk=account.pk)


class TestPassword:
    @isolate_apps("django.contrib.auth")
    def test_set_through_a_proxy_of_the_user_model(self, ada: Account) -> None:
        class Staff(User):  # type: ignore[valid-type, misc]
            class Meta:
                proxy = True
                app_label = "auth"

        staff = Staff.objects.get(email="ada@example.org")
        staff.set_password(NEW)
        staff.email = "grace@example.org"
        staff.save()
        assert not Session.objects.exists()
        assert stored(ada).email == "grace@example.org"

    def test_set_by_the_site(
        self, ada: Account, user: Any, updates: Callable[[], list[str]]
    ) -> None:
        with time_machine.travel(LATER, tick=False):
            user.set_password(NEW)
            user.save()
        assert authenticate(email="ada@example.org", password=NEW) == ada
        with pytest.raises(InvalidCredentials):
            authenticate(email="ada@example.org", password=PASSWORD)
        found = stored(ada)
        assert found.password_changed_at == LATER
        assert found.password_reset_required is False
        assert not Session.objects.exists()
        assert updates() == ["password"]

    def test_recovery_tokens_die_with_the_old_one(self, ada: Account, user: Any) -> None:
        for kind in Token.Kind:
            issue_token(account=ada, kind=kind, address="ada@example.org")
        user.set_password(NEW)
        user.save()
        assert not Token.objects.filter(kind__in=Token.RECOVERIES).exists()
        assert Token.objects.count() == len(Token.Kind) - len(Token.RECOVERIES)

    def test_set_by_the_changepassword_command(
        self, ada: Account, user: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("getpass.getpass", lambda prompt="": NEW)
        with time_machine.travel(LATER, tick=False):
            call_command("changepassword", user.get_username(), verbosity=0)
        assert stored(ada).password_changed_at == LATER
        assert not Session.objects.exists()

    def test_sessions_stay_when_switched_off(
        self, ada: Account, user: Any, project: Callable[..., None]
    ) -> None:
        project(INVALIDATE_SESSIONS=False)
        user.set_password(NEW)
        user.save()
        assert Session.objects.count() == 2

    def test_set_with_update_fields(self, ada: Account, user: Any) -> None:
        user.set_password(NEW)
        user.save(update_fields=["password"])
        assert not Session.objects.exists()

    def test_hash_renewed_by_the_sites_own_sign_in(
        self, ada: Account, user: Any, settings: Any, updates: Callable[[], list[str]]
    ) -> None:
        before = stored(ada).password_changed_at
        settings.PASSWORD_HASHERS = [
            "django_account.accounts.hashers.Argon2idHasher",
            "django.contrib.auth.hashers.MD5PasswordHasher",
        ]
        assert site_authenticate(username=user.get_username(), password=PASSWORD) == user
        assert stored(ada).user.password.startswith("argon2$")
        assert stored(ada).password_changed_at == before
        assert Session.objects.count() == 2
        assert updates() == []

    def test_last_login_of_the_sites_own_sign_in(
        self, ada: Account, client: Any, user: Any, updates: Callable[[], list[str]]
    ) -> None:
        client.force_login(user)
        assert Session.objects.count() == 2
        assert stored(ada).email_verified is True
        assert updates() == []

    def test_password_not_set_again_by_the_next_save(self, ada: Account, user: Any) -> None:
        user.set_password(NEW)
        user.save()
        create_session(account=ada, provider="email", factors=["password"], client=ClientInfo())
        user.last_name = "L"
        user.save()
        assert Session.objects.count() == 1


class TestEmail:
    def test_changed_by_the_site(
        self, ada: Account, user: Any, updates: Callable[[], list[str]]
    ) -> None:
        target = Target.objects.get()
        user.email = "Grace@Example.org"
        user.save()
        found = stored(ada)
        assert (found.email, found.email_verified) == ("grace@example.org", False)
        moved = Target.objects.get()
        assert (moved.public_id, moved.identifier) == (target.public_id, "grace@example.org")
        assert authenticate(email="grace@example.org", password=PASSWORD) == ada
        assert Session.objects.count() == 2
        assert updates() == ["email"]

    def test_changed_with_update_fields(self, ada: Account, user: Any) -> None:
        user.email = "grace@example.org"
        user.save(update_fields=["email"])
        assert stored(ada).email == "grace@example.org"

    def test_not_written_is_not_changed(self, ada: Account, user: Any) -> None:
        user.email = "grace@example.org"
        user.save(update_fields=["last_name"])
        assert stored(ada).email == "ada@example.org"

    @pytest.mark.parametrize("email", ["ada@example.org", "ADA@example.org", " ada@example.org"])
    def test_same_address(
        self, ada: Account, user: Any, email: str, updates: Callable[[], list[str]]
    ) -> None:
        user.email = email
        user.save()
        assert stored(ada).email_verified is True
        assert updates() == []

    def test_other_fields_change_nothing(
        self, ada: Account, user: Any, updates: Callable[[], list[str]]
    ) -> None:
        user.last_name = "L"
        user.is_staff = True
        user.save()
        assert stored(ada).email_verified is True
        assert Session.objects.count() == 2
        assert updates() == []

    def test_removed_by_the_site(self, ada: Account, user: Any) -> None:
        user.email = ""
        user.save()
        found = stored(ada)
        assert (found.email, found.email_verified) == (None, False)
        assert not Target.objects.exists()

    def test_of_another_account(
        self,
        ada: Account,
        user: Any,
        caplog: pytest.LogCaptureFixture,
        updates: Callable[[], list[str]],
    ) -> None:
        bob = create_account(account_id="bob", email="bob@example.org", password=NEW)
        user.email = "bob@example.org"
        with caplog.at_level(logging.WARNING, "django_account"):
            user.save()
        user.refresh_from_db()
        assert user.email == "bob@example.org", "the site's own save does not fail"
        found = stored(ada)
        assert (found.email, found.email_verified) == ("ada@example.org", True)
        assert set(Target.objects.values_list("identifier", flat=True)) == {
            "ada@example.org",
            "bob@example.org",
        }
        assert authenticate(email="bob@example.org", password=NEW) == bob
        (record,) = caplog.records
        assert (record.levelname, "ada" in record.getMessage()) == ("WARNING", True)
        assert "bob@example.org" not in record.getMessage()
        assert updates() == []

    def test_of_another_accounts_extra_target(
        self, ada: Account, user: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        bob = create_account(account_id="bob")
        Target.objects.create(account=bob, provider_type="email", identifier="x@example.org")
        user.email = "x@example.org"
        user.save()
        assert stored(ada).email == "ada@example.org"
        assert len(caplog.records) == 1

    def test_address_and_password_at_once(
        self, ada: Account, user: Any, updates: Callable[[], list[str]]
    ) -> None:
        user.email = "grace@example.org"
        user.set_password(NEW)
        user.save()
        assert authenticate(email="grace@example.org", password=NEW) == ada
        assert not Session.objects.exists()
        assert sorted(updates()) == ["email", "password"]


class TestOtherSaves:
    def test_user_without_account(self) -> None:
        user = User.objects.create_user("eve", "eve@example.org", PASSWORD)
        user.email = "grace@example.org"
        user.set_password(NEW)
        user.save()
        assert not Account.objects.exists()

    def test_fixture(self, ada: Account, user: Any, tmp_path: Any) -> None:
        path = tmp_path / "user.json"
        call_command("dumpdata", "auth.user", output=str(path), verbosity=0)
        path.write_text(path.read_text().replace("ada@example.org", "grace@example.org"))
        call_command("loaddata", str(path), verbosity=0)
        assert stored(ada).email == "ada@example.org", "a fixture brings its own account rows"

    def test_block_by_the_site(self, ada: Account, user: Any) -> None:
        user.is_active = False
        user.save()
        assert not stored(ada).is_active
        assert Session.objects.count() == 2

    def test_deleted_by_the_site(self, ada: Account, user: Any) -> None:
        user.delete()
        assert not Account.objects.exists()
        assert not Session.objects.exists()
        assert not Target.objects.exists()
