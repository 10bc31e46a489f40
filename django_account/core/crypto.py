"""Secrets and what is stored of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
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


def encrypt(text: str, purpose: str) -> str:
    """Make a text unreadable at rest.

    Args:
        purpose: what it is; only the same purpose decrypts it.
    """
    return _cipher(purpose).encrypt(text.encode()).decode()


def decrypt(token: str, purpose: str) -> str:
    """Read what :func:`encrypt` made, under the present key or one of SECRET_KEY_FALLBACKS.

    Raises:
        ValueError: another key, another purpose, or tampered with.
    """
    try:
        return _cipher(purpose).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise ValueError("cannot be decrypted with this site's keys") from error


def is_current(token: str, purpose: str) -> bool:
    """Whether :func:`encrypt` made this under the present key, not under one being retired."""
    try:
        Fernet(urlsafe_b64encode(next(derive_keys(purpose)))).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def _cipher(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in derive_keys(purpose)])
