"""Nothing tells who a person was any more, and the site's own data keep what they refer to."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from itertools import product
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from django_account import signals
from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.passwords import remove_password
from django_account.accounts.services import lock_account
from django_account.sessions.services import end_sessions

# What an account says when nobody can tell whose it was. Its ids and moments stay.
ANONYMOUS: dict[str, Any] = {
    "name": "",
    "email": None,
    "email_verified": False,
    "phone": None,
    "phone_verified": False,
    "labels": [],
    "prefs": {},
    "mfa_enabled": False,
    "totp_verified": False,
    "impersonator": False,
    "password_changed_at": None,
    "imported_hash": "",
    "password_history": [],
    "password_reset_required": False,
}


def anonymise_account(*, account: Account) -> None:
    """Take away everything that tells who a person was, for good. All of it goes, or nothing.

    The rows of account and user stay with their ids, so that the site's orders, posts or invoices
    keep what they refer to; nobody can sign in to them again. Addresses, names, preferences, the
    password, sessions, tokens, identities, second factors, targets and deliveries go; entries of
    the activity log stay without a name, as LOG_ANONYMISE leaves them. Doing it again finds nothing
    more to take.

    The site takes away what it keeps itself in a receiver of ``signals.anonymise_requested``.

    Args:
        account: is anonymous too, afterwards.

    Raises:
        UserNotFound: the account has been deleted in the meantime.
    """
    given = account
    with transaction.atomic():
        account = lock_account(given)
        signals.anonymise_requested.send(sender=None, account=account)
        _rename_in_admin_log(account)
        # Before the second factors, which would only have to be withdrawn from them.
        end_sessions(account=account)
        for rows in rows_of(account):
            rows.delete()
        # The caller's own copy, too: what is said of it from now on must not tell either.
        for each, (name, value) in product((account, given), ANONYMOUS.items()):
            setattr(each, name, copy(value))
        account.save(update_fields=[*ANONYMOUS, "updated_at"])
        user = account.user
        remove_password(account)
        user.is_active = False
        users.save(user, ["password", "is_active"])
        users.make_anonymous(user, account.public_id)
        given.user = user
        signals.send_on_commit(signals.account_anonymised, account=account)


def rows_of(account: Account) -> Iterator[QuerySet[Any]]:
    """What this package keeps in other tables about a person.

    Args:
        account: with its user.
    """
    yield from _hanging_on(account)
    yield from _hanging_on(account.user)


def _hanging_on(owner: Model) -> Iterator[QuerySet[Any]]:
    for relation in owner._meta.get_fields(include_hidden=True):
        if not (relation.auto_created and not relation.concrete):
            continue
        model = relation.related_model
        if not isinstance(model, type) or model is Account:
            continue
        if model._meta.app_label == Account._meta.app_label:
            name = relation.field.name  # type: ignore[union-attr]
            yield model._base_manager.filter(**{name: owner})


def _rename_in_admin_log(account: Account) -> None:
    """The Django admin's own log names what was changed as it was called then."""
    if not apps.is_installed("django.contrib.admin"):
        return
    from django.contrib.admin.models import LogEntry
    from django.contrib.contenttypes.models import ContentType

    named = Q()
    for row in (account, account.user):
        content_type = ContentType.objects.get_for_model(row)
        named |= Q(content_type=content_type, object_id=str(row.pk))
    for address in filter(None, (account.email, account.phone)):
        named |= Q(object_repr__icontains=address)
    LogEntry.objects.filter(named).update(object_repr=account.public_id)
