"""What the site's own code and staff do: resets, events, and the site's keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.core.clients import ClientInfo
from django_account.core.crypto import encrypt
from django_account.core.messages import Message
from django_account.exceptions import RecoveryCodesNotFound, SessionNotFound
from django_account.identities.models import Identity
from django_account.mfa import services
from django_account.mfa.factors import find_factor
from django_account.mfa.models import Authenticator, Challenge, GuessCount, RecoveryCode
from django_account.notifications.models import Delivery
from django_account.selfservice.passwordless import Requester
from django_account.sessions.models import Session
from django_account.sessions.provider_tokens import ProviderTokens
from tests.client import ApiClient, assert_error
from tests.mfa.people import Clock, answer, begin, code, enrol, prove

pytestmark = pytest.mark.django_db

CODES = "/account/mfa/recovery-codes"
TOTP = "/account/mfa/authenticators/totp"
REQUESTER = Requester(client=ClientInfo(), locale="en")


@pytest.fixture
def secret(ada: ApiClient, clock: Clock) -> str:
    """Of Ada's verified authenticator, with MFA on and recovery codes; a step later."""
    secret = enrol(ada)
    ada.codes = ada.post(CODES).json()["recoveryCodes"]  # type: ignore[attr-defined]
    ada.patch("/account/mfa", {"mfa": True})
    clock.forward()
    return secret


