"""Infobip: https://www.infobip.com/docs/api/channels/sms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Sends by Infobip's SMS API, version 3.

    Options:
        endpoint: the account's own base URL, ``https://….api.infobip.com``.
        api_key: the account.
        sender: a number or name.
        timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("endpoint", "api_key", "sender")
    defaults: ClassVar[Mapping[str, Any]] = {"timeout": BaseHTTPBackend.defaults["timeout"]}
    retryable_codes: ClassVar[frozenset[str]] = frozenset({"REJECTED_SYSTEM_ERROR"})

    def build_request(self, message: SMSMessage) -> Request:
        """JSON, with the key in a scheme of Infobip's own."""
        return Request.json(
            f"{self.endpoint}/sms/3/messages",
            {
                "messages": [
                    {
                        "sender": self.options["sender"],
                        "destinations": [{"to": message.digits}],
                        "content": {"text": message.body},
                    }
                ]
            },
            {"Authorization": f"App {self.options['api_key']}"},
        )

    def verdict(self, answer: Any) -> object:
        """The answer is 200 even for an error: the message's status tells its group and name.
        Errors of the whole call have a code."""
        if not answer.get("messages"):
            return answer["errorCode"]
        status = answer["messages"][0]["status"]
        taken = status["groupName"] in ("ACCEPTED", "PENDING", "DELIVERED")
        return TAKEN if taken else status.get("name")
