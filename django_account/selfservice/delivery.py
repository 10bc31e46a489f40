"""Asking for a message to be delivered: what is common to every flow that sends one."""

from __future__ import annotations

from datetime import timedelta
from string import punctuation
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from django.conf import settings
from django.utils import timezone

from django_account import signals
from django_account.accounts.models import Account
from django_account.conf import conf
from django_account.core.clients import ClientInfo
from django_account.core.messages import Channel, Message
from django_account.core.times import iso
from django_account.exceptions import MailDisabled, SMSDisabled
from django_account.tokens.models import Token
from django_account.tokens.services import IssuedToken

# How long there is any point in telling somebody that a factor is gone.
_NEWS = timedelta(days=1)

# What browsers send as it is in every part of a URL, beside letters and digits.
_SAFE = "".join(set(punctuation) - set('"<>`'))


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
    channel: Channel, kind: str, issued: IssuedToken, locale: str, client: ClientInfo, **texts: Any
) -> None:
    request_message(
        account=issued.token.account,
        channel=channel,
        kind=kind,
        recipient=issued.token.address,
        expires_at=issued.token.expires_at,
        locale=locale,
        client=client,
        **texts,
    )


def request_message(*, account: Account, **values: Any) -> None:
    """Have a message sent to a person, after the commit.

    Args:
        **values: those of a core.messages.Message but the name.
    """
    message = Message(name=account.name, **values)
    signals.message_requested.send_robust(sender=None, account=account, message=message)


def tell_of_removal(
    account: Account, *, locale: str | None = None, client: ClientInfo | None = None
) -> None:
    """Tell the owner of an account that it is less well guarded: perhaps it was not them.

    Args:
        account: with the address it had before.
        locale: the site's own when left out.
        client: who asked; not told when left out.
    """
    if account.email:
        request_message(
            account=account,
            channel="email",
            kind="mfa-removed",
            recipient=account.email,
            expires_at=timezone.now() + _NEWS,
            locale=locale or settings.LANGUAGE_CODE,
            client=client or ClientInfo(),
        )


def with_secret(url: str, issued: IssuedToken) -> str:
    """Add a token to a link's query: ``userId``, ``secret``, ``expire``; ``project`` to sign in.

    What else stands in the query stays first, same-named values are overwritten in place, and the
    fragment is kept (core.md §9.14, mfa-oauth.md §6).

    Returns:
        the link in ASCII, as a browser would write it: no mail breaks at a line separator in it, or
        shows it in another direction.
    """
    # Not by urlsplit: it drops the "//" of an app's scheme without a host.
    rest, hash_sign, fragment = url.partition("#")
    base, _, query = rest.partition("?")
    wanted = {
        "userId": issued.token.account.public_id,
        "secret": issued.secret,
        "expire": iso(issued.token.expires_at),
    }
    if issued.token.kind == Token.Kind.MAGIC_URL:
        wanted["project"] = conf.project_id
    left = dict(wanted)
    pairs = []
    for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        if name not in wanted:
            pairs.append((name, value))
        elif name in left:
            pairs.append((name, left.pop(name)))
    encoded = urlencode([*pairs, *left.items()], errors="surrogateescape")
    return quote(f"{base}?{encoded}{hash_sign}{fragment}", safe=_SAFE)
