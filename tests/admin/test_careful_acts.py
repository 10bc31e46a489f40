"""A new password required, data handed out, acting as a person, forgetting them: in the admin."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.test import Client

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.administration.anonymisation import anonymise_account
from django_account.audit.models import LogEntry
from django_account.sessions.models import Session
from tests.administration.people import EMAIL, NAME, PASSWORD, PHONE, everything, somebody
from tests.client import ApiClient, assert_error

Project = Callable[..., None]

LIST = "/admin/django_account/account/"
ACTS = {
    "require_password": {"send": "on"},
    "export": {},
    "impersonate": {"reason": "Ticket 12"},
    "anonymise": {},
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada() -> Account:
    return create_account(email=EMAIL, phone=PHONE, password=PASSWORD, name=NAME)


@pytest.fixture(autouse=True)
def allowed(project: Project) -> None:
    project(ADMIN_IMPERSONATION=True)


def staff(*permissions: str, name: str = "grace") -> Client:
    """A member of staff who may look, and what is named."""
    user = User.objects.create_user(name, f"{name}@example.org", "x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=[f"{each}_account" for each in permissions])
    )
    client = Client()
    client.force_login(user)
    return client


def address(account: Account, act: str) -> str:
    return f"{LIST}{account.pk}/act/{act}/"


def do(client: Client, account: Account, act: str, **values: Any) -> Any:
    return client.post(address(account, act), {**ACTS[act], **values, "confirmed": "x"})


def noted() -> list[str]:
    """What Django's admin log says."""
    return list(AdminEntry.objects.order_by("pk").values_list("change_message", flat=True))


def people() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (User, Account, Session)]


@pytest.mark.parametrize("act", ACTS)
class TestEach:
    def test_asks_first(self, admin_client: Client, ada: Account, act: str) -> None:
        before = people()
        page = admin_client.get(address(ada, act))
        assert page.status_code == 200
        assert EMAIL in page.content.decode()
        assert people() == before
        assert noted() == []

    def test_needs_its_own_permission(self, ada: Account, act: str) -> None:
        others = [each for each in ACTS if each != act]
        before = people()[1:]
        client = staff("view", "change", "delete", *others)
        for response in (client.get(address(ada, act)), do(client, ada, act)):
            assert response.status_code == 403
        assert people()[1:] == before

    def test_and_no_other(self, ada: Account, act: str) -> None:
        client = staff("view", act)
        assert client.get(address(ada, act)).status_code == 200
        assert do(client, ada, act).status_code in (200, 302)
        assert len(noted()) == 1

    def test_not_by_strangers(self, ada: Account, act: str) -> None:
        before = people()
        for client in (Client(), ApiClient().http):
            assert do(client, ada, act).status_code == 302
        assert people() == before

    def test_not_to_a_superuser(self, ada: Account, act: str) -> None:
        User.objects.filter(pk=ada.user.pk).update(is_superuser=True, is_staff=True)
        before = people()[1:]
        assert do(staff("view", act), ada, act).status_code == 403
        assert people()[1:] == before

    def test_a_foreign_page_cannot(self, ada: Account, act: str) -> None:
        client = staff("view", act)
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = client.cookies
        before = people()[1:]
        assert do(strict, ada, act).status_code == 403
        assert people()[1:] == before

    def test_somebody_who_is_gone(self, admin_client: Client, ada: Account, act: str) -> None:
        url = address(ada, act)
        ada.user.delete()
        assert admin_client.post(url, {**ACTS[act], "confirmed": "x"}).status_code in (302, 404)


class TestRequirePassword:
    def test_signs_out_and_mails_a_link(self, admin_client: Client, ada: Account) -> None:
        person = ApiClient()
        person.sign_in(EMAIL, PASSWORD)
        do(admin_client, ada, "require_password")
        assert person.get("/account").status_code == 401
        body = {"email": EMAIL, "password": PASSWORD}
        refused = ApiClient().post("/account/sessions/email", body)
        assert_error(refused, 401, "user_invalid_credentials")
        assert "/v1/pages/recovery" in mail.outbox[0].body
        assert noted() == ["New password required."]
        assert LogEntry.objects.filter(event="user.update", mode="admin").count() == 1

    def test_without_a_mail(self, admin_client: Client, ada: Account) -> None:
        do(admin_client, ada, "require_password", send="")
        assert mail.outbox == []
        assert not Account.objects.get().has_password

    def test_of_many(self, admin_client: Client, ada: Account) -> None:
        eve = create_account(account_id="eve", phone="+14155550101")
        chosen = {"action": "require_password", "_selected_action": [ada.pk, eve.pk]}
        page = admin_client.post(LIST, {**chosen, "confirmed": "x"}, follow=True)
        assert "1 account: New password required." in page.content.decode()
        assert "(eve): It has no e-mail address to recover by." in page.content.decode()

    def test_on_a_host_that_the_site_does_not_vouch_for(
        self, admin_client: Client, ada: Account
    ) -> None:
        """Nothing is half done when the link cannot be made."""
        values = {**ACTS["require_password"], "confirmed": "x"}
        admin_client.post(address(ada, "require_password"), values, headers={"host": "evil.test"})
        assert mail.outbox == []
        assert Account.objects.get().has_password
        assert noted() == []


