"""Text messages, in the shape of Django's e-mail: a backend named by a setting, options beside it.

from django_account.notifications import sms

with sms.get_connection() as connection:
    connection.send_messages([sms.SMSMessage("+15551234567", "123456 is your code.")])
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from django_account.conf import conf
from django_account.notifications.sms.base import (
    BaseHTTPBackend,
    BaseSMSBackend,
    SMSError,
    SMSMessage,
    SMSRefused,
)

__all__ = [
    "BaseHTTPBackend",
    "BaseSMSBackend",
    "SMSError",
    "SMSMessage",
    "SMSRefused",
    "get_connection",
    "is_configured",
    "outbox",
]

# What the in-memory backend "sent", like django.core.mail.outbox.
outbox: list[SMSMessage] = []


def is_configured() -> bool:
    """Whether the site has chosen a way to send SMS.

    Returns:
        False where ``SMS_BACKEND`` is empty or the dummy backend; phone sign-in is off there.
    """
    return conf.sends_sms


def get_connection(backend: str | None = None, **options: Any) -> BaseSMSBackend:
    """An SMS backend, ready to send.

    Args:
        backend: dotted path of its class; without one, the site's ``SMS_BACKEND``.
        options: what it is built with. For the site's backend they are laid over its
            ``SMS_OPTIONS``; a backend named here gets these alone.

    Raises:
        ImproperlyConfigured: no backend is chosen, it cannot be imported, or an option is missing,
            unknown or wrong.
    """
    if backend is None:
        backend, options = conf.sms_backend, {**conf.sms_options, **options}
    if not backend:
        raise ImproperlyConfigured('Set DJANGO_ACCOUNT["SMS_BACKEND"] to send SMS.')
    try:
        backend_class = import_string(backend)
    except ImportError as error:
        raise ImproperlyConfigured(
            f'DJANGO_ACCOUNT["SMS_BACKEND"] is {backend!r}, which cannot be imported: {error}'
        ) from error
    connection: BaseSMSBackend = backend_class(**options)
    return connection
