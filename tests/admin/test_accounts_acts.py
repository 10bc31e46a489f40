"""What staff do to accounts: to one and to many, asked first, written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, DELETION
from django.contrib.admin.models import LogEntry as AdminEntry
from django.core import mail
from django.test import Client
from django.utils import timezone, translation

from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user, create_account
from django_account.admin import accounts as pages
from django_account.admin import careful_acts
from django_account.admin.acts import registry
from django_account.administration import services
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    DeletionProhibited,
    IdentityNotFound,
    PhoneAlreadyVerified,
    SessionNotFound,
)
from django_account.identities.models import Identity
from django_account.mfa.models import Authenticator, GuessCount, RecoveryCode
from django_account.mfa.services import create_recovery_codes
from django_account.notifications import sms
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from tests.admin.staff import LIST, act_page, change, do, do_many, errors_on, form_of, staff
from tests.client import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse"


@pytest.fixture
def ada() -> Account:
    account = create_account(
        account_id="ada", email="ada@example.org", phone="+14155550100", password=PASSWORD
    )
    LogEntry.objects.all().purge()
    return account


def now(account: Account) -> Account:
    return Account.objects.with_user().get(pk=account.pk)


def events() -> list[str]:
    """What the activity log says that the site did, and forgets it."""
    found = [entry.event for entry in LogEntry.objects.filter(mode="admin").order_by("pk")]
    LogEntry.objects.all().purge()
    return found


def noted() -> str:
    """What the admin's log says last."""
    entry = AdminEntry.objects.latest("pk")
    assert entry.object_repr in ("ada", "bob")
    return str(entry.change_message)


@pytest.mark.parametrize("name", sorted(registry))
def test_asks_first(
    admin_client: Client, ada: Account, project: Callable[..., None], name: str
) -> None:
    project(ADMIN_SET_PASSWORDS=True, ADMIN_IMPERSONATION=True)
    before = Account.objects.values().get()
    for answer in (admin_client.get, admin_client.post):
        page = answer(act_page(ada, name))
        assert page.status_code == 200
        assert "ada@example.org" in page.content.decode()
    assert Account.objects.values().get() == before
    assert not AdminEntry.objects.exists()
    assert not LogEntry.objects.exists()
    assert mail.outbox == []


def test_dangerous_ones_stand_last(
    admin_client: Client, ada: Account, project: Callable[..., None]
) -> None:
    project(ADMIN_SET_PASSWORDS=True, ADMIN_IMPERSONATION=True)
    acts = admin_client.get(change(ada)).context["acts"]
    assert [act.dangerous for act in acts] == sorted(act.dangerous for act in acts)
    assert {act.dangerous for act in acts} == {False, True}
    assert acts[-1].name == "delete"
    form = admin_client.get(LIST).context["action_form"]
    *harmless, (heading, dangerous) = form.fields["action"].choices
    assert heading == "Dangerous acts"
    assert [name for name, _label in dangerous] == ["reset_mfa", "anonymise", "delete"]
    assert not any(registry[name].dangerous for name, _label in harmless if name)


def test_whoever_may_do_nothing_dangerous_sees_no_heading(ada: Account) -> None:
    page = staff("view_account", "block_account").get(LIST)
    assert "block" in page.content.decode()
    assert "Dangerous acts" not in page.content.decode()


def test_the_history_speaks_the_readers_language(admin_client: Client, ada: Account) -> None:
    do(admin_client, ada, "block")
    assert noted() == "Blocked."
    admin_client.post(change(ada), form_of(ada, name="Ada", email="ada@example.com"))
    with translation.override("de"):
        page = admin_client.get(f"{LIST}{ada.pk}/history/").content.decode()
    assert "Gesperrt." in page
    assert "Name und E-Mail geändert" in page


