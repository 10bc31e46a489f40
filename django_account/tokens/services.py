"""Issuing one-time secrets, and the one place where they die."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.accounts.services import lock_account
from django_account.core.crypto import digest, generate_secret
from django_account.exceptions import InvalidToken, UserBlocked, UserNotFound
from django_account.tokens.models import MAX_TRIES, Token
from django_account.tokens.phrases import PHRASES
from django_account.tokens.wrapped import unwrap_secret

if TYPE_CHECKING:
    from django_account.identities.models import Identity

# Characters of a link's secret, by kind (mfa-oauth.md §3).
_LINK_SECRET = {Token.Kind.MAGIC_URL: 64, Token.Kind.OAUTH2: 64}
_LONG_SECRET = 256

# Of a code that a person types.
TYPED_DIGITS = 6

# Shorter ones are codes.
MIN_LINK_SECRET = 64


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token with its secret, which exists nowhere else, and a phrase if one was asked for."""

    token: Token
    secret: str = field(repr=False)
    phrase: str = ""


def issue_token(
    *,
    account: Account,
    kind: Token.Kind,
    address: str = "",
    secret: str | None = None,
    lifetime: timedelta | None = None,
    identity: Identity | None = None,
    phrase: bool = False,
) -> IssuedToken:
    """Make a one-time secret. Earlier ones stay valid until they expire. Call it in a transaction.

    Args:
        address: where it will be sent; the address that redeeming it proves.
        secret: a chosen one, as for mock numbers; None for a random one.
        lifetime: None for the kind's own.
        identity: by which the person has proven who they are, for an OAuth2 token.
        phrase: whether to draw a security phrase, shown in the answer and in the message.

    Raises:
        UserNotFound: the account has been deleted in the meantime, or has the address no more.
    """
    locked = lock_account(account)
    if address and address not in (locked.email, locked.phone):
        # What goes there now would work for whoever has it, and stay behind of somebody forgotten.
        raise UserNotFound
    if secret is None:
        secret = (
            f"{secrets.randbelow(10**TYPED_DIGITS):0{TYPED_DIGITS}d}"
            if kind in Token.CODES
            else generate_secret(_LINK_SECRET.get(kind, _LONG_SECRET))
        )
    token = Token(
        account=account,
        kind=kind,
        address=address,
        identity=identity,
        expires_at=timezone.now() + (lifetime or Token.LIFETIMES[kind]),
    )
    token.secret_digest = token.digest_of(secret)
    token.save(force_insert=True)
    return IssuedToken(token, secret, security_phrase() if phrase else "")


def create_custom_token(*, account: Account, length: int, lifetime: timedelta) -> IssuedToken:
    """Make a secret that a server hands on, by whatever way, to sign somebody in once. Call it in a
    transaction.

    Args:
        length: hex digits of the secret, 4 to 128.
        lifetime: how long it works.

    Raises:
        UserNotFound: the account has been deleted in the meantime.
    """
    secret = generate_secret(length + length % 2)[:length]
    return issue_token(account=account, kind=Token.Kind.GENERIC, secret=secret, lifetime=lifetime)


def security_phrase() -> str:
    """An adjective and a noun that a person can compare at a glance. No secret."""
    adjectives, nouns = PHRASES
    return f"{secrets.choice(adjectives).capitalize()} {secrets.choice(nouns)}"


def find_token(*, account_id: str, secret: str, kinds: Collection[Token.Kind]) -> Token:
    """Find the token that a secret belongs to. Every guess at a code counts before it is compared.

    Call it outside any transaction: the count must stay when this raises.

    Args:
        account_id: the public id of whose it is said to be.
        secret: what was presented.
        kinds: those that may be redeemed here.

    Raises:
        InvalidToken: unknown, wrong, expired, used, somebody else's, another kind's, or guessed at
            too often; the cases cannot be told apart.
        UserBlocked: it is right, and the person is blocked; nothing is consumed.
    """
    candidates = Token.objects.usable().filter(account__public_id=account_id, kind__in=kinds)
    # An OAuth2 token's secret comes wrapped, and a wrapper holds nothing else.
    if (wrapped := unwrap_secret(secret)) is not None:
        secret = wrapped.secret
        candidates = candidates.filter(kind=Token.Kind.OAUTH2, identity__provider=wrapped.provider)
    else:
        candidates = candidates.exclude(kind=Token.Kind.OAUTH2)
    # What cannot be a typed code is not counted as a guess at one.
    is_typed = len(secret) == TYPED_DIGITS and secret.isdecimal()
    codes = candidates.filter(kind__in=Token.CODES if is_typed else {Token.Kind.GENERIC})
    links = candidates.exclude(kind__in=Token.CODES)
    # What is too short for a link is not hashed plainly: the hash of a code in a statement log
    # could be undone by a million tries.
    if len(secret) < MIN_LINK_SECRET:
        links = links.none()
    else:
        links = links.filter(secret_digest=digest(secret))
    found, claimed = None, False
    for token in (links | codes).select_related("account__user").order_by("-pk"):
        if token.is_code:
            claimed = True
            if not _claim_try(token):
                continue
        if token.matches(secret):
            found = token
            break
    if found is None:
        if not claimed:
            # Nobody to guess at costs what a wrong guess costs.
            _claim_try(Token(pk=0))
        raise InvalidToken
    if not found.account.is_active:
        return_try(found)
        raise UserBlocked
    return found


def return_try(token: Token) -> None:
    """Uncount a guess that was right, where the token is not used up by it after all."""
    if token.is_code:
        Token.objects.filter(pk=token.pk, tries__gt=0).update(tries=F("tries") - 1)


def _claim_try(token: Token) -> bool:
    """Take one of the token's tries; of any number of parallel guesses at most MAX_TRIES pass."""
    return bool(Token.objects.filter(pk=token.pk, tries__lt=MAX_TRIES).update(tries=F("tries") + 1))


def redeem_token(token: Token) -> None:
    """Use a token up. The one place where a one-time secret dies.

    Call it inside the transaction that does what the token allows: either both happen or neither,
    and of two parallel calls one waits for the other and loses.

    Raises:
        InvalidToken: somebody was faster.
    """
    try:
        # The account first, as everybody who touches what hangs on it.
        lock_account(token.account)
    except UserNotFound:
        raise InvalidToken from None
    deleted, _ = Token.objects.filter(pk=token.pk, expires_at__gte=timezone.now()).delete()
    if not deleted:
        raise InvalidToken


def revoke_tokens(
    *, account: Account, address: str | None = None, kinds: Collection[Token.Kind] | None = None
) -> None:
    """Kill outstanding tokens: those sent to an address, or those of some kinds.

    Args:
        address: None where there was none, and so nothing was sent to it.
        kinds: given instead of an address.
    """
    tokens = Token.objects.filter(account=account)
    if kinds is not None:
        tokens.filter(kind__in=kinds).delete()
    elif address is not None:
        tokens.filter(address=address).delete()
