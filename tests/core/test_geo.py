"""Countries of addresses (core.md §4.7) and their names (transport.md §13.1)."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from django_account.conf import conf
from django_account.core import geo
from django_account.core.geo import CountryLookup, DatabaseLookup, country_name
from tests.client import ApiClient

Project = Callable[..., None]

LANGUAGES = {
    "ar": "ألمانيا",
    "de": "Deutschland",
    "en": "Germany",
    "es": "Alemania",
    "fr": "Allemagne",
    "he": "גרמניה",
    "hi": "जर्मनी",
    "it": "Germania",
    "ja": "ドイツ",
    "ko": "독일",
    "nl": "Duitsland",
    "pl": "Niemcy",
    "pt": "Alemanha",
    "ru": "Германия",
    "tr": "Almanya",
    "uk": "Німеччина",
    "zh-hans": "德国",
    "zh-hant": "德國",
}


def write_database(path: Path, ip_version: int = 6) -> Path:
    """A small database in MaxMind's format."""
    records: dict[str, Any] = {
        "81.2.69.0/24": {"country": {"iso_code": "GB", "names": {"en": "United Kingdom"}}},
        "91.0.0.0/10": {"country": {"iso_code": "DE"}, "city": {"names": {"en": "Berlin"}}},
        # Two other makers' ways to put it.
        "1.0.0.0/24": {"country": "AU", "country_name": "Australia"},
        "1.0.1.0/24": {"country_code": "CN", "country": "China"},
        # Records without a country, or with nonsense in its place.
        "8.8.8.0/24": {"registered_country": {"iso_code": "US"}},
        "9.9.9.0/24": {"country": {"iso_code": "Quad9"}},
        "11.0.0.0/24": {"country": {"iso_code": 7}},
        # A maker that is wrong about private networks.
        "10.0.0.0/8": {"country": {"iso_code": "US"}},
    }
    if ip_version == 6:
        records["2a02:8100::/24"] = {"country": {"iso_code": "DE"}}
    writer = MMDBWriter(ip_version, ipv4_compatible=ip_version == 6, database_type="Test-Country")
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_database(tmp_path_factory.mktemp("geo") / "country.mmdb")


@pytest.fixture
def lookup(database: Path) -> DatabaseLookup:
    return DatabaseLookup(str(database))