class TestExport:
    def test_a_file_for_nobody_else(self, admin_client: Client) -> None:
        account, planted = somebody()
        response = do(admin_client, account, "export")
        text = b"".join(response.streaming_content).decode()
        assert json.loads(text)["account"]["email"] == EMAIL
        assert {name for name, secret in planted.items() if secret in text} == set()
        assert response["Content-Disposition"].startswith("attachment;")
        assert "no-store" in response["Cache-Control"]
        assert noted() == ["Data exported."]

    def test_a_site_that_cannot_is_noted_as_nothing(
        self, admin_client: Client, ada: Account
    ) -> None:
        def broken(**kwargs: Any) -> None:
            raise RuntimeError("the shop is closed")

        signals.personal_data_requested.connect(broken)
        try:
            with pytest.raises(RuntimeError):
                do(admin_client, ada, "export")
        finally:
            signals.personal_data_requested.disconnect(broken)
        assert noted() == []


class TestImpersonate:
    def test_signs_in_to_the_site_as_the_person(self, ada: Account) -> None:
        client = staff("view", "impersonate")
        admin_session = client.cookies["sessionid"].value
        response = do(client, ada, "impersonate")
        assert response["Location"] == "/v1/pages/impersonation"
        assert client.get(response["Location"])["Location"] == "/"
        person = ApiClient()
        person.http = client
        assert person.get("/account").json()["$id"] == ada.public_id
        page = client.get(address(ada, "impersonate"))
        assert page.status_code == 200
        assert f"You are acting as <strong>{EMAIL}</strong>" in page.content.decode()
        assert client.cookies["sessionid"].value == admin_session

    def test_the_log_says_who_and_why(self, ada: Account) -> None:
        do(staff("view", "impersonate"), ada, "impersonate", reason="Ticket 12: cannot pay")
        assert noted() == ["Began to act as this person."]
        entry = LogEntry.objects.get(event="session.create")
        assert entry.reason == "Ticket 12: cannot pay"
        assert entry.actor_id == Account.objects.get(user__username="grace").public_id
        assert entry.session_id == Session.objects.get().public_id

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
    def test_asks_again_without_a_reason(self, ada: Account, reason: str) -> None:
        response = do(staff("view", "impersonate"), ada, "impersonate", reason=reason)
        assert response.status_code == 200
        assert not Session.objects.exists()
        assert noted() == []

    def test_is_not_there_unless_the_site_says_so(
        self, admin_client: Client, ada: Account, project: Project
    ) -> None:
        project(ADMIN_IMPERSONATION=False)
        assert admin_client.get(address(ada, "impersonate")).status_code == 404
        assert do(admin_client, ada, "impersonate").status_code == 404
        assert not Session.objects.exists()

    @pytest.mark.parametrize("change", ["is_staff", "is_superuser", "is_active", "impersonator"])
    def test_as_nobody_with_more_rights(
        self, admin_client: Client, ada: Account, change: str
    ) -> None:
        if change == "impersonator":
            Account.objects.update(impersonator=True)
        else:
            User.objects.filter(pk=ada.user.pk).update(**{change: change != "is_active"})
        do(admin_client, ada, "impersonate")
        assert not Session.objects.exists()
        assert noted() == []

    def test_not_of_many(self, admin_client: Client, ada: Account) -> None:
        chosen = {"action": "impersonate", "_selected_action": [ada.pk]}
        admin_client.post(LIST, {**chosen, **ACTS["impersonate"], "confirmed": "x"})
        assert not Session.objects.exists()

    def test_staff_with_an_address_of_somebody_elses(self, ada: Account) -> None:
        """They cannot be named in the log: refused, and nothing is half done."""
        client = staff("view", "impersonate")
        User.objects.filter(username="grace").update(email=EMAIL)
        page = client.post(
            address(ada, "impersonate"), {**ACTS["impersonate"], "confirmed": "x"}, follow=True
        )
        assert not Session.objects.exists()
        assert "exists already" in page.content.decode()
        assert noted() == []

    def test_the_time_is_not_the_forms_to_say(self, ada: Account) -> None:
        do(staff("view", "impersonate"), ada, "impersonate", duration="99999999")
        session = Session.objects.get()
        assert (session.expires_at - session.created_at).total_seconds() == 900


class TestAnonymise:
    def test_says_what_goes(self, admin_client: Client) -> None:
        account, _ = somebody()
        page = admin_client.get(address(account, "anonymise")).content.decode()
        assert "Sessions: 1" in page
        assert "Identities: 1" in page

    def test_nothing_tells_who_it_was_not_even_the_logs(self, admin_client: Client) -> None:
        account, _ = somebody()
        do(admin_client, account, "require_password", send="")
        do(admin_client, account, "anonymise")
        left = everything()
        for trace in (EMAIL, PHONE, *NAME.split()):
            assert trace not in left, trace
        assert noted() == ["New password required.", "Anonymised."]
        entry = LogEntry.objects.latest("pk")
        assert (entry.event, entry.user_id, entry.mode) == (
            "user.update",
            account.public_id,
            "admin",
        )

    def test_of_many(self, admin_client: Client, ada: Account) -> None:
        eve = create_account(email="eve@example.org", password=PASSWORD)
        chosen = {"action": "anonymise", "_selected_action": [ada.pk, eve.pk]}
        page = admin_client.post(LIST, {**chosen, "confirmed": "x"}, follow=True)
        assert "2 accounts: Anonymised." in page.content.decode()
        assert not Account.objects.exclude(email=None).exists()

    def test_not_oneself(self, ada: Account) -> None:
        User.objects.filter(pk=ada.user.pk).update(is_staff=True, is_superuser=True)
        client = Client()
        client.force_login(User.objects.get(pk=ada.user.pk))
        assert do(client, ada, "anonymise").status_code == 403
        assert Account.objects.get().email == EMAIL

    def test_the_page_of_somebody_anonymous(self, admin_client: Client, ada: Account) -> None:
        anonymise_account(account=ada)
        assert admin_client.get(f"{LIST}{ada.pk}/change/").status_code == 200
        assert admin_client.get(LIST).status_code == 200
