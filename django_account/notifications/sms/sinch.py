"""Sinch: https://developers.sinch.com/docs/sms/api-reference/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Sends a batch of one by Sinch's SMS API.

    Options:
        service_plan_id, api_token: the service plan.
        sender: a number or name; without one the plan's default.
        endpoint, timeout: see ``BaseHTTPBackend``. Other regions have hosts of their own, for
            instance ``https://eu.sms.api.sinch.com``.
    """

    required: ClassVar[tuple[str, ...]] = ("service_plan_id", "api_token")
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://us.sms.api.sinch.com",
        "sender": "",
    }

    def build_request(self, message: SMSMessage) -> Request:
        """JSON, with a bearer token."""
        sender = {"from": self.options["sender"]} if self.options["sender"] else {}
        plan = quote(self.options["service_plan_id"], safe="")
        return Request.json(
            f"{self.endpoint}/xms/v1/{plan}/batches",
            {**sender, "to": [message.to], "body": message.body, "type": "mt_text"},
            {"Authorization": f"Bearer {self.options['api_token']}"},
        )

    def verdict(self, answer: Any) -> object:
        """A batch taken has an id; an error has a code in words."""
        return TAKEN if answer.get("id") else answer["code"]
