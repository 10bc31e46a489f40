"""What every SMS gateway does, against a real HTTP server that speaks its wire.

A gateway's test is a subclass with the gateway's words: its options, a request as its documentation
has it, and its answers.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_account.notifications.sms import BaseSMSBackend, SMSError, SMSMessage, get_connection

TO = "+4915112345678"
CODE = "402718"
BODY = f"Hello & welcome! Your code is {CODE}."


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Received:
    """A request that the server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> Any:
        """The body, read by its content type."""
        if self.headers["content-type"] == "application/json":
            return json.loads(self.body)
        assert self.headers["content-type"] == "application/x-www-form-urlencoded"
        return dict(parse_qsl(self.body.decode("ascii"), strict_parsing=True))


@dataclass
class GatewayServer:
    """A local gateway: records requests, and answers as it is told."""

    requests: list[Received] = field(default_factory=list)
    status: int = 200
    answer: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    # Seconds before the answer, and between its bytes.
    delay: float = 0
    drip: float = 0
    # How often to send the answer's bytes again, and how many bytes went out.
    repeat: int = 1
    written: int = 0

    def says(self, status: int, answer: Any, **headers: str) -> None:
        self.status = status
        self.answer = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.headers = headers

    def start(self) -> None:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                gateway.requests.append(
                    Received(self.command, self.path, headers, self.rfile.read(length))
                )
                time.sleep(gateway.delay)
                # A client that hangs up early does as it should.
                with suppress(OSError):
                    gateway.respond(self)

            def do_GET(self) -> None:
                gateway.requests.append(Received("GET", self.path, {}, b""))
                gateway.respond(self)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(self.answer) * self.repeat))
        handler.end_headers()
        if self.drip:
            for index in range(len(self.answer)):
                handler.wfile.write(self.answer[index : index + 1])
                time.sleep(self.drip)
            return
        for _ in range(self.repeat):
            handler.wfile.write(self.answer)
            self.written += len(self.answer)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


