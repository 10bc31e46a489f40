"""The code that an authenticator app shows (RFC 6238)."""

from __future__ import annotations

from urllib.parse import quote

from django_account.accounts.models import Account
from django_account.conf import conf
from django_account.exceptions import AuthenticatorNotFound
from django_account.mfa.factors.base import Factor
from django_account.mfa.models import Authenticator, Challenge


class TotpFactor(Factor):
    """A verified authenticator: SHA-1, six digits, thirty seconds, as every app assumes."""

    name = "totp"

    def is_ready(self, account: Account) -> bool:
        return account.totp_verified

    def require_ready(self, account: Account) -> None:
        """Refuse a challenge without a verified authenticator.

        Raises:
            AuthenticatorNotFound: there is none.
        """
        if not account.totp_verified:
            raise AuthenticatorNotFound

    def accepts(self, challenge: Challenge, answer: str) -> bool:
        device = (
            Authenticator.objects.confirmed()
            .filter(user=challenge.account.user_id, type=Authenticator.Type.TOTP)
            .first()
        )
        return device is not None and device.accept(answer)


def provisioning_uri(account: Account, seed: str) -> str:
    """What the QR code of an enrolment says (mfa-oauth.md §8.7).

    Args:
        account: named by its e-mail, else by its phone, name or id.
        seed: in Base32.
    """
    issuer = conf.project_name.replace(":", "")
    who = account.email or account.phone or account.name or account.public_id
    label = quote(f"{issuer}:{who.replace(':', '')}", safe="")
    return f"otpauth://totp/{label}?issuer={quote(issuer, safe='')}&secret={seed}"
