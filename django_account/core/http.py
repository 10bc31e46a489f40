"""One HTTP call with bounds: a time limit, no redirects, a short answer, TLS verified.

The standard library's ``urllib`` does the work, with the site's proxies (``HTTPS_PROXY``) but
without the handlers that follow redirects or open files.
"""

from __future__ import annotations

import io
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import socket
from time import monotonic
from typing import Any
from urllib import request as urllib_request
from urllib.error import URLError

USER_AGENT = "django-account"


class NoAnswer(Exception):
    """The call did not end in an answer. Its text is the kind of failure and nothing else."""


@dataclass(frozen=True, repr=False)
class RawAnswer:
    """What came back. Shows none of it, as it may hold credentials."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def send(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float,
    limit: int,
) -> RawAnswer:
    """Make one call.

    Args:
        url: http or https.
        timeout: seconds for connecting, and again for the whole answer.
        limit: bytes of the answer that are read.

    Returns:
        the answer whatever its status, redirects included, cut off at ``limit``.

    Raises:
        NoAnswer: no name, no connection, no trust in its certificate, no answer in time.
    """
    try:
        outgoing = urllib_request.Request(  # noqa: S310 -- the opener knows http and https only
            url,
            data=body,
            headers={"Accept": "application/json", "User-Agent": USER_AGENT, **(headers or {})},
            method=method,
        )
        with _opener().open(outgoing, timeout=timeout) as response:
            return RawAnswer(response.status, response.read(limit), dict(response.headers.items()))
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        failure = type(reason).__name__
    # Outside the except block, so that the original, which may quote the URL, is not its context.
    raise NoAnswer(failure)


class _UntilDeadline(io.RawIOBase):
    """A socket's bytes until a deadline. A socket's own time-out is for each read alone, so that a
    server that sends a byte now and then would hold the worker for ever."""

    def __init__(self, sock: socket, seconds: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_UntilDeadline(sock, sock.gettimeout() or 0))


class _HTTPConnection(HTTPConnection):
    response_class = _Response


class _HTTPSConnection(HTTPSConnection):
    response_class = _Response


class _HTTPHandler(urllib_request.HTTPHandler):
    def http_open(self, req: urllib_request.Request) -> HTTPResponse:
        return self.do_open(_HTTPConnection, req)


class _HTTPSHandler(urllib_request.HTTPSHandler):
    def https_open(self, req: urllib_request.Request) -> HTTPResponse:
        return self.do_open(_HTTPSConnection, req, context=_tls())


@cache
def _tls() -> ssl.SSLContext:
    # Kept: reading the certificates of all authorities takes some 40 ms.
    return ssl.create_default_context()


def _opener() -> urllib_request.OpenerDirector:
    opener = urllib_request.OpenerDirector()
    opener.add_handler(urllib_request.ProxyHandler())
    opener.add_handler(_HTTPHandler())
    opener.add_handler(_HTTPSHandler(context=_tls()))
    return opener
