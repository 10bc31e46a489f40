"""Which counter a request belongs to."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_account.conf import conf
from django_account.core import emails
from django_account.core.crypto import derive_keys, digest
from django_account.limits.devices import known_device
from django_account.limits.rules import Limit

# An IPv6 customer has at least this much to choose addresses from.
_IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Bucket:
    """One counter of one limit.

    Attributes:
        limit: the rule.
        name: tells it apart from all others; nobody's address can be read from it.
        subjects: whom it counts, as :func:`subject` spells them; staff reset by them.
    """

    limit: Limit
    name: str
    subjects: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name, short enough for a cache."""
        return f"bucket:{digest(self.name)[:32]}"


def find_bucket(
    limit: Limit,
    *,
    action: str,
    ip: str,
    caller: str,
    given: Mapping[str, Any],
    tokens: str = "",
) -> Bucket:
    """The counter of a request.

    Args:
        limit: the rule.
        action: the operation that is asked for.
        ip: the client's address.
        caller: the public id of the person signed in; ``""`` for a guest.
        given: the request's parameters, raw. All requests that lack one of the key's parameters,
            or have something else than text there, count together.
        tokens: what the device keeps to be known by (devices.py).
    """
    names, subjects = [conf.project_id], []
    for part in limit.parts:
        if part == "url":
            names.append(f"url:{action}")
            continue
        value = {"ip": ip, "caller": caller}.get(part, given.get(part))
        kind = "userId" if part == "caller" else part
        whom = subject(kind, value)
        subjects.append(whom)
        names.append(whom)
        if isinstance(value, str) and (
            device := known_device(tokens, part, normal_form(part, value))
        ):
            names.append(f"device:{device}")
    return Bucket(limit, ",".join(names), tuple(subjects))


def subject(kind: str, value: object) -> str:
    """Whom a bucket counts, hidden: a cache is no safe place, and few guesses find a phone number.

    Args:
        kind: ``ip``, ``userId``, ``email``, ``phone`` or another parameter's name.
        value: in any spelling.
    """
    text = normal_form(kind, value) if isinstance(value, str) else ""
    key = next(derive_keys("limits"))
    hidden = hmac.digest(key, text.encode(errors="surrogatepass"), "sha256").hex()[:32]
    return f"{kind}:{hidden}"


def normal_form(kind: str, value: str) -> str:
    """The one spelling by which a value is counted."""
    if kind == "ip":
        return _network(value)
    if kind == "email":
        try:
            return emails.normalize(value)
        except ValueError:
            return value.strip().lower()
    return value


def _network(value: str) -> str:
    """IPv4 whole, also where it is written as IPv6; IPv6 by the network of its customer."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return value
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _IPV6_PREFIX), strict=False))
