"""What a factor is. A site adds its own in one small class (docs/mfa.md)."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django_account.accounts.models import Account
from django_account.conf import conf
from django_account.core.messages import Channel
from django_account.mfa.models import Challenge
from django_account.selfservice.delivery import request_message
from django_account.selfservice.passwordless import Requester

DIGITS = 6


class Factor:
    """One way to prove oneself a second time.

    A challenge for it is begun, and answered within MFA_CHALLENGE_DURATION and five tries; limits,
    binding to the session and single use are not its business.

    Attributes:
        name: on the wire, in MFA_FACTORS and in a session's ``factors``.
        can_be_off: whether MFA_FACTORS may switch it off.
    """

    name: ClassVar[str]
    can_be_off: ClassVar[bool] = True

    @property
    def is_enabled(self) -> bool:
        """Whether the site allows it."""
        return not self.can_be_off or conf.mfa_factors.get(self.name, True)

    def is_ready(self, account: Account) -> bool:
        """Whether the person can answer a challenge for it: what ``GET /mfa/factors`` lists."""
        raise NotImplementedError

    def require_ready(self, account: Account) -> None:
        """Refuse a challenge that could not be answered. By default none is refused.

        Raises:
            AccountError: which says what the person, or the site, has to do first.
        """

    def begin(self, challenge: Challenge, requester: Requester) -> None:
        """Prepare a challenge, which is saved afterwards, and have its code delivered.

        Runs in the transaction that saves it. By default there is nothing to do: the person has
        the answer.
        """

    def accepts(self, challenge: Challenge, answer: str) -> bool:
        """Check an answer, and use up what must not be used twice.

        Runs in a transaction with ``challenge.account`` locked and fresh. If it changes something
        and the challenge turns out to be answered already, that is undone.
        """
        raise NotImplementedError


class CodeFactor(Factor):
    """A factor that makes up six digits and has them delivered; for most, write ``deliver``."""

    def address(self, account: Account) -> str:
        """Where the code goes; ``""`` when that does not matter.

        An answer counts only while it is still the same.
        """
        return ""

    def code(self, challenge: Challenge) -> str:
        """The digits."""
        return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"

    def deliver(self, challenge: Challenge, code: str, requester: Requester) -> None:
        """Bring the code to the person."""
        raise NotImplementedError

    def begin(self, challenge: Challenge, requester: Requester) -> None:
        challenge.address = self.address(challenge.account)
        code = self.code(challenge)
        challenge.set_code(code)
        self.deliver(challenge, code, requester)

    def accepts(self, challenge: Challenge, answer: str) -> bool:
        account = challenge.account
        return (
            self.is_ready(account)
            and challenge.address == self.address(account)
            and challenge.matches(answer)
        )


class AddressFactor(CodeFactor):
    """A code to a verified address of the account; the factor has the name of its field."""

    channel: ClassVar[Channel]

    def address(self, account: Account) -> str:
        return getattr(account, self.name) or ""

    def is_ready(self, account: Account) -> bool:
        return bool(self.address(account) and getattr(account, f"{self.name}_verified"))

    def deliver(self, challenge: Challenge, code: str, requester: Requester) -> None:
        request_message(
            account=challenge.account,
            channel=self.channel,
            kind="mfa-challenge",
            recipient=challenge.address,
            expires_at=challenge.expires_at,
            locale=requester.locale,
            client=requester.client,
            code=code,
        )
