"""Textmagic: https://www.textmagic.com/docs/api/send-sms/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Sends by Textmagic's REST API, version 2.

    Options:
        username, api_key: the account, and a key of version 2.
        sender: a number or name; without one Textmagic chooses.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("username", "api_key")
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://rest.textmagic.com",
        "sender": "",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """A form, authenticated by two headers."""
        return Request.form(
            f"{self.endpoint}/api/v2/messages",
            {
                "phones": message.digits,
                "text": message.body,
                "from": self.options["sender"].removeprefix("+"),
            },
            {"X-TM-Username": self.options["username"], "X-TM-Key": self.options["api_key"]},
        )

    def verdict(self, answer: Any) -> object:
        """A message taken has an id; an error has a code, the HTTP status again."""
        return TAKEN if answer.get("id") else answer["code"]
