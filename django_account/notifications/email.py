"""Sends e-mails through the site's own mailer."""

from __future__ import annotations

from email.headerregistry import Address
from smtplib import SMTPRecipientsRefused

from django.core.mail import EmailMultiAlternatives

from django_account.accounts.users import PLACEHOLDER_DOMAIN
from django_account.conf import conf
from django_account.core.messages import Message
from django_account.notifications.rendering import presentable, render_email, sms_text

__all__ = ["Undeliverable", "send", "sms_text"]


class Undeliverable(Exception):
    """The address is nobody's: another try would end the same."""

    retryable = False


def send(message: Message) -> None:
    """Write an e-mail and send it.

    Raises:
        Undeliverable: the address is a placeholder of a person who has none, or the mail server
            refused it for good.
        TemplateDoesNotExist: there are no texts for messages of this kind.
        ValueError: the address is malformed.
        OSError: the mail server did not take it. Other mailers have errors of their own.
    """
    if message.recipient.lower().endswith(f"@{PLACEHOLDER_DOMAIN}"):
        raise Undeliverable("The address is a placeholder.")
    mail = render_email(message)
    to = Address(display_name=presentable(message.name), addr_spec=message.recipient)
    email = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=conf.email_sender,
        to=[str(to)],
        headers={"Auto-Submitted": "auto-generated"},
    )
    email.attach_alternative(mail.html, "text/html")
    try:
        email.send()
    except SMTPRecipientsRefused as error:
        if all(code >= 500 for code, _ in error.recipients.values()):
            raise Undeliverable(f"The mail server refused the address: {error}") from error
        raise
