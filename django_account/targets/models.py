"""Addresses a person can be reached at."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.core.fields import ExactCharField
from django_account.core.ids import unique_id


class Target(models.Model):
    """One address: e-mail, phone or a device's push token. It belongs to one person at a time."""

    class ProviderType(models.TextChoices):
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")
        PUSH = "push", _("Push")

    public_id = ExactCharField(max_length=36, unique=True, default=unique_id)
    account = models.ForeignKey(
        "django_account.Account", on_delete=models.CASCADE, related_name="targets"
    )
    # A push target dies with the session that registered it.
    session = models.ForeignKey(
        "django_account.Session",
        on_delete=models.CASCADE,
        related_name="targets",
        null=True,
        blank=True,
    )
    provider_type = models.CharField(max_length=8, choices=ProviderType)
    provider_id = ExactCharField(max_length=36, null=True, blank=True)
    identifier = ExactCharField(max_length=255, unique=True)
    name = models.CharField(max_length=128, blank=True)
    expired = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name, verbose_name_plural = _("target"), _("targets")

    def __str__(self) -> str:
        return f"{self.provider_type}: {self.identifier}"
