"""Public ids: how they are made, and which ones a client may choose (core.md §3.3)."""

from __future__ import annotations

import re
import secrets
import time

# What a client sends to have the server choose.
UNIQUE = "unique()"

MAX_LENGTH = 36

_CUSTOM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,35}\Z")
_UNIQUE_ID = re.compile(r"[0-9a-f]{20}\Z")


def unique_id() -> str:
    """A new id: 13 hex digits of microsecond time, so that ids sort by age, and 7 random ones.

    Returns:
        20 lower-case hex characters.
    """
    seconds, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{seconds:08x}{microseconds:05x}{secrets.randbits(28):07x}"


def is_unique_id(value: str) -> bool:
    """Whether ``value`` looks as :func:`unique_id` makes them, and so says nothing of anybody."""
    return _UNIQUE_ID.match(value) is not None


def is_valid_id(value: str) -> bool:
    """Whether ``value`` may be an id: 1 to 36 of ``A-Z a-z 0-9 . _ -``, not led by ``. _ -``."""
    return _CUSTOM_ID.match(value) is not None
