"""What holds where an absent address is null."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from django_account.accounts.models import Account
from tests.client import ApiClient

User = get_user_model()


@pytest.mark.django_db
def test_people_without_an_address_share_none() -> None:
    for name in ("eve", "bob"):
        User(username=name, email=None).save()
    call_command("adoptusers", "--without-email")
    assert Account.objects.filter(email=None).count() == 2


def test_address_of_an_anonymous_person(guest: ApiClient) -> None:
    guest.post("/account/sessions/anonymous")
    assert User.objects.get().email is None
