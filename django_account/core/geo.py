"""Where an IP address is, and what that country is called."""

from __future__ import annotations

import ipaddress
import logging
from functools import cache, lru_cache
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import override, pgettext

logger = logging.getLogger("django_account")

UNKNOWN_COUNTRY = "--"


class CountryLookup:
    """Finds the country of an IP address. Subclass it and override :meth:`country_code`."""

    def country_code(self, ip: str) -> str:
        """The lower-case ISO 3166 code of the country of ``ip``; ``"--"`` when unknown."""
        return UNKNOWN_COUNTRY

    def locate(self, ip: str) -> str:
        """The same for whoever stores it: always two characters, never an error.

        Nobody is kept from signing in because a site's own lookup stumbles; that is logged.
        """
        try:
            code = self.country_code(ip)
        except Exception:
            logger.exception("The country lookup %s failed", type(self).__name__)
            return UNKNOWN_COUNTRY
        return code.lower() if is_code(code) else UNKNOWN_COUNTRY


NO_LOOKUP = CountryLookup()


class DatabaseLookup(CountryLookup):
    """Reads a database in MaxMind's format: GeoLite2, GeoIP2, DB-IP, IPinfo.

    One that is missing or broken knows no country; a system check says so (W012).

    Args:
        path: of the ``.mmdb`` file.
    """

    def __init__(self, path: str) -> None:
        self.problem = ""
        self._reader: Any = None
        try:
            import maxminddb

            self._reader = maxminddb.open_database(path)
        except ImportError:
            self.problem = "the geoip extra is not installed"
        except (OSError, ValueError, RuntimeError) as error:
            # InvalidDatabaseError, of a file that is something else, is a RuntimeError.
            self.problem = f"{type(error).__name__}: {error}"
        if self.problem:
            logger.error("The GEOIP_DATABASE %s cannot be read: %s", path, self.problem)

    def country_code(self, ip: str) -> str:
        """The code; ``"--"`` for private addresses, and whatever the database does not know."""
        address = public_address(ip)
        if address is None or self._reader is None:
            return UNKNOWN_COUNTRY
        try:
            found = self._reader.get(address)
        except (ValueError, RuntimeError):
            # An IPv6 address in a database of IPv4, or a file that was damaged further down.
            return UNKNOWN_COUNTRY
        return _code_of(found)


def public_address(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address that can be somewhere; None for private, reserved and garbled ones."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return address if address.is_global else None


def _code_of(record: Any) -> str:
    """The country in a database's record; each maker has its own way to put it."""
    if not isinstance(record, dict):
        return UNKNOWN_COUNTRY
    country = record.get("country_code") or record.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else country
    return str(code).lower() if is_code(code) else UNKNOWN_COUNTRY


def is_code(code: Any) -> bool:
    """Whether something is a country's code of two letters, in either case."""
    return isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()


# Once a process; a second thread at the same moment opens it once more, which hurts nobody.
database_lookup = cache(DatabaseLookup)


@cache
def custom_lookup(path: str | type[CountryLookup]) -> CountryLookup:
    """An instance of a site's own class.

    Raises:
        ImportError: there is none at this path.
        TypeError: it is no CountryLookup.
    """
    lookup = import_string(path) if isinstance(path, str) else path
    if not (isinstance(lookup, type) and issubclass(lookup, CountryLookup)):
        raise TypeError(f"{path} is no subclass of django_account.core.geo.CountryLookup")
    return lookup()


@lru_cache(maxsize=8192)
def country_name(code: str, language: str) -> str:
    """The name of a country in a language.

    Args:
        code: of :meth:`CountryLookup.country_code`.
        language: one of Django's codes, such as "de" or "zh-hans".

    Returns:
        the name of the Unicode CLDR; "Unknown", translated, for ``"--"``; the code itself, in upper
        case, where Babel (the ``geoip`` extra) is not installed or knows no such country.
    """
    if code == UNKNOWN_COUNTRY:
        with override(language):
            return pgettext("country", "Unknown")
    return _name(code.upper(), language) or code.upper()


def _name(code: str, language: str) -> str | None:
    try:
        from babel import Locale, UnknownLocaleError, localedata
    except ImportError:
        return None
    for tag in (language, language.partition("-")[0], "en"):
        try:
            name: str | None = Locale.parse(tag, sep="-").territories.get(code)
        except (UnknownLocaleError, ValueError):
            continue
        # Babel keeps all that it knows of a language, a megabyte each, of which we want one word.
        getattr(localedata, "_cache", {}).clear()
        return name
    return None
