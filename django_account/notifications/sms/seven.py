"""seven, formerly sms77: https://docs.seven.io/en/rest-api/endpoints/sms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Sends by seven's SMS API.

    Options:
        api_key: the account.
        sender: a number or name; without one the account's.
        endpoint, timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("api_key",)
    defaults: ClassVar[Mapping[str, Any]] = {
        **BaseHTTPBackend.defaults,
        "endpoint": "https://gateway.seven.io",
        "sender": "",
    }
    # The operator could not be reached; unknown error.
    retryable_codes: ClassVar[frozenset[str]] = frozenset({"600", "700"})

    def build_request(self, message: SMSMessage) -> Request:
        """A form, authenticated by a header."""
        return Request.form(
            f"{self.endpoint}/api/sms",
            {"to": message.to, "text": message.body, "from": self.options["sender"]},
            {"X-Api-Key": self.options["api_key"]},
        )

    def verdict(self, answer: Any) -> object:
        """The answer is 200 even for an error: 100 if taken, some other code if not, alone or in
        an object."""
        code = str(answer if isinstance(answer, int) else answer["success"])
        return TAKEN if code == "100" else code
