"""What the site itself does is logged too, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from django.db import transaction
from django.test import Client

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import create_account, delete_account
from django_account.audit.models import LogEntry
from django_account.core.activity import ATTEMPTS, EVENTS, Activity
from django_account.core.clients import MAX_USER_AGENT, ClientInfo
from django_account.exceptions import IdentityNotFound, TargetAlreadyExists, TargetNotFound
from django_account.identities import services as identities
from django_account.identities.models import Identity
from django_account.identities.oauth2 import Profile
from django_account.mfa import services as mfa
from django_account.mfa.factors import all_factors
from django_account.selfservice import profile, targets
from django_account.selfservice.passwordless import Requester
from django_account.sessions import services as sessions
from tests.client import ApiClient

# The log is written once the transaction has committed.
pytestmark = pytest.mark.django_db(transaction=True)

Project = Callable[..., None]

EMAIL = "ada@example.org"


@pytest.fixture
def account(db: None) -> Account:
    """Ada's, made by the site."""
    return create_account(account_id="ada", email=EMAIL, name="Ada")


def written() -> list[tuple[str, str, str]]:
    """Each entry's event, and who acted."""
    entries = LogEntry.objects.order_by("pk")
    return [(entry.event, entry.mode, entry.user_type) for entry in entries]


def session_of(account: Account, provider: str = "email") -> Any:
    return sessions.create_session(
        account=account, provider=provider, factors=["x"], client=ClientInfo("192.0.2.1", "curl/8")
    ).session


class TestTheSiteItself:
    def test_makes_an_account(self, account: Account) -> None:
        assert written() == [("user.create", "admin", "admin")]
        entry = LogEntry.objects.get()
        assert (entry.account_pk, entry.user_id, entry.user_email) == (account.pk, "ada", EMAIL)

    def test_changes_it(self, account: Account) -> None:
        profile.update_name(account=account, name="Countess")
        assert written()[1:] == [("user.update", "admin", "admin")]
        assert LogEntry.objects.latest("pk").user_name == "Countess"

    def test_changes_the_user_in_the_admin(self, account: Account) -> None:
        account.user.set_password("new horse")
        account.user.save()
        assert written()[1:] == [("user.update", "admin", "admin")]

    def test_signs_somebody_in(self, account: Account) -> None:
        session = session_of(account)
        assert written()[1:] == [("session.create", "default", "user")]
        entry = LogEntry.objects.latest("pk")
        assert (entry.session_id, entry.ip) == (session.public_id, "192.0.2.1")
        assert entry.user_agent == "curl/8"

    def test_makes_a_session_for_a_server(self, account: Account) -> None:
        session_of(account, "server")
        assert written()[1:] == [("session.create", "admin", "admin")]

    def test_extends_and_ends_sessions(self, account: Account) -> None:
        session = session_of(account)
        session_of(account)
        sessions.extend_session(session)
        sessions.end_session(session)
        sessions.end_sessions(account=account)
        assert [event for event, *_ in written()[3:]] == [
            "session.update",
            "session.delete",
            "session.delete",
        ]
        assert {(mode, kind) for _, mode, kind in written()[3:]} == {("admin", "admin")}

    def test_does_with_second_factors(self, account: Account) -> None:
        session = session_of(account)
        seed, _ = mfa.create_authenticator(account=account)
        code = pyotp.TOTP(seed).now()
        mfa.confirm_authenticator(account=account, session=session, code=code)
        (recovery_code, *_) = mfa.create_recovery_codes(account=account)
        requester = Requester(client=ClientInfo(), locale="en")
        challenge = mfa.create_challenge(
            account=account,
            session=session,
            factor=all_factors()["recoveryCode"],
            requester=requester,
        )
        mfa.complete_challenge(
            session=session, challenge_id=challenge.public_id, answer=recovery_code
        )
        mfa.delete_authenticator(account=account, session=session, requester=requester)
        assert written()[2:] == [
            ("user.update", "admin", "admin"),
            ("user.update", "admin", "admin"),
            ("challenges.update", "admin", "admin"),
            ("user.update", "admin", "admin"),
        ]

    def test_takes_second_factors_away(self, account: Account) -> None:
        session = session_of(account)
        seed, _ = mfa.create_authenticator(account=account)
        code = pyotp.TOTP(seed).now()
        mfa.confirm_authenticator(account=account, session=session, code=code)
        before = len(written())
        mfa.reset_mfa(account=account)
        assert written()[before:] == [("user.update", "admin", "admin")]

    def test_links_and_unlinks_accounts_elsewhere(self, account: Account) -> None:
        for uid in ("1", "2"):
            somebody = Profile(provider="github", uid=uid, email="ada@work.example.org")
            identities.create_oauth2_token(profile=somebody, account=account)
        first, second = Identity.objects.order_by("pk")
        identities.unlink(account=account, identity_id=first.public_id)
        identities.remove(identity_id=second.public_id)
        with pytest.raises(IdentityNotFound):
            identities.remove(identity_id=second.public_id)
        entries = LogEntry.objects.order_by("pk")[1:]
        assert [entry.event for entry in entries] == ["identity.create"] * 2 + [
            "identity.delete"
        ] * 2
        assert {(entry.mode, entry.user_id) for entry in entries} == {("admin", "ada")}

    def test_does_with_targets(self, account: Account) -> None:
        given = {"account": account, "provider_type": "push"}
        target = targets.create_target(**given, target_id="unique()", identifier="token")
        with pytest.raises(TargetAlreadyExists):
            targets.create_target(**given, target_id="unique()", identifier="token")
        targets.update_target(target=target, name="Phone")
        targets.delete_target(target)
        for act in (targets.delete_target, lambda gone: targets.update_target(target=gone)):
            with pytest.raises(TargetNotFound):
                act(target)
        assert written()[1:] == [
            (f"target.{done}", "admin", "admin") for done in ("create", "update", "delete")
        ]
        assert {entry.user_id for entry in LogEntry.objects.all()} == {"ada"}

    def test_deletes_the_account(self, account: Account) -> None:
        delete_account(account)
        assert written() == [("user.create", "admin", "admin"), ("user.delete", "admin", "admin")]
        assert {entry.user_email for entry in LogEntry.objects.all()} == {EMAIL}

    def test_deletes_the_user_in_the_admin(self, account: Account, admin_client: Client) -> None:
        url = f"/admin/auth/user/{account.user.pk}/delete/"
        assert admin_client.post(url, {"post": "yes"}).status_code == 302
        assert not Account.objects.exists()
        assert written()[-1] == ("user.delete", "admin", "admin")

    def test_what_is_rolled_back_did_not_happen(self) -> None:
        with transaction.atomic():
            create_account()
            transaction.set_rollback(True)
        assert written() == []


