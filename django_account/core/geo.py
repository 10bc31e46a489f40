"""Where an IP address is: a base class, and the default that does not know."""

from __future__ import annotations

UNKNOWN_COUNTRY = "--"


class CountryLookup:
    """Finds the country of an IP address. Subclass it and override :meth:`country_code`."""

    def country_code(self, ip: str) -> str:
        """The lower-case ISO 3166 code of the country of ``ip``; ``"--"`` when unknown."""
        return UNKNOWN_COUNTRY


def country_name(code: str) -> str:
    """The name of a country by its code; ``"Unknown"`` when there is none."""
    return "Unknown"
