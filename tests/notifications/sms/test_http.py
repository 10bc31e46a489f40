"""The site's own webhook."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime

import time_machine

from tests.cases.sms import BODY, TO, GatewayServer, SMSBackendCase

SECRET = "wh-secret-ü"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class TestWebhook(SMSBackendCase):
    module = "http"
    options = {"secret": SECRET, "headers": {"Authorization": "Bearer wh-token"}}
    required = ("endpoint",)
    secrets = (SECRET, "wh-token")
    path = ""
    headers = {"authorization": "Bearer wh-token", "content-type": "application/json"}
    fields = {"to": TO, "body": BODY}
    text_at = ("body",)
    taken = (204, b"")
    refusals = [(410, {"code": 7}, "", False), (503, b"", "", True)]
    reads_answers = False

    def test_the_request_is_the_documented_one(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(f"{gateway.url}/sms/in/?a=b").send_messages([self.message()])
        (request,) = gateway.requests
        assert (request.method, request.path) == ("POST", "/sms/in/?a=b")
        assert {name: request.headers[name] for name in self.headers} == self.headers
        assert request.fields == self.fields

    def test_the_signature_holds_time_and_body(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        with time_machine.travel(NOW, tick=False):
            self.backend(gateway.url).send_messages([self.message("🔐 12")])
        (request,) = gateway.requests
        match = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.headers["x-signature"])
        assert match is not None
        assert int(match[1]) == NOW.timestamp()
        signed = f"{match[1]}.".encode() + request.body
        assert match[2] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()

    def test_without_a_secret_nothing_is_signed(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url, secret="").send_messages([self.message()])
        assert "x-signature" not in gateway.requests[0].headers

    def test_a_header_with_a_line_break_is_not_sent(self, gateway: GatewayServer) -> None:
        error = self.failure(gateway.url, headers={"X-A": "wh-token\r\nX-B: 1"})
        assert "ValueError" in str(error)
        assert not gateway.requests
