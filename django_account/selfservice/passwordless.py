"""Signing in without a password: a link or a code is sent to an address (core.md §9.14 to §9.16).

Who has no account yet gets one. Who has one gets the token for it, whatever id was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from django.db import transaction

from django_account.accounts.models import Account
from django_account.accounts.services import create_account, find_account
from django_account.conf import conf
from django_account.core.clients import ClientInfo
from django_account.exceptions import BadRequest, EmailAlreadyExists, UserAlreadyExists
from django_account.selfservice.delivery import (
    request_email,
    request_sms,
    require_mail,
    require_sms,
    with_secret,
)
from django_account.tokens.models import Token
from django_account.tokens.services import IssuedToken, issue_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks for a message, and in which language they want it."""

    client: ClientInfo
    locale: str


def create_magic_url_token(
    *, account_id: str, email: str, url: str, phrase: bool, requester: Requester
) -> IssuedToken:
    """Send a link that signs in.

    Args:
        account_id: for a new account; ignored when the address has one.
        email: in normal form.
        url: where the link leads; the secret is added to its query. The caller has checked it.
        phrase: whether to draw a security phrase.

    Raises:
        MailDisabled: the site sends no mail.
        EmailAlreadyExists: the address is on an identity of somebody's.
        UserCountExceeded, UserAlreadyExists, InvalidEmail and the other errors of a sign-up.
    """
    require_mail()
    with transaction.atomic():
        try:
            account = _find_or_create(account_id, "email", email)
        except BadRequest:
            # Upstream says it openly here, and here alone (core.md §14).
            raise EmailAlreadyExists from None
        issued = issue_token(
            account=account, kind=Token.Kind.MAGIC_URL, address=email, phrase=phrase
        )
        request_email(
            "magic-session",
            issued,
            locale=requester.locale,
            client=requester.client,
            link=with_secret(url, issued),
        )
    return issued


def create_email_token(
    *, account_id: str, email: str, phrase: bool, requester: Requester
) -> IssuedToken:
    """Send a code that signs in, by e-mail. Arguments and errors as for a magic URL, but
    BadRequest where an identity has the address."""
    require_mail()
    with transaction.atomic():
        account = _find_or_create(account_id, "email", email)
        issued = issue_token(
            account=account, kind=Token.Kind.EMAIL_CODE, address=email, phrase=phrase
        )
        request_email(
            "otp-session",
            issued,
            locale=requester.locale,
            client=requester.client,
            code=issued.secret,
        )
    return issued


def create_phone_token(*, account_id: str, phone: str, requester: Requester) -> IssuedToken:
    """Send a code that signs in, by SMS.

    Args:
        account_id: for a new account; ignored when the number has one.
        phone: in E.164. A number of MOCK_NUMBERS has its own code, and no SMS is sent.

    Raises:
        SMSDisabled: the site sends no SMS.
        UserCountExceeded, UserAlreadyExists: as for a sign-up.
    """
    require_sms(phone)
    with transaction.atomic():
        account = _find_or_create(account_id, "phone", phone)
        issued = issue_token(
            account=account,
            kind=Token.Kind.PHONE_CODE,
            address=phone,
            secret=conf.mock_numbers.get(phone),
        )
        request_sms("phone-session", issued, locale=requester.locale, client=requester.client)
    return issued


def _find_or_create(account_id: str, kind: Literal["email", "phone"], address: str) -> Account:
    """The account with an address, made if there is none.

    Raises:
        UserAlreadyExists: the id asked for is taken, or several of the site's users share the
            address.
    """
    account = find_account(**{kind: address})
    if account is not None:
        return account
    by_address: dict[str, Any] = {kind: address}
    try:
        return create_account(account_id=account_id, **by_address)
    except UserAlreadyExists:
        # Of two parallel requests for a new address, the second finds what the first has made.
        account = Account.objects.with_user().filter(**by_address).first()
        if account is None:
            raise
        return account
