"""A code that the site delivers in its own way."""

from __future__ import annotations

from django_account.accounts.models import Account
from django_account.mfa.factors.base import CodeFactor
from django_account.mfa.models import Challenge
from django_account.selfservice.passwordless import Requester


class CustomFactor(CodeFactor):
    """The site's server reads the code (GET /users/{userId}/mfa/challenges/{challengeId}) and
    brings it to the person. Off unless MFA_FACTORS switches it on."""

    name = "custom"

    def is_ready(self, account: Account) -> bool:
        return True

    def begin(self, challenge: Challenge, requester: Requester) -> None:
        challenge.set_code(self.code(challenge), readable=True)
