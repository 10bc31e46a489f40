"""JSON that people hand in and every database can keep."""

from __future__ import annotations

import json
from typing import Any

from django_account.texts import FilledText, gettext_noop

# Levels of nesting in a JSON value that is stored. MariaDB holds 31.
MAX_DEPTH = 30

# Of somebody's preferences, measured as upstream measures.
MAX_PREFS_BYTES = 65_535


def is_storable(value: Any) -> bool:
    """Whether a JSON value can be stored by every database, and be read again.

    PostgreSQL holds no null characters, and UTF-8 no lone surrogates. What is nested deeper than
    MAX_DEPTH is refused by MariaDB, and could exceed the stack of whoever reads it, and lock its
    owner out.
    """
    pending = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        if depth > MAX_DEPTH:
            return False
        if isinstance(item, dict):
            pending += [(each, depth + 1) for pair in item.items() for each in pair]
        elif isinstance(item, list):
            pending += [(each, depth + 1) for each in item]
        elif isinstance(item, str):
            if "\x00" in item:
                return False
            try:
                item.encode()
            except UnicodeEncodeError:
                return False
    return True


def json_size(value: Any) -> int:
    """The bytes of a value in upstream's spelling, which escapes slashes.

    Raises:
        ValueError: it holds numbers that JSON has not.
        RecursionError: it is nested too deeply.
    """
    return len(json.dumps(value, separators=(",", ":"), allow_nan=False).replace("/", r"\/"))


def prefs_problem(prefs: Any) -> str:
    """Which rule somebody's preferences break: a JSON object of at most MAX_PREFS_BYTES.

    Returns:
        the rule as a sentence; empty when they keep it.
    """
    if not isinstance(prefs, dict) or not is_storable(prefs):
        return gettext_noop("Value must be a valid object.")
    try:
        size = json_size(prefs)
    except (ValueError, RecursionError):
        return gettext_noop("Value must be a valid object.")
    if size > MAX_PREFS_BYTES:
        rule = gettext_noop("Value must be a valid object of at most %(most)d bytes.")
        return FilledText(rule, most=MAX_PREFS_BYTES)
    return ""
