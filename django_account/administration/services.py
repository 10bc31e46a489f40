"""What servers and staff change about anybody's account (users.md §3).

Nobody is asked for a password here, and a blocked account is changed like any other: who may call
is for the face that calls to see.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from django_account import signals
from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.passwords import remove_password, withdraw_password
from django_account.accounts.services import is_on_identity, lock_account, require_welcome_email
from django_account.conf import conf
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    BadRequest,
    EmailAlreadyExists,
    EmailNotFound,
    PhoneAlreadyExists,
    TargetAlreadyExists,
)
from django_account.limits.buckets import normal_form, subject
from django_account.limits.counters import reset_subjects
from django_account.mfa.models import GuessCount
from django_account.selfservice.delivery import require_mail, tell_of_removal
from django_account.selfservice.passwordless import Requester
from django_account.selfservice.profile import (
    assign_acceptable,
    forget_last_factor,
    save_account,
    save_password,
    write_email,
    write_phone,
)
from django_account.selfservice.recovery import create_recovery
from django_account.sessions.services import end_sessions
from django_account.targets.services import is_claimed
from django_account.tokens.models import Token
from django_account.tokens.services import revoke_tokens


def reset_limits(
    *,
    account_ids: Iterable[str] = (),
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    ips: Iterable[str] = (),
) -> bool:
    """Set back all that counts against a person or an address: every rate limit, on every route,
    and a person's wrong second factors.

    Who has an account is reached in every way by one: by its id, its e-mail address or its number.
    An address of a network in IPv6 stands for all of it, as when it is counted.

    Args:
        account_ids: public ids.
        emails: in any spelling.
        phones: in E.164.
        ips: IPv4 or IPv6.

    Returns:
        whether the site's cache took it. If not, it is gone, and what it counted before is there
        again when it comes back.
    """
    named = {
        "userId": set(account_ids),
        "email": {normal_form("email", email) for email in emails},
        "phone": set(phones),
        "ip": set(ips),
    }
    people = Account.objects.filter(
        Q(public_id__in=named["userId"]) | Q(email__in=named["email"]) | Q(phone__in=named["phone"])
    )
    for account in people:
        named["userId"].add(account.public_id)
        named["email"] |= {account.email} if account.email else set()
        named["phone"] |= {account.phone} if account.phone else set()
        GuessCount.objects.filter(user=account.user_id).delete()
    return reset_subjects([subject(kind, value) for kind in named for value in named[kind]])


def update_status(*, account: Account, is_active: bool) -> None:
    """Block or unblock somebody. Sessions stay, but every request with them is refused."""
    account.user.is_active = is_active
    with transaction.atomic():
        save_account(account, "status", [])
        users.save(account.user, ["is_active"])


def update_labels(*, account: Account, labels: Iterable[str]) -> None:
    """Replace the labels; of equal ones the first stays."""
    account.labels = list(dict.fromkeys(labels))
    save_account(account, "labels", ["labels"])


def update_impersonator(*, account: Account, impersonator: bool) -> None:
    """Allow somebody to act as others, or no longer (transport.md §8)."""
    account.impersonator = impersonator
    save_account(account, "impersonator", ["impersonator"])


def update_mfa(*, account: Account, mfa: bool) -> None:
    """Ask for a second factor, or no longer, which is told by e-mail. Whether there is one is not
    looked at."""
    changed = account.mfa_enabled != mfa
    account.mfa_enabled = mfa
    with transaction.atomic():
        save_account(account, "mfa", ["mfa_enabled"])
        if changed:
            event = signals.mfa_enabled if mfa else signals.mfa_disabled
            signals.send_on_commit(event, account=account)
            if not mfa:
                tell_of_removal(account)


def update_verification(*, account: Account, address_kind: str, verified: bool) -> None:
    """Say whether an address is proven.

    Args:
        address_kind: "email" or "phone".
    """
    setattr(account, f"{address_kind}_verified", verified)
    with transaction.atomic():
        was = lock_account(account)
        save_account(account, f"{address_kind}-verification", [f"{address_kind}_verified"])
        if not verified:
            forget_last_factor(was, address_kind)


def update_password(*, account: Account, password: str | None) -> None:
    """Set a password, or take it away; all sessions end if INVALIDATE_SESSIONS.

    Args:
        password: in clear; None takes it away.

    Raises:
        InvalidArgument, PasswordRecentlyUsed, PasswordPersonalData: it breaks a rule.
    """
    if password is None:
        remove_password(account)
    else:
        assign_acceptable(account, password)
    with transaction.atomic():
        save_password(account)
        if conf.invalidate_sessions:
            end_sessions(account=account)


def require_new_password(*, account: Account, url: str | None = None) -> None:
    """Have a person set a new password by recovery before they can do anything else.

    The present one signs in no more, all sessions end and outstanding secrets die, whatever
    INVALIDATE_SESSIONS says. Signing in by another way opens nothing until there is a new password:
    so nobody can set one who has not proven to have the e-mail address. It can be required again.

    Args:
        url: where the link of a recovery mail leads, which is sent at once; None for no mail. A
            blocked person gets none, as they could not use it.

    Raises:
        MailDisabled: the site sends no mail, and so nobody could recover.
        EmailNotFound: the person has no address to recover by.
        BadRequest: they have never had a password.
        UserNotFound: the account has been deleted in the meantime.
    """
    require_mail()
    with transaction.atomic():
        account = lock_account(account)
        if account.email is None:
            raise EmailNotFound(
                "This person has no e-mail address to set a new password by. Add one first."
            )
        if not (account.has_password or account.password_reset_required):
            raise BadRequest("This person signs in without a password. End their sessions instead.")
        withdraw_password(account)
        save_password(account)
        revoke_tokens(account=account, kinds=set(Token.Kind))
        end_sessions(account=account)
        if url is not None and account.is_active:
            # Who asks is staff, whose address and device are none of the person's business.
            requester = Requester(client=ClientInfo(), locale=settings.LANGUAGE_CODE)
            create_recovery(email=account.email, url=url, requester=requester)


def update_email(*, account: Account, email: str | None) -> None:
    """Set an e-mail address, unverified, or take it away.

    Args:
        email: in normal form; None takes it away.

    Raises:
        EmailAlreadyExists: somebody has it on an account elsewhere, or without a target.
        TargetAlreadyExists: somebody, perhaps the account itself, has the address.
        InvalidEmail, EmailDisposable, EmailNotCanonical, EmailFree, EmailNotCorporate: the address
            cannot be used here.
    """
    if email is not None:
        if is_on_identity(email, account=account):
            raise EmailAlreadyExists
        # In this order: a neighbour who takes the address in between has a target by then.
        is_taken = Account.objects.filter(email=email).exists() or users.has_user_with(email=email)
        if is_claimed(email):
            raise TargetAlreadyExists
        if is_taken:
            raise EmailAlreadyExists
        require_welcome_email(email)
    write_email(account, email)


def update_phone(*, account: Account, phone: str | None) -> None:
    """Set a phone number, unverified, or take it away.

    Args:
        phone: in E.164; None takes it away.

    Raises:
        TargetAlreadyExists: somebody, perhaps the account itself, has the number.
        PhoneAlreadyExists: somebody has it without a target.
    """
    if phone is not None:
        is_taken = Account.objects.filter(phone=phone).exists()
        if is_claimed(phone):
            raise TargetAlreadyExists
        if is_taken:
            raise PhoneAlreadyExists
    write_phone(account, phone)
