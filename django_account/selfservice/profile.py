"""What people change about their own account."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_account import signals
from django_account.accounts import users
from django_account.accounts.models import GATE_FACTORS, Account
from django_account.accounts.passwords import (
    PASSWORD_FIELDS,
    assign_password,
    require_acceptable,
    require_password,
)
from django_account.accounts.services import (
    is_on_identity,
    lock_account,
    require_welcome_email,
)
from django_account.conf import conf
from django_account.exceptions import (
    BadRequest,
    PhoneAlreadyExists,
    TargetAlreadyExists,
    UserNotFound,
)
from django_account.selfservice.delivery import tell_of_removal
from django_account.sessions.models import Session
from django_account.sessions.services import end_sessions, withdraw_factors
from django_account.targets.services import is_claimed, move_address
from django_account.tokens.models import Token
from django_account.tokens.services import revoke_tokens


def update_name(*, account: Account, name: str) -> None:
    """Change the name."""
    account.name = name
    save_account(account, "name", ["name"])


def update_prefs(*, account: Account, prefs: dict[str, Any]) -> None:
    """Replace the preferences."""
    account.prefs = prefs
    save_account(account, "prefs", ["prefs"])


def update_password(
    *, account: Account, password: str, old_password: str, current: Session | None
) -> None:
    """Set a new password, and end the other sessions if INVALIDATE_SESSIONS.

    Args:
        old_password: the one in force; not looked at when the account has none.
        current: the session that asks, which lives on; without one no session is ended
            (core.md §9.21).

    Raises:
        InvalidCredentials: the old password is another.
        InvalidArgument, PasswordRecentlyUsed, PasswordPersonalData: the new one breaks a rule.
    """
    require_password(account, old_password)
    verified = account.user.password
    assign_acceptable(account, password)
    with transaction.atomic():
        lock_account(account, verified=verified)
        save_password(account)
        if conf.invalidate_sessions and current is not None:
            end_sessions(account=account, keep=current)


def update_email(*, account: Account, email: str, password: str) -> None:
    """Change the e-mail address, which is unverified from then on.

    Args:
        email: in normal form.
        password: the account's; becomes the password of an account that has none.

    Raises:
        InvalidCredentials: the password is another.
        TargetAlreadyExists: somebody, perhaps the account itself, has the address.
        BadRequest: somebody has it without a target, or on an identity.
        InvalidEmail, EmailDisposable, EmailNotCanonical, EmailFree, EmailNotCorporate: the address
            cannot be used here.
        InvalidArgument, PasswordPersonalData: the first password breaks a rule.
    """
    require_password(account, password)
    verified = account.user.password
    if is_on_identity(email, account=account):
        raise BadRequest
    require_welcome_email(email)
    # In this order: a neighbour who takes the address in between has a target by then.
    is_taken = Account.objects.filter(email=email).exists() or users.has_user_with(email=email)
    if is_claimed(email):
        raise TargetAlreadyExists
    if is_taken:
        raise BadRequest
    # Before the first password, which must not contain it.
    account.email = email
    fields, first = _first_password(account, password)
    write_email(account, email, fields, password=first, verified=verified)


def write_email(
    account: Account,
    email: str | None,
    fields: Iterable[str] = (),
    *,
    password: bool = False,
    verified: str | None = None,
) -> None:
    """Write another address, unverified, or none: to the account, its target and its user.

    Args:
        fields: others of the account that are written with it.
        password: whether the user's password is, too.
        verified: the hash of the password that confirmed it.

    Raises:
        TargetAlreadyExists: somebody took the address in the meantime.
        InvalidCredentials: the password that confirmed it is not the account's any more.
    """
    account.email, account.email_verified = email, False
    try:
        with transaction.atomic():
            was = lock_account(account, verified=verified)
            old = was.email
            # The account before the target, as at sign-up: two orders could wait for each other.
            save_account(account, "email", ["email", "email_verified", *fields], password=password)
            move_address(account=account, provider_type="email", old=old, new=email)
            users.write_address(account.user, users.email_field(), email, account.public_id)
            revoke_tokens(account=account, address=old)
            forget_last_factor(was, "email")
    except IntegrityError:
        raise TargetAlreadyExists from None


def update_phone(*, account: Account, phone: str, password: str) -> None:
    """Change the phone number, which is unverified from then on.

    Args:
        phone: in E.164.
        password: the account's; becomes the password of an account that has none.

    Raises:
        InvalidCredentials: the password is another.
        TargetAlreadyExists: somebody, perhaps the account itself, has the number.
        PhoneAlreadyExists: somebody has it without a target.
        InvalidArgument, PasswordPersonalData: the first password breaks a rule.
    """
    require_password(account, password)
    verified = account.user.password
    is_taken = Account.objects.filter(phone=phone).exists()
    if is_claimed(phone):
        raise TargetAlreadyExists
    if is_taken:
        raise PhoneAlreadyExists
    account.phone = phone
    fields, first = _first_password(account, password)
    write_phone(account, phone, fields, password=first, verified=verified)


def write_phone(
    account: Account,
    phone: str | None,
    fields: Iterable[str] = (),
    *,
    password: bool = False,
    verified: str | None = None,
) -> None:
    """Write another phone number, unverified, or none. Arguments and errors as for an address."""
    account.phone, account.phone_verified = phone, False
    try:
        with transaction.atomic():
            was = lock_account(account, verified=verified)
            old = was.phone
            save_account(account, "phone", ["phone", "phone_verified", *fields], password=password)
            move_address(account=account, provider_type="sms", old=old, new=phone)
            users.write_address(account.user, users.phone_field(), phone, account.public_id)
            revoke_tokens(account=account, address=old)
            forget_last_factor(was, "phone")
    except IntegrityError:
        raise TargetAlreadyExists from None


def forget_last_factor(was: Account, factor: str) -> None:
    """Leave no session with a claim to a second factor when the address was the account's last, and
    tell the person, at the address they had, if MFA is on. Call it in the transaction that changes
    the address.

    Args:
        was: the account, locked, as it was before.
    """
    if was.verified_factors == [factor]:
        withdraw_factors(was, GATE_FACTORS)
        if was.mfa_enabled:
            tell_of_removal(was)


def block(account: Account) -> None:
    """Block oneself. The sessions stay, for when staff unblock the account, but every request with
    them is refused."""
    account.user.is_active = False
    with transaction.atomic():
        save_account(account, "status", [])
        users.save(account.user, ["is_active"])


def _first_password(account: Account, password: str) -> tuple[Iterable[str], bool]:
    """Make a confirming password the account's own, if it has none."""
    if account.has_password:
        return (), False
    assign_acceptable(account, password)
    return PASSWORD_FIELDS, True


