"""Nothing tells who a person was; what the site keeps still refers to somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model

from django_account import signals
from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.services import authenticate, create_account
from django_account.administration.anonymisation import ANONYMOUS, anonymise_account
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientInfo
from django_account.core.ids import is_unique_id
from django_account.exceptions import InvalidCredentials, UserNotFound
from django_account.mfa.services import reset_mfa
from django_account.notifications.models import Delivery
from django_account.selfservice.passwordless import Requester
from django_account.selfservice.verification import (
    create_email_verification,
    create_phone_verification,
)
from django_account.tokens.models import Token
from tests.administration.people import EMAIL, NAME, PASSWORD, PHONE, everything, somebody
from tests.client import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)

# Ids and moments, which tell nothing of who it was.
KEPT = {"id", "public_id", "user", "registered_at", "accessed_at", "created_at", "updated_at"}


@pytest.fixture
def received() -> Iterator[list[Any]]:
    """What a site's own receivers are told."""
    calls: list[Any] = []

    def before(sender: Any, account: Account, **kwargs: Any) -> None:
        calls.append(("requested", account.email))

    def after(sender: Any, account: Account, **kwargs: Any) -> None:
        calls.append(("anonymised", account.email))

    signals.anonymise_requested.connect(before)
    signals.account_anonymised.connect(after)
    yield calls
    signals.anonymise_requested.disconnect(before)
    signals.account_anonymised.disconnect(after)