def closed_port() -> str:
    """The URL of a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[GatewayServer]:
    """A running gateway, reached without a proxy."""
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    server = GatewayServer()
    server.start()
    yield server
    server.stop()


class SMSBackendCase:
    """Inherit it, say the gateway's words, and its backend is tested."""

    # The module below django_account.notifications.sms.
    module: ClassVar[str]
    # What the backend needs; every value that is a secret is listed in ``secrets``.
    options: ClassVar[dict[str, Any]]
    required: ClassVar[tuple[str, ...]]
    secrets: ClassVar[tuple[str, ...]]
    to: ClassVar[str] = TO

    path: ClassVar[str]
    # Headers of the request, by their lower-case names.
    headers: ClassVar[dict[str, str]]
    # The request's fields for BODY, and where the text is in them.
    fields: ClassVar[dict[str, Any]]
    text_at: ClassVar[tuple[str | int, ...]]

    taken: ClassVar[tuple[int, Any]]
    # Answers that refuse: status, body, the code that the error quotes, whether it may pass.
    refusals: ClassVar[list[tuple[int, Any, str, bool]]]
    # False where any 2xx answer is taken for a yes.
    reads_answers: ClassVar[bool] = True

    def backend(self, endpoint: str, **options: Any) -> BaseSMSBackend:
        path = f"django_account.notifications.sms.{self.module}.SMSBackend"
        return get_connection(path, **{**self.options, "endpoint": endpoint, **options})

    def message(self, body: str = BODY) -> SMSMessage:
        return SMSMessage(self.to, body, CODE)

    def failure(self, endpoint: str, **options: Any) -> SMSError:
        with pytest.raises(SMSError) as caught:
            self.backend(endpoint, **options).send_messages([self.message()])
        self.assert_discreet(caught.value)
        return caught.value

    def assert_discreet(self, error: SMSError) -> None:
        """The error tells no code, number or credential, nor does an error behind it."""
        assert error.__cause__ is None
        assert error.__context__ is None
        for hidden in (CODE, BODY, self.to, self.to[1:], self.to[3:], *self.secrets):
            assert hidden not in str(error)
            assert hidden not in repr(error)
        assert f"{self.to[:3]}…{self.to[-2:]}" in str(error)
        assert str(error).startswith(f"{self.module}: ")

    # --- the request ---

    def test_the_request_is_the_documented_one(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        assert self.backend(gateway.url).send_messages([self.message()]) == 1
        (request,) = gateway.requests
        assert request.method == "POST"
        assert request.path == self.path
        assert {name: request.headers.get(name) for name in self.headers} == self.headers
        assert request.fields == self.fields

    @pytest.mark.parametrize(
        "text",
        [
            "Grüße: 100 % + €5 ^{}[~]|\\ &a=b;c",
            "رمزك هو ٤٠٢",
            "🔐 код 験証\nנחמד",
            "a\u2028b\u00a0c",
        ],
        ids=["gsm", "arabic", "mixed", "separators"],
    )
    def test_text_in_any_script_arrives_intact(self, gateway: GatewayServer, text: str) -> None:
        gateway.says(*self.taken)
        self.backend(gateway.url).send_messages([self.message(text)])
        found: Any = gateway.requests[0].fields
        for step in self.text_at:
            found = found[step]
        assert found == text

    def test_messages_go_one_after_another(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        with self.backend(gateway.url) as connection:
            assert connection.send_messages([self.message(), self.message()]) == 2
            assert connection.send_messages([]) == 0
        assert len(gateway.requests) == 2

    # --- the answer ---

    def test_refusals_are_errors_with_the_gateways_code(self, gateway: GatewayServer) -> None:
        for status, answer, code, retryable in self.refusals:
            gateway.says(status, answer)
            error = self.failure(gateway.url)
            assert error.retryable is retryable, (status, answer)
            assert (f"code {code}" if code else f"{status}") in str(error) or (
                not code and "refused" in str(error)
            )

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
    def test_a_client_error_is_final(self, gateway: GatewayServer, status: int) -> None:
        gateway.says(status, b"<html>no</html>")
        error = self.failure(gateway.url)
        assert not error.retryable
        assert f"HTTP {status}" in str(error)

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
    def test_an_error_that_may_pass_is_retryable(self, gateway: GatewayServer, status: int) -> None:
        gateway.says(status, b"<html>later</html>")
        assert self.failure(gateway.url).retryable

    def test_an_answer_that_is_not_the_gateways_is_no_success(self, gateway: GatewayServer) -> None:
        if not self.reads_answers:
            return
        for answer in (b"", b"<html>Sign in to this WLAN</html>", b"[]", b"{}", b"null", b'"ok"'):
            gateway.says(200, answer)
            assert not self.failure(gateway.url).retryable
        gateway.says(200, b"[" * 60_000)
        self.failure(gateway.url)

    def test_an_error_quotes_nothing_that_the_gateway_echoes(self, gateway: GatewayServer) -> None:
        for echo in (CODE, BODY, self.to, self.to[1:], self.to[3:], *self.secrets):
            words = {"code": echo, "error": echo, "message": echo, "status": echo, "name": echo}
            answer = {
                **words,
                "errorCode": echo,
                "return": echo,
                "success": echo,
                "StatusId": echo,
                "type": echo,
                "status_code": echo,
                "message_uuid": "",
            }
            for nested in (
                answer,
                {**answer, "error": words, "errors": [words], "messages": [words]},
                {**answer, "messages": [{"status": {**words, "groupName": echo}}]},
                {**answer, "error": None, "messages": [{"accepted": False, "error": words}]},
            ):
                for status in (200, 400):
                    gateway.says(status, nested)
                    if self.reads_answers or status != 200:
                        self.failure(gateway.url)

    # --- the network ---

    def test_a_gateway_that_does_not_answer_is_left(self, gateway: GatewayServer) -> None:
        gateway.says(*self.taken)
        gateway.delay = 1
        started = time.monotonic()
        error = self.failure(gateway.url, timeout=0.1)
        assert error.retryable
        assert "TimeoutError" in str(error)
        assert time.monotonic() - started < 0.9

    def test_a_gateway_that_answers_byte_by_byte_is_left(self, gateway: GatewayServer) -> None:
        gateway.says(200, b"{" + b" " * 200)
        gateway.drip = 0.02
        started = time.monotonic()
        assert self.failure(gateway.url, timeout=0.2).retryable
        assert time.monotonic() - started < 1

    def test_a_gateway_that_is_not_there_is_retryable(self, gateway: GatewayServer) -> None:
        error = self.failure(closed_port())
        assert error.retryable
        assert "ConnectionRefusedError" in str(error)

    def test_a_redirect_is_not_followed(self, gateway: GatewayServer) -> None:
        for status in (301, 302, 303, 307, 308):
            gateway.requests.clear()
            gateway.says(status, b"", Location=f"{gateway.url}/elsewhere")
            assert not self.failure(gateway.url).retryable
            assert len(gateway.requests) == 1

    def test_a_huge_answer_is_not_read_to_its_end(self, gateway: GatewayServer) -> None:
        gateway.says(200, b" " * 1_000_000)
        gateway.repeat = 200
        if self.reads_answers:
            self.failure(gateway.url)
        else:
            self.backend(gateway.url).send_messages([self.message()])
        assert gateway.written < 50_000_000

    # --- the settings ---

    def test_a_missing_option_is_named(self) -> None:
        for name in self.required:
            for value in ({}, {name: ""}, {name: None}):
                given = {k: v for k, v in self.options.items() if k != name}
                if name != "endpoint":
                    given["endpoint"] = "http://127.0.0.1:1"
                path = f"django_account.notifications.sms.{self.module}.SMSBackend"
                with pytest.raises(ImproperlyConfigured) as caught:
                    get_connection(path, **{**given, **value})
                assert f'DJANGO_ACCOUNT["SMS_OPTIONS"]["{name}"]' in str(caught.value)
                assert not any(secret in str(caught.value) for secret in self.secrets)

    def test_an_unknown_option_is_named(self) -> None:
        with pytest.raises(ImproperlyConfigured, match=r"'sendr', which .* does not know"):
            self.backend("http://127.0.0.1:1", sendr="x")

    @pytest.mark.parametrize(
        "endpoint",
        [
            "ftp://example.com",
            "file:///etc/passwd",
            "example.com",
            "http://",
            "http://h:x",
            "http://user:password@example.com",
            "http://example.com/a b",
            "http://exämple.com",
        ],
    )
    def test_an_endpoint_that_is_no_plain_url_is_refused(self, endpoint: str) -> None:
        with pytest.raises(ImproperlyConfigured, match="endpoint") as caught:
            self.backend(endpoint)
        assert "password@" not in str(caught.value)

    @pytest.mark.parametrize("timeout", [0, -1, "soon", None, float("nan"), 10**9])
    def test_a_timeout_that_is_none_is_refused(self, timeout: Any) -> None:
        with pytest.raises(ImproperlyConfigured, match="timeout"):
            self.backend("http://127.0.0.1:1", timeout=timeout)
