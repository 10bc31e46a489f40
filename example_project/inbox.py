"""Where the example site's mails and SMS go unless it is told: the console and the inbox page."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import getaddresses
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import console

from django_account.notifications.sms import SMSMessage
from django_account.notifications.sms.console import SMSBackend as ConsoleSMSBackend


class EmailBackend(console.EmailBackend):
    """Django's console backend, which puts a copy into the inbox while DEBUG is on."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages if settings.DEBUG else ():
            _keep_mail(message)
        return super().send_messages(email_messages)


class SMSBackend(ConsoleSMSBackend):
    """The console backend, which puts a copy into the inbox while DEBUG is on."""

    def deliver(self, message: SMSMessage) -> None:
        if settings.DEBUG:
            _keep(channel="sms", recipient=message.to, text=message.body)
        super().deliver(message)


def _keep_mail(message: EmailMessage) -> None:
    alternatives: list[Any] = getattr(message, "alternatives", [])
    html = next((content for content, kind in alternatives if kind == "text/html"), "")
    _keep(
        channel="email",
        recipient=", ".join(address for _, address in getaddresses(message.to)),
        subject=str(message.subject),
        text=str(message.body),
        html=str(html),
    )


def _keep(**fields: str) -> None:
    # Settings name this module before there are models.
    from example_project.models import Message

    Message.objects.keep(**fields)
