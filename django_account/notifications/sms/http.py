"""SMS by a webhook of the site's own."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from django_account.notifications.sms.base import TAKEN, BaseHTTPBackend, SMSMessage
from django_account.notifications.sms.transport import Request


class SMSBackend(BaseHTTPBackend):
    """Posts ``{"to": "+1…", "body": "…"}`` to a URL; any 2xx answer means that it was taken.

    Options:
        endpoint: the URL to post to.
        secret: signs the call. ``X-Signature: t=<seconds>,v1=<hex>`` is then the HMAC-SHA256,
            under this secret, of the seconds, a full stop and the body.
        headers: further headers, for instance ``{"Authorization": "Bearer …"}``.
        timeout: see ``BaseHTTPBackend``.
    """

    required: ClassVar[tuple[str, ...]] = ("endpoint",)
    defaults: ClassVar[Mapping[str, Any]] = {"secret": "", "headers": {}, "timeout": 10}

    def build_request(self, message: SMSMessage) -> Request:
        """The message as JSON, signed where there is a secret."""
        request = Request.json(self.options["endpoint"], {"to": message.to, "body": message.body})
        headers = {**request.headers, **self.options["headers"]}
        if secret := self.options["secret"]:
            now = str(int(time.time()))
            signed = now.encode() + b"." + request.body
            signature = hmac.digest(str(secret).encode(), signed, "sha256").hex()
            headers["X-Signature"] = f"t={now},v1={signature}"
        return Request(request.url, request.body, headers)

    def verdict(self, answer: Any) -> object:
        """Taken, as far as the body goes: the HTTP status says all."""
        return TAKEN
