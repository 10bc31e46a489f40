"""Keeping a person's e-mail and phone targets equal to the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from django_account.targets.models import Target

if TYPE_CHECKING:
    from django_account.accounts.models import Account


def claim_address(*, account: Account, provider_type: str, identifier: str) -> None:
    """Make a target for an address, unless somebody has one for it already.

    A sign-up is not refused for it: the address may hang on another person as an extra target,
    which does not make it that person's way to sign in.
    """
    Target.objects.bulk_create(
        [Target(account=account, provider_type=provider_type, identifier=identifier)],
        ignore_conflicts=True,
    )


def is_claimed(identifier: str) -> bool:
    """Whether anybody has a target for this address."""
    return Target.objects.filter(identifier=identifier).exists()


def move_address(*, account: Account, provider_type: str, old: str | None, new: str | None) -> None:
    """Make the target that mirrored the account's old address mirror the new one.

    It keeps its id; a missing one is created; with no new address it goes. Call it inside the
    transaction that writes the account.

    Raises:
        IntegrityError: somebody else has a target for the new address.
    """
    if old is not None:
        mirrored = Target.objects.filter(
            account=account, provider_type=provider_type, identifier=old
        )
        if new is None:
            mirrored.delete()
        elif mirrored.update(identifier=new, expired=False, updated_at=timezone.now()):
            return
    if new is not None:
        Target.objects.create(account=account, provider_type=provider_type, identifier=new)
