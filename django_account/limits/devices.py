"""Known devices: whoever signed in before is not locked out by somebody else's guesses.

A limit on an address can be used up by anybody who knows the address. A device on which the
person has signed in therefore keeps a token, and counts in a bucket of its own (OWASP, "device
cookies"). The token is worth one such bucket and nothing more: who steals it may make as many tries
as the limit allows, who makes one up counts with everybody else.

All devices known for a phone number share one bucket: every code costs the site money, and whoever
earns by it could otherwise sign in over and over for as many tokens, each with a limit of its own.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Iterable

from django_account.conf import conf
from django_account.core.crypto import derive_keys

# A family's tablet: so many addresses are remembered, the last ones signed in.
MAX_TOKENS = 6

_SEPARATOR = "."


def remember_device(tokens: str, addresses: Iterable[str]) -> str:
    """Remember a device for the addresses of the person who signed in on it.

    Args:
        tokens: what the device has kept so far; may be anything.
        addresses: e-mail in normal form, phone in E.164.

    Returns:
        what it is to keep: random numbers, moments and MACs. No address can be read from it.
    """
    new = list(addresses)
    until = int(time.time() + conf.known_device_duration.total_seconds())
    made = []
    for address in new:
        nonce = secrets.token_hex(12)
        made.append(
            f"{nonce}{until:010x}{_mac(next(derive_keys('device')), nonce, until, address)}"
        )
    kept = [
        token
        for token in tokens.split(_SEPARATOR)[:MAX_TOKENS]
        if _moment(token) > time.time() and not any(_is_for(token, address) for address in new)
    ]
    return _SEPARATOR.join([*made, *kept][:MAX_TOKENS])


def known_device(tokens: str, kind: str, address: str) -> str | None:
    """The name of the bucket of a device, if the person of an address signed in on it.

    Args:
        tokens: what the device sends.
        kind: "email" or "phone"; nobody signs in by anything else.
        address: in normal form.
    """
    if not tokens or kind not in ("email", "phone") or not conf.known_device_duration:
        return None
    for token in tokens.split(_SEPARATOR)[:MAX_TOKENS]:
        if _moment(token) > time.time() and _is_for(token, address):
            return "any" if kind == "phone" else token[:24]
    return None


def _is_for(token: str, address: str) -> bool:
    """Whether a token was made here for an address, with the present key or one retiring."""
    nonce, until, mac = token[:24], _moment(token), token[34:]
    return any(
        hmac.compare_digest(mac.encode(), _mac(key, nonce, until, address).encode())
        for key in derive_keys("device")
    )


def _moment(token: str) -> int:
    """When a token ends, in seconds since the epoch; 0 for what is no token."""
    if len(token) != 74 or not token.isascii():
        return 0
    try:
        return int(token[24:34], 16)
    except ValueError:
        return 0


def _mac(key: bytes, nonce: str, until: int, address: str) -> str:
    text = f"{conf.project_id}\n{nonce}\n{until}\n{address}"
    return hmac.digest(key, text.encode(errors="surrogatepass"), "sha256").hex()[:40]
