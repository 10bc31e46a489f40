"""Telling the activity log what a request did, or was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_account import signals
from django_account.accounts.models import Account
from django_account.api.authentication import Caller
from django_account.core.activity import Activity
from django_account.core.clients import ClientInfo
from django_account.core.ids import UNIQUE
from django_account.exceptions import AccountError
from django_account.sessions.models import Session

# How a request names an account, by the column that is meant; the first that is given counts.
_NAMES = {"email": "email", "phone": "phone", "userId": "public_id"}


def report(
    event: str,
    *,
    caller: Caller,
    client: ClientInfo,
    account: Account | None = None,
    session: Session | None = None,
    given: Mapping[str, Any] | None = None,
    refusal: Exception | None = None,
    tries: bool = False,
) -> None:
    """Send ``acted`` once the request's transaction has committed.

    Args:
        account: the one concerned, where it is known and not the caller.
        session: the one that was made or changed; the caller's where there is none.
        given: the parameters, of which those that name an account are read.
        refusal: what came of it, unless it was done.
        tries: whether a refusal is worth an entry, whatever the event.
    """
    # Whoever fails may be signed in as somebody else than whom they tried to be.
    named = _named(given or {}) if refusal is not None and account is None else {}
    account = account or (None if named else caller.account)
    is_sign_in = event == "session.create" and refusal is None
    provider = session.provider if session is not None and is_sign_in else ""
    session = session or caller.session or caller.jwt_session
    signals.send_on_commit(
        signals.acted,
        activity=Activity(
            event=event,
            account=account,
            named=named,
            error=_code(refusal),
            tries=tries,
            user_type=_user_type(caller, account),
            session_id="" if session is None else session.public_id,
            provider=provider,
            key_name="" if caller.api_key is None else caller.api_key.name,
            actor_id=_actor_id(caller, account),
            # What people read of their own log does not tell where staff sit.
            client=ClientInfo() if caller.staff_id else client,
        ),
    )


def _named(given: Mapping[str, Any]) -> dict[str, str]:
    for name, column in _NAMES.items():
        if given.get(name) and given[name] != UNIQUE:
            return {column: given[name]}
    return {}


def _actor_id(caller: Caller, account: Account | None) -> str:
    """Who acted as somebody else; nobody for the acts that an impersonator does as themselves."""
    if caller.staff_id:
        return caller.staff_id
    other = caller.impersonated
    if caller.account is None or account is None or other is None or other.pk != account.pk:
        return ""
    return caller.account.public_id


def _code(refusal: Exception | None) -> str:
    if refusal is None:
        return ""
    return refusal.code if isinstance(refusal, AccountError) else "general_unknown"


def _user_type(caller: Caller, account: Account | None) -> str:
    """Who acted. A guest who succeeds has proven to be the account's owner, or acted for them; one
    who fails has proven nothing (mfa-oauth.md §2)."""
    if caller.is_server:
        return "keyProject"
    return "user" if account or caller.account else "guest"
