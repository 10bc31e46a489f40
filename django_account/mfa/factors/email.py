"""A code by e-mail."""

from __future__ import annotations

from django_account.accounts.models import Account
from django_account.exceptions import EmailNotFound, EmailNotVerified
from django_account.mfa.factors.base import AddressFactor
from django_account.selfservice.delivery import require_mail


class EmailFactor(AddressFactor):
    """The account's verified address."""

    name = "email"
    channel = "email"

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
