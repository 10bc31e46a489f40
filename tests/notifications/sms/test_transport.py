"""The one HTTP call: what the gateways' tests cannot see through a plain local server."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from django_account.core import http
from django_account.notifications.sms import transport
from tests.cases.sms import GatewayServer


@pytest.fixture
def certificate(gateway: GatewayServer, tmp_path: Path, missing: Callable[[str], None]) -> Path:
    """The self-signed certificate of the gateway, which speaks TLS from now on."""
    if not shutil.which("openssl"):
        missing("openssl")
    key, path = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost"
    command += f" -addext subjectAltName=DNS:localhost -keyout {key} -out {path}"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    gateway.server.socket = context.wrap_socket(gateway.server.socket, server_side=True)
    return path


def test_a_certificate_that_nobody_vouches_for_is_refused(
    gateway: GatewayServer, certificate: Path
) -> None:
    url = gateway.url.replace("http://127.0.0.1", "https://localhost")
    with pytest.raises(transport.NoAnswer, match="SSLCertVerificationError"):
        transport.post(transport.Request(url, b""), timeout=5)
    assert not gateway.requests


def test_a_certificate_that_is_trusted_is_accepted_and_read_within_bounds(
    gateway: GatewayServer,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(http, "_tls", lambda: trusting)
    gateway.says(200, b"x" * 100_000)
    url = gateway.url.replace("http://127.0.0.1", "https://localhost")
    answer = transport.post(transport.Request(url, b"{}"), timeout=5)
    assert (answer.status, len(answer.body)) == (200, transport.MAX_ANSWER)


def test_a_name_that_does_not_exist_is_no_answer() -> None:
    with pytest.raises(transport.NoAnswer, match="gaierror"):
        transport.post(transport.Request("http://gateway.invalid", b""), timeout=5)


def test_the_sites_proxy_is_used(gateway: GatewayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", gateway.url)
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY", raising=False)
    gateway.says(200, b"{}")
    transport.post(transport.Request("http://gateway.invalid/sms", b"x"), timeout=5)
    assert gateway.requests[0].path == "http://gateway.invalid/sms"


def test_requests_and_answers_do_not_show_what_they_hold() -> None:
    request = transport.Request.json("http://h", {"code": "402718"}, {"Authorization": "token"})
    answer = transport.Answer(200, b"402718")
    for shown in (repr(request), str(request), repr(answer)):
        assert "402718" not in shown
        assert "token" not in shown


def test_headers_that_drip_are_left_too() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            for _ in range(200):
                connection.sendall(b"x")
                time.sleep(0.02)

    threading.Thread(target=drip, daemon=True).start()
    started = time.monotonic()
    request = transport.Request(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"")
    with listener, pytest.raises(transport.NoAnswer, match="TimeoutError"):
        transport.post(request, timeout=0.2)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-"])
def test_an_answer_that_is_no_http_is_no_answer(answer: bytes) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(10_000)
            connection.sendall(answer)

    threading.Thread(target=talk, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with listener, suppress(transport.NoAnswer):
        assert transport.post(transport.Request(url, b""), timeout=2).json() is None
