"""Keeping a person's targets equal to the account."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import IntegrityError, transaction

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.targets.models import Target
from django_account.targets.services import claim_address, is_claimed, move_address

pytestmark = pytest.mark.django_db

LATER = datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return create_account(account_id="ada", email="ada@example.org")


def move(account: Account, old: str | None, new: str | None) -> None:
    move_address(account=account, provider_type="email", old=old, new=new)


class TestClaimAddress:
    def test_free_address(self, account: Account) -> None:
        claim_address(account=account, provider_type="sms", identifier="+14155550100")
        target = Target.objects.get(provider_type="sms")
        assert (target.account, target.identifier) == (account, "+14155550100")
        assert (target.provider_id, target.expired, target.session) == (None, False, None)

    def test_taken_address_stays_with_its_owner(self, account: Account) -> None:
        bob = create_account(account_id="bob")
        claim_address(account=bob, provider_type="email", identifier="ada@example.org")
        assert Target.objects.get().account == account

    def test_each_has_an_id_of_its_own(self, account: Account) -> None:
        claim_address(account=account, provider_type="sms", identifier="+14155550100")
        ids = set(Target.objects.values_list("public_id", flat=True))
        assert len(ids) == 2
        assert all(len(public_id) == 20 for public_id in ids)


def test_is_claimed(account: Account) -> None:
    assert is_claimed("ada@example.org")
    assert not is_claimed("bob@example.org")


class TestMoveAddress:
    def test_keeps_its_id(self, account: Account) -> None:
        before = Target.objects.get()
        Target.objects.update(expired=True)
        with time_machine.travel(LATER, tick=False):
            move(account, "ada@example.org", "grace@example.org")
        after = Target.objects.get()
        assert (after.pk, after.public_id) == (before.pk, before.public_id)
        assert (after.identifier, after.expired) == ("grace@example.org", False)
        assert (after.created_at, after.updated_at) == (before.created_at, LATER)

    def test_first_address(self) -> None:
        nobody = create_account(account_id="nobody")
        move(nobody, None, "nobody@example.org")
        assert Target.objects.get().identifier == "nobody@example.org"

    def test_missing_mirror_is_made(self, account: Account) -> None:
        Target.objects.all().delete()
        move(account, "ada@example.org", "grace@example.org")
        assert Target.objects.get().identifier == "grace@example.org"

    def test_no_new_address(self, account: Account) -> None:
        move(account, "ada@example.org", None)
        assert not Target.objects.exists()

    def test_from_nothing_to_nothing(self, account: Account) -> None:
        move(account, None, None)
        assert Target.objects.count() == 1

    def test_extra_targets_are_left_alone(self, account: Account) -> None:
        Target.objects.create(account=account, provider_type="email", identifier="x@example.org")
        move(account, "ada@example.org", "grace@example.org")
        assert set(Target.objects.values_list("identifier", flat=True)) == {
            "grace@example.org",
            "x@example.org",
        }

    def test_target_of_somebody_else_is_never_moved(self, account: Account) -> None:
        bob = create_account(account_id="bob")
        move(bob, "ada@example.org", "bob@example.org")
        assert Target.objects.get(account=account).identifier == "ada@example.org"
        assert Target.objects.get(account=bob).identifier == "bob@example.org"

    def test_taken_address(self, account: Account) -> None:
        create_account(account_id="bob", email="bob@example.org")
        with pytest.raises(IntegrityError), transaction.atomic():
            move(account, "ada@example.org", "bob@example.org")
        assert Target.objects.get(account=account).identifier == "ada@example.org"
