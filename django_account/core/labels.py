"""The rule for labels, which sites hang on people (users.md §3)."""

from __future__ import annotations

from typing import Any, Final

from django_account.texts import FilledText, gettext_noop

MAX_LABELS: Final = 1000
MAX_LENGTH: Final = 36


def labels_problem(labels: Any) -> str:
    """Which rule some labels break: at most 1000, of 1 to 36 ASCII letters and digits each.

    Returns:
        the rule as a sentence; empty when they are labels.
    """
    if not isinstance(labels, list) or len(labels) > MAX_LABELS:
        rule = gettext_noop("Value must be an array of at most %(most)d items.")
        return FilledText(rule, most=MAX_LABELS)
    for label in labels:
        is_label = isinstance(label, str) and label.isascii() and label.isalnum()
        if not is_label or len(label) > MAX_LENGTH:
            rule = gettext_noop(
                "A label is a string of 1 to %(most)d characters of a-z, A-Z and 0-9."
            )
            return FilledText(rule, most=MAX_LENGTH)
    return ""
