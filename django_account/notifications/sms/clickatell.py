"""Clickatell: https://guides.clickatell.com, "One API"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Sends by Clickatell's One API.

    Options:
        api_key: the key of an integration with the SMS channel.
        sender: the number, for two-way integrations.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("api_key",)
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://platform.clickatell.com",
        "sender": "",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """JSON, with the bare key as authorization."""
        sender = self.options["sender"].removeprefix("+")
        return Request.json(
            f"{self.endpoint}/v1/message",
            {
                "messages": [
                    {
                        "channel": "sms",
                        "to": message.digits,
                        "content": message.body,
                        **({"from": sender} if sender else {}),
                    }
                ]
            },
            {"Authorization": self.options["api_key"]},
        )

    def verdict(self, answer: Any) -> object:
        """An error is of the whole call or of the message; either has a code."""
        if answer.get("error"):
            return answer["error"]["code"]
        message = answer["messages"][0]
        return TAKEN if message["accepted"] is True else message["error"]["code"]
