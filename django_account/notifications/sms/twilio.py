"""Twilio: https://www.twilio.com/docs/messaging/api/message-resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request, basic


class SMSBackend(BaseHTTPBackend):
    """Sends by Twilio's Messages resource.

    Options:
        account_sid: the account, ``AC…``.
        auth_token: its token, or the secret of ``api_key``.
        sender: a number, a sender id, or a Messaging Service, ``MG…``.
        api_key: an API key, ``SK…``, to authenticate with instead of the account.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("account_sid", "auth_token", "sender")
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://api.twilio.com",
        "api_key": "",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """A form, authenticated by the account or an API key."""
        account, sender = self.options["account_sid"], self.options["sender"]
        is_service = sender.startswith("MG") and len(sender) == 34
        return Request.form(
            f"{self.endpoint}/2010-04-01/Accounts/{quote(account, safe='')}/Messages.json",
            {
                "To": message.to,
                "MessagingServiceSid" if is_service else "From": sender,
                "Body": message.body,
            },
            basic(self.options["api_key"] or account, self.options["auth_token"]),
        )

    def verdict(self, answer: Any) -> object:
        """A message taken has an id; an error has a code of five digits."""
        return TAKEN if answer.get("sid") else answer["code"]
