"""What holds where django-unfold draws the admin."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.admin.acts import registry

LIST = "/admin/django_account/account/"


@pytest.mark.django_db
def test_our_pages_are_its_pages(admin_client: Client) -> None:
    from unfold.admin import ModelAdmin

    assert isinstance(admin.site._registry[Account], ModelAdmin)
    account = create_account(email="ada@example.org")
    page = f"{LIST}{account.pk}/change/"
    acts = [act.name for act in registry.values() if act.is_offered]
    for path in (LIST, page, *(f"{LIST}{account.pk}/act/{name}/" for name in acts)):
        text = admin_client.get(path).content.decode()
        assert "unfold/css/styles.css" in text, path
        assert "ada@example.org" in text, path
    page = admin_client.get(page).content.decode()
    for shown in ("/act/block/", "Sessions", "django_account/admin/accounts.css", 'name="_save"'):
        assert shown in page