class TestDatabase:
    @pytest.mark.parametrize(
        ("ip", "code"),
        [
            ("81.2.69.160", "gb"),
            ("91.12.0.1", "de"),
            ("2a02:8108::1", "de"),
            ("::ffff:81.2.69.160", "gb"),
            ("1.0.0.1", "au"),
            ("1.0.1.1", "cn"),
            ("8.8.8.8", "--"),
            ("9.9.9.9", "--"),
            ("11.0.0.1", "--"),
            ("200.1.1.1", "--"),
            ("2001:4860::1", "--"),
        ],
    )
    def test_country_of_an_address(self, lookup: DatabaseLookup, ip: str, code: str) -> None:
        assert lookup.country_code(ip) == code

    @pytest.mark.parametrize(
        "ip",
        ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "::1", "fe80::1", "192.168.0.1", "0.0.0.0"],
    )
    def test_private_addresses_are_nowhere(self, lookup: DatabaseLookup, ip: str) -> None:
        assert lookup.country_code(ip) == "--"

    @pytest.mark.parametrize("ip", ["", "nope", "1.2.3", "81.2.69.160:80", "81.2.69.160/24"])
    def test_no_address(self, lookup: DatabaseLookup, ip: str) -> None:
        assert lookup.country_code(ip) == "--"

    def test_ipv6_in_a_database_of_ipv4(self, tmp_path: Path) -> None:
        lookup = DatabaseLookup(str(write_database(tmp_path / "four.mmdb", 4)))
        assert (lookup.country_code("2a02:8108::1"), lookup.country_code("91.1.1.1")) == (
            "--",
            "de",
        )

    def test_missing(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        lookup = DatabaseLookup(str(tmp_path / "nowhere.mmdb"))
        assert lookup.country_code("81.2.69.160") == "--"
        assert "nowhere.mmdb cannot be read" in caplog.text

    def test_without_the_reader(self, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "maxminddb", None)
        lookup = DatabaseLookup(str(database))
        assert lookup.country_code("81.2.69.160") == "--"
        assert lookup.problem == "the geoip extra is not installed"

    @pytest.mark.parametrize("content", [b"", b"<html>", b"x" * 100_000])
    def test_something_else(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "country.mmdb"
        path.write_bytes(content)
        lookup = DatabaseLookup(str(path))
        assert lookup.country_code("81.2.69.160") == "--"
        assert "InvalidDatabaseError" in lookup.problem

    def test_damaged_in_the_middle(self, database: Path, tmp_path: Path) -> None:
        good = database.read_bytes()
        for place in range(0, len(good), 97):
            path = tmp_path / f"{place}.mmdb"
            path.write_bytes(good[:place] + b"\xff" * 40 + good[place + 40 :])
            code = DatabaseLookup(str(path)).country_code("81.2.69.160")
            assert code == "--" or len(code) == 2

    def test_a_thousand_addresses_take_no_time(self, lookup: DatabaseLookup) -> None:
        started = time.process_time()
        for number in range(1000):
            lookup.country_code(f"81.2.{number % 250}.1")
        assert time.process_time() - started < 1


class AlwaysFrance(CountryLookup):
    """A site's own."""

    def country_code(self, ip: str) -> str:
        return "fr"


class Returns(CountryLookup):
    """A site's own, that gives anything or fails."""

    def __init__(self, code: Any) -> None:
        self.code = code

    def country_code(self, ip: str) -> str:
        if isinstance(self.code, Exception):
            raise self.code
        return self.code  # type: ignore[no-any-return]


class TestLocate:
    @pytest.mark.parametrize(
        ("code", "located"),
        [
            ("de", "de"),
            ("DE", "de"),
            ("--", "--"),
            ("", "--"),
            ("DEU", "--"),
            (None, "--"),
            ("ß?", "--"),
        ],
    )
    def test_is_always_two_characters(self, code: Any, located: str) -> None:
        assert Returns(code).locate("81.2.69.160") == located

    def test_an_error_is_logged_and_hurts_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        assert Returns(KeyError("oops")).locate("81.2.69.160") == "--"
        assert "oops" in caplog.text


class TestSettings:
    def test_no_country_by_default(self) -> None:
        assert type(conf.country_lookup) is CountryLookup
        assert conf.country_lookup.country_code("81.2.69.160") == "--"

    def test_database_is_opened_once(self, database: Path, project: Project) -> None:
        project(GEOIP_DATABASE=str(database))
        assert conf.country_lookup.country_code("81.2.69.160") == "gb"
        assert conf.country_lookup is conf.country_lookup

    def test_class_of_the_sites_own(self, project: Project) -> None:
        project(COUNTRY_LOOKUP="tests.core.test_geo.AlwaysFrance", GEOIP_DATABASE="/nowhere")
        assert conf.country_lookup.country_code("10.0.0.1") == "fr"
        assert conf.country_lookup is conf.country_lookup

    @pytest.mark.parametrize(
        "path", ["tests.core.test_geo.Nobody", "tests.core.test_geo.conf", "x"]
    )
    def test_class_that_is_none(self, project: Project, path: str) -> None:
        project(COUNTRY_LOOKUP=path)
        with pytest.raises((ImportError, TypeError)):
            _ = conf.country_lookup


class TestNames:
    @pytest.mark.parametrize(("language", "name"), LANGUAGES.items())
    def test_in_every_language_that_we_ship(self, language: str, name: str) -> None:
        assert country_name("de", language) == name

    def test_languages_are_those_that_we_ship(self) -> None:
        shipped = (Path(geo.__file__).parent.parent / "locale").iterdir()
        assert {path.name.lower().replace("_", "-") for path in shipped} == set(LANGUAGES) - {"--"}

    @pytest.mark.parametrize(
        ("language", "name"),
        [("en", "Unknown"), ("de", "Unbekannt"), ("fr", "Inconnu"), ("zh-hans", "未知")],
    )
    def test_unknown(self, language: str, name: str) -> None:
        assert country_name("--", language) == name

    @pytest.mark.parametrize(
        ("language", "name"),
        [
            ("pt-br", "Alemanha"),
            ("de-at", "Deutschland"),
            ("xx", "Germany"),
            ("de-xx", "Deutschland"),
        ],
    )
    def test_in_other_languages(self, language: str, name: str) -> None:
        assert country_name("de", language) == name

    def test_of_a_code_that_no_country_has(self) -> None:
        assert country_name("qq", "en") == "QQ"

    def test_without_babel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        country_name.cache_clear()
        monkeypatch.setitem(sys.modules, "babel", None)
        assert country_name("de", "fr") == "DE"
        assert country_name("--", "fr") == "Inconnu"
        country_name.cache_clear()

    def test_all_languages_take_bounded_memory(self, settings: Any) -> None:
        country_name.cache_clear()
        country_name("de", "en")
        gc.collect()
        tracemalloc.start()
        try:
            for language, _ in settings.LANGUAGES:
                country_name("de", language)
            gc.collect()
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(settings.LANGUAGES) > 90
        assert kept < 20 * 2**20

    def test_every_pair_is_looked_up_once(self) -> None:
        country_name.cache_clear()
        for _ in range(3):
            country_name("jp", "nl")
        assert country_name.cache_info().misses == 1
        assert country_name.cache_info().maxsize is not None


@pytest.mark.django_db(transaction=True)
class TestOnTheWire:
    """Sessions and logs tell the country, in the language of X-Appwrite-Locale."""

    @pytest.fixture(autouse=True)
    def settings_of_the_site(self, database: Path, project: Project) -> None:
        project(GEOIP_DATABASE=str(database), TRUSTED_PROXIES=1)

    @pytest.mark.parametrize(
        ("locale", "name"),
        [
            (None, "Germany"),
            ("en", "Germany"),
            ("de", "Deutschland"),
            ("zh-cn", "德国"),
            ("xx", "Germany"),
        ],
    )
    def test_sessions_and_logs(self, guest: ApiClient, locale: str | None, name: str) -> None:
        guest.headers |= {"X-Forwarded-For": "91.12.0.1"}
        if locale is not None:
            guest.headers["X-Appwrite-Locale"] = locale
        guest.sign_up()
        documents = [
            guest.sign_in(),
            guest.get("/account/sessions").json()["sessions"][0],
            guest.get("/account/sessions/current").json(),
            guest.patch("/account/sessions/current").json(),
            *guest.get("/account/logs").json()["logs"],
        ]
        assert len(documents) == 7
        for document in documents:
            assert (document["countryCode"], document["countryName"]) == ("de", name)

    def test_unknown_is_translated(self, guest: ApiClient) -> None:
        guest.headers |= {"X-Forwarded-For": "10.0.0.1", "X-Appwrite-Locale": "de"}
        guest.sign_up()
        session = guest.sign_in()
        assert (session["countryCode"], session["countryName"]) == ("--", "Unbekannt")

    def test_a_forged_address_in_front_is_not_believed(self, guest: ApiClient) -> None:
        guest.headers |= {"X-Forwarded-For": "81.2.69.160, 91.12.0.1"}
        guest.sign_up()
        assert guest.sign_in()["countryCode"] == "de"
