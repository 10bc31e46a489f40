"""Who is signed in, from where, by which factors."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.core.clients import ClientDetails
from django_account.core.fields import ExactCharField
from django_account.core.ids import unique_id
from django_account.sessions.provider_tokens import HoldsProviderTokens

# The provider of a session in which a member of staff acts as the person; its uid is the public id
# of that member's account.
IMPERSONATION = "impersonation"


class SessionQuerySet(models.QuerySet["Session"]):
    """Sessions, many at once."""

    def active(self) -> SessionQuerySet:
        """Those that have not expired."""
        return self.filter(expires_at__gt=timezone.now())

    def expired(self) -> SessionQuerySet:
        """Those that are of no use to anybody."""
        return self.filter(expires_at__lte=timezone.now())


class Session(HoldsProviderTokens):
    """One sign-in. The secret is given out once; its digest is stored."""

    public_id = ExactCharField(max_length=36, unique=True, default=unique_id)
    account = models.ForeignKey(
        "django_account.Account", on_delete=models.CASCADE, related_name="sessions"
    )
    secret_digest = ExactCharField(max_length=64, unique=True, editable=False)
    # "email", "anonymous", "magic-url", "phone", "token", "server" or an OAuth2 provider's key.
    provider = models.CharField(max_length=128)
    provider_uid = models.CharField(max_length=2048, blank=True)
    # What the person has proven in this session, in order (core.md §4.7).
    factors = models.JSONField(default=list)
    mfa_updated_at = models.DateTimeField(null=True, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    user_agent = models.TextField(blank=True)
    # The parsed user agent: the fields of core.clients.ClientDetails.
    client = models.JSONField(default=dict)
    country_code = models.CharField(max_length=2, default="--")
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("session"), _("sessions")
        indexes = [
            # A person's sessions, oldest first: the list, the cap.
            models.Index(fields=["account", "id"], name="session_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} ({self.provider})"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def actor_id(self) -> str:
        """The public id of the member of staff who acts as the person in it; empty when nobody does
        and the session is the person's own."""
        return self.provider_uid if self.provider == IMPERSONATION else ""

    @property
    def client_details(self) -> ClientDetails:
        known: dict[str, Any] = {
            key: value
            for key, value in self.client.items()
            if key in ClientDetails.__dataclass_fields__
        }
        return ClientDetails(**known)
