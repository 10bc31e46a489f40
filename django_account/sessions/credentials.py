"""The one opaque string that stands for a session on the wire (core.md §4.1).

It is the same in the cookie, in ``X-Appwrite-Session``, in ``X-Fallback-Cookies`` and in the
``secret`` of a session that a server created: Base64 of ``{"id": <account>, "secret": <secret>}``.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from typing import NamedTuple


class Credential(NamedTuple):
    """A session credential, taken apart."""

    account_id: str
    secret: str

    def __repr__(self) -> str:
        """Without the secret: error reports print local variables."""
        return f"Credential({self.account_id!r})"


def encode_credential(account_id: str, secret: str) -> str:
    """Put a credential together."""
    payload = json.dumps({"id": account_id, "secret": secret}, separators=(",", ":"))
    return b64encode(payload.encode()).decode()


def decode_credential(value: str) -> Credential | None:
    """Take a credential apart.

    Returns:
        None for anything that is none; a garbled credential is no credential, never an error.
    """
    try:
        payload = json.loads(b64decode(value, validate=True))
        credential = Credential(payload["id"], payload["secret"])
    except (binascii.Error, ValueError, TypeError, KeyError, RecursionError):
        return None
    if not all(isinstance(part, str) and part and part.isascii() for part in credential):
        return None
    return credential
