"""Targets beyond the account's own addresses: push tokens of devices, extra addresses.

A target belongs to one person at a time, whatever its type (mfa-oauth.md §7.2).
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import lock_account
from django_account.core import emails, phones
from django_account.core.clients import ClientInfo
from django_account.core.ids import UNIQUE, unique_id
from django_account.exceptions import (
    InvalidEmail,
    InvalidPhone,
    SessionNotFound,
    TargetAlreadyExists,
    TargetNotFound,
)
from django_account.sessions.models import Session
from django_account.targets.models import Target


def create_push_target(
    *,
    account: Account,
    target_id: str,
    identifier: str,
    provider_id: str | None,
    session: Session | None,
    client: ClientInfo,
) -> Target:
    """Note a device's push token; it goes with the session that registers it.

    Args:
        target_id: the public id; ``"unique()"`` for a new one.
        identifier: the push token.
        provider_id: the messaging provider; not looked for.
        session: the one that registers it.
        client: the device, whose name the target gets.

    Raises:
        TargetAlreadyExists: somebody has a target with the id or the token.
        SessionNotFound, UserNotFound: the session or the account has gone in the meantime.
    """
    return create_target(
        account=account,
        target_id=target_id,
        provider_type=Target.ProviderType.PUSH,
        identifier=identifier,
        provider_id=provider_id,
        name=device_name(client),
        session=session,
    )


def device_name(client: ClientInfo) -> str:
    """Brand and model of a device; empty when unknown."""
    details = client.details
    return f"{details.device_brand} {details.device_model}".strip()[:128]


def create_target(
    *,
    account: Account,
    target_id: str,
    provider_type: str,
    identifier: str,
    name: str = "",
    provider_id: str | None = None,
    session: Session | None = None,
) -> Target:
    """Give an account a target.

    Args:
        target_id: the public id; ``"unique()"`` for a new one.
        identifier: as :func:`read_identifier` reads it.

    Raises:
        TargetAlreadyExists: somebody has a target with the id or the identifier.
        SessionNotFound, UserNotFound: the session or the account has gone in the meantime.
    """
    target = Target(
        public_id=unique_id() if target_id == UNIQUE else target_id,
        account=account,
        session=session,
        provider_type=provider_type,
        provider_id=provider_id,
        identifier=identifier,
        name=name,
    )
    try:
        with transaction.atomic():
            lock_account(account)
            if session is not None:
                # Held, so that it cannot end before its target is there to end with it.
                held = Session.objects.select_for_update().filter(pk=session.pk)
                if held.first() is None:
                    raise SessionNotFound
            target.save(force_insert=True)
            signals.send_on_commit(signals.target_created, account=account, target=target)
    except IntegrityError:
        raise TargetAlreadyExists from None
    return target


def update_target(
    *, target: Target, identifier: str | None = None, name: str | None = None
) -> None:
    """Change a target; another identifier works again until it is reported expired.

    Args:
        identifier: as :func:`read_identifier` reads it; None leaves it.
        name: None leaves it.

    Raises:
        TargetAlreadyExists: somebody has a target with the identifier.
        TargetNotFound: it has gone in the meantime.
    """
    target.updated_at = timezone.now()
    values: dict[str, Any] = {"updated_at": target.updated_at}
    if identifier is not None:
        target.identifier, target.expired = identifier, False
        values |= {"identifier": identifier, "expired": False}
    if name is not None:
        target.name = name
        values |= {"name": name}
    try:
        with transaction.atomic():
            updated = Target.objects.filter(pk=target.pk).update(**values)
            if updated:
                signals.send_on_commit(
                    signals.target_updated, account=target.account, target=target
                )
    except IntegrityError:
        raise TargetAlreadyExists from None
    if not updated:
        raise TargetNotFound


def delete_target(target: Target) -> None:
    """Delete a target.

    Raises:
        TargetNotFound: it has gone in the meantime.
    """
    with transaction.atomic():
        deleted, _ = Target.objects.filter(pk=target.pk).delete()
        if not deleted:
            raise TargetNotFound
        signals.send_on_commit(signals.target_deleted, account=target.account, target=target)


def find_target(*, account: Account, target_id: str, push_only: bool = False) -> Target:
    """A target of an account.

    Args:
        push_only: whether another type counts as none.

    Raises:
        TargetNotFound: the account has no such target.
    """
    targets = Target.objects.filter(account=account, public_id=target_id)
    if push_only:
        targets = targets.filter(provider_type=Target.ProviderType.PUSH)
    target = targets.first()
    if target is None:
        raise TargetNotFound
    target.account = account
    return target


def read_identifier(provider_type: str, identifier: str) -> str:
    """The stored form of an identifier.

    Raises:
        InvalidEmail, InvalidPhone: it is no address of the type.
    """
    if provider_type == Target.ProviderType.EMAIL:
        try:
            return emails.normalize(identifier)
        except ValueError:
            raise InvalidEmail from None
    if provider_type == Target.ProviderType.SMS and not phones.is_phone(identifier):
        raise InvalidPhone
    return identifier
