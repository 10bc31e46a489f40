"""Every factor passes the shared cases; a site's own is one small class."""

from __future__ import annotations

from typing import Any

import pytest

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.mfa import services
from django_account.mfa.factors import all_factors
from django_account.mfa.factors.base import CodeFactor
from django_account.mfa.models import Authenticator, Challenge, RecoveryCode
from django_account.selfservice.passwordless import Requester
from django_account.targets.models import Target
from tests.cases.mfa_factors import REQUESTER, FactorCases
from tests.client import ApiClient, assert_error
from tests.mfa.people import answer, begin, code


class TestTotp(FactorCases):
    name = "totp"

    def have(self, account: Account) -> None:
        device, self.seed = Authenticator.new(account.user)
        device.confirmed = True
        device.save()
        account.refresh_from_db()

    def right(self, challenge: Challenge) -> str:
        return code(self.seed)


class TestEmail(FactorCases):
    name = "email"

    def have(self, account: Account) -> None:
        account.email_verified = True
        account.save()

    def right(self, challenge: Challenge) -> str:
        (message,) = [each for each in self.sent if each.expires_at == challenge.expires_at][-1:]
        return message.code

    def test_an_answer_is_good_for_one_challenge(self, session: Any) -> None:
        self.have(session.account)
        first, second = self.begin(session), self.begin(session)
        codes = [message.code for message in self.sent]
        self.answer(session, first, codes[0])
        with pytest.raises(services.InvalidToken):
            self.answer(session, first, codes[0])
        if codes[0] != codes[1]:
            with pytest.raises(services.InvalidToken):
                self.answer(session, second, codes[0])


class TestPhone(TestEmail):
    name = "phone"

    def have(self, account: Account) -> None:
        account.phone, account.phone_verified = "+14155550100", True
        account.save()


class TestRecoveryCode(FactorCases):
    name = "recoveryCode"
    can_be_off = False
    refuses_without = False

    def have(self, account: Account) -> None:
        services.create_recovery_codes(account=account)

    def right(self, challenge: Challenge) -> str:
        return RecoveryCode.objects.filter(account=challenge.account).earliest("number").code

    def wrong(self, challenge: Challenge) -> str:
        return self.right(challenge)[::-1] + "0"


class TestCustom(TestEmail):
    name = "custom"
    project_settings = {"MFA_FACTORS": {"custom": True}}
    refuses_without = can_be_missing = False

    def have(self, account: Account) -> None:
        """Everybody does."""

    def right(self, challenge: Challenge) -> str:
        return Challenge.objects.get(pk=challenge.pk).code

    def test_an_answer_is_good_for_one_challenge(self, session: Any) -> None:
        first = self.begin(session)
        right = self.right(first)
        self.answer(session, first, right)
        with pytest.raises(services.InvalidToken):
            self.answer(session, first, right)

    def test_a_server_reads_the_code(self, session: Any) -> None:
        challenge = self.begin(session)
        found = services.find_custom_challenge(
            account=session.account, challenge_id=challenge.public_id
        )
        self.answer(session, challenge, found.code)
        with pytest.raises(services.InvalidToken):
            services.find_custom_challenge(
                account=session.account, challenge_id=challenge.public_id
            )

    def test_a_server_reads_no_other_code(self, session: Any, settings: Any) -> None:
        other = services.create_challenge(
            account=session.account,
            session=session,
            factor=all_factors()["recoveryCode"],
            requester=REQUESTER,
        )
        challenge = self.begin(session)
        stranger = create_account(email="bob@example.org")
        for account, asked in ((session.account, other), (stranger, challenge)):
            with pytest.raises(services.InvalidToken):
                services.find_custom_challenge(account=account, challenge_id=asked.public_id)
        settings.SECRET_KEY = "lost" * 20
        with pytest.raises(services.InvalidToken):
            services.find_custom_challenge(
                account=session.account, challenge_id=challenge.public_id
            )


# --- a site's own ---------------------------------------------------------------------------------

PUSHED: list[tuple[str, str]] = []


class PushFactor(CodeFactor):
    """The example of docs/mfa.md: a code that pops up on the person's devices."""

    name = "push"

    def is_ready(self, account: Account) -> bool:
        return account.targets.filter(provider_type="push").exists()

    def deliver(self, challenge: Challenge, code: str, requester: Requester) -> None:
        for target in challenge.account.targets.filter(provider_type="push"):
            PUSHED.append((target.identifier, code))


class LoudEmail(PushFactor):
    """Takes a built-in one's place."""

    name = "email"


OWN = {"MFA_FACTOR_CLASSES": [f"{__name__}.PushFactor"]}


class TestASitesOwn(TestEmail):
    name = "push"
    project_settings = OWN
    refuses_without = False

    @pytest.fixture(autouse=True)
    def nothing_pushed(self) -> None:
        PUSHED.clear()

    def have(self, account: Account) -> None:
        Target.objects.create(account=account, provider_type="push", identifier="device")

    def right(self, challenge: Challenge) -> str:
        return PUSHED[-1][1]

    def test_an_answer_is_good_for_one_challenge(self, session: Any) -> None:
        self.have(session.account)
        challenge = self.begin(session)
        self.answer(session, challenge, PUSHED[-1][1])
        with pytest.raises(services.InvalidToken):
            self.answer(session, challenge, PUSHED[-1][1])


class TestASitesOwnOnTheWire:
    def test_is_a_factor_like_any_other(self, ada: ApiClient, project: Any) -> None:
        project(**OWN)
        TestASitesOwn().have(Account.objects.get())
        factors = ada.get("/account/mfa/factors").json()
        assert list(factors)[:5] == ["totp", "phone", "email", "recoveryCode", "custom"]
        assert factors["push"] is True
        challenge = begin(ada, "PUSH")
        assert answer(ada, challenge, PUSHED[-1][1]).json()["factors"] == ["password", "push"]

    def test_is_unknown_elsewhere(self, ada: ApiClient) -> None:
        response = ada.post("/account/mfa/challenges", {"factor": "push"})
        assert_error(response, 400, "general_argument_invalid")
        assert "push" not in ada.get("/account/mfa/factors").json()

    def test_is_gone_before_its_challenge(self, ada: ApiClient, project: Any) -> None:
        project(**OWN)
        TestASitesOwn().have(Account.objects.get())
        challenge = begin(ada, "push")
        project(MFA_FACTOR_CLASSES=[])
        assert_error(answer(ada, challenge, PUSHED[-1][1]), 401, "user_invalid_token")

    def test_takes_the_place_of_a_built_in_one(self, project: Any) -> None:
        project(MFA_FACTOR_CLASSES=[f"{__name__}.LoudEmail"])
        assert type(all_factors()["email"]) is LoudEmail
        assert list(all_factors()) == ["totp", "phone", "email", "recoveryCode", "custom"]
