"""Account: what one row knows and what the database refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from tests.client import PASSWORD

pytestmark = pytest.mark.django_db

User = get_user_model()


class TestConstraints:
    @pytest.mark.parametrize("email", ["Ada@example.org", "ada@EXAMPLE.org", ""])
    def test_email_not_in_normal_form(self, email: str) -> None:
        account = create_account()
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.filter(pk=account.pk).update(email=email)

    @pytest.mark.parametrize("field", ["phone", "public_id"])
    def test_empty_where_it_would_collide(self, field: str) -> None:
        account = create_account(phone="+14155550100")
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.filter(pk=account.pk).update(**{field: ""})

    @pytest.mark.parametrize(
        ("field", "value"),
        [("email", "ada@example.org"), ("phone", "+14155550100"), ("public_id", "ada")],
    )
    def test_taken_twice(self, field: str, value: str) -> None:
        create_account(account_id="ada", email="ada@example.org", phone="+14155550100")
        other = create_account(account_id="bob")
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.filter(pk=other.pk).update(**{field: value})

    def test_many_without_addresses(self) -> None:
        for _ in range(3):
            create_account()
        assert Account.objects.filter(email=None, phone=None).count() == 3

    def test_ids_that_differ_in_case_are_different(self) -> None:
        create_account(account_id="Ada")
        create_account(account_id="ada")
        assert Account.objects.get(public_id="ada").public_id == "ada"

    def test_dies_with_its_user(self) -> None:
        create_account(account_id="ada").user.delete()
        assert not Account.objects.exists()


class TestAccount:
    def test_is_named_by_what_it_has(self) -> None:
        account = Account(public_id="ada")
        assert str(account) == "ada"
        account.name = "Ada"
        assert str(account) == "Ada"
        account.phone = "+14155550100"
        assert str(account) == "+14155550100"
        account.email = "ada@example.org"
        assert str(account) == "ada@example.org"

    def test_is_active_as_its_user_is(self) -> None:
        account = create_account()
        assert account.is_active is True
        account.user.is_active = False
        assert account.is_active is False

    def test_has_password(self) -> None:
        assert create_account(password=PASSWORD).has_password is True
        assert create_account().has_password is False

    def test_empty_password_column_is_none(self) -> None:
        account = create_account()
        account.user.password = ""
        assert account.has_password is False

    @pytest.mark.parametrize(
        ("mfa", "email", "phone", "factors"),
        [
            (False, False, False, 1),
            (False, True, True, 1),
            (True, False, False, 1),
            (True, True, False, 2),
            (True, False, True, 2),
        ],
    )
    def test_required_factors(self, mfa: bool, email: bool, phone: bool, factors: int) -> None:
        account = Account(mfa_enabled=mfa, email_verified=email, phone_verified=phone)
        assert account.required_factors == factors

    def test_needs_touch_after_a_day(self) -> None:
        now = timezone.now()
        assert Account(accessed_at=None).needs_touch(now)
        assert not Account(accessed_at=now - timedelta(hours=24)).needs_touch(now)
        assert Account(accessed_at=now - timedelta(hours=25)).needs_touch(now)

    def test_personal_data(self) -> None:
        account = Account(
            public_id="ada-id", email="ada@example.org", name="Ada L", phone="+14155550100"
        )
        assert set(account.personal_data()) == {
            "ada-id",
            "ada@example.org",
            "ada",
            "Ada L",
            "+14155550100",
            "14155550100",
        }

    def test_with_user_is_one_statement(self) -> None:
        create_account()
        with CaptureQueriesContext(connection) as captured:
            assert [account.user.is_active for account in Account.objects.with_user()] == [True]
        assert len(captured) == 1
