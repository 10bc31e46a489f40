"""A code written down for the day when the other factors are lost."""

from __future__ import annotations

import hmac

from django_account.accounts.models import Account
from django_account.mfa.factors.base import Factor
from django_account.mfa.models import Challenge, RecoveryCode


class RecoveryCodeFactor(Factor):
    """One of the account's unused recovery codes, exactly as it was shown."""

    name = "recoveryCode"
    can_be_off = False

    def is_ready(self, account: Account) -> bool:
        return RecoveryCode.objects.filter(account=account).exists()

    def accepts(self, challenge: Challenge, answer: str) -> bool:
        given = answer.encode()
        matching = [
            each.pk
            for each in RecoveryCode.objects.filter(account=challenge.account)
            if given and hmac.compare_digest(each.code.encode(), given)
        ]
        # Of any number of parallel answers, one deletes the row.
        return bool(RecoveryCode.objects.filter(pk__in=matching).delete()[0])
