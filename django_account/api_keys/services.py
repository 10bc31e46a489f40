"""Making API keys and finding them again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt
from django.utils import timezone

from django_account.api_keys.models import GRANTABLE_SCOPES, MAX_NAME_LENGTH, ApiKey
from django_account.conf import conf
from django_account.core.crypto import derive_keys, digest, generate_secret
from django_account.exceptions import ApiKeyExpired, InvalidArgument, UnknownApiKey

PREFIX = "standard_"

# Keys that are nowhere but in themselves: a signed list of scopes (transport.md §6.1).
EPHEMERAL_PREFIXES = ("ephemeral_", "dynamic_")
MAX_EPHEMERAL = timedelta(hours=1)

_ALGORITHM = "HS256"
_PURPOSE = "ephemeral-key"


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
    granted = _grantable(scopes)
    secret = PREFIX + generate_secret()
    api_key = ApiKey.objects.create(
        name=name, scopes=granted, expires_at=expires_at, secret_digest=digest(secret)
    )
    return IssuedApiKey(api_key, secret)


def _grantable(scopes: Iterable[str]) -> list[str]:
    granted = list(dict.fromkeys(scopes))
    for scope in granted:
        if scope not in GRANTABLE_SCOPES:
            raise InvalidArgument(
                "scopes",
                f"A key cannot hold {scope!r}. Choose from: {', '.join(GRANTABLE_SCOPES)}.",
            )
    return granted


def create_ephemeral_key(
    *, name: str, scopes: Iterable[str], duration: timedelta = MAX_EPHEMERAL
) -> str:
    """Make a key for a short job. Nothing is stored: it cannot be revoked, only run out.

    No endpoint makes keys of any kind, so that a key cannot mint others.

    Args:
        name: what it is for.
        scopes: some of GRANTABLE_SCOPES.
        duration: how long it works, from a second to an hour.

    Returns:
        the secret.

    Raises:
        InvalidArgument: a scope cannot be granted to a key, or the duration is out of bounds.
    """
    granted = _grantable(scopes)
    if not timedelta(seconds=1) <= duration <= MAX_EPHEMERAL:
        raise InvalidArgument("duration", "Value must be a valid range between 1 and 3600.")
    now = timezone.now()
    claims = {
        "projectId": conf.project_id,
        "name": name,
        "scopes": granted,
        "iat": int(now.timestamp()),
        "exp": int((now + duration).timestamp()),
    }
    token = jwt.encode(claims, next(derive_keys(_PURPOSE)), algorithm=_ALGORITHM)
    return EPHEMERAL_PREFIXES[0] + token


def _read_ephemeral(token: str) -> ApiKey | None:
    """The key that a token is; None for a forged, expired or foreign one."""
    for key in derive_keys(_PURPOSE):
        try:
            claims = jwt.decode(
                token, key, algorithms=[_ALGORITHM], options={"require": ["exp", "iat"]}
            )
        except (jwt.InvalidTokenError, TypeError, RecursionError):
            continue
        if claims.get("projectId") != conf.project_id:
            return None
        # Whether it has run out has just been looked at.
        return ApiKey(name=claims["name"], scopes=claims["scopes"])
    return None


def find_api_key(secret: str) -> ApiKey | None:
    """The key of a secret, usable or not; an ephemeral one is not in the database.

    Returns:
        None when the value is of a kind that upstream ignores: an unknown prefix, or an ephemeral
        key that is forged or has run out.

    Raises:
        UnknownApiKey: it has the form of a key and is none.
    """
    for prefix in EPHEMERAL_PREFIXES:
        if secret.startswith(prefix):
            return _read_ephemeral(secret.removeprefix(prefix))
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
    if api_key.pk is not None and api_key.needs_touch(now):
        api_key.accessed_at = now
        ApiKey.objects.filter(pk=api_key.pk).update(accessed_at=now)
