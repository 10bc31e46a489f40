"""Accounts and targets on the wire (core.md §8.1 and §8.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from django_account.accounts.hashers import describe
from django_account.accounts.models import Account
from django_account.accounts.passwords import stored_password
from django_account.api.fields import (
    EmailParam,
    NewIdParam,
    NewPasswordParam,
    Params,
    PasswordParam,
    PhoneParam,
    PrefsParam,
    StringParam,
)
from django_account.api.serializers.documents import document, flag, moment, text
from django_account.core import emails
from django_account.core.times import iso
from django_account.targets.models import Target


def account_document(
    account: Account, targets: Iterable[Target], *, impersonator: Account | None = None
) -> dict[str, Any]:
    """The keys of an account.

    Args:
        account: with its user loaded.
        targets: the account's, oldest first.
        impersonator: who acts as this person.
    """
    facts = emails.facts(account.email) if account.email else None
    return {
        "$id": account.public_id,
        "$createdAt": iso(account.created_at),
        "$updatedAt": iso(account.updated_at),
        "name": account.name,
        "registration": iso(account.registered_at),
        "status": account.is_active,
        "labels": account.labels,
        "passwordUpdate": iso(account.password_changed_at),
        "email": account.email or "",
        "phone": account.phone or "",
        "emailVerification": account.email_verified,
        "emailCanonical": facts and facts.canonical,
        "emailIsFree": facts and facts.is_free,
        "emailIsDisposable": facts and facts.is_disposable,
        "emailIsCorporate": facts and facts.is_corporate,
        "emailIsCanonical": facts and facts.is_canonical,
        "phoneVerification": account.phone_verified,
        "mfa": account.mfa_enabled,
        "prefs": account.prefs,
        "targets": [target_document(target, account) for target in targets],
        "accessedAt": iso(account.accessed_at),
        "impersonator": account.impersonator,
        "impersonatorUserId": impersonator and impersonator.public_id,
    }


def person_document(account: Account, targets: Iterable[Target]) -> dict[str, Any]:
    """An account as servers see it: with the hash of its password (users.md §4 and §6)."""
    hashed, kind, options = describe(stored_password(account))
    secret = {"password": hashed, "hash": kind, "hashOptions": options}
    document = {}
    for key, value in account_document(account, targets).items():
        document[key] = value
        if key == "name":
            document |= secret
    return document


def target_document(target: Target, account: Account) -> dict[str, Any]:
    """The keys of a target of an account."""
    return {
        "$id": target.public_id,
        "$createdAt": iso(target.created_at),
        "$updatedAt": iso(target.updated_at),
        "name": target.name,
        "userId": account.public_id,
        "providerId": target.provider_id,
        "providerType": target.provider_type,
        "identifier": target.identifier,
        "expired": target.expired,
    }


TargetSerializer = document(
    "Target",
    {
        "$id": text(),
        "$createdAt": moment(),
        "$updatedAt": moment(),
        "name": text(),
        "userId": text(),
        "providerId": text(allow_null=True),
        "providerType": serializers.ChoiceField(choices=["email", "sms", "push"]),
        "identifier": text(),
        "expired": flag(),
    },
)

PreferencesSerializer = document("Preferences", {})

AccountSerializer = document(
    "Account",
    {
        "$id": text(),
        "$createdAt": moment(),
        "$updatedAt": moment(),
        "name": text(),
        "registration": moment(),
        "status": flag(),
        "labels": serializers.ListField(child=serializers.CharField()),
        "passwordUpdate": moment(),
        "email": text(),
        "phone": text(),
        "emailVerification": flag(),
        "emailCanonical": text(allow_null=True),
        "emailIsFree": flag(allow_null=True),
        "emailIsDisposable": flag(allow_null=True),
        "emailIsCorporate": flag(allow_null=True),
        "emailIsCanonical": flag(allow_null=True),
        "phoneVerification": flag(),
        "mfa": flag(),
        "prefs": serializers.DictField(),
        "targets": TargetSerializer(many=True),
        "accessedAt": moment(),
        "impersonator": flag(),
        "impersonatorUserId": text(allow_null=True),
    },
)


class AccountInput(Params):
    userId = NewIdParam()  # noqa: N815, as on the wire
    email = EmailParam()
    password = NewPasswordParam()
    name = StringParam(min_chars=1, max_chars=128, required=False, default="")


class NameInput(Params):
    name = StringParam(min_chars=1, max_chars=128)


class PrefsInput(Params):
    prefs = PrefsParam()


class PasswordInput(Params):
    password = NewPasswordParam()
    oldPassword = StringParam(max_chars=256, required=False, default="")  # noqa: N815, as on the wire


class EmailInput(Params):
    email = EmailParam()
    password = PasswordParam()


class PhoneInput(Params):
    phone = PhoneParam()
    password = PasswordParam()
