"""The hot statements on sessions: who does a credential belong to, and which are too many?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.deletion import get_candidate_relations_to_delete
from django.db.models.signals import post_delete, pre_delete

from django_account.accounts.models import Account
from django_account.core.compiled import Columns, CompiledQuery
from django_account.core.crypto import digest
from django_account.core.ids import is_valid_id
from django_account.sessions.credentials import Credential
from django_account.sessions.models import Session
from django_account.targets.models import Target


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session, its account with its user, and the account's targets."""

    session: Session
    account: Account
    targets: list[Target]


def find_by_credential(credential: Credential) -> SignedIn | None:
    """The live session of a credential; None when there is none.

    The digest of 128 random bytes is looked up by its index: there is nothing in it that a
    comparison's timing could tell.
    """
    signed_in = _find(_by_digest(), digest(credential.secret))
    if signed_in is None or signed_in.account.public_id != credential.account_id:
        return None
    return signed_in


def find_by_session_id(session_id: str, account_id: str) -> SignedIn | None:
    """The live session with a public id, if it is the account's; None when there is none."""
    if not is_valid_id(session_id):
        return None
    signed_in = _find(_by_public_id(), session_id)
    if signed_in is None or signed_in.account.public_id != account_id:
        return None
    return signed_in


def _find(query: CompiledQuery, parameter: str) -> SignedIn | None:
    alias = router.db_for_read(Session)
    found = [_columns().instances(alias, row) for row in query.rows(alias, parameter)]
    if not found:
        return None
    session, account, user, _ = found[0]
    if session.is_expired:
        return None
    account.user = user
    session.account = account
    targets = [target for *_, target in found if target is not None]
    targets.sort(key=lambda target: target.pk)
    return SignedIn(session, account, targets)


@cache
def _columns() -> Columns:
    return Columns(
        ("", Session),
        ("account__", Account),
        ("account__user__", get_user_model()),
        ("account__targets__", Target),
    )


def signed_in_rows(**condition: str) -> QuerySet[Any]:
    """One row for each target of a session's account, or one without a target."""
    return Session.objects.filter(**condition).values_list(*_columns().paths)


def _compiled(name: str) -> Callable[[], CompiledQuery]:
    return cache(lambda: CompiledQuery(lambda value: signed_in_rows(**{name: value})))


_by_digest = _compiled("secret_digest")
_by_public_id = _compiled("public_id")


def find_surplus(account: Account, limit: int) -> list[tuple[Session, bool]]:
    """An account's oldest sessions beyond a number of them, newest first.

    Returns:
        each with whether targets hang on it.
    """
    alias = router.db_for_write(Session)
    rows = _surplus(limit).rows(alias, account.pk)
    return [(_session_columns().instances(alias, row)[0], bool(row[-1])) for row in rows]


def surplus_rows(account_pk: int, limit: int) -> QuerySet[Any]:
    """The sessions of an account beyond a number of them, a row each."""
    newest_first = Session.objects.filter(account=account_pk).order_by("-pk")
    has_targets = Exists(Target.objects.filter(session=OuterRef("pk")))
    return newest_first.values_list(*_session_columns().paths, has_targets)[limit:]


def delete(session: Session, *, has_targets: bool) -> bool:
    """Delete a session and what hangs on it.

    Django looks for rows that refer to it. They can only be targets, unless the site has more of
    its own; where there are none, and nobody wants to hear of deleted sessions, one statement does.

    Returns:
        whether it was there still.
    """
    is_heard = pre_delete.has_listeners(Session) or post_delete.has_listeners(Session)
    if has_targets or is_heard or _has_other_relations():
        return bool(session.delete()[1].get(Session._meta.label))
    alias = router.db_for_write(Session)
    return bool(Session.objects.using(alias).filter(pk=session.pk)._raw_delete(alias))


@cache
def _has_other_relations() -> bool:
    """Whether more than targets can refer to a session."""
    options: Any = Session._meta
    of_targets: Any = Target._meta.get_field("session").remote_field
    return bool(options.private_fields) or any(
        relation is not of_targets for relation in get_candidate_relations_to_delete(options)
    )


@cache
def _session_columns() -> Columns:
    return Columns(("", Session))


@cache
def _surplus(limit: int) -> CompiledQuery:
    return CompiledQuery(lambda pk: surplus_rows(pk, limit), CompiledQuery.NUMBER)
