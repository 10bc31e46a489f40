"""MSG91: https://docs.msg91.com/sms/send-sms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Sends by MSG91's Flow API: a template registered there, filled in.

    The template's ``##otp##`` becomes the code and ``##content##`` the whole text.

    Options:
        auth_key: the account.
        template_id: the template.
        sender: a sender id; without one the template's.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("auth_key", "template_id")
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://control.msg91.com",
        "sender": "",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """JSON, with the values for the template's variables beside the number."""
        sender = {"sender": self.options["sender"]} if self.options["sender"] else {}
        return Request.json(
            f"{self.endpoint}/api/v5/flow/",
            {
                "template_id": self.options["template_id"],
                **sender,
                "recipients": [
                    {
                        "mobiles": message.digits,
                        "otp": message.code or message.body,
                        "content": message.body,
                    }
                ],
            },
            {"authkey": self.options["auth_key"]},
        )

    def verdict(self, answer: Any) -> object:
        """The answer is 200 even for an error; its type is "success" or "error"."""
        return TAKEN if answer["type"] == "success" else answer.get("code")
