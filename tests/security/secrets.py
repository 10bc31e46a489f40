"""Finding a secret in a heap of data, however it is written there."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote, quote_plus

from django.db import connection

# Shorter pieces than this occur by chance.
SHORTEST = 8


def disguises(secret: str) -> set[bytes]:
    """The forms by which a secret betrays itself: clear, escaped, reversed, hex, Base64.

    Base64 at every alignment, without the edges that neighbouring bytes share.
    """
    raws = {secret.encode(), secret.encode()[::-1], secret.encode("utf-16-le")}
    with suppress(ValueError):
        # A secret of hex digits is also the bytes that they stand for.
        raws.add(bytes.fromhex(secret))
    forms = {quote(secret, safe="").encode(), quote_plus(secret).encode()}
    for raw in raws:
        forms |= {raw, raw.hex().encode(), raw.hex().upper().encode()}
        for shift in range(3):
            for encode in (b64encode, urlsafe_b64encode):
                usable = (len(raw) + shift) // 3 * 4
                forms.add(encode(bytes(shift) + raw)[4 if shift else 0 : usable])
    return {form for form in forms if len(form) >= SHORTEST}


def betrayed(secrets: Iterable[str], data: bytes) -> list[tuple[str, bytes]]:
    """The secrets that are in the data, with the form in which they were found."""
    return [(secret, form) for secret in secrets for form in disguises(secret) if form in data]


def every_table() -> bytes:
    """All rows of all tables of the test database."""
    return b"\n".join(_rows())


def _rows() -> Iterator[bytes]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                yield b"\x1f".join(map(_bytes, (table, *row)))


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
