"""A code by e-mail."""

from __future__ import annotations

from django_account.accounts.models import Account
from django_account.exceptions import EmailNotFound, EmailNotVerified
from django_account.mfa.factors.base import CodeFactor
from django_account.mfa.models import Challenge
from django_account.selfservice.delivery import request_message, require_mail
from django_account.selfservice.passwordless import Requester


class EmailFactor(CodeFactor):
    """The account's verified address."""

    name = "email"

    def address(self, account: Account) -> str:
        return account.email or ""

    def is_ready(self, account: Account) -> bool:
        return bool(account.email) and account.email_verified

    def require_ready(self, account: Account) -> None:
        """Refuse a challenge that nobody would get.

        Raises:
            MailDisabled, EmailNotFound, EmailNotVerified.
        """
        require_mail()
        if not account.email:
            raise EmailNotFound
        if not account.email_verified:
            raise EmailNotVerified

    def deliver(self, challenge: Challenge, code: str, requester: Requester) -> None:
        request_message(
            account=challenge.account,
            channel="email",
            kind="mfa-challenge",
            recipient=challenge.address,
            expires_at=challenge.expires_at,
            locale=requester.locale,
            client=requester.client,
            code=code,
        )