class TestBlock:
    def test_to_and_fro(self, admin_client: Client, ada: Account) -> None:
        do(admin_client, ada, "block")
        assert not now(ada).is_active
        assert (events(), noted()) == (["user.update"], "Blocked.")
        do(admin_client, ada, "unblock")
        assert now(ada).is_active
        assert (events(), noted()) == (["user.update"], "Unblocked.")

    def test_what_is_so_already(self, admin_client: Client, ada: Account) -> None:
        page = do(admin_client, ada, "unblock")
        assert "It is not blocked." in page.content.decode()
        assert 'name="confirmed"' not in page.content.decode()
        assert not AdminEntry.objects.exists()

    def test_buttons_follow(self, admin_client: Client, ada: Account) -> None:
        page = admin_client.get(change(ada)).content.decode()
        assert act_page(ada, "block") in page
        assert act_page(ada, "unblock") not in page

    def test_not_oneself(self, admin_client: Client, admin_user: Any) -> None:
        own = adopt_user(admin_user)
        for name in ("block", "delete"):
            assert do(admin_client, own, name).status_code == 403
            assert act_page(own, name) not in admin_client.get(change(own)).content.decode()
        page = do_many(admin_client, "block", own).content.decode()
        assert "It is your own account." in page
        assert now(own).is_active


class TestVerification:
    @pytest.mark.parametrize("kind", ["email", "phone"])
    def test_mark(self, admin_client: Client, ada: Account, kind: str) -> None:
        do(admin_client, ada, f"verify_{kind}")
        assert getattr(now(ada), f"{kind}_verified")
        assert events() == ["verification.update"]
        do(admin_client, ada, f"unverify_{kind}")
        assert not getattr(now(ada), f"{kind}_verified")
        assert events() == ["verification.update"]
        assert "unverified" in noted()

    def test_no_address(self, admin_client: Client) -> None:
        nobody = create_account()
        page = do(admin_client, nobody, "verify_email").content.decode()
        assert "It has no such address." in page

    def test_send_by_mail(self, admin_client: Client, ada: Account) -> None:
        do(admin_client, ada, "send_verification", address="email")
        (message,) = mail.outbox
        assert "http://testserver/v1/pages/verification?" in message.body
        assert (events(), noted()) == (["verification.create"], "Verification sent.")

    def test_send_by_sms(self, admin_client: Client, ada: Account) -> None:
        do(admin_client, ada, "send_verification", address="phone")
        assert [each.to for each in sms.outbox] == ["+14155550100"]

    def test_refused_by_the_service(self, admin_client: Client, ada: Account) -> None:
        services.update_verification(account=ada, address_kind="phone", verified=True)
        LogEntry.objects.all().purge()
        page = do(admin_client, ada, "send_verification", address="phone")
        assert errors_on(page) == [PhoneAlreadyVerified.message]
        assert not AdminEntry.objects.exists()
        assert events() == []

    def test_a_bad_answer(self, admin_client: Client, ada: Account) -> None:
        page = do(admin_client, ada, "send_verification", address="pigeon").content.decode()
        assert "Select a valid choice" in page
        assert not AdminEntry.objects.exists()


