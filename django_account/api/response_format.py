"""Answers for clients of an older format of the API (core.md §3.2, transport.md §14)."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse

from django_account.api.renderers import encode

# A format, a model, and the keys that clients of earlier formats do not know.
_ADDED = (
    ((1, 9, 0), "Account", ("impersonator", "impersonatorUserId")),
    ((1, 5, 0), "Session", ("factors", "secret")),
    ((1, 5, 0), "Token", ("phrase",)),
)

_FORMAT = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.ASCII)


def apply_response_format(request: HttpRequest, response: HttpResponse, answers: Any) -> None:
    """Take from an answer what the format that its client names in ``X-Appwrite-Response-Format``
    does not have yet. No format, and none that can be read, is the present one.

    Args:
        answers: the serializer class that describes the answer, if there is one.
    """
    unknown = _unknown_keys(request.headers.get("X-Appwrite-Response-Format", ""))
    if not unknown or answers is None or response.status_code >= 400:
        return
    model = answers.__name__.removesuffix("Serializer")
    body = json.loads(response.content)
    if model == "SessionList":
        model, documents = "Session", body["sessions"]
    else:
        documents = [body]
    for document in documents:
        for key in unknown.get(model, ()):
            document.pop(key, None)
    response.content = encode(body)


@lru_cache(maxsize=64)
def _unknown_keys(asked: str) -> dict[str, tuple[str, ...]]:
    """The keys of each model that a format does not know."""
    found = _FORMAT.match(asked)
    if found is None:
        return {}
    version = tuple(map(int, found.groups()))
    return {model: keys for added, model, keys in _ADDED if version < added}
