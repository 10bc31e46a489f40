"""Authenticators, recovery codes, challenges, and how many wrong answers there were."""

from __future__ import annotations

import hmac
import logging
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import pyotp
from django.conf import settings
from django.db import IntegrityError, models
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from django_account.conf import conf
from django_account.core.crypto import decrypt, derive_keys, encrypt
from django_account.core.fields import ExactCharField, SealedField
from django_account.core.ids import unique_id
from django_account.exceptions import TooManyWrongAnswers

if TYPE_CHECKING:
    from django_account.accounts.models import Account

# RFC 6238: seconds that a code lasts, and how many steps a clock may be off, either way.
STEP: Final = 30
SKEW: Final = 1

# Wrong answers before a challenge is dead.
MAX_TRIES: Final = 5

logger = logging.getLogger("django_account.mfa")

_SEED, _RECOVERY_CODE, _CHALLENGE = "totp-seed", "recovery-code", "mfa-challenge"


class AuthenticatorQuerySet(models.QuerySet["Authenticator"]):
    """Authenticators, many at once."""

    def confirmed(self) -> AuthenticatorQuerySet:
        """Those that somebody has shown to have."""
        return self.filter(confirmed=True)

    def devices_for_user(self, user: Any, confirmed: bool | None = None) -> AuthenticatorQuerySet:
        """What django-otp asks of a device's manager."""
        devices = self.filter(user=user)
        return devices if confirmed is None else devices.filter(confirmed=confirmed)