def assign_acceptable(account: Account, password: str) -> None:
    """Hash a new password that keeps every rule into the account; :func:`save_password` saves it.

    Raises:
        InvalidArgument, PasswordRecentlyUsed, PasswordPersonalData: it breaks one.
    """
    require_acceptable(
        password,
        user=account.user,
        personal_data=account.personal_data(),
        history=account.password_history,
    )
    assign_password(account, password)


def save_password(account: Account) -> None:
    """Save an assigned password. Outstanding recovery tokens die with the old one. Call it in a
    transaction.

    Raises:
        UserNotFound: the account has been deleted in the meantime.
    """
    save_account(account, "password", PASSWORD_FIELDS, password=True)
    revoke_tokens(account=account, kinds=Token.RECOVERIES)


def save_account(
    account: Account, attribute: str, fields: Iterable[str], *, password: bool = False
) -> None:
    """Write some fields and say so.

    Args:
        attribute: what the signal calls the change.
        fields: the account's.
        password: whether the user's password is written, too.

    Raises:
        UserNotFound: the account has been deleted in the meantime.
    """
    account.updated_at = timezone.now()
    values = {name: getattr(account, name) for name in (*fields, "updated_at")}
    with transaction.atomic():
        if not Account.objects.filter(pk=account.pk).update(**values):
            raise UserNotFound
        if password:
            users.save(account.user, ["password"])
        signals.send_on_commit(signals.account_updated, account=account, attribute=attribute)
