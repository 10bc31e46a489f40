"""Asking for a message to be delivered: what is common to every flow that sends one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django_account import signals
from django_account.conf import conf
from django_account.core.clients import ClientInfo
from django_account.core.messages import Message
from django_account.core.times import iso
from django_account.exceptions import MailDisabled, SMSDisabled
from django_account.tokens.services import IssuedToken


def require_mail() -> None:
    """Refuse what needs a mail when the site sends none: no mailer, or the dummy one.

    Raises:
        MailDisabled.
    """
    if not conf.sends_mail:
        raise MailDisabled


def require_sms(phone: str) -> None:
    """Refuse what needs an SMS when the site sends none: no backend, or the dummy one.

    Raises:
        SMSDisabled: and the number is no mock number, which needs none.
    """
    if not conf.sends_sms and phone not in conf.mock_numbers:
        raise SMSDisabled


def request_email(
    kind: str, issued: IssuedToken, *, locale: str, client: ClientInfo, **secrets: Any
) -> None:
    """Have a token's secret sent to the address it was issued for, after the commit.

    Args:
        kind: which template.
        **secrets: ``link`` or ``code``.
    """
    _request("email", kind, issued, locale, client, phrase=issued.phrase, **secrets)


def request_sms(kind: str, issued: IssuedToken, *, locale: str, client: ClientInfo) -> None:
    """Have a code sent to the number it was issued for, unless that is a mock number."""
    if issued.token.address not in conf.mock_numbers:
        _request("sms", kind, issued, locale, client, code=issued.secret)


def _request(
    channel: Any, kind: str, issued: IssuedToken, locale: str, client: ClientInfo, **texts: Any
) -> None:
    account = issued.token.account
    message = Message(
        kind=kind,
        channel=channel,
        recipient=issued.token.address,
        name=account.name,
        locale=locale,
        client=client,
        expires_at=issued.token.expires_at,
        **texts,
    )
    signals.message_requested.send_robust(sender=None, account=account, message=message)


def with_secret(url: str, issued: IssuedToken) -> str:
    """Add a token to a link's query: ``userId``, ``secret``, ``expire`` and ``project``.

    What else stands in the query stays first, same-named values are overwritten in place, and the
    fragment is kept (mfa-oauth.md §6).
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query |= {
        "userId": issued.token.account.public_id,
        "secret": issued.secret,
        "expire": iso(issued.token.expires_at),
        "project": conf.project_id,
    }
    return urlunsplit(parts._replace(query=urlencode(query)))
