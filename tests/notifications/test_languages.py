"""The catalogs are complete and up to date, and every mail speaks every language."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from gettext import GNUTranslations
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override, to_locale, trans_real

from django_account.notifications.rendering import duration, render_email
from tests.notifications.mails import CODE, CODES, KINDS, LINK, LINKS, message

PACKAGE = Path(__file__).resolve().parents[2] / "django_account"
ENGLISH = "en"
EUROPE = ["de", "fr", "es", "pt", "it", "nl", "pl", "ru", "uk", "tr"]
ASIA = ["ar", "he", "hi", "ja", "ko", "zh-hans", "zh-hant"]
LANGUAGES = [*EUROPE, *ASIA]
RIGHT_TO_LEFT = {"ar", "he"}
WITHOUT_PLURAL = {"ja", "ko", "zh-hans", "zh-hant"}

# In the package's folder; then translate what is empty or fuzzy, and run `compilemessages` there.
MAKEMESSAGES = ["makemessages", "--all", "--no-location", "--no-obsolete"]

# What the admin's texts mark: a name, a setting. Mails and pages have their markup in templates.
TAG = re.compile(r"</?(?:code|strong)>")

Catalog = dict[Any, str]


@pytest.fixture
def gettext(missing: Callable[[str], None]) -> None:
    if not shutil.which("msgfmt") or not shutil.which("xgettext"):
        missing("gettext")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's folder, to be changed at will."""
    return Path(shutil.copytree(PACKAGE, tmp_path / "django_account"))


def run(folder: Path, *command: str) -> None:
    """Run a Django command that needs no settings."""
    environment = {**os.environ}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command = (sys.executable, "-m", "django", *command)
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=120)


def source(folder: Path, language: str) -> str:
    """A .po file without the date of its making."""
    path = folder / "locale" / to_locale(language) / "LC_MESSAGES/django.po"
    return re.sub(r'^"POT-Creation-Date: .*\n', "", path.read_text(encoding="utf-8"), flags=re.M)


def catalog(folder: Path, language: str) -> Catalog:
    """What a .mo file holds; untranslated and fuzzy texts are not in it."""
    path = folder / "locale" / to_locale(language) / "LC_MESSAGES/django.mo"
    with path.open("rb") as file:
        return dict(GNUTranslations(file)._catalog)  # type: ignore[attr-defined]


def texts(catalog: Catalog) -> dict[str, list[str]]:
    """The translations by their English text; several where it has plural forms."""
    found: dict[str, list[str]] = {}
    for key, text in catalog.items():
        if key:
            found.setdefault(key[0] if isinstance(key, tuple) else key, []).append(text)
    return found


class TestCatalogs:
    def test_makemessages_finds_nothing_new(self, gettext: None, copy: Path) -> None:
        run(copy, *MAKEMESSAGES, "--verbosity=0")
        for language in [ENGLISH, *LANGUAGES]:
            assert source(copy, language) == source(PACKAGE, language), language

    def test_what_is_compiled_is_what_is_written(self, gettext: None, copy: Path) -> None:
        for compiled in copy.glob("locale/*/LC_MESSAGES/django.mo"):
            compiled.unlink()
        run(copy, "compilemessages", "--verbosity=0")
        for language in [ENGLISH, *LANGUAGES]:
            assert catalog(copy, language) == catalog(PACKAGE, language), language

    def test_no_other_languages_and_none_missing(self) -> None:
        folders = {path.name for path in (PACKAGE / "locale").iterdir()}
        assert folders == {to_locale(language) for language in [ENGLISH, *LANGUAGES]}

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_every_text_is_translated(self, language: str) -> None:
        written = source(PACKAGE, language)
        assert "#, fuzzy" not in written
        assert "#~" not in written
        wanted = len(re.findall(r"^msgid ", source(PACKAGE, ENGLISH), flags=re.M)) - 1
        assert len(texts(catalog(PACKAGE, language))) == wanted

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_placeholders_are_those_of_the_english(self, language: str) -> None:
        for english, translations in texts(catalog(PACKAGE, language)).items():
            wanted = placeholders(english.rpartition("\x04")[2])
            for text in translations:
                # "in one hour", "in two hours" may do without the number.
                spared = {"count", "hours", "number"} if len(translations) > 2 else set()
                assert wanted - spared <= placeholders(text) <= wanted, text

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_no_machine_and_no_markup_of_its_own_in_it(self, language: str) -> None:
        written = source(PACKAGE, language)
        assert not re.search(r"^#:|PO-Revision-Date|X-Generator|/home|/tmp", written, flags=re.M)
        for english, translations in texts(catalog(PACKAGE, language)).items():
            for text in translations:
                assert sorted(TAG.findall(text)) == sorted(TAG.findall(english)), text
                assert not set("<>&\n") & set(TAG.sub("", text)), text


