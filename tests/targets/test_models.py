"""Target: one address of one person."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.targets.models import Target

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return create_account(account_id="ada", email="ada@example.org")


def test_identifier_is_unique_across_people_and_kinds(account: Account) -> None:
    bob = create_account(account_id="bob")
    with pytest.raises(IntegrityError), transaction.atomic():
        Target.objects.create(account=bob, provider_type="push", identifier="ada@example.org")


def test_push_tokens_that_differ_in_case_are_different(account: Account) -> None:
    for identifier in ("tOkEn", "token"):
        Target.objects.create(account=account, provider_type="push", identifier=identifier)
    assert Target.objects.get(identifier="token").identifier == "token"


def test_is_named_by_kind_and_address(account: Account) -> None:
    assert str(Target.objects.get()) == "email: ada@example.org"


def test_dies_with_the_account(account: Account) -> None:
    account.delete()
    assert not Target.objects.exists()
