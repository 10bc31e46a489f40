"""The delivery log: what was sent to whom, and whether it went out."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.core.crypto import decrypt, encrypt
from django_account.core.fields import SealedField
from django_account.core.messages import Message

_PURPOSE = "delivery"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries, many at once."""

    def due(self) -> DeliveryQuerySet:
        """Those that wait for a first or another try, and whose time has come."""
        return self.filter(state=Delivery.State.WAITING, next_try_at__lte=timezone.now())

    def old(self) -> DeliveryQuerySet:
        """Those that nobody asks about any more."""
        return self.filter(created_at__lt=timezone.now() - Delivery.KEPT)


class Delivery(models.Model):
    """One message on its way. What it carries is encrypted, and gone once it has been sent."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")

    # Seconds from one try to the next. After the last, 21 hours, or where what it carries expires
    # before the next, the message has failed.
    BACKOFF: Final = (5, 30, 120, 600, 1200, 1200, 7200, 21_600, 43_200)

    # How long a process may take to send before another believes it dead. Longer than any backend's
    # time-out, so that slowness alone sends nothing twice.
    LEASE: Final = timedelta(seconds=120)

    # How long the log is kept.
    KEPT: Final = timedelta(days=30)

    account = models.ForeignKey(
        "django_account.Account",
        on_delete=models.CASCADE,
        related_name="deliveries",
        null=True,
        verbose_name=_("account"),
    )
    kind = models.CharField(_("kind"), max_length=32)
    channel = models.CharField(_("channel"), max_length=8, choices=Channel)
    recipient = models.CharField(_("recipient"), max_length=254)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    error = models.CharField(_("error"), max_length=500, blank=True)
    # The encrypted Message; empty once it has been sent or is of no use any more.
    payload = SealedField(purpose=_PURPOSE, blank=True)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    expires_at = models.DateTimeField(_("expiry"))
    created_at = models.DateTimeField(
        _("time"), default=timezone.now, editable=False, db_index=True
    )
    updated_at = models.DateTimeField(_("last change"), auto_now=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("delivery"), _("deliveries")
        indexes = [
            models.Index(fields=["state", "next_try_at"], name="delivery_due"),
            # Staff's search and filters: what is rare is found without reading the whole log.
            models.Index(fields=["recipient"], name="delivery_by_recipient"),
            models.Index(fields=["kind", "-id"], name="delivery_by_kind"),
            models.Index(fields=["channel", "-id"], name="delivery_by_channel"),
            models.Index(
                fields=["-id"], condition=~models.Q(state="sent"), name="delivery_not_sent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.recipient}"

    @property
    def can_be_sent_again(self) -> bool:
        """Whether what it carries is still there and still works."""
        alive = bool(self.payload) and self.expires_at > timezone.now()
        return alive and self.state == self.State.FAILED

    def seal(self, message: Message) -> None:
        """Put a message in, encrypted."""
        self.payload = encrypt(json.dumps(message.as_dict()), _PURPOSE)

    def unseal(self) -> Message:
        """Take the message out.

        Raises:
            ValueError: it is gone, or encrypted with a key that the site has given up.
        """
        if not self.payload:
            raise ValueError("the message is gone")
        try:
            return Message.from_dict(json.loads(decrypt(self.payload, _PURPOSE)))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("another version of this package wrote the message") from error
