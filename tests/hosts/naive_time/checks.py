"""Only for this host."""

from __future__ import annotations

from django.utils import timezone

from django_account.accounts.models import Account
from tests.client import ApiClient


def test_it_is_this_host(ada: ApiClient) -> None:
    assert timezone.now().tzinfo is None
    assert Account.objects.get().created_at.tzinfo is None
