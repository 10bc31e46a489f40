"""Proving that an address is one's own (mfa-oauth.md §6.3 to §6.6)."""

from __future__ import annotations

from django.db import transaction

from django_account.accounts.models import Account
from django_account.accounts.services import mark_verified
from django_account.conf import conf
from django_account.exceptions import (
    EmailAlreadyVerified,
    EmailNotFound,
    InvalidToken,
    PhoneAlreadyVerified,
    PhoneNotFound,
    UserNotFound,
)
from django_account.selfservice.delivery import (
    request_email,
    request_sms,
    require_mail,
    require_sms,
    with_secret,
)
from django_account.selfservice.passwordless import Requester
from django_account.tokens.models import Token
from django_account.tokens.services import IssuedToken, find_token, issue_token, redeem_token


def create_email_verification(*, account: Account, url: str, requester: Requester) -> IssuedToken:
    """Send a link that verifies the account's e-mail address.

    Args:
        url: where the link leads; the caller has checked it.

    Raises:
        MailDisabled, EmailNotFound, EmailAlreadyVerified.
    """
    address = _unverified_email(account)
    with transaction.atomic():
        issued = issue_token(account=account, kind=Token.Kind.EMAIL_VERIFICATION, address=address)
        request_email(
            "verification",
            issued,
            locale=requester.locale,
            client=requester.client,
            link=with_secret(url, issued),
        )
    return issued


def create_email_verification_code(
    *, account: Account, phrase: bool, requester: Requester
) -> IssuedToken:
    """Send a code that verifies the account's e-mail address.

    Raises:
        MailDisabled, EmailNotFound, EmailAlreadyVerified.
    """
    address = _unverified_email(account)
    with transaction.atomic():
        issued = issue_token(
            account=account,
            kind=Token.Kind.EMAIL_VERIFICATION_CODE,
            address=address,
            phrase=phrase,
        )
        request_email(
            "verification-otp",
            issued,
            locale=requester.locale,
            client=requester.client,
            code=issued.secret,
        )
    return issued


def create_phone_verification(*, account: Account, requester: Requester) -> IssuedToken:
    """Send a code that verifies the account's phone number.

    Raises:
        SMSDisabled, PhoneNotFound, PhoneAlreadyVerified.
    """
    phone = account.phone or ""
    require_sms(phone)
    if not phone:
        raise PhoneNotFound
    if account.phone_verified:
        raise PhoneAlreadyVerified
    with transaction.atomic():
        issued = issue_token(
            account=account,
            kind=Token.Kind.PHONE_VERIFICATION_CODE,
            address=phone,
            secret=conf.mock_numbers.get(phone),
        )
        request_sms("phone-verification", issued, locale=requester.locale, client=requester.client)
    return issued


def complete_verification(*, account_id: str, secret: str, kind: Token.Kind) -> Token:
    """Verify the address that a token was sent to, and use the token up.

    Nobody need be signed in: the secret is the proof.

    Returns:
        the token that was used.

    Raises:
        UserNotFound: there is no such account.
        InvalidToken: the token is none, or not any more, or the account has another address now.
        UserBlocked: it is right and the person is blocked.
    """
    require_account(account_id)
    token = find_token(account_id=account_id, secret=secret, kinds={kind})
    address_kind = "phone" if kind == Token.Kind.PHONE_VERIFICATION_CODE else "email"
    with transaction.atomic():
        redeem_token(token)
        if not mark_verified(token.account, address_kind, token.address):
            raise InvalidToken
    return token


def require_account(account_id: str) -> None:
    """Refuse an id that nobody has.

    Raises:
        UserNotFound: nobody has it.
    """
    if not Account.objects.filter(public_id=account_id).exists():
        raise UserNotFound


def _unverified_email(account: Account) -> str:
    require_mail()
    if not account.email:
        raise EmailNotFound
    if account.email_verified:
        raise EmailAlreadyVerified
    return account.email
