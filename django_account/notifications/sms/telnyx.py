"""Telnyx: https://developers.telnyx.com/api-reference/messages/send-a-message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Sends by Telnyx's Messaging API.

    Options:
        api_key: the account.
        sender: a number, short code or name; may be left out with a profile's number pool.
        messaging_profile_id: the profile, needed for names and number pools.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("api_key",)
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://api.telnyx.com",
        "sender": "",
        "messaging_profile_id": "",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """JSON, with a bearer token."""
        fields = {
            "from": self.options["sender"],
            "messaging_profile_id": self.options["messaging_profile_id"],
            "to": message.to,
            "text": message.body,
        }
        return Request.json(
            f"{self.endpoint}/v2/messages",
            {name: value for name, value in fields.items() if value},
            {"Authorization": f"Bearer {self.options['api_key']}"},
        )

    def verdict(self, answer: Any) -> object:
        """A message taken comes back as data; errors come in a list."""
        return TAKEN if answer.get("data") else answer["errors"][0]["code"]
