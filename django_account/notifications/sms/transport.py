"""Posting to a gateway: forms and JSON over the one bounded HTTP call (core.http)."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from django_account.core import http
from django_account.core.http import NoAnswer

__all__ = ["Answer", "NoAnswer", "Request", "basic", "post"]

# Gateways answer in a few hundred bytes; whatever comes after this is not read.
MAX_ANSWER = 64 * 1024


@dataclass(frozen=True, repr=False)
class Request:
    """What is posted, and where. Shows none of it, as it holds a code and credentials."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, url: str, document: Any, headers: Mapping[str, str] | None = None) -> Self:
        """A request whose body is ``document`` as JSON."""
        body = json.dumps(document, ensure_ascii=False).encode()
        return cls(url, body, {"Content-Type": "application/json", **(headers or {})})

    @classmethod
    def form(
        cls, url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Self:
        """A request whose body is a form; fields that are empty are left out."""
        body = urlencode({name: value for name, value in fields.items() if value}).encode()
        content_type = "application/x-www-form-urlencoded"
        return cls(url, body, {"Content-Type": content_type, **(headers or {})})


@dataclass(frozen=True, repr=False)
class Answer:
    """What came back."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body's JSON; None where it is none, for instance because it was cut off."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP's Basic authentication."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def post(request: Request, *, timeout: float) -> Answer:
    """Post ``request``.

    Args:
        request: what and where; the URL is http or https.
        timeout: seconds for connecting, and again for the whole answer.

    Returns:
        the answer whatever its status, redirects included, cut off at ``MAX_ANSWER``.

    Raises:
        NoAnswer: no name, no connection, no trust in its certificate, no answer in time.
    """
    raw = http.send(
        "POST",
        request.url,
        body=request.body,
        headers=request.headers,
        timeout=timeout,
        limit=MAX_ANSWER,
    )
    return Answer(raw.status, raw.body)