class TestOverTheAPI:
    """The same acts are told once, under the name of the endpoint."""

    def test_targets(self, ada: ApiClient) -> None:
        before = len(written())
        body = {"targetId": "phone", "identifier": "token"}
        assert ada.post("/account/targets/push", body).status_code == 201
        ada.put("/account/targets/phone/push", {"identifier": "new"})
        ada.delete("/account/targets/phone/push")
        assert written()[before:] == [
            (f"target.{done}", "default", "user") for done in ("create", "update", "delete")
        ]

    def test_identities(self, ada: ApiClient) -> None:
        somebody = Profile(provider="github", uid="1", email=EMAIL, email_verified=True)
        with signals.reporting():
            identities.create_oauth2_token(profile=somebody, account=Account.objects.get())
        before = len(written())
        identity = Identity.objects.get()
        assert ada.delete(f"/account/identities/{identity.public_id}").status_code == 204
        assert written()[before:] == [("identity.delete", "default", "user")]


class TestAnonymisation:
    def blanked(self) -> list[bool]:
        return [
            all(not getattr(entry, name) for name in LogEntry.ANONYMOUS)
            for entry in LogEntry.objects.order_by("pk")
        ]

    def test_by_the_person(self, guest: ApiClient, project: Project) -> None:
        project(LOG_ANONYMISE=True)
        body = {"email": EMAIL, "password": "wrong horse"}
        # Tried before anybody had the address; then at the account.
        guest.post("/account/sessions/email", body)
        guest.sign_up(EMAIL, name="Ada")
        guest.post("/account/sessions/email", body)
        guest.sign_in()
        ApiClient().sign_up("bob@example.org")
        pk = Account.objects.get(email=EMAIL).pk
        assert guest.delete("/account").status_code == 204
        assert self.blanked() == [True, True, True, True, False, True]
        entries = LogEntry.objects.order_by("pk")
        assert [entry.event for entry in entries] == [
            "session.create",
            "user.create",
            "session.create",
            "session.create",
            "user.create",
            "user.delete",
        ]
        # Staff still see that the same account is meant.
        assert [entry.account_pk == pk for entry in entries][1:] == [True, True, True, False, True]

    def test_in_the_admin(self, account: Account, admin_client: Client, project: Project) -> None:
        project(LOG_ANONYMISE=True)
        url = f"/admin/auth/user/{account.user.pk}/delete/"
        assert admin_client.post(url, {"post": "yes"}).status_code == 302
        assert self.blanked() == [True, True]
        assert LogEntry.objects.latest("pk").event == "user.delete"

    def test_not_unless_the_site_says_so(self, account: Account) -> None:
        delete_account(account)
        assert self.blanked() == [False, False]

    def test_not_of_somebody_who_had_the_id_before(
        self, account: Account, project: Project
    ) -> None:
        delete_account(account)
        project(LOG_ANONYMISE=True)
        delete_account(create_account(account_id="ada"))
        assert self.blanked() == [False, False, True, True]


