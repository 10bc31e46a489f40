"""Only for this host."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import gettext

from tests.client import PASSWORD, ApiClient, assert_error


def test_it_is_this_host(db: None) -> None:
    assert gettext("Yes") == "Ja"


@pytest.mark.parametrize("language", ["", "de", "fr", "en-GB", "xx"])
def test_messages_are_english_all_the_same(guest: ApiClient, settings: Any, language: str) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"}
    ]
    guest.headers["Accept-Language"] = language
    body = {"userId": "unique()", "email": "ada@example.org", "password": "1928374650"}
    error = assert_error(guest.post("/account", body), 400, "general_argument_invalid")
    assert "entirely numeric" in error["message"]
    body = {**body, "password": PASSWORD, "email": "nope"}
    error = assert_error(guest.post("/account", body), 400, "general_argument_invalid")
    assert error["message"] == "Invalid `email` param: Value must be a valid email address"


def test_countries_are_named_in_the_sites_language(ada: ApiClient) -> None:
    assert ada.get("/account/sessions/current").json()["countryName"] == "Unbekannt"


def test_figures_are_plain(guest: ApiClient, ada: ApiClient) -> None:
    """No separator in the thousands of a bound."""
    error = ada.post("/account/jwts", {"duration": 99999}).json()
    assert "3600" in error["message"]
