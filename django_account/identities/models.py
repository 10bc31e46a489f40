"""Accounts elsewhere, and the sign-ins that are on their way there."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.core import emails
from django_account.core.crypto import decrypt, encrypt
from django_account.core.fields import ExactCharField, SealedField
from django_account.core.ids import unique_id
from django_account.sessions.provider_tokens import HoldsProviderTokens

# OpenID Connect allows a subject 255 characters; no provider's id is longer.
MAX_UID = 255

_PURPOSE = "oauth2-flow"


class Identity(HoldsProviderTokens):
    """A person's account at an OAuth2 provider. Who has it there signs in here."""

    public_id = ExactCharField(max_length=36, unique=True, default=unique_id)
    account = models.ForeignKey(
        "django_account.Account", on_delete=models.CASCADE, related_name="identities"
    )
    # The provider's key, as "github".
    provider = ExactCharField(max_length=32)
    provider_uid = ExactCharField(max_length=MAX_UID)
    # In normal form; empty when the provider gave none.
    provider_email = models.CharField(max_length=emails.MAX_LENGTH, blank=True, db_index=True)
    # Whether the provider vouches for it.
    email_verified = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name, verbose_name_plural = _("identity"), _("identities")
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_uid"], name="identity_of_one_person"
            ),
            models.CheckConstraint(condition=~models.Q(provider_uid=""), name="identity_has_a_uid"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.provider_email or self.provider_uid}"


class OAuth2Provider(Identity):
    """What the admin's page of providers is listed as, with the permission to look at it. The
    providers themselves are in the registry and in the site's settings."""

    class Meta:
        proxy = True
        verbose_name = _("OAuth2 provider")
        verbose_name_plural = _("OAuth2 providers")
        default_permissions = ("view",)


class OAuth2FlowQuerySet(models.QuerySet["OAuth2Flow"]):
    """Flows, many at once."""

    def open(self) -> OAuth2FlowQuerySet:
        """Those that somebody may still come back from."""
        return self.filter(expires_at__gt=timezone.now())

    def expired(self) -> OAuth2FlowQuerySet:
        """Those that are of no use to anybody."""
        return self.filter(expires_at__lte=timezone.now())


class OAuth2Flow(models.Model):
    """A browser that has been sent to a provider. The row goes when it comes back."""

    class Kind(models.TextChoices):
        # The browser gets a session.
        SESSION = "session"
        # The app gets a secret that it exchanges for a session.
        TOKEN = "token"  # noqa: S105

    # How long somebody may take to sign in at the provider.
    LIFETIME: Final = timedelta(minutes=30)

    state_digest = ExactCharField(max_length=64, unique=True, editable=False)
    # Of the secret in the browser's cookie; empty where a server of the app asked, which has none.
    browser_digest = ExactCharField(max_length=64, blank=True, editable=False)
    provider = ExactCharField(max_length=32)
    kind = models.CharField(max_length=8, choices=Kind)
    # Who was signed in; nobody else may come back.
    account = models.ForeignKey(
        "django_account.Account", on_delete=models.CASCADE, related_name="+", null=True
    )
    # Encrypted: where to go afterwards, what the app wants echoed, the PKCE verifier, the nonce.
    sealed = SealedField(purpose=_PURPOSE, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OAuth2FlowQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("sign-in under way"), _("sign-ins under way")

    def __str__(self) -> str:
        return f"{self.kind} by {self.provider}"

    def seal(self, details: dict[str, Any]) -> None:
        """Put what the way back needs in, encrypted."""
        self.sealed = encrypt(json.dumps(details), _PURPOSE)

    def unseal(self) -> dict[str, Any]:
        """Take it out.

        Raises:
            ValueError: it is encrypted with a key that the site has given up.
        """
        details: dict[str, Any] = json.loads(decrypt(self.sealed, _PURPOSE))
        return details
