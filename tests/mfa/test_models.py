"""Time steps, clock skew, counting: what the rows themselves hold to."""

from __future__ import annotations

from base64 import b32encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from django.db import IntegrityError, transaction

from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user, create_account
from django_account.core.crypto import encrypt
from django_account.mfa.models import Authenticator, Challenge, GuessCount, RecoveryCode
from tests.mfa.people import START, STEP, Clock, code

pytestmark = pytest.mark.django_db

# RFC 6238, appendix B, SHA-1: seconds since 1970, and the last six of the eight digits.
RFC_SEED = b32encode(b"12345678901234567890").decode()
RFC_VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]


@pytest.fixture
def account() -> Account:
    return create_account(email="ada@example.org")


@pytest.fixture
def device(account: Account) -> Authenticator:
    device, _ = Authenticator.new(account.user)
    device.confirmed = True
    device.seed = encrypt(RFC_SEED, "totp-seed")
    device.save()
    return device


class TestAuthenticator:
    @pytest.mark.parametrize(("seconds", "digits"), RFC_VECTORS)
    def test_rfc_6238(self, device: Authenticator, seconds: int, digits: str) -> None:
        with time_machine.travel(datetime.fromtimestamp(seconds, UTC), tick=False):
            assert not device.accept(f"{(int(digits) + 1) % 10**6:06d}")
            assert device.accept(digits)
            assert not device.accept(digits)

    @pytest.mark.parametrize(
        ("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
    )
    @pytest.mark.parametrize("second", [0, 15, 29.999])
    def test_clock_skew(
        self, device: Authenticator, steps: int, accepted: bool, second: float
    ) -> None:
        with time_machine.travel(START + timedelta(seconds=second), tick=False):
            assert device.accept(code(RFC_SEED, steps)) is accepted

    def test_at_the_edge_of_a_step(self, device: Authenticator) -> None:
        """A code is good until the step after its own has passed, and not a moment longer."""
        with time_machine.travel(START, tick=False) as clock:
            shown = code(RFC_SEED)
            clock.move_to(START + 2 * STEP)
            assert not device.accept(shown)
            clock.move_to(START + 2 * STEP - timedelta(microseconds=1))
            assert device.accept(shown)

    def test_no_step_before_a_used_one(self, device: Authenticator, clock: Clock) -> None:
        earlier, now, later = (code(RFC_SEED, steps) for steps in (-1, 0, 1))
        assert device.accept(now)
        assert not device.accept(now)
        assert not device.accept(earlier)
        assert device.accept(later)
        clock.forward()
        assert not device.accept(later)

    @pytest.mark.parametrize("given", ["", "12345", "1234567", "\uff12" * 6, "abcdef", "-00001"])
    def test_other_texts(self, device: Authenticator, given: str) -> None:
        assert not device.accept(given)

    def test_one_of_a_type(self, device: Authenticator) -> None:
        other, _ = Authenticator.new(device.user)
        with pytest.raises(IntegrityError), transaction.atomic():
            other.save()

    def test_seeds_are_of_160_bits_and_all_different(self, account: Account) -> None:
        seeds = {Authenticator.new(account.user)[1] for _ in range(50)}
        assert len(seeds) == 50
        assert {len(pyotp.TOTP(seed).byte_secret()) for seed in seeds} == {20}

    def test_nothing_tells_the_seed(self, device: Authenticator) -> None:
        shown = f"{device} {device!r} {device.__dict__}"
        assert RFC_SEED not in shown


class TestTheFlagOfTheGate:
    """``Account.totp_verified`` is what the table of authenticators says, whoever changes it."""

    def flag(self) -> bool:
        return Account.objects.get().totp_verified

    def test_saved_confirmed(self, device: Authenticator) -> None:
        assert self.flag() is True

    def test_saved_unconfirmed(self, account: Account) -> None:
        device, _ = Authenticator.new(account.user)
        device.save()
        assert self.flag() is False
        device.confirmed = True
        device.save()
        assert self.flag() is True
        device.confirmed = False
        device.save(update_fields=["confirmed"])
        assert self.flag() is False

    def test_deleted(self, device: Authenticator) -> None:
        device.delete()
        assert self.flag() is False

    def test_deleted_many_at_once(self, device: Authenticator) -> None:
        Authenticator.objects.all().delete()
        assert self.flag() is False

    def test_somebody_elses(self, device: Authenticator) -> None:
        other = create_account(email="bob@example.org")
        Authenticator.new(other.user)[0].save()
        assert Account.objects.get(email="ada@example.org").totp_verified is True
        assert Account.objects.get(email="bob@example.org").totp_verified is False

    def test_a_user_who_had_an_account_before_is_adopted(self, device: Authenticator) -> None:
        Account.objects.all().delete()
        assert adopt_user(device.user).totp_verified is True
        assert self.flag() is True

    def test_the_user_is_deleted(self, device: Authenticator) -> None:
        device.user.delete()
        assert not Authenticator.objects.exists()
        assert not Account.objects.exists()


class TestGuessCount:
    def claim(self, account: Account) -> bool:
        return GuessCount.objects.claim(account.user_id)

    def test_ten_in_an_hour(self, account: Account, clock: Clock) -> None:
        assert [self.claim(account) for _ in range(12)] == [True] * 10 + [False] * 2
        clock.forward(timedelta(minutes=59))
        assert not self.claim(account)
        clock.forward(timedelta(minutes=1))
        assert [self.claim(account) for _ in range(11)] == [True] * 10 + [False]

    def test_given_back(self, account: Account) -> None:
        for _ in range(20):
            assert self.claim(account)
            GuessCount.objects.give_back(account.user_id)
        GuessCount.objects.give_back(account.user_id)
        assert GuessCount.objects.get().count == 0

    def test_the_cap_is_the_sites(self, account: Account, project: Any) -> None:
        project(MFA_WRONG_ANSWERS=2)
        assert [self.claim(account) for _ in range(3)] == [True, True, False]


class TestRecoveryCode:
    def test_no_two_sets_at_once(self, account: Account) -> None:
        RecoveryCode.new(account, 1, "aaaaaaaaaa").save()
        with pytest.raises(IntegrityError), transaction.atomic():
            RecoveryCode.new(account, 1, "bbbbbbbbbb").save()


class TestChallenge:
    def test_equal_codes_do_not_look_equal(self, account: Account) -> None:
        first, second = Challenge(account=account), Challenge(account=account)
        for challenge in (first, second):
            challenge.set_code("123456", readable=True)
        assert first.code_digest != second.code_digest
        assert first.sealed_code != second.sealed_code
        assert first.code == second.code == "123456"

    def test_another_site_key(self, account: Account, settings: Any) -> None:
        challenge = Challenge(account=account)
        challenge.set_code("123456")
        settings.SECRET_KEY = "another" * 10
        assert not challenge.matches("123456")
