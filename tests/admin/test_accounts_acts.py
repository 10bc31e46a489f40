"""What staff do to accounts: single and many, asked first, written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import DELETION
from django.contrib.admin.models import LogEntry as AdminEntry
from django.core import mail
from django.test import Client

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.admin.acts import registry
from django_account.audit.models import LogEntry

LIST = "/admin/django_account/account/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> Account:
    return create_account(account_id="ada", email="ada@example.org", password="correct horse")


def address(account: Account, act: str) -> str:
    return f"{LIST}{account.pk}/act/{act}/"


def do(client: Client, account: Account, act: str, **values: Any) -> Any:
    return client.post(address(account, act), {**values, "confirmed": "x"}, follow=True)


def do_many(client: Client, act: str, *accounts: Account, **values: Any) -> Any:
    chosen = {"action": act, "_selected_action": [account.pk for account in accounts]}
    return client.post(LIST, {**chosen, **values, "confirmed": "x"}, follow=True)


class TestBlock:
    def test_asks_first(self, admin_client: Client, ada: Account) -> None:
        page = admin_client.get(address(ada, "block"))
        assert "ada@example.org" in page.content.decode()
        ada.refresh_from_db()
        assert ada.user.is_active

    def test_blocks_and_says_so_in_both_logs(
        self, admin_client: Client, admin_user: Any, ada: Account
    ) -> None:
        LogEntry.objects.all().purge()
        do(admin_client, ada, "block")
        ada.user.refresh_from_db()
        assert not ada.user.is_active
        (entry,) = LogEntry.objects.all()
        assert (entry.event, entry.user_id, entry.mode) == ("user.update", "ada", "admin")
        (noted,) = AdminEntry.objects.all()
        assert (noted.user, noted.object_id) == (admin_user, str(ada.pk))
        assert (noted.object_repr, noted.change_message) == ("ada", "Blocked.")

    def test_many(self, admin_client: Client, ada: Account) -> None:
        bob, eve = create_account(account_id="bob"), create_account(account_id="eve")
        do(admin_client, eve, "block")
        page = admin_client.post(
            LIST, {"action": "block", "_selected_action": [ada.pk, bob.pk, eve.pk]}
        )
        assert "It is blocked already." in page.content.decode()
        page = do_many(admin_client, "block", ada, bob, eve)
        assert "2 accounts: Blocked." in page.content.decode()
        assert "1 account left alone (eve): It is blocked already." in page.content.decode()
        assert not Account.objects.filter(user__is_active=True, user__is_staff=False).exists()


def test_delete(admin_client: Client, ada: Account) -> None:
    assert "Targets: 1" in admin_client.get(address(ada, "delete")).content.decode()
    page = do(admin_client, ada, "delete")
    assert page.redirect_chain[-1][0] == LIST
    assert not Account.objects.exists()
    noted = AdminEntry.objects.get()
    assert (noted.action_flag, noted.object_repr) == (DELETION, "ada")
    assert LogEntry.objects.get(event="user.delete").user_id == "ada"


def test_send_recovery(admin_client: Client, ada: Account) -> None:
    do(admin_client, ada, "send_recovery")
    (message,) = mail.outbox
    assert "/v1/pages/recovery" in message.body
    assert LogEntry.objects.get(event="recovery.create").mode == "admin"


@pytest.mark.parametrize("name", sorted(registry))
def test_every_page_asks(
    admin_client: Client, ada: Account, project: Callable[..., None], name: str
) -> None:
    project(ADMIN_SET_PASSWORDS=True)
    page = admin_client.get(address(ada, name))
    assert page.status_code == 200
    assert not AdminEntry.objects.exists()
