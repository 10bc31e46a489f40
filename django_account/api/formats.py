"""Answers as older servers gave them, for SDKs that say so (transport.md §14).

An SDK sends in ``X-Appwrite-Response-Format`` the version that its models are of.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from django.http import HttpResponse

from django_account.api.renderers import encode

_VERSION: Final = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})\Z")

Version = tuple[int, int, int]

# Before which version an answer's models lacked which keys.
_LACKED: Final[tuple[tuple[Version, frozenset[str], frozenset[str]], ...]] = tuple(
    (version, frozenset(models.split()), frozenset(keys.split()))
    for version, models, keys in (
        ((1, 9, 2), "Membership", "userPhone"),
        ((1, 9, 0), "Account User", "impersonator impersonatorUserId"),
        ((1, 5, 0), "User", "targets mfa"),
        ((1, 5, 0), "Session", "factors secret"),
        ((1, 5, 0), "Token", "phrase"),
        ((1, 5, 0), "Membership", "mfa"),
    )
)


def match_format(response: HttpResponse, answers: Any, wanted: str) -> None:
    """Leave out of a success what its model did not have at the wanted version.

    Args:
        answers: the serializer class that the endpoint declares.
        wanted: the header; anything that is no version means the present one.
    """
    version = _VERSION.match(wanted)
    if version is None or answers is None or response.status_code >= 300:
        return
    name = answers.__name__.removesuffix("Serializer")
    model = name.removesuffix("List")
    asked = tuple(int(part) for part in version.groups())
    lacked = {
        key for since, models, keys in _LACKED if asked < since and model in models for key in keys
    }
    if not lacked:
        return
    document = json.loads(response.content)
    rows = [document]
    if name != model:
        rows = next(value for value in document.values() if isinstance(value, list))
    for row in rows:
        for key in lacked:
            row.pop(key, None)
    response.content = encode(document)
