"""No SMS at all."""

from __future__ import annotations

from django_account.notifications.sms.base import BaseSMSBackend, SMSMessage


class SMSBackend(BaseSMSBackend):
    """Does nothing. A site with this backend is one without SMS."""

    def deliver(self, message: SMSMessage) -> None:
        """Drop the message."""
