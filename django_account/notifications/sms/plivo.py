"""Plivo: https://docs.plivo.com/docs/messaging/api/message/send-a-message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request, basic


class SMSBackend(BaseHTTPBackend):
    """Sends by Plivo's Message API.

    Options:
        auth_id, auth_token: the account.
        sender: a number or name.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("auth_id", "auth_token", "sender")
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://api.plivo.com",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """JSON, authenticated by the account."""
        account = self.options["auth_id"]
        return Request.json(
            f"{self.endpoint}/v1/Account/{quote(account, safe='')}/Message/",
            {"src": self.options["sender"], "dst": message.to, "text": message.body},
            basic(account, self.options["auth_token"]),
        )

    def verdict(self, answer: Any) -> object:
        """A message taken has an id; an error has words only."""
        return TAKEN if answer["message_uuid"] else None
