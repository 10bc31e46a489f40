"""The hot statements of a sign-in: find the account of an address, and lock it."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import QuerySet

from django_account.accounts.models import Account
from django_account.core.compiled import Columns, CompiledQuery


def find_by_email(email: str) -> Account | None:
    """The account with an address in normal form, with its user; None when there is none."""
    return _find(_by_email(), router.db_for_read(Account), email)


def lock(account: Account) -> Account | None:
    """An account as it is now, with its user, both locked until the transaction ends."""
    return _find(_locked(), router.db_for_write(Account), account.pk)


def _find(query: CompiledQuery, alias: str, parameter: str | int) -> Account | None:
    for row in query.rows(alias, parameter):
        account: Account
        account, account.user = _columns().instances(alias, row)
        return account
    return None


@cache
def _columns() -> Columns:
    return Columns(("", Account), ("user__", get_user_model()))


def account_rows(**condition: Any) -> QuerySet[Any]:
    """An account with its user, as one row."""
    return Account.objects.filter(**condition).values_list(*_columns().paths)


@cache
def _by_email() -> CompiledQuery:
    return CompiledQuery(lambda email: account_rows(email=email))


@cache
def _locked() -> CompiledQuery:
    return CompiledQuery(
        lambda pk: account_rows(pk=pk).select_for_update(), mark=CompiledQuery.NUMBER
    )
