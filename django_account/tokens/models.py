"""Short-lived secrets that prove an address, sign in, or allow a new password."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.core.crypto import derive_keys, digest
from django_account.core.fields import ExactCharField
from django_account.core.ids import unique_id

# Wrong guesses before a code is dead. Six digits and five tries: one in 200 000.
MAX_TRIES: Final = 5


class TokenQuerySet(models.QuerySet["Token"]):
    """Tokens, many at once."""

    def usable(self) -> TokenQuerySet:
        """Those that can still be redeemed."""
        return self.filter(expires_at__gte=timezone.now(), tries__lt=MAX_TRIES)

    def expired(self) -> TokenQuerySet:
        """Those that are of no use to anybody."""
        return self.filter(expires_at__lt=timezone.now())


class Token(models.Model):
    """One secret, sent to one address or given to one server. Its row goes when it is redeemed."""

    class Kind(models.TextChoices):
        MAGIC_URL = "magic-url"
        EMAIL_CODE = "email-code"
        PHONE_CODE = "phone-code"
        GENERIC = "generic"
        RECOVERY = "recovery"
        RECOVERY_CODE = "recovery-code"
        EMAIL_VERIFICATION = "email-verification"
        EMAIL_VERIFICATION_CODE = "email-verification-code"
        PHONE_VERIFICATION_CODE = "phone-verification-code"
        OAUTH2 = "oauth2"

    # The kinds whose secrets may be short, and so have a cap on wrong guesses: what a person types,
    # and what a server chooses.
    CODES: Final = frozenset(
        {
            Kind.EMAIL_CODE,
            Kind.PHONE_CODE,
            Kind.GENERIC,
            Kind.RECOVERY_CODE,
            Kind.EMAIL_VERIFICATION_CODE,
            Kind.PHONE_VERIFICATION_CODE,
        }
    )

    # Those that allow a new password.
    RECOVERIES: Final = frozenset({Kind.RECOVERY, Kind.RECOVERY_CODE})

    # Lifetimes as the user's document has them (contract README).
    LIFETIMES: Final = {
        Kind.MAGIC_URL: timedelta(hours=1),
        Kind.EMAIL_CODE: timedelta(minutes=15),
        Kind.PHONE_CODE: timedelta(minutes=15),
        Kind.GENERIC: timedelta(minutes=15),
        Kind.RECOVERY: timedelta(hours=1),
        Kind.RECOVERY_CODE: timedelta(minutes=15),
        Kind.EMAIL_VERIFICATION: timedelta(days=7),
        Kind.EMAIL_VERIFICATION_CODE: timedelta(minutes=15),
        Kind.PHONE_VERIFICATION_CODE: timedelta(minutes=15),
        Kind.OAUTH2: timedelta(minutes=2),
    }

    public_id = ExactCharField(max_length=36, unique=True, default=unique_id)
    account = models.ForeignKey(
        "django_account.Account", on_delete=models.CASCADE, related_name="tokens"
    )
    kind = models.CharField(max_length=32, choices=Kind)
    secret_digest = ExactCharField(max_length=64, editable=False)
    # Where it was sent; it proves this address and no other.
    address = models.CharField(max_length=254, blank=True)
    # By which account elsewhere the person has proven who they are, of an OAuth2 token.
    identity = models.ForeignKey(
        "django_account.Identity", on_delete=models.CASCADE, related_name="+", null=True
    )
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("one-time secret"), _("one-time secrets")
        indexes = [models.Index(fields=["account", "kind"], name="token_of_account")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.public_id})"

    @property
    def is_code(self) -> bool:
        """Whether its secret may be short."""
        return self.kind in self.CODES

    def digest_of(self, secret: str) -> str:
        """What is stored of a secret of this token: of a code, a keyed digest.

        A plain hash of six digits is undone by trying a million of them; without SECRET_KEY, which
        is not in the database, the keyed one is not. The id keeps equal codes from looking equal.
        """
        return (
            self._code_digest(next(derive_keys("token")), secret)
            if self.is_code
            else digest(secret)
        )

    def matches(self, secret: str) -> bool:
        """Whether a secret is this token's, under the present key or one that is being retired."""
        if not self.is_code:
            return hmac.compare_digest(self.secret_digest, digest(secret))
        return any(
            hmac.compare_digest(self.secret_digest, self._code_digest(key, secret))
            for key in derive_keys("token")
        )

    def _code_digest(self, key: bytes, code: str) -> str:
        return hmac.digest(key, f"{self.public_id}:{code}".encode(), "sha256").hex()
