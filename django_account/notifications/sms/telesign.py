"""Telesign: https://developer.telesign.com/enterprise/reference/sms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request, basic


class SMSBackend(BaseHTTPBackend):
    """Sends by Telesign's SMS API.

    Options:
        customer_id, api_key: the account.
        sender: a sender id; without one Telesign chooses.
        endpoint, timeout: see ``BaseHTTPBackend``. Accounts of the self-service product use
            ``https://rest-api.telesign.com``.
    """

    required: ClassVar[tuple[str, ...]] = ("customer_id", "api_key")
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://rest-ww.telesign.com",
        "sender": "",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """A form that declares the message a one-time code."""
        return Request.form(
            f"{self.endpoint}/v1/messaging",
            {
                "phone_number": message.digits,
                "message": message.body,
                "message_type": "OTP",
                "sender_id": self.options["sender"],
            },
            basic(self.options["customer_id"], self.options["api_key"]),
        )

    def verdict(self, answer: Any) -> object:
        """The status code says it, not HTTP: 200 and 203 are delivered, 290 to 299 under way."""
        code = int(answer["status"]["code"])
        return TAKEN if code in (200, 203) or 290 <= code <= 299 else code
