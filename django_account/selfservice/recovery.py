"""A forgotten password (mfa-oauth.md §6.1 and §6.2)."""

from __future__ import annotations

from django.db import transaction

from django_account.accounts.models import Account
from django_account.accounts.services import find_account, mark_verified
from django_account.conf import conf
from django_account.exceptions import AccountError, UserBlocked, UserNotFound
from django_account.selfservice.delivery import request_email, require_mail, with_secret
from django_account.selfservice.passwordless import Requester
from django_account.selfservice.profile import assign_acceptable, save_password
from django_account.selfservice.verification import require_account
from django_account.sessions.services import end_sessions
from django_account.tokens.models import Token
from django_account.tokens.services import (
    IssuedToken,
    find_token,
    issue_token,
    redeem_token,
    return_try,
)


def create_recovery(*, email: str, url: str, requester: Requester) -> IssuedToken:
    """Send a link that allows a new password.

    Args:
        email: in normal form.
        url: where the link leads; the caller has checked it.

    Raises:
        MailDisabled, UserNotFound, UserBlocked.
    """
    account = _recoverable(email)
    with transaction.atomic():
        issued = issue_token(account=account, kind=Token.Kind.RECOVERY, address=email)
        request_email(
            "recovery",
            issued,
            locale=requester.locale,
            client=requester.client,
            link=with_secret(url, issued),
        )
    return issued


def create_recovery_code(*, email: str, phrase: bool, requester: Requester) -> IssuedToken:
    """Send a code that allows a new password. Errors as for a link."""
    account = _recoverable(email)
    with transaction.atomic():
        issued = issue_token(
            account=account, kind=Token.Kind.RECOVERY_CODE, address=email, phrase=phrase
        )
        request_email(
            "recovery-otp",
            issued,
            locale=requester.locale,
            client=requester.client,
            code=issued.secret,
        )
    return issued


def complete_recovery(*, account_id: str, secret: str, password: str, kind: Token.Kind) -> Token:
    """Set a new password with a recovery token, and use the token up.

    The address is verified thereby. Nobody is signed in; with INVALIDATE_SESSIONS everybody who was
    is signed out. A second factor stays as it is: recovery replaces the password and nothing else.

    Returns:
        the token that was used.

    Raises:
        UserNotFound: there is no such account.
        InvalidToken: the token is none, or not any more.
        UserBlocked: it is right and the person is blocked.
        InvalidArgument, PasswordRecentlyUsed, PasswordPersonalData: the password breaks a rule; the
            token stays usable.
    """
    require_account(account_id)
    token = find_token(account_id=account_id, secret=secret, kinds={kind})
    account = token.account
    try:
        assign_acceptable(account, password)
    except AccountError:
        return_try(token)
        raise
    with transaction.atomic():
        redeem_token(token)
        mark_verified(account, "email", token.address)
        save_password(account)
        if conf.invalidate_sessions:
            end_sessions(account=account)
    return token


def _recoverable(email: str) -> Account:
    require_mail()
    account = find_account(email=email)
    if account is None:
        raise UserNotFound
    if not account.is_active:
        raise UserBlocked
    return account
