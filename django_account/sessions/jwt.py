"""Short JWTs that stand for a session while it lives (core.md §4.6)."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import jwt
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.core.crypto import derive_keys
from django_account.exceptions import InvalidJWT
from django_account.sessions.models import Session

DEFAULT_DURATION = timedelta(seconds=900)
MAX_DURATION = timedelta(seconds=3600)

_ALGORITHM = "HS256"


class Claims(NamedTuple):
    """Whom a JWT stands for; with no session, until it expires."""

    account_id: str
    session_id: str


def create_jwt(session: Session, duration: timedelta = DEFAULT_DURATION) -> str:
    """Sign a JWT for a session.

    Args:
        session: it dies with it.
        duration: how long it is good for at most.
    """
    if session.actor_id:
        # Whoever reads its end is told the truth.
        duration = min(duration, session.expires_at - timezone.now())
    return _sign(Claims(session.account.public_id, session.public_id), duration)


def create_sessionless_jwt(account: Account, duration: timedelta = DEFAULT_DURATION) -> str:
    """Sign a JWT for a person who is not signed in, for servers that act for them (users.md §3).

    It has no session to die with: it is good until it expires, or the person is blocked or deleted.
    """
    return _sign(Claims(account.public_id, ""), duration)


def _sign(whom: Claims, duration: timedelta) -> str:
    claims = {
        "userId": whom.account_id,
        "sessionId": whom.session_id,
        "exp": int((timezone.now() + duration).timestamp()),
    }
    return jwt.encode(claims, next(derive_keys("jwt")), algorithm=_ALGORITHM)


def read_jwt(token: str) -> Claims:
    """Verify a JWT's signature and time. Whether its session lives is for the caller to see.

    Raises:
        InvalidJWT: it is malformed, signed by somebody else, or expired.
    """
    failure = InvalidJWT("Signature verification failed")
    for key in derive_keys("jwt"):
        try:
            claims = jwt.decode(token, key, algorithms=[_ALGORITHM], options={"require": ["exp"]})
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError:
            failure = InvalidJWT("Expired Token")
            break
        except jwt.DecodeError:
            failure = InvalidJWT("Incomplete segments")
            break
        except (jwt.InvalidTokenError, TypeError, RecursionError):
            # The last two: what older releases of PyJWT make of a header nested a thousand deep.
            failure = InvalidJWT("Unusable claims")
            break
        account_id, session_id = claims.get("userId", ""), claims.get("sessionId", "")
        if not isinstance(account_id, str) or not isinstance(session_id, str):
            failure = InvalidJWT("Unusable claims")
            break
        return Claims(account_id, session_id)
    raise failure