def placeholders(text: str) -> set[str]:
    """The names in ``%(name)s``."""
    return set(re.findall(r"%\((\w+)\)[sd]", text))


class TestMails:
    @pytest.mark.parametrize("language", [ENGLISH, *LANGUAGES])
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_in_every_language(self, kind: str, language: str) -> None:
        mail = render_email(message(kind, locale=language, phrase="Golden fox"))
        direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
        assert f'<html lang="{language}" dir="{direction}">' in mail.html
        assert "demo" in mail.subject
        assert "Ada" in mail.text
        assert "Golden fox" in mail.text
        if kind in LINKS:
            assert LINK in mail.text.splitlines()
            assert unescape(mail.html).count(f'href="{LINK}"') == 2
        if kind in CODES:
            assert re.findall(r"\b\d{6}\b", mail.text) == [CODE]
            assert re.findall(r"\b\d{6}\b", mail.html) == [CODE]

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_is_left_in_english(self, kind: str, language: str) -> None:
        translated = render_email(message(kind, locale=language, phrase="Golden fox"))
        english = render_email(message(kind, phrase="Golden fox"))
        same = set(translated.text.splitlines()) & set(english.text.splitlines())
        assert same <= {"", LINK, CODE}
        assert translated.subject != english.subject

    @pytest.mark.parametrize("language", [ENGLISH, *LANGUAGES])
    def test_durations_agree_with_their_numbers(self, language: str) -> None:
        with override(language):
            days = {
                count: duration(timedelta(days=count)) for count in (1, 2, 3, 5, 7, 11, 21, 100)
            }
        counted = {re.sub(r"\d+", "#", text) for text in days.values()}
        assert (len(counted) == 1) == (language in WITHOUT_PLURAL | {"tr"})
        assert all("%" not in text for text in days.values())

    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("de", "in 7 Tagen"),
            ("fr", "dans 7 jours"),
            ("pl", "za 7 dni"),
            ("ru", "через 7 дней"),
            ("uk", "через 7 днів"),
            ("ar", "خلال 7 أيام"),
            ("he", "בעוד 7 ימים"),
            ("ja", "7日後"),
            ("zh-hans", "7 天后"),
        ],
    )
    def test_a_week_in_its_sentence(self, language: str, words: str) -> None:
        assert words in render_email(message("verification", locale=language)).text

    @pytest.mark.parametrize(
        ("locale", "language"),
        [
            ("de-at", "de"),
            ("DE", "de"),
            ("pt-br", "pt-br"),
            ("pt_BR", "pt-br"),
            ("zh-cn", "zh-hans"),
            ("zh-tw", "zh-hant"),
            ("zh-hk", "zh-hant"),
            ("es-mx", "es-mx"),
            ("ar-ma", "ar"),
            ("en-gb", "en-gb"),
            # Languages that Django knows and we do not, and what is none.
            ("sv", "en"),
            ("fa", "en"),
            ("xx", "en"),
            ("", "en"),
            ("../../etc", "en"),
            ("x" * 600, "en"),
        ],
    )
    def test_a_locale_falls_back_to_what_there_is(self, locale: str, language: str) -> None:
        mail = render_email(message("recovery", locale=locale))
        assert f'<html lang="{language}" ' in mail.html
        english = render_email(message("recovery", locale="en"))
        assert (mail.text == english.text) == language.startswith("en")

    @pytest.mark.parametrize("locale", ["sv", "fa", "xx"])
    def test_the_sites_own_language_is_the_next_best(
        self, locale: str, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Django keeps a language's texts with those it falls back to.
        monkeypatch.setattr(trans_real, "_translations", {})
        settings.LANGUAGE_CODE = "he"
        mail = render_email(message("recovery", locale=locale))
        assert '<html lang="he" dir="rtl">' in mail.html
        assert "שלום Ada,\n" in mail.text

    def test_a_language_that_the_site_does_not_speak(self, settings: Any) -> None:
        settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
        assert '<html lang="en" ' in render_email(message(locale="fr")).html

    def test_the_threads_language_is_left_as_it_was(self) -> None:
        with override("fr"):
            render_email(message(locale="ar"))
            assert duration(timedelta(hours=2)) == "2 heures"

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_dates_of_alerts(self, language: str) -> None:
        at = timezone.now().replace(year=2026, month=3, day=4, hour=5, minute=12)
        text = render_email(message("session-alert", locale=language, requested_at=at)).text
        assert "2026" in text
        assert "05:12 UTC" in text
        assert "March" not in text
