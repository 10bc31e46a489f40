"""Secrets and what is stored of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator

from django.conf import settings


def generate_secret(characters: int = 256) -> str:
    """A random secret.

    Args:
        characters: its length; an even number.

    Returns:
        lower-case hex digits, four bits of entropy each.
    """
    return secrets.token_hex(characters // 2)


def digest(secret: str) -> str:
    """What is stored of a high-entropy secret.

    A plain hash is enough: nobody guesses 128 random bytes, so there is nothing to slow down.

    Returns:
        SHA-256 as 64 hex digits.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def derive_keys(purpose: str) -> Iterator[bytes]:
    """Keys for one purpose, derived from SECRET_KEY and then from each of SECRET_KEY_FALLBACKS.

    Sign with the first, verify with all: so a site rotates its key without signing people out.

    Args:
        purpose: keeps the keys of different uses apart.

    Yields:
        32 bytes each.
    """
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        raw = key if isinstance(key, bytes) else key.encode()
        yield hmac.digest(raw, b"django_account." + purpose.encode(), "sha256")
