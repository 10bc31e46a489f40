"""InforUMobile: https://apidoc.inforu.co.il."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request, basic


class SMSBackend(BaseHTTPBackend):
    """Sends by InforUMobile's API, version 2.

    Options:
        username, api_token: the account.
        sender: a number or name.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("username", "api_token", "sender")
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://capi.inforu.co.il",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """JSON."""
        return Request.json(
            f"{self.endpoint}/api/v2/SMS/SendSms",
            {
                "Data": {
                    "Message": message.body,
                    "Recipients": [{"Phone": message.digits}],
                    "Settings": {"Sender": self.options["sender"]},
                }
            },
            basic(self.options["username"], self.options["api_token"]),
        )

    def verdict(self, answer: Any) -> object:
        """The answer is 200 even for an error; its status is 1 if the message was taken."""
        return TAKEN if str(answer["StatusId"]) == "1" else answer["StatusId"]
