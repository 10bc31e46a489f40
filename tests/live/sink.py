"""Where the site's messages end up: an SMTP server that can misbehave, and files."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

ARRIVAL_TIMEOUT = 60

# Django's file-based mailer writes this line after each message.
_RULE = b"-" * 79 + b"\n"

T = TypeVar("T")


@dataclass(frozen=True)
class Received:
    """One message as it arrived."""

    to: str
    text: str
    html: str = ""
    subject: str = ""

    @property
    def link(self) -> str:
        """The link that carries the secret."""
        (link,) = re.findall(r"https?://\S*[?&]secret=[^\s<>\"]+", self.text)
        return cast(str, link)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the link."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.link).query).items()}

    @property
    def code(self) -> str:
        """The six digits."""
        found = set(re.findall(r"(?<!\d)\d{6}(?!\d)", self.text))
        assert len(found) == 1, self.text
        return cast(str, found.pop())

    @property
    def secret(self) -> str:
        """What is to be presented, of a link or a code."""
        return self.query["secret"] if "secret=" in self.text else self.code


def read_mail(raw: bytes) -> Received:
    """An e-mail's recipient, subject and texts."""
    mail = cast(EmailMessage, message_from_bytes(raw, policy=default))
    bodies = {}
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        bodies[kind] = body.get_content() if body else ""
    (to,) = mail["To"].addresses
    return Received(to.addr_spec, bodies["plain"], bodies["html"], str(mail["Subject"]))


def eventually(look: Callable[[], T], timeout: float = ARRIVAL_TIMEOUT) -> T:
    """Look until there is something; what there is."""
    until = monotonic() + timeout
    pause = Event()
    while True:
        if found := look():
            return found
        assert monotonic() < until, "it never came"
        pause.wait(0.02)


class Files:
    """Messages that the site writes to files: ``EMAIL_URL=filemail://…``, ``SMS_URL=file://…``."""

    def __init__(self, directory: Path) -> None:
        self.mails = directory / "mail"
        self.texts = directory / "sms.jsonl"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a site write here."""
        return {"EMAIL_URL": f"filemail://{self.mails}", "SMS_URL": f"file://{self.texts}"}

    def all_to(self, address: str) -> list[Received]:
        """What an address or a number got so far, in no order."""
        return [message for message in self._all() if message.to == address]

    def to(self, address: str) -> Received:
        """The only message to an address, once it is there."""
        (message,) = eventually(lambda: self.all_to(address))
        return message

    def _all(self) -> Iterator[Received]:
        for path in self.mails.glob("*") if self.mails.exists() else []:
            for raw in path.read_bytes().split(_RULE)[:-1]:
                yield read_mail(raw)
        if self.texts.exists():
            for line in self.texts.read_text().splitlines():
                text = json.loads(line)
                yield Received(text["to"], text["body"])


class _Handler(StreamRequestHandler):
    """One SMTP conversation."""

    server: _Server

    def handle(self) -> None:
        sink = self.server.sink
        with suppress(OSError, ConnectionError):
            self.step("connect")
            self.say("220 sink")
            while line := self.rfile.readline():
                verb = line[:4].upper().decode("latin-1").strip()
                self.step(verb)
                if verb == "DATA":
                    self.say("354 go on")
                    raw = self.content()
                    if raw is None:
                        return
                    sink.accept(raw)
                    self.step("accepted")
                self.say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

    def content(self) -> bytes | None:
        """The message's bytes; None when the connection ends before the message does."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return None
            self.step("content")
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def step(self, name: str) -> None:
        """Misbehave where the test wants it."""
        sink = self.server.sink
        if name == sink.stalls_at:
            sink.stalled.set()
            sink.go_on.wait(sink.patience)
        if name == sink.dies_at:
            raise ConnectionError

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, sink: MailSink, port: int) -> None:
        self.sink = sink
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: tests break connections on purpose."""


class MailSink:
    """An SMTP server that keeps what it gets.

    Attributes:
        stalls_at: where a conversation stops until :attr:`go_on` is set, or ``patience`` seconds
            have passed: "connect", a verb such as "MAIL", "content", or "accepted" (the message is
            taken, and the client does not know). None for nowhere.
        dies_at: where it cuts the connection; the same names.
        stalled: set when a conversation has got there.
    """

    def __init__(self) -> None:
        self.stalls_at: str | None = None
        self.dies_at: str | None = None
        self.patience = 30.0
        self.stalled = Event()
        self.go_on = Event()
        self.mails: list[Received] = []
        self._changed = Condition()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    @property
    def url(self) -> str:
        """What the site has as EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer while the context lasts; then the port is closed, and every conversation cut."""
        with _Server(self, self.port) as server:
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()
                for connection in list(server.open):
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)

    def behave(self) -> None:
        """Stop misbehaving, and let go of what is stalled."""
        self.stalls_at = self.dies_at = None
        self.go_on.set()

    def accept(self, raw: bytes) -> None:
        """Keep a message."""
        received = read_mail(raw)
        with self._changed:
            self.mails.append(received)
            self._changed.notify_all()

    def all_to(self, address: str) -> list[Received]:
        """What an address got so far."""
        with self._changed:
            return [mail for mail in self.mails if mail.to == address]

    def to(self, address: str, number: int = 1) -> Received:
        """The newest message to an address, once so many are there."""
        with self._changed:
            arrived = self._changed.wait_for(
                lambda: sum(mail.to == address for mail in self.mails) >= number,
                ARRIVAL_TIMEOUT,
            )
        assert arrived, f"nothing came for {address}"
        return self.all_to(address)[-1]