@pytest.fixture
def events() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The events of a test: name and arguments, in order."""
    seen: list[tuple[str, dict[str, Any]]] = []
    receivers = []
    for name in (
        "mfa_enabled",
        "mfa_disabled",
        "authenticator_added",
        "authenticator_removed",
        "recovery_codes_created",
        "challenge_completed",
        "account_updated",
    ):

        def receive(name: str = name, **given: Any) -> None:
            seen.append(
                (name, {key: given[key] for key in given.keys() - {"signal", "sender", "reported"}})
            )

        getattr(signals, name).connect(receive)
        receivers.append((getattr(signals, name), receive))
    yield seen
    for signal, receive in receivers:
        signal.disconnect(receive)


class TestResetMfa:
    def reset(self, **values: Any) -> None:
        services.reset_mfa(account=Account.objects.get(email="ada@example.org"), **values)

    def test_takes_everything_away(self, ada: ApiClient, secret: str) -> None:
        begin(ada, "totp")
        GuessCount.objects.update(count=10)
        self.reset()
        for model in (Authenticator, RecoveryCode, Challenge, GuessCount):
            assert not model.objects.exists()
        account = Account.objects.get()
        assert (account.mfa_enabled, account.totp_verified) == (False, False)

    def test_no_session_keeps_a_claim(self, ada: ApiClient, secret: str) -> None:
        other = ApiClient()
        other.sign_in()
        prove(other, "totp", code(secret))
        prove(other, "recoveryCode", ada.codes[0])
        self.reset()
        for session in Session.objects.all():
            assert session.factors == ["password"]
            assert session.mfa_updated_at is None
        assert_error(other.delete(TOTP), 401, "user_challenge_required")

    def test_the_person_gets_in_with_what_is_left(self, ada: ApiClient, secret: str) -> None:
        half = ApiClient()
        half.sign_in()
        assert_error(half.get("/account"), 401, "user_more_factors_required")
        self.reset()
        assert half.get("/account").status_code == 200

    def test_addresses_stay_factors(self, ada: ApiClient, secret: str) -> None:
        Account.objects.update(email_verified=True)
        Session.objects.update(factors=["password", "email", "totp"])
        self.reset()
        assert Session.objects.get().factors == ["password", "email"]

    def test_is_told_by_mail_in_the_sites_language(
        self, ada: ApiClient, secret: str, sent: list[Message], settings: Any
    ) -> None:
        settings.LANGUAGE_CODE = "de"
        self.reset()
        (message,) = sent
        assert (message.kind, message.locale) == ("mfa-removed", "de")
        self.reset(requester=Requester(client=ClientInfo(), locale="fr"))
        assert sent[-1].locale == "fr"

    def test_of_somebody_without_an_address(self, sent: list[Message]) -> None:
        services.reset_mfa(account=create_account(phone="+14155550100"))
        assert sent == []

    def test_others_are_left_alone(self, ada: ApiClient, secret: str) -> None:
        services.reset_mfa(account=create_account(email="bob@example.org"))
        assert Authenticator.objects.exists()
        assert RecoveryCode.objects.count() == 6


class TestEvents:
    def test_carry_no_secret(
        self,
        ada: ApiClient,
        clock: Clock,
        events: list[tuple[str, dict[str, Any]]],
        django_capture_on_commit_callbacks: Callable[..., Any],
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            secret = enrol(ada)
            codes = ada.post(CODES).json()["recoveryCodes"]
            ada.patch("/account/mfa", {"mfa": True})
            ada.patch("/account/mfa", {"mfa": True})
            clock.forward()
            answer(ada, begin(ada, "totp"), "wrong")
            prove(ada, "totp", code(secret))
            prove(ada, "recoveryCode", codes[0])
            ada.patch(CODES)
            ada.patch("/account/mfa", {"mfa": False})
            ada.delete(TOTP)
        account, session = Account.objects.get(), Session.objects.get()
        updated = ("account_updated", {"account": account, "attribute": "mfa"})
        of_account = {"account": account}
        of_device = {"account": account, "type": "totp"}
        proof = {"account": account, "session": session}
        assert events == [
            ("authenticator_added", of_device),
            ("recovery_codes_created", of_account),
            updated,
            ("mfa_enabled", of_account),
            updated,
            ("challenge_completed", {**proof, "factor": "totp"}),
            ("challenge_completed", {**proof, "factor": "recoveryCode"}),
            ("recovery_codes_created", of_account),
            updated,
            ("mfa_disabled", of_account),
            ("authenticator_removed", of_device),
        ]

    def test_of_a_reset(
        self,
        ada: ApiClient,
        secret: str,
        events: list[tuple[str, dict[str, Any]]],
        django_capture_on_commit_callbacks: Callable[..., Any],
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            services.reset_mfa(account=Account.objects.get())
        assert [name for name, _ in events] == [
            "account_updated",
            "mfa_disabled",
            "authenticator_removed",
        ]


class TestWithoutASession:
    """Whoever calls without one is told so, and never gets a server error."""

    def test_every_act_that_needs_one(self) -> None:
        account = create_account(email="ada@example.org")
        factor = find_factor("recoveryCode")
        assert factor is not None
        acts: list[Callable[[], Any]] = [
            lambda: services.update_mfa(
                account=account, session=None, enabled=True, requester=REQUESTER
            ),
            lambda: services.confirm_authenticator(account=account, session=None, code="1"),
            lambda: services.create_challenge(
                account=account, session=None, factor=factor, requester=REQUESTER
            ),
            lambda: services.complete_challenge(session=None, challenge_id="x", answer="1"),
        ]
        for act in acts:
            with pytest.raises(SessionNotFound):
                act()
        with pytest.raises(services.ChallengeRequired):
            services.require_fresh_proof(None)


class TestReencrypt:
    NEW = "brand-new-key" * 5

    def run(self) -> list[str]:
        out = StringIO()
        call_command("reencrypt", stdout=out, stderr=StringIO())
        return out.getvalue().splitlines()

    def sealed(self) -> dict[str, list[str]]:
        columns = {
            Authenticator: "seed",
            RecoveryCode: "sealed",
            Challenge: "sealed_code",
            Delivery: "payload",
        }
        return {
            model.__name__: list(model.objects.order_by("pk").values_list(name, flat=True))  # type: ignore[attr-defined]
            for model, name in columns.items()
        }

    @pytest.fixture
    def everything(self, ada: ApiClient, secret: str, project: Any, settings: Any) -> str:
        """One of each thing that is encrypted, under a key that is being retired."""
        project(MFA_FACTORS={"custom": True})
        begin(ada, "custom")
        begin(ada, "totp")
        Delivery.objects.create(
            account=Account.objects.get(),
            payload=encrypt("{}", "delivery"),
            expires_at=Challenge.objects.latest("pk").expires_at,
        )
        tokens = ProviderTokens(access="access", refresh="refresh")
        session = Session.objects.get()
        identity = Identity(account=session.account, provider="github", provider_uid="583231")
        for holder in (session, identity):
            holder.provider_tokens = tokens
            holder.save()
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = self.NEW
        return secret

    def test_everything_is_under_the_new_key(
        self, everything: str, ada: ApiClient, settings: Any
    ) -> None:
        before = self.sealed()
        assert {name: len(values) for name, values in before.items()} == {
            "Authenticator": 1,
            "RecoveryCode": 6,
            "Challenge": 2,
            "Delivery": 1,
        }
        told = self.run()
        assert "authenticator seed: 1 encrypted anew, 0 were already, 0 cannot be read." in told
        assert "recovery code sealed: 6 encrypted anew, 0 were already, 0 cannot be read." in told
        assert "challenge sealed_code: 1 encrypted anew, 0 were already, 0 cannot be read." in told
        assert "delivery payload: 1 encrypted anew, 0 were already, 0 cannot be read." in told
        settings.SECRET_KEY_FALLBACKS = []
        account = Account.objects.get()
        assert services.list_recovery_codes(account=account) == ada.codes
        assert Authenticator.objects.get().accept(code(everything))
        assert Challenge.objects.get(factor="custom").code
        for holder in (Session.objects.get(), Identity.objects.get()):
            tokens = holder.provider_tokens
            assert (tokens.access, tokens.refresh) == ("access", "refresh")

    def test_again_changes_nothing(self, everything: str) -> None:
        self.run()
        once = self.sealed()
        assert all("0 encrypted anew" in line for line in self.run())
        assert self.sealed() == once

    def test_in_batches(self, everything: str, monkeypatch: pytest.MonkeyPatch) -> None:
        from django_account.management.commands.reencrypt import Command

        monkeypatch.setattr(Command, "BATCH", 2)
        told = self.run()
        assert "recovery code sealed: 6 encrypted anew, 0 were already, 0 cannot be read." in told

    def test_what_no_key_reads_is_reported_and_left(self, everything: str, settings: Any) -> None:
        settings.SECRET_KEY_FALLBACKS = []
        before = self.sealed()
        told = self.run()
        assert "recovery code sealed: 0 encrypted anew, 0 were already, 6 cannot be read." in told
        assert self.sealed() == before

    def test_recovery_codes_of_a_lost_key_are_none(self, everything: str, settings: Any) -> None:
        settings.SECRET_KEY_FALLBACKS = []
        with pytest.raises(RecoveryCodesNotFound):
            services.list_recovery_codes(account=Account.objects.get())


class TestClearAccounts:
    def test_expired_challenges_go(self, ada: ApiClient, secret: str, clock: Clock) -> None:
        begin(ada, "totp")
        clock.forward(timedelta(hours=1))
        begin(ada, "totp")
        out = StringIO()
        call_command("clearaccounts", stdout=out)
        assert "1 expired challenges deleted." in out.getvalue()
        assert Challenge.objects.count() == 1
