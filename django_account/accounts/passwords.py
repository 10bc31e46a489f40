"""Passwords: verifying them, and the rules for new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation

from django_account.accounts import users
from django_account.accounts.hashers import ImportedHasher
from django_account.accounts.models import Account
from django_account.accounts.users import SiteUser
from django_account.conf import conf
from django_account.exceptions import (
    FeatureUnsupported,
    InvalidArgument,
    InvalidCredentials,
    PasswordPersonalData,
    PasswordRecentlyUsed,
)
from django_account.texts import FilledText, gettext_noop

MIN_LENGTH = 8
MAX_LENGTH = 256


def verify_password(user: SiteUser | None, password: str) -> bool:
    """Whether the password is the user's. Nobody, nothing and wrong all cost one hash.

    A hash of an older kind is renewed on success, as Django does for its own sign-in. Afterwards
    the user has the hash that was found right, which may be in force no more by the time that
    something is done about it (accounts.services.lock_account).
    """
    if user is None or not user.password or not user.has_usable_password():
        make_password(password)
        return False
    old = user.password

    def save(*args: Any, **kwargs: Any) -> None:
        """Not a renewed hash: what is stored by now may be a new password."""
        if kwargs.get("update_fields") != ["password"]:
            type(user).save(user, *args, **kwargs)

    user.save = save
    try:
        is_right = bool(user.check_password(password))
    finally:
        del user.save
    if user.password == old or _renew(user, old):
        return is_right
    return verify_password(user, password)


def _renew(user: SiteUser, old: str) -> bool:
    """Save a renewed hash in the place of the old one. Where that is no more, the user has what is
    stored now, nothing if it was deleted.

    Returns:
        whether it was still there.
    """
    users = type(user)._base_manager.filter(pk=user.pk)
    with transaction.atomic():
        # The account first, as everybody who changes it (site_changes.forget_imported).
        Account.objects.select_for_update().filter(user=user).first()
        stored = users.select_for_update().values_list("password", flat=True).first()
        if stored == old:
            user.save(update_fields=["password"])
            return True
    user.password = stored or ""
    return False


def require_password(account: Account, password: str) -> None:
    """Confirm an act with the account's password; an account without one confirms anything.

    Raises:
        InvalidCredentials: it is another password.
    """
    if account.has_password and not verify_password(account.user, password):
        raise InvalidCredentials


def broken_rule(password: str) -> str | None:
    """The first rule of form that a new password breaks: length, strength, dictionary (core.md §6).

    Returns:
        the rule as a sentence; None when all hold.
    """
    strength = conf.password_strength
    wanted = [rule for name, rule in _CLASSES.items() if strength[name]]  # type: ignore[literal-required]
    has_all = all(any(map(is_in_class, password)) for _, is_in_class in wanted)
    if not (strength["min"] <= len(password.encode()) <= MAX_LENGTH and has_all):
        needs = "".join(f", at least one {label}" for label, _ in wanted)
        rule = gettext_noop("Password must be between %(least)d and %(most)d characters long.")
        length = FilledText(rule, least=strength["min"], most=MAX_LENGTH)
        return f"{length[:-1]}{needs}." if needs else length
    if conf.password_dictionary and password in _common_passwords():
        return gettext_noop(
            "Password is among the most common ones. Choose one that nobody else would."
        )
    return None


# What an error calls a class of characters, and how to tell one. Letters are ASCII, as upstream's.
_CLASSES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "upper": ("upper-case letter", lambda character: "A" <= character <= "Z"),
    "lower": ("lower-case letter", lambda character: "a" <= character <= "z"),
    "digit": ("digit", str.isdigit),
    "symbol": (
        "symbol",
        lambda character: not (character.isalpha() or character.isdigit() or character.isspace()),
    ),
}


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


def require_acceptable(
    password: str,
    *,
    user: SiteUser,
    personal_data: Iterable[str],
    history: Iterable[str] = (),
    parameter: str = "password",
) -> None:
    """Hold a new password against every rule that knows whose it is.

    Args:
        user: for the site's AUTH_PASSWORD_VALIDATORS; may be unsaved.
        personal_data: strings it must not contain while PASSWORD_PERSONAL_DATA is on.
        history: hashes of passwords used before; looked at while PASSWORD_HISTORY is on.
        parameter: what the caller calls it, for the error.

    Raises:
        InvalidArgument: the site's validators refuse it.
        PasswordRecentlyUsed: it is in the history.
        PasswordPersonalData: it contains personal data.
    """
    if (rule := broken_rule(password)) is not None:
        raise InvalidArgument(parameter, rule)
    # As many as the site wants now; it may have wanted more when they were noted.
    remembered = list(history)[-conf.password_history :] if conf.password_history else []
    if any(check_password(password, old) for old in remembered):
        raise PasswordRecentlyUsed
    if conf.password_personal_data:
        folded = password.casefold()
        if any(datum and datum.casefold() in folded for datum in personal_data):
            raise PasswordPersonalData
    try:
        # Error messages of the API are English only (transport.md §13.1).
        with translation.override("en"):
            validate_password(password, user)
    except ValidationError as error:
        raise InvalidArgument(parameter, " ".join(error.messages)) from error


def assign_password(account: Account, password: str) -> None:
    """Hash a new password into the user and note it on the account; neither is saved.

    It takes as long as a hash should: call it before opening a transaction.
    """
    account.user.set_password(password)
    account.imported_hash = ""
    _note_password(account)


def assign_imported(account: Account, encoded: str) -> None:
    """Take a hash made elsewhere over as the password; neither account nor user is saved.

    Args:
        encoded: as accounts.hashers stores it.

    Raises:
        FeatureUnsupported: the site's PASSWORD_HASHERS could never verify it.
    """
    column = users.find_field("password")
    width = column.max_length if column is not None else None
    fits = width is None or len(encoded) <= width
    stored = encoded if fits else f"{ImportedHasher.algorithm}${account.public_id}"
    for each in (encoded, stored):
        try:
            identify_hasher(each)
        except ValueError:
            raise FeatureUnsupported(
                "This site cannot verify imported hashes: add FOREIGN_HASHERS of "
                "django_account.accounts.hashers to PASSWORD_HASHERS."
            ) from None
    account.user.password = stored
    account.imported_hash = "" if fits else encoded
    _note_password(account)


def remove_password(account: Account) -> None:
    """Leave an account without a password; neither account nor user is saved."""
    account.user.set_unusable_password()
    account.imported_hash = ""
    account.password_changed_at = None


def withdraw_password(account: Account) -> None:
    """Have the password sign in no more, and every request of the person refused until there is a
    new one; neither account nor user is saved.

    While PASSWORD_HISTORY is on its hash is remembered there, so that the new one is another.
    """
    if conf.password_history and account.has_password:
        old = stored_password(account)
        others = [
            each for each in account.password_history if each not in (old, account.user.password)
        ]
        account.password_history = [*others, old][-conf.password_history :]
    remove_password(account)
    account.password_reset_required = True


def stored_password(account: Account) -> str:
    """The hash of an account's password, wherever it is kept; none to verify when there is none."""
    encoded: str = account.user.password
    is_elsewhere = encoded.startswith(f"{ImportedHasher.algorithm}$")
    return account.imported_hash if is_elsewhere else encoded


def _note_password(account: Account) -> None:
    account.password_changed_at = timezone.now()
    account.password_reset_required = False
    if conf.password_history:
        remembered = [*account.password_history, account.user.password]
        account.password_history = remembered[-conf.password_history :]


# What a new password changes on an account; its user changes "password".
PASSWORD_FIELDS = (
    "password_changed_at",
    "password_reset_required",
    "password_history",
    "imported_hash",
)
