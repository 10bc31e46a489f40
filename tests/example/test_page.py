"""The demo page, as Django serves it, and its texts."""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from example_project import npm

HERE = npm.HERE
SCRIPTS = [path for path in (HERE / "static").rglob("*.js") if path.parent.name != "npm"]
TEMPLATES = list((HERE / "templates").rglob("*.html"))


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Say whether npm's packages are there."""
    return lambda ready: monkeypatch.setattr(npm, "is_ready", lambda: ready)


@pytest.mark.parametrize("ready", [True, False])
def test_it_answers_whether_or_not_it_is_set_up(
    client: Client, set_up: Callable[[bool], None], ready: bool
) -> None:
    set_up(ready)
    response = client.get("/")
    body = response.content.decode()
    assert response.status_code == 200
    assert ("manage.py demo" in body) is not ready
    assert ("app.js" in body) is ready


@pytest.mark.parametrize(
    ("accepted", "language", "direction"),
    [
        ("de-AT,en;q=0.5", "de", "ltr"),
        ("ar", "ar", "rtl"),
        ("en-GB", "en", "ltr"),
        # What the page is not translated to.
        ("he", "en", "ltr"),
        ("", "en", "ltr"),
    ],
)
def test_its_language_is_the_visitors(
    client: Client, accepted: str, language: str, direction: str
) -> None:
    body = client.get("/", headers={"Accept-Language": accepted}).content.decode()
    assert f'<html lang="{language}" dir="{direction}">' in body


def test_nothing_in_it_needs_more_than_a_strict_policy(
    client: Client, set_up: Callable[[bool], None], settings: Any
) -> None:
    settings.DEBUG = True
    set_up(True)
    response = client.get("/")
    assert "unsafe" not in response["Content-Security-Policy"]
    body = response.content.decode()
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", body))
    assert not re.search(r"<style|\sstyle=|\son\w+=", body)


def texts_of(domain: str) -> set[str]:
    """What is to be translated."""
    if domain == "djangojs":
        source = "\n".join(path.read_text() for path in SCRIPTS)
        return set(re.findall(r'gettext\(\s*"([^"]+)"', source))
    source = "\n".join(path.read_text() for path in TEMPLATES)
    blocks = re.findall(r"{% blocktranslate(?: trimmed)? %}(.+?){%", source, re.DOTALL)
    return set(re.findall(r'translate "([^"]+)"', source)) | {
        re.sub(r"{{ (\w+) }}", r"%(\1)s", " ".join(block.split())) for block in blocks
    }


@pytest.mark.parametrize("language", ["de", "ar"])
@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_its_texts_and_no_others_are_translated(domain: str, language: str) -> None:
    # What is compiled: entries without a translation, or with a doubtful one, are not in it.
    found = gettext.translation(domain, str(HERE / "locale"), [language])
    assert isinstance(found, gettext.GNUTranslations)
    assert set(found._catalog) - {""} == texts_of(domain)  # type: ignore[attr-defined]


def test_scripts_bring_no_markup_in() -> None:
    for path in SCRIPTS:
        uses = re.findall(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text())
        # The inbox's list is a template of ours, which Django escapes.
        assert uses == (["innerHTML"] if path.name == "inbox.js" else []), path


def test_the_sdks_files_are_nowhere_in_the_repository() -> None:
    ignored = (Path(HERE).parent / ".gitignore").read_text().splitlines()
    assert {"node_modules/", "example_project/static/example_project/npm/"} <= set(ignored)
