"""The app's configuration: the one place that knows everybody."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class DjangoAccountConfig(AppConfig):
    """Registers the system checks and connects the receivers."""

    name = "django_account"
    label = "django_account"
    verbose_name = _("Accounts")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django_account import (
            checks,  # noqa: F401, registers itself
            signals,
        )
        from django_account.accounts.models import Account
        from django_account.audit import receivers as audit
        from django_account.mfa.models import Authenticator
        from django_account.mfa.services import follow_authenticator
        from django_account.notifications.receivers import message_requested
        from django_account.selfservice.site_changes import user_saved

        # Of every sender: Django names a proxy or a child of the user model by its own class.
        post_save.connect(user_saved, dispatch_uid="django_account.user_saved")
        for signal in (post_save, post_delete):
            signal.connect(
                follow_authenticator,
                sender=Authenticator,
                dispatch_uid="django_account.follow_authenticator",
            )
        signals.message_requested.connect(
            message_requested, dispatch_uid="django_account.message_requested"
        )
        for name in (
            "acted",
            "account_created",
            "account_updated",
            "account_anonymised",
            "anonymise_requested",
            "session_created",
            "impersonation_started",
            "session_updated",
            "session_deleted",
            "authenticator_added",
            "authenticator_removed",
            "recovery_codes_created",
            "challenge_completed",
            "identity_linked",
            "identity_deleted",
            "target_created",
            "target_updated",
            "target_deleted",
        ):
            getattr(signals, name).connect(
                getattr(audit, name), dispatch_uid=f"django_account.audit.{name}"
            )
        post_delete.connect(
            audit.account_deleted,
            sender=Account,
            dispatch_uid="django_account.audit.account_deleted",
        )