class TestAnonymiseAccount:
    def test_nothing_tells_who_it_was(self) -> None:
        account, planted = somebody()
        anonymise_account(account=account)
        left = everything()
        for trace in (
            EMAIL,
            PHONE,
            *NAME.split(),
            "github.test",
            "4711",
            "192.0.2.1",
            "curl",
            "teal",
        ):
            assert trace not in left, trace
        for name, secret in planted.items():
            assert secret not in left, name

    def test_every_column_is_seen_to(self) -> None:
        """A new column of the account is either kept, or emptied."""
        assert {field.name for field in Account._meta.fields} == KEPT | set(ANONYMOUS)

    def test_the_rows_stay(self) -> None:
        account, _ = somebody()
        anonymise_account(account=account)
        found = Account.objects.with_user().get()
        assert (found.pk, found.public_id) == (account.pk, account.public_id)
        assert found.user.pk == account.user.pk
        assert {name: getattr(found, name) for name in ANONYMOUS} == ANONYMOUS

    def test_nothing_of_ours_hangs_on_them(self) -> None:
        account, _ = somebody()
        anonymise_account(account=account)
        kept = {"Account", "LogEntry"}
        for model in apps.get_app_config("django_account").get_models():
            assert model._base_manager.exists() is (model.__name__ in kept), model

    def test_nobody_signs_in_again(self) -> None:
        account, _ = somebody()
        credential = ApiClient()
        credential.sign_in(password=PASSWORD)
        anonymise_account(account=account)
        assert credential.get("/account").status_code == 401
        user = get_user_model()._default_manager.get()
        assert not user.is_active
        assert not user.has_usable_password()
        with pytest.raises(InvalidCredentials):
            authenticate(email=EMAIL, password=PASSWORD)

    def test_again_changes_nothing(self) -> None:
        def rows() -> tuple[Any, ...]:
            # An unusable password is random; so is what fills a column too narrow for ids.
            user_model = get_user_model()
            random = dict.fromkeys(["password", user_model.USERNAME_FIELD], "")
            account = Account.objects.values().get() | {"updated_at": None}
            return user_model._default_manager.values().get() | random, account

        account, _ = somebody()
        anonymise_account(account=account)
        before = rows()
        anonymise_account(account=account)
        assert rows() == before

    def test_a_username_that_was_generated_stays(self) -> None:
        account, _ = somebody()
        username = account.user.get_username()
        anonymise_account(account=account)
        kept = get_user_model()._default_manager.get().get_username() == username
        assert kept is is_unique_id(username)

    def test_the_address_is_free(self) -> None:
        account, _ = somebody()
        anonymise_account(account=account)
        create_account(email=EMAIL, phone=PHONE)

    def test_two_people(self) -> None:
        """What a column must hold uniquely is different for each."""
        account, _ = somebody()
        other = create_account(email="eve@example.org", phone="+14155550101", password=PASSWORD)
        for each in (account, other):
            anonymise_account(account=each)
        for user in get_user_model()._default_manager.all():
            assert users.read_email(user) is None
            assert users.read_phone(user) is None

    def test_others_keep_what_is_theirs(self) -> None:
        create_account(email="eve@example.org", name="Eve", password=PASSWORD)
        account, _ = somebody()
        anonymise_account(account=account)
        assert Account.objects.get(email="eve@example.org").name == "Eve"
        assert ApiClient().sign_in("eve@example.org", PASSWORD)["userId"]
        assert LogEntry.objects.filter(user_email="eve@example.org").exists()

    def test_the_log_says_that_it_was_done(self) -> None:
        account, _ = somebody()
        anonymise_account(account=account)
        entry = LogEntry.objects.get(event="user.update", user_id=account.public_id)
        assert (entry.mode, entry.user_email, entry.user_name) == ("admin", "", "")

    def test_the_admin_log_names_nobody(self) -> None:
        from django.contrib.admin.models import CHANGE
        from django.contrib.admin.models import LogEntry as AdminLogEntry
        from django.contrib.contenttypes.models import ContentType

        account, _ = somebody()
        staff = create_account().user
        for row, text in ((account, NAME), (account.user, NAME), (staff, f"mail to {EMAIL}")):
            AdminLogEntry.objects.create(
                user=staff,
                content_type=ContentType.objects.get_for_model(row),
                object_id=str(row.pk),
                object_repr=text,
                action_flag=CHANGE,
            )
        anonymise_account(account=account)
        said = set(AdminLogEntry.objects.values_list("object_repr", flat=True))
        assert said == {account.public_id}

    def test_a_username_that_says_who(self) -> None:
        account, _ = somebody()
        user = account.user
        setattr(user, user.USERNAME_FIELD, "lovelace")
        user.save()
        anonymise_account(account=account)
        assert "lovelace" not in everything()

    def test_the_site_is_told_before_and_after(self, received: list[Any]) -> None:
        account, _ = somebody()
        anonymise_account(account=account)
        assert received == [("requested", EMAIL), ("anonymised", None)]

    def test_a_site_that_cannot_keeps_everything_as_it_was(self) -> None:
        account, _ = somebody()
        before = everything()

        def broken(**kwargs: Any) -> None:
            raise RuntimeError("the shop is closed")

        signals.anonymise_requested.connect(broken)
        try:
            with pytest.raises(RuntimeError):
                anonymise_account(account=account)
        finally:
            signals.anonymise_requested.disconnect(broken)
        assert everything() == before

    def test_somebody_who_is_gone(self) -> None:
        account, _ = somebody()
        account.user.delete()
        account.pk = 1
        with pytest.raises(UserNotFound):
            anonymise_account(account=account)

    def test_a_message_that_was_asked_for_just_before_is_not_sent(self) -> None:
        """By whoever had read the account before it was anonymised."""
        account, _ = somebody()
        account.email_verified = account.phone_verified = False
        account.save()
        before = Account.objects.with_user().get()
        anonymise_account(account=account)
        requester = Requester(client=ClientInfo(), locale="en")
        with pytest.raises(UserNotFound):
            create_email_verification(account=before, url="http://localhost/", requester=requester)
        with pytest.raises(UserNotFound):
            create_phone_verification(account=before, requester=requester)
        reset_mfa(account=before)
        assert not Token.objects.exists()
        assert not Delivery.objects.exists()
