"""A code by SMS."""

from __future__ import annotations

from django_account.accounts.models import Account
from django_account.conf import conf
from django_account.exceptions import PhoneNotFound, PhoneNotVerified
from django_account.mfa.factors.base import AddressFactor
from django_account.mfa.models import Challenge
from django_account.selfservice.delivery import require_sms
from django_account.selfservice.passwordless import Requester


class PhoneFactor(AddressFactor):
    """The account's verified number. One of MOCK_NUMBERS has its own code, and gets no SMS."""

    name = "phone"
    channel = "sms"

    def require_ready(self, account: Account) -> None:
        """Refuse a challenge that nobody would get.

        Raises:
            SMSDisabled, PhoneNotFound, PhoneNotVerified.
        """
        require_sms(account.phone or "")
        if not account.phone:
            raise PhoneNotFound
        if not account.phone_verified:
            raise PhoneNotVerified

    def code(self, challenge: Challenge) -> str:
        return conf.mock_numbers.get(challenge.address) or super().code(challenge)

    def deliver(self, challenge: Challenge, code: str, requester: Requester) -> None:
        if challenge.address not in conf.mock_numbers:
            super().deliver(challenge, code, requester)
