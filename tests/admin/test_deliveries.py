"""The delivery log in the admin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.utils import timezone

from django_account import notifications
from django_account.accounts.services import create_account
from django_account.admin.deliveries import KINDS
from django_account.notifications.models import Delivery
from tests.notifications.mails import CODE, LINK, message

LIST = "/admin/django_account/delivery/"
State = Delivery.State

pytestmark = pytest.mark.django_db(transaction=True)


def logged(kind: str = "otp-session", **values: Any) -> Delivery:
    """A delivery in the log."""
    given = message(kind)
    delivery = Delivery(
        kind=kind, channel="email", recipient=given.recipient, expires_at=given.expires_at
    )
    delivery.seal(given)
    for name, value in values.items():
        setattr(delivery, name, value)
    delivery.save()
    return delivery


def staff(user_model: Any, *permissions: str) -> Client:
    """Somebody who may do that much with deliveries."""
    user = user_model.objects.create_user("staff", password="x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=[f"{name}_delivery" for name in permissions])
    )
    client = Client()
    client.force_login(user)
    return client


def send_again(client: Client, *deliveries: Delivery) -> Any:
    body = {"action": "send_again", "_selected_action": [delivery.pk for delivery in deliveries]}
    return client.post(LIST, body, follow=True)


class TestPages:
    @pytest.mark.parametrize("kind", ["otp-session", "magic-session"])
    @pytest.mark.parametrize("state", State.values)
    def test_show_what_happened_and_nothing_that_works(
        self, admin_client: Client, kind: str, state: str
    ) -> None:
        delivery = logged(kind, state=state, error="OSError: down")
        for page in (LIST, f"{LIST}{delivery.pk}/change/", f"{LIST}{delivery.pk}/history/"):
            response = admin_client.get(page)
            assert response.status_code == 200
            text = response.content.decode()
            assert "ada@example.org" in text
            for hidden in (CODE, LINK, LINK.replace("&", "&amp;"), delivery.payload):
                assert hidden not in text
            assert "payload" not in text.lower()
        assert "OSError: down" in admin_client.get(LIST).content.decode()

    def test_the_list_tells_when_a_waiting_message_is_tried_again(
        self, admin_client: Client
    ) -> None:
        delivery = logged(next_try_at=datetime(2031, 2, 3, 4, 5, tzinfo=UTC))
        assert b"Feb. 3, 2031, 4:05 a.m." in admin_client.get(LIST).content
        Delivery.objects.filter(pk=delivery.pk).update(state=State.SENT)
        assert b"Feb. 3, 2031" not in admin_client.get(LIST).content

    def test_filters_and_search(self, admin_client: Client) -> None:
        logged(state=State.FAILED)
        assert b"ada@example.org" in admin_client.get(f"{LIST}?state__exact=failed").content
        assert b"ada@example.org" not in admin_client.get(f"{LIST}?state__exact=sent").content
        assert b"ada@example.org" in admin_client.get(f"{LIST}?kind=otp-session").content
        assert b"ada@example.org" not in admin_client.get(f"{LIST}?kind=recovery").content
        assert b"ada@example.org" in admin_client.get(f"{LIST}?channel=email").content
        assert b"ada@example.org" not in admin_client.get(f"{LIST}?channel=sms").content

    def test_search_for_a_recipient_or_an_account(self, admin_client: Client) -> None:
        ada = create_account(account_id="ada", email="ada@example.org")
        mail_, text = logged(account=ada), logged(channel="sms", recipient="+15551234567")
        for term, found in (
            ("Ada@Example.org ", [mail_]),
            ("+15551234567", [text]),
            ("ada", [mail_]),
            ("ada@", []),
            ("nobody", []),
        ):
            page = admin_client.get(LIST, {"q": term})
            assert list(page.context["cl"].result_list) == found, term

    def test_the_list_takes_as_many_statements_however_long(
        self, admin_client: Client, django_assert_num_queries: Any
    ) -> None:
        ada = create_account(account_id="ada", email="ada@example.org")
        for _ in range(30):
            logged(account=ada)
        # Session, user, count, page. A filter that asks for kinds would read the whole log.
        with django_assert_num_queries(4) as queries:
            admin_client.get(f"{LIST}?state__exact=waiting")
        assert not any("DISTINCT" in query["sql"] for query in queries)

    def test_kinds_are_those_of_the_templates(self) -> None:
        folders = Path(notifications.__file__).parents[1] / "templates/django_account/email"
        assert sorted(each.name for each in folders.iterdir() if each.is_dir()) == sorted(KINDS)

    def test_nothing_is_added(self, admin_client: Client) -> None:
        assert admin_client.get(f"{LIST}add/").status_code == 403
        assert b"delivery/add/" not in admin_client.get(LIST).content

    def test_nothing_is_deleted(self, admin_client: Client) -> None:
        delivery = logged()
        url = f"{LIST}{delivery.pk}/delete/"
        assert admin_client.post(url, {"post": "yes"}).status_code == 403
        body = {"action": "delete_selected", "_selected_action": [delivery.pk], "post": "yes"}
        admin_client.post(LIST, body)
        assert Delivery.objects.filter(pk=delivery.pk).exists()

    def test_goes_with_its_user_on_the_sites_own_page(self, admin_client: Client) -> None:
        account = create_account(email="ada@example.org")
        logged(account=account)
        url = f"/admin/auth/user/{account.user_id}/delete/"
        assert 'name="post" value="yes"' in admin_client.get(url).content.decode()
        admin_client.post(url, {"post": "yes"})
        assert not Delivery.objects.exists()

    def test_nothing_is_changed(self, admin_client: Client) -> None:
        delivery = logged()
        url = f"{LIST}{delivery.pk}/change/"
        assert b'name="_save"' not in admin_client.get(url).content
        body = {"recipient": "eve@example.org", "state": State.SENT, "payload": ""}
        assert admin_client.post(url, body).status_code == 403
        found = Delivery.objects.get()
        assert (found.recipient, found.state) == (delivery.recipient, State.WAITING)
        assert found.payload == delivery.payload


class TestSendAgain:
    def test_failed_and_alive(self, admin_client: Client) -> None:
        delivery = logged(state=State.FAILED, tries=5, error="OSError: down")
        assert b"1 sent again." in send_again(admin_client, delivery).content
        found = Delivery.objects.get()
        assert (found.state, found.tries, found.error) == (State.SENT, 1, "")
        assert [email.to for email in mail.outbox] == [["Ada <ada@example.org>"]]

    @pytest.mark.parametrize(
        "values",
        [
            {"state": State.SENT, "payload": ""},
            {"state": State.FAILED, "payload": ""},
            {"state": State.WAITING},
            {"state": State.FAILED, "expires_at": timezone.now() - timedelta(seconds=1)},
        ],
        ids=["sent", "forgotten", "waiting", "expired"],
    )
    def test_nothing_else(self, admin_client: Client, values: dict[str, Any]) -> None:
        delivery = logged(**values)
        page = send_again(admin_client, delivery).content
        assert b"0 sent again." in page
        assert b"1 left alone" in page
        assert Delivery.objects.get().state == values["state"]
        assert mail.outbox == []

    def test_several(self, admin_client: Client) -> None:
        chosen = [logged(state=State.FAILED), logged(state=State.FAILED), logged()]
        logged(state=State.FAILED)
        page = send_again(admin_client, *chosen).content
        assert b"2 sent again." in page
        assert b"1 left alone" in page
        assert len(mail.outbox) == 2

    def test_is_in_the_admin_log(self, admin_client: Client, admin_user: Any) -> None:
        from django.contrib.admin.models import LogEntry

        send_again(admin_client, logged(state=State.FAILED))
        entry = LogEntry.objects.get()
        assert (entry.user, entry.change_message) == (admin_user, "Sent again.")


class TestPermissions:
    def test_viewing_is_not_sending(self, django_user_model: Any) -> None:
        client = staff(django_user_model, "view")
        delivery = logged(state=State.FAILED)
        page = client.get(LIST).content
        assert b"ada@example.org" in page
        assert b'value="send_again"' not in page
        send_again(client, delivery)
        assert Delivery.objects.get().state == State.FAILED
        assert mail.outbox == []

    @pytest.mark.parametrize("permissions", [["change"], ["view", "change"]])
    def test_change_is(self, django_user_model: Any, permissions: list[str]) -> None:
        client = staff(django_user_model, *permissions)
        delivery = logged(state=State.FAILED)
        assert client.get(f"{LIST}{delivery.pk}/change/").status_code == 200
        send_again(client, delivery)
        assert Delivery.objects.get().state == State.SENT

    def test_none(self, django_user_model: Any) -> None:
        client = staff(django_user_model)
        assert client.get(LIST).status_code == 403
        assert client.get(f"{LIST}{logged().pk}/change/").status_code == 403
