"""Importing people, a record at a time: all of a person, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.administration import services
from django_account.administration.shapes import Record
from django_account.core import emails, phones
from django_account.core.ids import UNIQUE, is_valid_id
from django_account.core.json_values import MAX_PREFS_BYTES, is_storable, json_size
from django_account.exceptions import InvalidArgument, UserAlreadyExists
from django_account.selfservice.profile import save_account

MAX_NAME = 128
MAX_LABEL = 36
MAX_LABELS = 1000

# As it is stored: Firebase's, with the project's keys, has some 500.
MAX_PASSWORD = 2048


@dataclass(slots=True)
class Outcome:
    """What an import does with a record.

    Attributes:
        did: "created", "updated", "different" or "unchanged"; with a dry run what it would.
        changes: of an account that is there, by field: what is there and what was imported.
    """

    did: str
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


class Existing:
    """The accounts that records are about, looked up at once."""

    def __init__(self, records: Iterable[Record]) -> None:
        records = list(records)
        ids = {record.account_id for record in records if record.account_id}
        addresses = {record.email for record in records if record.email}
        accounts = Account.objects.with_user()
        self.by_id = {each.public_id: each for each in accounts.filter(public_id__in=ids)}
        self.by_email = {each.email: each for each in accounts.filter(email__in=addresses)}

    def find(self, record: Record) -> Account | None:
        """The account with the record's id; one without an id goes by its address.

        Raises:
            UserAlreadyExists: the address belongs to an account with another id.
        """
        if not record.account_id:
            return self.by_email.get(record.email)
        found = self.by_id.get(record.account_id)
        if found is None and record.email in self.by_email:
            raise UserAlreadyExists
        return found


def tidy(record: Record) -> Record:
    """Bring a record into stored form.

    Raises:
        InvalidArgument, ValueError: it cannot be imported.
    """
    if record.account_id and not is_valid_id(record.account_id):
        raise InvalidArgument("$id", f"{record.account_id[:50]!r} cannot be an id.")
    if record.email:
        try:
            record.email = emails.normalize(record.email)
        except ValueError:
            raise InvalidArgument("email", f"{record.email[:50]!r} is no address.") from None
    if record.phone and not phones.is_phone(record.phone):
        raise InvalidArgument("phone", f"{record.phone[:50]!r} is no number in E.164.")
    if len(record.name) > MAX_NAME:
        raise InvalidArgument("name", f"It has more than {MAX_NAME} characters.")
    for name in ("name", "password", "prefs"):
        if not is_storable(getattr(record, name)):
            raise InvalidArgument(name, "A null character, half a character, or nested too deeply.")
    if len(record.password) > MAX_PASSWORD:
        raise InvalidArgument("password", f"It takes more than {MAX_PASSWORD} characters.")
    # Infinite numbers are ValueErrors.
    if json_size(record.prefs) > MAX_PREFS_BYTES:
        raise InvalidArgument("prefs", f"They have more than {MAX_PREFS_BYTES} bytes.")
    if len(record.labels) > MAX_LABELS:
        raise InvalidArgument("labels", f"There are more than {MAX_LABELS}.")
    if not all(
        isinstance(label, str) and label.isascii() and label.isalnum() and len(label) <= MAX_LABEL
        for label in record.labels
    ):
        raise InvalidArgument("labels", "A label has 1 to 36 ASCII letters and digits.")
    if not (record.account_id or record.email):
        raise InvalidArgument("$id", "Without an id or an address a second run would double it.")
    return record


def import_record(
    record: Record, existing: Existing, *, update: bool = False, dry_run: bool = False
) -> Outcome:
    """Make an account of a record, or bring the account that is there up to date.

    Running it again changes nothing. A password that is there is never overwritten: its owner may
    have changed it since.

    Args:
        record: in stored form (:func:`tidy`).
        existing: looked up for a batch that holds the record.
        update: whether an account that is there is changed.
        dry_run: whether it only says what it would do.

    Raises:
        AccountError: it cannot be imported.
    """
    account = existing.find(record)
    changes = differences(account, record) if account is not None else {}
    if account is not None and not changes:
        return Outcome("unchanged")
    if account is not None and not update:
        return Outcome("different", changes)
    with transaction.atomic():
        if account is None:
            _create(record)
        else:
            _update(account, record, changes)
        # A dry run gets as far, to be refused what would be refused.
        transaction.set_rollback(dry_run)
    return Outcome("created" if account is None else "updated", changes)


# Fields that are compared, and written by a plain assignment unless _update says otherwise.
_COMPARED = ("email", "phone", "name", "email_verified", "phone_verified", "labels", "prefs")


def differences(account: Account, record: Record) -> dict[str, tuple[Any, Any]]:
    """By field: what an account has, and what a record says instead."""
    found = {
        name: (getattr(account, name), getattr(record, name)) for name in (*_COMPARED, "is_active")
    }
    # A record has empty texts where an account has nothing.
    return {name: (old, new) for name, (old, new) in found.items() if (old or "") != (new or "")}


def _create(record: Record) -> None:
    account = create_account(
        account_id=record.account_id or UNIQUE,
        email=record.email or None,
        phone=record.phone or None,
        imported_hash=record.password or None,
        name=record.name,
        by_server=True,
    )
    account.email_verified = record.email_verified and bool(record.email)
    account.phone_verified = record.phone_verified and bool(record.phone)
    account.labels = list(dict.fromkeys(record.labels))
    account.prefs = record.prefs
    account.registered_at = _local(record.registered_at) or account.registered_at
    if record.password and record.password_changed_at is not None:
        account.password_changed_at = _local(record.password_changed_at)
    account.save()
    if not record.is_active:
        account.user.is_active = False
        users.save(account.user, ["is_active"])


def _update(account: Account, record: Record, changes: dict[str, Any]) -> None:
    if "email" in changes:
        services.update_email(account=account, email=record.email or None)
    if "phone" in changes:
        services.update_phone(account=account, phone=record.phone or None)
    if "is_active" in changes:
        services.update_status(account=account, is_active=record.is_active)
    for name in ("name", "email_verified", "phone_verified", "labels", "prefs"):
        setattr(account, name, getattr(record, name))
    save_account(account, "import", ["name", "email_verified", "phone_verified", "labels", "prefs"])


def _local(moment: Any) -> Any:
    """As a site with USE_TZ = False keeps its moments."""
    if moment is None or settings.USE_TZ:
        return moment
    return timezone.make_naive(moment)
