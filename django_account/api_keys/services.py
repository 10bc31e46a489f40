"""Making API keys and finding them again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from django_account.api_keys.models import GRANTABLE_SCOPES, MAX_NAME_LENGTH, ApiKey
from django_account.core.crypto import digest, generate_secret
from django_account.exceptions import ApiKeyExpired, InvalidArgument, UnknownApiKey

PREFIX = "standard_"


@dataclass(frozen=True, slots=True)
class IssuedApiKey:
    """A new key with its secret, which exists nowhere else."""

    api_key: ApiKey
    secret: str = field(repr=False)


def create_api_key(
    *, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> IssuedApiKey:
    """Make an API key.

    Args:
        name: what it is for; 1 to 128 characters.
        scopes: some of GRANTABLE_SCOPES.
        expires_at: when it stops working; None for never.

    Raises:
        InvalidArgument: the name is empty or too long, or a scope cannot be granted to a key.
    """
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        raise InvalidArgument("name", f"A key's name has 1 to {MAX_NAME_LENGTH} characters.")
    granted = list(dict.fromkeys(scopes))
    for scope in granted:
        if scope not in GRANTABLE_SCOPES:
            raise InvalidArgument(
                "scopes",
                f"A key cannot hold {scope!r}. Choose from: {', '.join(GRANTABLE_SCOPES)}.",
            )
    secret = PREFIX + generate_secret()
    api_key = ApiKey.objects.create(
        name=name, scopes=granted, expires_at=expires_at, secret_digest=digest(secret)
    )
    return IssuedApiKey(api_key, secret)


def find_api_key(secret: str) -> ApiKey | None:
    """The key of a secret, usable or not.

    Returns:
        None when the value is of a kind that upstream ignores: another prefix than ``standard_``.

    Raises:
        UnknownApiKey: it has the form of a key and is none.
    """
    kind, separator, _ = secret.partition("_")
    if separator and kind + separator != PREFIX:
        return None
    api_key = ApiKey.objects.filter(secret_digest=digest(secret)).first()
    if api_key is None:
        raise UnknownApiKey
    return api_key


def require_usable(api_key: ApiKey) -> None:
    """Refuse a key past its time.

    Raises:
        ApiKeyExpired: it is.
    """
    if api_key.is_expired:
        raise ApiKeyExpired


def touch_api_key(api_key: ApiKey) -> None:
    """Note that a key was used; writes at most once in 24 hours."""
    now = timezone.now()
    if api_key.needs_touch(now):
        api_key.accessed_at = now
        ApiKey.objects.filter(pk=api_key.pk).update(accessed_at=now)
