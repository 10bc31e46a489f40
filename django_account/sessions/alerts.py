"""Telling a person of a new session by e-mail (core.md §10.4, transport.md §13.2)."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from django_account import signals
from django_account.accounts.models import Account
from django_account.conf import conf
from django_account.core.clients import ClientInfo
from django_account.core.geo import UNKNOWN_COUNTRY, country_name
from django_account.core.messages import Message
from django_account.sessions.models import Session

# After that nobody is helped by it any more.
LIFETIME = timedelta(days=1)


def is_alarming(account: Account, session: Session) -> bool:
    """Whether a new session is news to its owner.

    It is not when an e-mail of ours led to it, when it is the only one, and when nobody signed in:
    a server made it, or the account with it. Call it before the session cap ends older ones.
    """
    by_email = session.provider in ("magic-url", "token") and "email" in session.factors
    return bool(
        conf.session_alerts
        and conf.sends_mail
        and account.email
        and not by_email
        and session.provider not in ("anonymous", "server")
        and Session.objects.active().filter(account=account).exclude(pk=session.pk).exists()
    )


def request_alert(account: Account, session: Session, client: ClientInfo) -> None:
    """Have the owner told where the session was made, in the language of whoever made it."""
    country, locale = session.country_code, client.locale or settings.LANGUAGE_CODE
    message = Message(
        kind="session-alert",
        channel="email",
        recipient=account.email or "",
        name=account.name,
        locale=locale,
        expires_at=timezone.now() + LIFETIME,
        client=client,
        country="" if country == UNKNOWN_COUNTRY else country_name(country, locale),
    )
    signals.message_requested.send_robust(sender=None, account=account, message=message)
