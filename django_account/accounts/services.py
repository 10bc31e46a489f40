"""Accounts come and go: create, adopt, authenticate, delete."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q, RestrictedError
from django.utils import timezone

from django_account import signals
from django_account.accounts import users
from django_account.accounts.lookups import find_by_email, lock
from django_account.accounts.models import Account
from django_account.accounts.passwords import (
    assign_imported,
    assign_password,
    require_acceptable,
    verify_password,
)
from django_account.accounts.users import SiteUser
from django_account.conf import conf
from django_account.core import emails
from django_account.core.ids import UNIQUE, unique_id
from django_account.exceptions import (
    BadRequest,
    DeletionProhibited,
    EmailAlreadyExists,
    EmailDisposable,
    EmailFree,
    EmailNotCanonical,
    EmailNotCorporate,
    InvalidCredentials,
    InvalidEmail,
    UserAlreadyExists,
    UserBlocked,
    UserCountExceeded,
    UserNotFound,
)
from django_account.targets.services import claim_address


def create_account(
    *,
    account_id: str = UNIQUE,
    email: str | None = None,
    phone: str | None = None,
    password: str | None = None,
    imported_hash: str | None = None,
    name: str = "",
    by_server: bool = False,
    by_identity: bool = False,
) -> Account:
    """Make an account and its user. Either both exist afterwards, or neither.

    Args:
        account_id: the public id; ``"unique()"`` for a new one.
        email: in normal form (core.emails.normalize).
        phone: in E.164.
        password: in clear; None for a person without one.
        imported_hash: given instead of a password, as accounts.hashers stores it.
        name: for display.
        by_server: the site makes it, not the person: USERS_LIMIT does not bind it, and nobody has
            been active yet.
        by_identity: the address comes from somebody's account elsewhere.

    Raises:
        UserCountExceeded: USERS_LIMIT is reached.
        BadRequest: the address is on an identity of somebody's.
        UserAlreadyExists: the id, e-mail or phone is taken.
        InvalidEmail: the address is not in normal form, or the user model cannot hold it.
        EmailDisposable, EmailNotCanonical, EmailFree, EmailNotCorporate: BLOCK_EMAILS refuses it.
        InvalidArgument, PasswordPersonalData: the password breaks a rule.
        FeatureUnsupported: PASSWORD_HASHERS lacks the imported hash's kind.
    """
    if account_id == UNIQUE:
        account_id = unique_id()
    account = Account(public_id=account_id, email=email, phone=phone, name=name)
    account.user = users.new_user(account_id=account_id, email=email, phone=phone, name=name)
    if not by_server:
        account.accessed_at = account.registered_at
        require_room()
    if email is not None and not by_identity and is_on_identity(email):
        # A server may know why (users.md §3); anybody else would learn a stranger's secret.
        raise EmailAlreadyExists if by_server else BadRequest
    if password is not None:
        require_acceptable(password, user=account.user, personal_data=account.personal_data())
    if email is not None:
        require_welcome_email(email)
    if is_taken(account):
        raise UserAlreadyExists
    # Hashing takes its time; the transaction below must not.
    if password is not None:
        assign_password(account, password)
    elif imported_hash is not None:
        assign_imported(account, imported_hash)
    else:
        account.user.set_unusable_password()
    try:
        with transaction.atomic():
            if not by_server:
                require_room(lock=True)
            users.save(account.user)
            # Again, now that it has a key: assigning user_id alone would forget the instance.
            account.user = account.user
            account.save(force_insert=True)
            claim_addresses(account)
            signals.send_on_commit(signals.account_created, account=account)
    except IntegrityError:
        # Somebody was faster, or a user whom nobody looked for has the address. Anything else is
        # the host's own constraint and not ours to explain.
        if is_taken(account) or users.is_stored(email=email, phone=phone):
            raise UserAlreadyExists from None
        raise
    return account


def require_room(*, lock: bool = False) -> None:
    """Refuse another account when USERS_LIMIT is reached.

    Args:
        lock: hold the count against parallel sign-ups until the transaction ends.

    Raises:
        UserCountExceeded: it is reached.
    """
    limit = conf.users_limit
    if not limit:
        return
    if lock:
        # One row that every sign-up waits for, and that is there before the first account.
        row = ContentType.objects.get_for_model(Account)
        ContentType.objects.select_for_update().get(pk=row.pk)
    if Account.objects.count() >= limit:
        raise UserCountExceeded


def require_welcome_email(email: str) -> None:
    """Refuse an address that the site cannot hold or does not want.

    Raises:
        InvalidEmail, EmailDisposable, EmailNotCanonical, EmailFree, EmailNotCorporate.
    """
    if not (emails.is_normal(email) and users.fits(email)):
        raise InvalidEmail
    blocked = conf.block_emails
    if not blocked:
        return
    facts = emails.facts(email)
    if "disposable" in blocked and facts.is_disposable:
        raise EmailDisposable
    if "non-canonical" in blocked and not facts.is_canonical:
        raise EmailNotCanonical
    if "free" in blocked and facts.is_free:
        raise EmailFree
    if "non-corporate" in blocked and not facts.is_corporate:
        raise EmailNotCorporate


def is_taken(account: Account) -> bool:
    """Whether another account has the id, e-mail or phone, or another user the e-mail or phone."""
    same = Q(public_id=account.public_id)
    if account.email:
        same |= Q(email=account.email)
    if account.phone:
        same |= Q(phone=account.phone)
    return Account.objects.filter(same).exists() or users.has_user_with(
        email=account.email, phone=account.phone
    )


def is_on_identity(email: str, *, account: Account | None = None) -> bool:
    """Whether an address is that of somebody's account elsewhere, and so nobody else's here.

    Args:
        account: whose identities do not count.
    """
    others = Account.objects.filter(identities__provider_email=email)
    return (others if account is None else others.exclude(pk=account.pk)).exists()


def claim_addresses(account: Account) -> None:
    """Give a new account targets for the addresses it has."""
    for provider_type, identifier in (("email", account.email), ("sms", account.phone)):
        if identifier is not None:
            claim_address(account=account, provider_type=provider_type, identifier=identifier)


def authenticate(*, email: str, password: str) -> Account:
    """Find the person that an e-mail and a password belong to.

    A user of the site that has no account yet gets one here (ADOPT_USERS).

    Args:
        email: in normal form.
        password: in clear.

    Raises:
        InvalidCredentials: nobody has the address, has no password, or has another one; the three
            cannot be told apart, by the answer or by the time it takes.
        UserBlocked: the credentials are right and the person is blocked.

    Returns:
        the account, with the hash that the password was found right by.
    """
    account = find_by_email(email)
    user = account.user if account is not None else users.find_without_account(email=email)
    if user is None:
        # A parallel sign-in may have adopted the user between the two look-ups.
        account = find_by_email(email)
        user = account.user if account is not None else None
    if not verify_password(user, password) or user is None:
        raise InvalidCredentials
    if not user.is_active:
        raise UserBlocked
    account = account or adopt_user(user)
    # Of a parallel adoption too: with the hash that was verified.
    account.user = user
    return account


def find_account(*, email: str | None = None, phone: str | None = None) -> Account | None:
    """The account with an address or number; a user of the site that has it gets one (ADOPT_USERS).

    Args:
        email: in normal form.
        phone: in E.164, instead of an e-mail.
    """
    account = (
        find_by_email(email)
        if email is not None
        else Account.objects.with_user().filter(phone=phone).first()
    )
    if account is None:
        user = users.find_without_account(email=email, phone=phone)
        account = adopt_user(user) if user is not None else None
    return account


def adopt_user(user: SiteUser) -> Account:
    """Give a user of the site an account; one that has an account keeps it.

    Its address and number become the account's, unverified.

    Raises:
        UserAlreadyExists: another account has one of them.
    """
    existing = Account.objects.with_user().filter(user=user).first()
    if existing is not None:
        return existing
    email = users.read_email(user)
    joined = getattr(user, "date_joined", None) or timezone.now()
    account = Account(
        user=user,
        email=email,
        phone=users.read_phone(user),
        name=users.read_name(user),
        registered_at=joined,
        accessed_at=timezone.now(),
        # Of an account that the user had before.
        totp_verified=user.django_account_authenticators.filter(confirmed=True).exists(),
    )
    if account.has_password:
        account.password_changed_at = joined
    try:
        with transaction.atomic():
            account.save(force_insert=True)
            claim_addresses(account)
            signals.send_on_commit(signals.account_adopted, account=account)
    except IntegrityError:
        # A parallel sign-in adopted the same user, or another account took the address.
        existing = Account.objects.with_user().filter(user=user).first()
        if existing is None:
            raise UserAlreadyExists from None
        return existing
    return account


def get_account(account_id: str) -> Account:
    """The account with a public id, with its user.

    Raises:
        UserNotFound: there is none.
    """
    account = Account.objects.with_user().filter(public_id=account_id).first()
    if account is None:
        raise UserNotFound
    return account


def lock_account(account: Account, *, verified: str | None = None) -> Account:
    """Hold an account, as it is now, until the transaction ends.

    Whoever adds something to an account, moves its addresses or deletes it takes this lock first:
    so nothing is added to what goes, and nobody waits for each other in a ring.

    Args:
        verified: the hash that a password has just been found right by. Verifying takes its time,
            in which another password may have been set or a new one required.

    Raises:
        UserNotFound: it has been deleted in the meantime.
        InvalidCredentials: the verified password is not the account's any more.
    """
    locked = lock(account)
    if locked is None:
        raise UserNotFound
    if verified is not None and locked.user.password != verified:
        raise InvalidCredentials
    return locked


def mark_verified(account: Account, address_kind: str, address: str) -> bool:
    """Note that a person has an address, if it is still the account's.

    Args:
        address_kind: "email" or "phone".
        address: the one that was proven.

    Returns:
        whether it is the account's.
    """
    verified = Account.objects.filter(pk=account.pk, **{address_kind: address}).update(
        **{f"{address_kind}_verified": True}, updated_at=timezone.now()
    )
    if verified:
        setattr(account, f"{address_kind}_verified", True)
        signals.send_on_commit(
            signals.account_updated, account=account, attribute=f"{address_kind}-verification"
        )
    return bool(verified)


def delete_account(account: Account) -> None:
    """Delete an account, its user and all that hangs on them.

    Raises:
        DeletionProhibited: other data of the site refers to the user and forbids it.
        UserNotFound: it is gone already.
    """
    try:
        with transaction.atomic():
            lock_account(account).user.delete()
            signals.send_on_commit(signals.account_deleted, account_id=account.public_id)
    except (ProtectedError, RestrictedError) as error:
        raise DeletionProhibited from error


def touch_account(account: Account) -> None:
    """Note that the person is active; writes at most once in 24 hours (transport.md §7)."""
    now = timezone.now()
    if account.needs_touch(now):
        account.accessed_at = now
        Account.objects.filter(pk=account.pk).update(accessed_at=now)
