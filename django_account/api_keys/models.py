"""Server keys and their scopes."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.core.fields import ExactCharField
from django_account.core.times import is_stale

# What a key may be granted (transport.md §6.2). "account" is not among them: a key is nobody.
GRANTABLE_SCOPES = (
    "users.read",
    "users.write",
    "sessions.read",
    "sessions.write",
    "targets.read",
    "targets.write",
    "teams.read",
    "teams.write",
)


MAX_NAME_LENGTH = 128


class ApiKey(models.Model):
    """A secret by which a server calls the API. It is shown once; its digest is stored."""

    name = models.CharField(
        _("name"),
        max_length=MAX_NAME_LENGTH,
        help_text=_("What the key is for, so that it can be told apart."),
    )
    secret_digest = ExactCharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    expires_at = models.DateTimeField(
        _("expiry"), null=True, blank=True, help_text=_("Empty: never.")
    )
    accessed_at = models.DateTimeField(
        _("last used"), null=True, blank=True, editable=False, help_text=_("To the day.")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("API key"), _("API keys")

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def needs_touch(self, now: datetime) -> bool:
        """Whether ``accessed_at`` is stale enough to be written."""
        return is_stale(self.accessed_at, now)
