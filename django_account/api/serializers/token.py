"""One-time tokens on the wire (core.md §8.4)."""

from __future__ import annotations

from typing import Any

from django_account.accounts.models import Account
from django_account.api.fields import (
    EmailParam,
    IdParam,
    NewIdParam,
    NewPasswordParam,
    Params,
    PhoneParam,
    RedirectParam,
    StrictBooleanParam,
    StringParam,
)
from django_account.api.serializers.documents import document, moment, text
from django_account.core.times import iso
from django_account.tokens.models import Token


def token_document(
    token: Token, account: Account, *, secret: str = "", phrase: str = ""
) -> dict[str, Any]:
    """The keys of a token.

    Args:
        secret: given to servers only.
        phrase: the security phrase, if one was asked for.
    """
    return {
        "$id": token.public_id,
        "$createdAt": iso(token.created_at),
        "userId": account.public_id,
        "secret": secret,
        "expire": iso(token.expires_at),
        "phrase": phrase,
    }


TokenSerializer = document(
    "Token",
    {
        "$id": text(),
        "$createdAt": moment(),
        "userId": text(),
        "secret": text(),
        "expire": moment(),
        "phrase": text(),
    },
)


class MagicURLInput(Params):
    userId = NewIdParam()  # noqa: N815, as on the wire
    email = EmailParam()
    url = RedirectParam(required=False)
    phrase = StrictBooleanParam(required=False, default=False)


class EmailTokenInput(Params):
    userId = NewIdParam()  # noqa: N815, as on the wire
    email = EmailParam()
    phrase = StrictBooleanParam(required=False, default=False)


class PhoneTokenInput(Params):
    userId = NewIdParam()  # noqa: N815, as on the wire
    phone = PhoneParam()


class SecretInput(Params):
    userId = NewIdParam()  # noqa: N815, as on the wire
    secret = StringParam(min_chars=1, max_chars=256)


class ConfirmationInput(Params):
    userId = IdParam()  # noqa: N815, as on the wire
    secret = StringParam(min_chars=1, max_chars=256)


class RecoveryInput(Params):
    email = EmailParam()
    url = RedirectParam()


class RecoveryCodeInput(Params):
    email = EmailParam()
    phrase = StrictBooleanParam(required=False, default=False)


class RecoveryConfirmationInput(Params):
    userId = IdParam()  # noqa: N815, as on the wire
    secret = StringParam(min_chars=1, max_chars=256)
    password = NewPasswordParam()


class VerificationInput(Params):
    url = RedirectParam()


class VerificationCodeInput(Params):
    phrase = StrictBooleanParam(required=False, default=False)
