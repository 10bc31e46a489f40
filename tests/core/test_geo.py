"""Countries of addresses: the default that knows none (core.md §4.7)."""

from __future__ import annotations

from django_account.core.geo import CountryLookup, country_name


def test_default_knows_no_country() -> None:
    assert CountryLookup().country_code("203.0.113.9") == "--"


def test_unknown_country_has_a_name() -> None:
    assert country_name("--") == "Unknown"