class TestPasswords:
    def test_recovery(self, admin_client: Client, ada: Account) -> None:
        do(admin_client, ada, "send_recovery")
        (message,) = mail.outbox
        assert "http://testserver/v1/pages/recovery?" in message.body
        assert (events(), noted()) == (["recovery.create"], "Recovery sent.")
        assert now(ada).user.check_password(PASSWORD)

    def test_recovery_by_a_forged_host(
        self, admin_client: Client, ada: Account, settings: Any
    ) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        page = admin_client.post(
            act_page(ada, "send_recovery"),
            {"confirmed": "x"},
            follow=True,
            headers={"host": "evil.example"},
        )
        assert "Name evil.example in ALLOWED_HOSTS first" in page.content.decode()
        assert mail.outbox == []

    def test_recovery_behind_a_proxy(
        self, admin_client: Client, ada: Account, project: Callable[..., None]
    ) -> None:
        project(TRUSTED_PROXIES=1)
        admin_client.post(
            act_page(ada, "send_recovery"),
            {"confirmed": "x"},
            headers={"x-forwarded-proto": "https"},
        )
        assert "https://testserver/v1/pages/recovery?" in mail.outbox[0].body

    def test_nobody_sets_one(self, admin_client: Client, ada: Account) -> None:
        assert do(admin_client, ada, "set_password", password="battery staple").status_code == 404
        assert "set_password" not in admin_client.get(change(ada)).content.decode()

    def test_where_the_site_must(
        self, admin_client: Client, ada: Account, project: Callable[..., None], settings: Any
    ) -> None:
        project(ADMIN_SET_PASSWORDS=True)
        settings.AUTH_PASSWORD_VALIDATORS = [
            {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"}
        ]
        page = do(admin_client, ada, "set_password", password="12345678901").content.decode()
        assert "entirely numeric" in page
        assert "12345678901" not in page
        assert now(ada).user.check_password(PASSWORD)
        do(admin_client, ada, "set_password", password="battery staple")
        assert now(ada).user.check_password("battery staple")
        assert (events(), noted()) == (["user.update"], "Password set.")
        everything = [str(row) for row in AdminEntry.objects.values()]
        everything += [str(row) for row in LogEntry.objects.values()]
        assert "battery" not in "".join(everything)


class TestSessions:
    @pytest.fixture
    def session(self, ada: Account) -> Session:
        issued = create_session(
            account=ada, provider="email", factors=["password"], client=ClientInfo("192.0.2.7")
        )
        LogEntry.objects.all().purge()
        return issued.session

    def test_all(self, admin_client: Client, ada: Account, session: Session) -> None:
        create_session(account=ada, provider="email", factors=["password"], client=ClientInfo())
        LogEntry.objects.all().purge()
        do(admin_client, ada, "end_sessions")
        assert not Session.objects.exists()
        assert (events(), noted()) == (["session.delete"], "All sessions ended.")

    def test_one(self, admin_client: Client, ada: Account, session: Session) -> None:
        other = create_session(
            account=ada, provider="email", factors=["password"], client=ClientInfo()
        ).session
        LogEntry.objects.all().purge()
        link = act_page(ada, "end_session", session=session.public_id)
        assert link in admin_client.get(change(ada)).content.decode()
        assert session.public_id in admin_client.get(link).content.decode()
        do(admin_client, ada, "end_session", session=session.public_id)
        assert list(Session.objects.all()) == [other]
        assert (events(), noted()) == (["session.delete"], "Session ended.")

    def test_not_somebody_elses(self, admin_client: Client, ada: Account, session: Session) -> None:
        bob = create_account(account_id="bob")
        page = do(admin_client, bob, "end_session", session=session.public_id)
        assert errors_on(page) == [SessionNotFound.message]
        assert Session.objects.exists()

    @pytest.mark.parametrize("name", ["end_session", "unlink_identity"])
    def test_nothing_named(self, admin_client: Client, ada: Account, name: str) -> None:
        page = do(admin_client, ada, name)
        assert "This field is required" in page.content.decode()


class TestIdentities:
    def test_unlink(self, admin_client: Client, ada: Account) -> None:
        identity = Identity.objects.create(account=ada, provider="github", provider_uid="1")
        bob = create_account(account_id="bob")
        page = do(admin_client, bob, "unlink_identity", identity=identity.public_id)
        assert errors_on(page) == [IdentityNotFound.message]
        assert Identity.objects.exists()
        LogEntry.objects.all().purge()
        do(admin_client, ada, "unlink_identity", identity=identity.public_id)
        assert not Identity.objects.exists()
        assert (events(), noted()) == (["identity.delete"], "Identity unlinked.")


class TestMFA:
    def test_reset_is_told(self, admin_client: Client, ada: Account) -> None:
        device, _ = Authenticator.new(ada.user)
        device.confirmed = True
        device.save()
        create_recovery_codes(account=ada)
        services.update_mfa(account=ada, mfa=True)
        LogEntry.objects.all().purge()
        do(admin_client, ada, "reset_mfa")
        assert not Authenticator.objects.exists()
        assert not RecoveryCode.objects.exists()
        assert not now(ada).mfa_enabled
        assert [message.to for message in mail.outbox] == [["ada@example.org"]]
        # One act, one entry, however much went.
        assert (events(), noted()) == (["user.update"], "Second factors reset.")


class TestLimits:
    def test_reset(
        self, admin_client: Client, guest: ApiClient, project: Callable[..., None], ada: Account
    ) -> None:
        project(RATE_LIMITS_ENABLED=True)
        wrong = {"email": "ada@example.org", "password": "x" * 8}
        while guest.post("/account/sessions/email", wrong).status_code != 429:
            pass
        GuessCount.objects.create(user=ada.user, since=timezone.now() - timedelta(1))
        do(admin_client, ada, "reset_limits")
        assert guest.post("/account/sessions/email", wrong).status_code == 401
        assert not GuessCount.objects.exists()
        assert noted() == "Rate limits reset."

    def test_the_cache_is_gone(self, admin_client: Client, ada: Account, settings: Any) -> None:
        settings.CACHES = {"default": {"BACKEND": "no.such.Cache"}}
        page = do(admin_client, ada, "reset_limits").content.decode()
        assert "does not answer" in page


class TestDelete:
    def test_says_what_goes_and_deletes(self, admin_client: Client, ada: Account) -> None:
        page = admin_client.get(act_page(ada, "delete")).content.decode()
        for line in ("Users: 1", "Accounts: 1", "Targets: 2"):
            assert line in page
        page = do(admin_client, ada, "delete")
        assert page.redirect_chain[-1][0] == LIST
        assert not Account.objects.exists()
        assert (events(), noted()) == (["user.delete"], "Deleted.")
        entry = AdminEntry.objects.get()
        assert (entry.action_flag, entry.object_id) == (DELETION, str(ada.pk))

    def test_by_djangos_own_address(self, admin_client: Client, ada: Account) -> None:
        url = f"{LIST}{ada.pk}/delete/"
        assert "What goes" in admin_client.get(url).content.decode()
        # Django's form asks for less than ours.
        admin_client.post(url, {"post": "yes"})
        assert Account.objects.exists()

    def test_leaves_no_name_where_the_log_forgets(
        self, admin_client: Client, ada: Account, project: Callable[..., None]
    ) -> None:
        project(LOG_ANONYMISE=True)
        do(admin_client, ada, "delete")
        logs = [*LogEntry.objects.values(), *AdminEntry.objects.values()]
        assert "ada@example.org" not in str(logs)

    def test_what_the_site_protects(
        self, admin_client: Client, ada: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(account: Account) -> None:
            raise DeletionProhibited

        monkeypatch.setattr("django_account.admin.careful_acts.delete_account", refuse)
        page = do(admin_client, ada, "delete")
        assert errors_on(page) == [DeletionProhibited.message]
        assert Account.objects.exists()
        assert not AdminEntry.objects.exists()


class TestMany:
    def test_each_succeeds_or_says_why(self, admin_client: Client, ada: Account) -> None:
        bob, eve = create_account(account_id="bob"), create_account(account_id="eve")
        services.update_status(account=eve, is_active=False)
        chosen = {"action": "block", "_selected_action": [ada.pk, bob.pk, eve.pk]}
        page = admin_client.post(LIST, chosen).content.decode()
        assert "It is blocked already." in page
        assert page.count('name="_selected_action"') == 3
        assert now(ada).is_active
        LogEntry.objects.all().purge()
        page = do_many(admin_client, "block", ada, bob, eve).content.decode()
        assert "2 accounts: Blocked." in page
        assert "1 account left alone (eve): It is blocked already." in page
        assert not any(now(each).is_active for each in (ada, bob, eve))
        assert events() == ["user.update"] * 2
        assert AdminEntry.objects.filter(action_flag=CHANGE).count() == 2

    @pytest.mark.parametrize("failure", [DeletionProhibited, RuntimeError])
    def test_one_failure_does_not_stop_the_others(
        self,
        admin_client: Client,
        ada: Account,
        monkeypatch: pytest.MonkeyPatch,
        failure: type[Exception],
    ) -> None:
        bob, eve = create_account(account_id="bob"), create_account(account_id="eve")
        real = careful_acts.delete_account

        def delete(account: Account) -> None:
            real(account)
            if account.public_id == "bob":
                raise failure

        monkeypatch.setattr(careful_acts, "delete_account", delete)
        page = do_many(admin_client, "delete", ada, bob, eve).content.decode()
        assert "2 accounts: Deleted." in page
        assert "1 account left alone (bob)" in page
        # What it had begun was undone.
        assert list(Account.objects.all()) == [bob]
        assert {entry.object_repr for entry in AdminEntry.objects.all()} == {"ada", "eve"}

    @pytest.mark.parametrize("name", sorted(registry))
    def test_every_act_for_many(self, admin_client: Client, ada: Account, name: str) -> None:
        bob = create_account(account_id="bob", email="bob@example.org")
        page = do_many(admin_client, name, ada, bob, address="email")
        assert page.status_code == 200
        if not registry[name].bulk:
            assert "No action selected." in page.content.decode()
            assert not AdminEntry.objects.exists()

    def test_not_too_many(
        self, admin_client: Client, ada: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "MAX_AT_ONCE", 1)
        bob = create_account(account_id="bob")
        everybody = {"_selected_action": [ada.pk], "select_across": "1"}
        both = {"_selected_action": [ada.pk, bob.pk], "select_across": "0"}
        for chosen in (everybody, both):
            page = admin_client.post(
                LIST, {**chosen, "action": "block"}, follow=True
            ).content.decode()
            assert "At most 1 accounts at once." in page
        assert now(ada).is_active

    @pytest.mark.parametrize("pk", ["x", "9" * 30, "", "-1", "1 OR 1=1"])
    def test_bad_choices(self, admin_client: Client, ada: Account, pk: str) -> None:
        body = {"action": "block", "_selected_action": [pk], "confirmed": "x"}
        assert admin_client.post(LIST, body, follow=True).status_code == 200
        assert now(ada).is_active

    def test_the_form_comes_along(self, admin_client: Client, ada: Account) -> None:
        bob = create_account(account_id="bob", email="bob@example.org")
        page = do_many(admin_client, "send_verification", ada, bob, address="pigeon")
        assert "Select a valid choice" in page.content.decode()
        assert page.content.decode().count('name="_selected_action"') == 2
        do_many(admin_client, "send_verification", ada, bob, address="email")
        assert len(mail.outbox) == 2

    def test_asking_costs_the_same_however_many(
        self, admin_client: Client, django_assert_num_queries: Callable[..., Any]
    ) -> None:
        accounts = [create_account(email=f"p{number}@example.org") for number in range(20)]
        chosen = {"action": "block", "_selected_action": [account.pk for account in accounts]}
        # Session, user; how many the list has; the chosen ones with their users; their providers.
        with django_assert_num_queries(5):
            admin_client.post(LIST, chosen)

    def test_djangos_own_deleting_is_gone(self, admin_client: Client, ada: Account) -> None:
        body = {"action": "delete_selected", "_selected_action": [ada.pk], "post": "yes"}
        page = admin_client.post(LIST, body, follow=True).content.decode()
        assert "delete_selected" not in page
        assert Account.objects.exists()
