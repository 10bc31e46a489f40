"""The record of a person."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.conf import conf
from django_account.core import emails
from django_account.core.fields import Bytes, ExactCharField
from django_account.core.ids import unique_id
from django_account.core.times import is_stale

# The factors that the gate counts (mfa-oauth.md §8.2).
GATE_FACTORS: Final = ("totp", "email", "phone")


class AccountQuerySet(models.QuerySet["Account"]):
    """Accounts, many at once."""

    def with_user(self) -> AccountQuerySet:
        """Each account with its user, in the same statement."""
        return self.select_related("user")


class Account(models.Model):
    """What the Account API knows about a user of the site, beside the site's own user table.

    The password, ``is_active`` and ``last_login`` live on the user only.
    """

    public_id = ExactCharField(_("public id"), max_length=36, unique=True, default=unique_id)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="django_account"
    )
    name = models.CharField(_("name"), max_length=128, blank=True)
    # In normal form (core.emails.normalize), so that a plain unique index finds and guards it.
    email = models.EmailField(
        _("e-mail"), max_length=emails.MAX_LENGTH, null=True, blank=True, unique=True
    )
    email_verified = models.BooleanField(_("e-mail verified"), default=False)
    phone = models.CharField(_("phone"), max_length=16, null=True, blank=True, unique=True)
    phone_verified = models.BooleanField(_("phone verified"), default=False)
    labels = models.JSONField(_("labels"), default=list, blank=True)
    prefs = models.JSONField(_("preferences"), default=dict, blank=True)
    mfa_enabled = models.BooleanField(default=False)
    # Whether there is a verified authenticator. Kept by mfa.services.follow_authenticator, so that
    # the gate needs no statement of its own.
    totp_verified = models.BooleanField(default=False, editable=False)
    # Whether this person may act as another (transport.md §8).
    impersonator = models.BooleanField(default=False)
    # When the password was last set; empty when there never was one.
    password_changed_at = models.DateTimeField(null=True, blank=True)
    # A hash made elsewhere that the user's password column is too narrow for (accounts.hashers).
    imported_hash = models.TextField(blank=True, default="", editable=False)
    # The hashes of the last passwords, newest last, while PASSWORD_HISTORY is on.
    password_history = models.JSONField(default=list, blank=True, editable=False)
    # Refuses every request until a new password is set (core.md §1, stage 11).
    password_reset_required = models.BooleanField(default=False)
    registered_at = models.DateTimeField(_("registered"), default=timezone.now)
    accessed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("account"), _("accounts")
        # What lists are ordered and filtered by (users.md §1.1). PostgreSQL gets more of them in
        # the migration 0002: search, labels, and columns of which a part is empty.
        indexes = [
            models.Index(fields=[name, "id"], name=f"account_by_{name}")
            for name in (
                "name",
                "created_at",
                "updated_at",
                "registered_at",
                "email_verified",
                "phone_verified",
                "impersonator",
            )
        ] + [
            # Few have it, and staff ask for them.
            models.Index(
                fields=["id"], condition=models.Q(mfa_enabled=True), name="account_with_mfa"
            )
        ]
        # One for each act of the admin that Django's own do not cover (admin/acts.py).
        permissions = [
            ("anonymise_account", "Can anonymise an account"),
            ("block_account", "Can block and unblock an account"),
            ("end_sessions_account", "Can end an account's sessions"),
            ("export_account", "Can export an account's data"),
            ("impersonate_account", "Can act as another person"),
            ("require_password_account", "Can require a new password of an account"),
            ("reset_mfa_account", "Can reset an account's second factors"),
            ("send_recovery_account", "Can send a recovery to an account"),
            ("send_verification_account", "Can send a verification to an account"),
            ("set_password_account", "Can set an account's password"),
            ("unlink_identity_account", "Can unlink an account's identities"),
            ("verify_account", "Can say whether an account's addresses are verified"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email__isnull=True)
                | (models.Q(email=Bytes(Lower("email"))) & ~models.Q(email="")),
                name="account_email_in_normal_form",
            ),
            models.CheckConstraint(condition=~models.Q(phone=""), name="account_phone_not_empty"),
            models.CheckConstraint(
                condition=~models.Q(public_id=""), name="account_public_id_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return self.email or self.phone or self.name or self.public_id

    @property
    def is_active(self) -> bool:
        """False when the person is blocked."""
        return bool(self.user.is_active)

    @property
    def has_password(self) -> bool:
        """Whether the person can sign in with a password."""
        return bool(self.user.password) and self.user.has_usable_password()

    @property
    def required_factors(self) -> int:
        """How many factors a session needs before it may act (core.md §1.1)."""
        return 2 if self.mfa_enabled and self.verified_factors else 1

    @property
    def verified_factors(self) -> list[str]:
        """What the person has verified and MFA_FACTORS allows, of the factors that the gate counts.

        Recovery codes, the custom factor and the site's own answer challenges, but do not by
        themselves demand any (mfa-oauth.md §8.2).
        """
        allowed = conf.mfa_factors
        return [
            name for name in GATE_FACTORS if getattr(self, f"{name}_verified") and allowed[name]
        ]

    def needs_touch(self, now: datetime) -> bool:
        """Whether ``accessed_at`` is stale enough to be written."""
        return is_stale(self.accessed_at, now)

    def personal_data(self) -> list[str]:
        """What a password must not contain when PASSWORD_PERSONAL_DATA is on."""
        email = self.email or ""
        phone = self.phone or ""
        return [self.public_id, email, email.partition("@")[0], self.name, phone, phone.lstrip("+")]
