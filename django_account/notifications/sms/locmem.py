"""SMS in memory, for tests."""

from __future__ import annotations

from django_account.notifications import sms
from django_account.notifications.sms.base import BaseSMSBackend, SMSMessage


class SMSBackend(BaseSMSBackend):
    """Appends messages to ``django_account.notifications.sms.outbox``."""

    def deliver(self, message: SMSMessage) -> None:
        """Append the message."""
        sms.outbox.append(message)
