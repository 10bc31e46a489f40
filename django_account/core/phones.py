"""Phone numbers in E.164 (core.md §6)."""

from __future__ import annotations

import re

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")


def is_phone(value: str) -> bool:
    """Whether ``value`` is ``+``, 7 to 15 digits, beginning with an assigned calling code.

    Deliberately no stricter: numbering plans change faster than libraries, and the SMS either
    arrives or does not.
    """
    return _E164.match(value) is not None and any(
        int(value[1 : 1 + length]) in COUNTRY_CODE_TO_REGION_CODE for length in (3, 2, 1)
    )