class Authenticator(Device, models.Model):
    """An authenticator app of a person: a device of django-otp with a TOTP seed.

    Until it is confirmed it means nothing to anybody.
    """

    class Type(models.TextChoices):
        TOTP = "totp"

    # Device's own reverse name would be "authenticator_set", which other apps take too.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="django_account_authenticators",
    )
    type = models.CharField(max_length=16, choices=Type, default=Type.TOTP)
    seed = SealedField(purpose=_SEED)
    # The newest time step whose code was accepted: no step is accepted twice, nor an older one.
    last_step = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Whether who deletes it withdraws the sessions' claims to it, too.
    claims_seen_to = False

    objects = AuthenticatorQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("authenticator"), _("authenticators")
        constraints = [
            models.UniqueConstraint(fields=["user", "type"], name="one_authenticator_of_a_type")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @classmethod
    def new(cls, user: Any) -> tuple[Authenticator, str]:
        """An unsaved, unconfirmed authenticator, and its seed in Base32."""
        seed = pyotp.random_base32()
        device = cls(user=user, name="Authenticator app", confirmed=False)
        device.seed = encrypt(seed, _SEED)
        return device, seed

    def accept(self, code: str) -> bool:
        """Check a code, and use its time step up: of any number of parallel calls one gets True.

        Every candidate is compared, so that the time tells nothing of which one was near.
        """
        try:
            totp = pyotp.TOTP(decrypt(self.seed, _SEED), interval=STEP)
        except ValueError:
            logger.error("The seed of authenticator %s was sealed with another key", self.pk)
            return False
        given = "".join(code.split()).encode()
        now = int(timezone.now().timestamp()) // STEP
        matching = [
            step
            for step in range(now - SKEW, now + SKEW + 1)
            if hmac.compare_digest(totp.generate_otp(step).encode(), given)
        ]
        return any(
            type(self).objects.filter(pk=self.pk, last_step__lt=step).update(last_step=step)
            for step in matching
        )

    # --- what django-otp calls ---

    def verify_is_allowed(self) -> tuple[bool, dict[str, Any] | None]:
        """Not after too many wrong answers, wherever they were given."""
        if GuessCount.objects.spent().filter(user=self.user_id).exists():
            return False, {"error_message": TooManyWrongAnswers.message}
        return True, None

    def verify_token(self, token: str) -> bool:
        """Check a code in a form of the site's: the same steps and the same cap as a challenge."""
        if not self.confirmed or not GuessCount.objects.claim(self.user_id):
            return False
        if not self.accept(str(token)):
            return False
        GuessCount.objects.give_back(self.user_id)
        return True


class RecoveryCode(models.Model):
    """A code that stands in for a lost factor, once. It can be read again, so it is encrypted."""

    account = models.ForeignKey(
        "django_account.Account", on_delete=models.CASCADE, related_name="recovery_codes"
    )
    number = models.PositiveSmallIntegerField()
    sealed = SealedField(purpose=_RECOVERY_CODE)

    class Meta:
        verbose_name, verbose_name_plural = _("recovery code"), _("recovery codes")
        constraints = [
            # Two sets at once cannot be.
            models.UniqueConstraint(fields=["account", "number"], name="one_set_of_recovery_codes")
        ]

    def __str__(self) -> str:
        return f"recovery code {self.number} of account {self.account_id}"

    @property
    def code(self) -> str:
        """The code in clear; ``""`` when it was sealed with a key that the site has given up."""
        try:
            return decrypt(self.sealed, _RECOVERY_CODE)
        except ValueError:
            logger.error("Recovery code %s was sealed with another key", self.pk)
            return ""

    @classmethod
    def new(cls, account: Account, number: int, code: str) -> RecoveryCode:
        """An unsaved code."""
        return cls(account=account, number=number, sealed=encrypt(code, _RECOVERY_CODE))


class ChallengeQuerySet(models.QuerySet["Challenge"]):
    """Challenges, many at once."""

    def open(self) -> ChallengeQuerySet:
        """Those that can still be answered."""
        return self.filter(expires_at__gte=timezone.now(), tries__lt=MAX_TRIES)

    def expired(self) -> ChallengeQuerySet:
        """Those that are of no use to anybody."""
        return self.filter(expires_at__lt=timezone.now())


class Challenge(models.Model):
    """One question for a second factor. Its row goes when it has been answered."""

    public_id = ExactCharField(max_length=36, unique=True, default=unique_id)
    account = models.ForeignKey(
        "django_account.Account", on_delete=models.CASCADE, related_name="challenges"
    )
    # Only the session that asked may answer. No foreign key: a challenge outlives its session by
    # minutes and is of no use to another, and ending a session stays one statement.
    session_public_id = ExactCharField(max_length=36)
    factor = models.CharField(max_length=32)
    # Of factors that make up a code: a keyed digest of it, and where it was sent.
    code_digest = ExactCharField(max_length=64, blank=True, editable=False)
    address = models.CharField(max_length=254, blank=True)
    # Of the factors whose code a server of the site delivers.
    sealed_code = SealedField(purpose=_CHALLENGE, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ChallengeQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("challenge"), _("challenges")

    def __str__(self) -> str:
        return f"{self.factor} ({self.public_id})"

    def set_code(self, code: str, *, readable: bool = False) -> None:
        """Remember a code, as a digest.

        Args:
            readable: and encrypted, to be read by :attr:`code`.
        """
        self.code_digest = self._digest(next(derive_keys("challenge")), code)
        if readable:
            self.sealed_code = encrypt(code, _CHALLENGE)

    @property
    def code(self) -> str:
        """The code in clear, if it was set to be readable; ``""`` if it was not, or was sealed with
        a key that the site has given up."""
        try:
            return decrypt(self.sealed_code, _CHALLENGE) if self.sealed_code else ""
        except ValueError:
            logger.error("The code of challenge %s was sealed with another key", self.public_id)
            return ""

    def matches(self, code: str) -> bool:
        """Whether a code is the one, under the present key or one that is being retired."""
        given = "".join(code.split())
        return any(
            hmac.compare_digest(self.code_digest, self._digest(key, given))
            for key in derive_keys("challenge")
        )

    def claim_try(self) -> bool:
        """Take one of its tries; of any number of parallel answers at most MAX_TRIES pass."""
        open_ = Challenge.objects.open().filter(pk=self.pk)
        return bool(open_.update(tries=F("tries") + 1))

    def _digest(self, key: bytes, code: str) -> str:
        # Keyed, since a plain hash of six digits is undone by a million tries; with the id, so that
        # equal codes do not look equal.
        return hmac.digest(key, f"{self.public_id}:{code}".encode(), "sha256").hex()


class GuessCountQuerySet(models.QuerySet["GuessCount"]):
    """Counting wrong answers. Every answer counts before it is looked at."""

    def spent(self) -> GuessCountQuerySet:
        """Those of people whose answers are not looked at for now."""
        return self.filter(
            count__gte=conf.mfa_wrong_answers, since__gt=timezone.now() - GuessCount.WINDOW
        )

    def expired(self) -> GuessCountQuerySet:
        """Those that count nothing any more."""
        return self.filter(since__lte=timezone.now() - GuessCount.WINDOW)

    def wait(self, user_id: Any) -> int:
        """Seconds until a person's answers are looked at again."""
        since = self.filter(user=user_id).values_list("since", flat=True).first()
        left = since + GuessCount.WINDOW - timezone.now() if since is not None else timedelta()
        return max(1, ceil(left.total_seconds()))

    def claim(self, user_id: Any) -> bool:
        """Take one of the person's guesses. Call it where no error undoes it.

        Returns:
            False when there is none left in this hour.
        """
        now = timezone.now()
        over = Q(since__lte=now - GuessCount.WINDOW)
        left = self.filter(over | Q(count__lt=conf.mfa_wrong_answers), user=user_id)
        taken = {
            "count": Case(When(over, then=Value(1)), default=F("count") + 1),
            "since": Case(When(over, then=Value(now)), default=F("since")),
        }
        if left.update(**taken):
            return True
        try:
            self.bulk_create([self.model(user_id=user_id, since=now)], ignore_conflicts=True)
        except IntegrityError:
            # The person has just been deleted: there is nothing left to guess at.
            return True
        # No row at all: deleted with the person, a moment later.
        return bool(left.update(**taken)) or not self.filter(user=user_id).exists()

    def give_back(self, user_id: Any) -> None:
        """It was no wrong one."""
        self.filter(user=user_id, count__gt=0).update(count=F("count") - 1)


class GuessCount(models.Model):
    """How many wrong answers a person gave within an hour, over all challenges and sessions.

    Only who knows a person's first factor can give any, so that nobody else locks them out.
    """

    WINDOW: Final = timedelta(hours=1)

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    count = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()

    objects = GuessCountQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("wrong answers")

    def __str__(self) -> str:
        return f"{self.count} wrong answers of user {self.user_id}"
