"""Fast2SMS, for numbers in India: https://docs.fast2sms.com."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Sends by Fast2SMS's bulk API to numbers that begin with +91.

    Options:
        api_key: the account.
        route: ``"q"`` sends the text as it is; ``"dlt"`` sends a registered template, ``"otp"``
            Fast2SMS's own, and both take the code alone.
        sender, template_id: the registered sender and message id, for ``"dlt"``.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("api_key",)
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://www.fast2sms.com",
        "route": "q",
        "sender": "",
        "template_id": "",
    }

    def __init__(self, **options: Any) -> None:
        """Take the site's ``SMS_OPTIONS``.

        Raises:
            ImproperlyConfigured: as in the base class, or the route is none or lacks its template.
        """
        super().__init__(**options)
        if self.options["route"] not in ("q", "dlt", "otp"):
            raise ImproperlyConfigured(
                'DJANGO_ACCOUNT["SMS_OPTIONS"]["route"] must be "q", "dlt" or "otp".'
            )
        if self.options["route"] == "dlt":
            for name in ("sender", "template_id"):
                if not self.options[name]:
                    raise ImproperlyConfigured(
                        f'Set DJANGO_ACCOUNT["SMS_OPTIONS"]["{name}"], which the route "dlt" needs.'
                    )

    def build_request(self, message: SMSMessage) -> Request:
        """A form; the number goes without its country code.

        Raises:
            SMSError: the number is not Indian.
        """
        if not message.to.startswith("+91"):
            raise self.error(message, "sends to numbers in India only")
        route = self.options["route"]
        fields = {"route": route, "numbers": message.to.removeprefix("+91"), "flash": "0"}
        if route == "q":
            fields["message"] = message.body
            fields["language"] = "english" if message.body.isascii() else "unicode"
        else:
            fields["variables_values"] = message.code or message.body
        if route == "dlt":
            fields["sender_id"] = self.options["sender"]
            fields["message"] = self.options["template_id"]
        return Request.form(
            f"{self.endpoint}/dev/bulkV2", fields, {"authorization": self.options["api_key"]}
        )

    def verdict(self, answer: Any) -> object:
        """An answer taken returns true; an error has a status code of its own."""
        return TAKEN if answer["return"] is True else answer.get("status_code")
