"""People who may act as others (transport.md §8)."""

from __future__ import annotations

from rest_framework.request import Request

from django_account.accounts.models import Account
from django_account.api.authentication import Caller
from django_account.api.params import read_params
from django_account.core import emails, phones
from django_account.core.ids import is_valid_id

# The header, the parameters, and the account's field; the first that is given counts.
_WAYS = (
    ("X-Appwrite-Impersonate-User-Id", ("impersonateUserId", "impersonateuserid"), "public_id"),
    ("X-Appwrite-Impersonate-User-Email", ("impersonateEmail", "impersonateemail"), "email"),
    ("X-Appwrite-Impersonate-User-Phone", ("impersonatePhone", "impersonatephone"), "phone"),
)


def impersonate(caller: Caller, request: Request) -> None:
    """Note whom an impersonator asks to act as. From anybody else the question is ignored.

    The actor stays the caller: only the endpoints that say so act on the other person.
    """
    if caller.account is None or not caller.account.impersonator or caller.is_server:
        return
    if caller.staff_id:
        # Nobody acts as one person through another.
        return
    given = read_params(request)
    for header, names, field in _WAYS:
        value = request.headers.get(header) or next(filter(None, map(given.get, names)), None)
        if value:
            caller.impersonates = True
            caller.impersonated = _find(field, value)
            return


def _find(field: str, value: object) -> Account | None:
    if not isinstance(value, str):
        return None
    if field == "email":
        try:
            value = emails.normalize(value)
        except ValueError:
            return None
    elif not (is_valid_id(value) if field == "public_id" else phones.is_phone(value)):
        return None
    return Account.objects.with_user().filter(**{field: value}).first()
