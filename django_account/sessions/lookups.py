"""Who does a credential belong to? The one statement that every authenticated request runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import Model, QuerySet

from django_account.accounts.models import Account
from django_account.core.compiled import CompiledQuery
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
    rows = query.rows(alias, parameter)
    if not rows:
        return None
    models = _models()
    session, account, user = (
        _instance(model, alias, names, rows[0][columns]) for model, names, columns in models[:3]
    )
    if session.is_expired:
        return None
    account.user = user
    session.account = account
    _, names, columns = models[3]
    targets = [
        _instance(Target, alias, names, row[columns])
        for row in rows
        # No target at all: the outer join fills its columns with NULL.
        if row[columns.start] is not None
    ]
    targets.sort(key=lambda target: target.pk)
    return SignedIn(session, account, targets)


def _instance(model: type[Model], alias: str, names: list[str], values: tuple[Any, ...]) -> Any:
    return model.from_db(alias, names, values)


@cache
def _models() -> list[tuple[type[Model], list[str], slice]]:
    """The four models of a row: the names of their columns, and where in the row they are."""
    models: list[tuple[type[Model], list[str], slice]] = []
    start = 0
    for model in (Session, Account, get_user_model(), Target):
        names = [field.attname for field in model._meta.concrete_fields]
        models.append((model, names, slice(start, start + len(names))))
        start += len(names)
    return models


def signed_in_rows(**condition: str) -> QuerySet[Any]:
    """One row for each target of a session's account, or one without a target."""
    paths = zip(("", "account__", "account__user__", "account__targets__"), _models(), strict=True)
    columns = [prefix + name for prefix, (_, names, _) in paths for name in names]
    return Session.objects.filter(**condition).values_list(*columns)


def _compiled(name: str) -> Callable[[], CompiledQuery]:
    return cache(lambda: CompiledQuery(lambda value: signed_in_rows(**{name: value})))


_by_digest = _compiled("secret_digest")
_by_public_id = _compiled("public_id")