class TestActed:
    def send(self, **values: Any) -> None:
        signals.acted.send_robust(sender=None, activity=Activity(**values))

    @pytest.mark.parametrize("event", EVENTS)
    @pytest.mark.parametrize("error", ["", "user_invalid_token"])
    def test_which_are_written(self, event: str, error: str) -> None:
        self.send(event=event, error=error)
        assert LogEntry.objects.count() == (not error or event in ATTEMPTS)

    def test_attempts_are_signing_in_codes_and_recovery(self) -> None:
        assert {event.partition(".")[0] for event in ATTEMPTS} == {
            "session",
            "recovery",
            "verification",
            "challenge",
            "challenges",
        }

    @pytest.mark.parametrize(
        "named",
        [{"email": EMAIL}, {"phone": "+14155550100"}, {"public_id": "ada"}],
        ids=lambda named: next(iter(named)),
    )
    def test_who_is_named_is_found_by_the_insert(
        self,
        account: Account,
        named: dict[str, str],
        django_assert_num_queries: Callable[[int], Any],
    ) -> None:
        profile.update_phone(account=account, phone="+14155550100", password="any horse")
        with django_assert_num_queries(1):
            self.send(event="session.create", named=named, error="user_invalid_credentials")
        entry = LogEntry.objects.latest("pk")
        assert (entry.account_pk, entry.user_id) == (account.pk, "ada")
        assert (entry.user_email, entry.user_phone) == (EMAIL, "+14155550100")
        assert entry.user_name == "Ada"

    @pytest.mark.parametrize(("error", "parsed"), [("", True), ("user_invalid_token", False)])
    def test_only_what_was_done_is_taken_apart_at_once(self, error: str, parsed: bool) -> None:
        self.send(event="session.create", error=error, client=ClientInfo("", "curl/8.5.0"))
        entry = LogEntry.objects.get()
        assert bool(entry.client) is parsed
        assert entry.client_details.client_name == "curl"

    def test_a_long_name_of_a_key_is_cut(self) -> None:
        self.send(event="user.update", key_name="x" * 129)
        assert LogEntry.objects.get().key_name == "x" * 128

    def test_a_long_user_agent_is_cut(self) -> None:
        self.send(event="user.update", client=ClientInfo("", "x" * 20_000))
        assert len(LogEntry.objects.get().user_agent) == MAX_USER_AGENT


class TestProvider:
    """Of the session that a sign-in made; the overview counts by it."""

    def providers(self) -> list[str]:
        entries = LogEntry.objects.filter(event="session.create").order_by("pk")
        return [entry.provider for entry in entries]

    def test_of_sign_ins(self, ada: ApiClient) -> None:
        ApiClient().post("/account/sessions/anonymous", {})
        session_of(Account.objects.get(email=EMAIL), "github")
        assert self.providers() == ["email", "anonymous", "github"]

    def test_of_nothing_else(self, ada: ApiClient) -> None:
        for caller in (ada, ApiClient()):
            body = {"userId": "unique()", "email": "ada@example.org"}
            assert caller.post("/account/tokens/email", body).status_code == 201
        wrong = {"email": "ada@example.org", "password": "wrong-password"}
        assert ApiClient().post("/account/sessions/email", wrong).status_code == 401
        ada.delete("/account/sessions/current")
        assert self.providers() == ["email", "", "", ""]
        assert set(LogEntry.objects.exclude(event="session.create").values_list("provider")) == {
            ("",)
        }
