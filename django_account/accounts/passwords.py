"""Passwords: verifying them, and the rules for new ones."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from django_account.accounts.models import Account
from django_account.conf import PasswordStrength, conf
from django_account.exceptions import (
    InvalidArgument,
    InvalidCredentials,
    PasswordPersonalData,
    PasswordRecentlyUsed,
)

MIN_LENGTH = 8
MAX_LENGTH = 256


def verify_password(user: AbstractBaseUser | None, password: str) -> bool:
    """Whether the password is the user's. Nobody, nothing and wrong all cost one hash.

    A hash of an older kind is renewed on success, as Django does for its own sign-in.
    """
    if user is None or not user.password or not user.has_usable_password():
        make_password(password)
        return False
    return user.check_password(password)


def require_password(account: Account, password: str) -> None:
    """Confirm an act with the account's password; an account without one confirms anything.

    Raises:
        InvalidCredentials: it is another password.
    """
    if account.has_password and not verify_password(account.user, password):
        raise InvalidCredentials


def broken_rule(password: str, strength: PasswordStrength | None = None) -> str | None:
    """The first rule of form that a new password breaks: length, strength, dictionary (core.md §6).

    Args:
        strength: the classes of characters it needs; PASSWORD_STRENGTH when left out.

    Returns:
        the rule as a sentence; None when all hold.
    """
    wanted = conf.password_strength if strength is None else strength
    if not wanted["min"] <= len(password.encode()) <= MAX_LENGTH or not all(
        test(password) for name, test in _CLASSES.items() if wanted[name]  # type: ignore[literal-required]
    ):
        needs = "".join(
            f", at least one {label}" for name, label in _LABELS.items() if wanted[name]  # type: ignore[literal-required]
        )
        return f"Password must be between {wanted['min']} and {MAX_LENGTH} characters long{needs}."
    if conf.password_dictionary and password in _common_passwords():
        return "Password is among the most common ones. Choose one that nobody else would."
    return None


_LABELS = {
    "upper": "upper-case letter",
    "lower": "lower-case letter",
    "digit": "digit",
    "symbol": "symbol",
}

_CLASSES = {
    "upper": lambda password: any("A" <= character <= "Z" for character in password),
    "lower": lambda password: any("a" <= character <= "z" for character in password),
    "digit": lambda password: any(character.isdigit() for character in password),
    "symbol": lambda password: any(
        not (character.isalpha() or character.isdigit() or character.isspace())
        for character in password
    ),
}


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


def require_acceptable(
    password: str,
    *,
    user: AbstractBaseUser,
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
    if conf.password_history and any(check_password(password, old) for old in history):
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
    account.password_changed_at = timezone.now()
    account.password_reset_required = False
    if conf.password_history:
        remembered = [*account.password_history, account.user.password]
        account.password_history = remembered[-conf.password_history :]


# What assign_password changes on an account; its user changes "password".
PASSWORD_FIELDS = ("password_changed_at", "password_reset_required", "password_history")
