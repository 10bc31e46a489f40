"""Vonage, formerly Nexmo: https://developer.vonage.com/en/api/sms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request, basic


class SMSBackend(BaseHTTPBackend):
    """Sends by Vonage's SMS API.

    Options:
        api_key, api_secret: the account.
        sender: a number or name.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("api_key", "api_secret", "sender")
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://rest.nexmo.com",
    }
    # Throttled; internal error; too many connections.
    retryable_codes: ClassVar[frozenset[str]] = frozenset({"1", "5", "10"})

    def build_request(self, message: SMSMessage) -> Request:
        """A form that says whether the text needs Unicode."""
        return Request.form(
            f"{self.endpoint}/sms/json",
            {
                "from": self.options["sender"].removeprefix("+"),
                "to": message.digits,
                "text": message.body,
                "type": "text" if message.is_gsm else "unicode",
            },
            basic(self.options["api_key"], self.options["api_secret"]),
        )

    def verdict(self, answer: Any) -> object:
        """The answer is 200 even for an error: each part of a long text has a status, "0" if
        taken."""
        statuses = [str(part["status"]) for part in answer["messages"]]
        return TAKEN if set(statuses) == {"0"} else max(statuses)
