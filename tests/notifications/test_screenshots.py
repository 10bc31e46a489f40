"""The mails as Chromium shows them: on a phone and a desktop, by day and by night."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from django_account.notifications.rendering import render_email
from tests.notifications.mails import KINDS, message
from tests.notifications.test_languages import ENGLISH, LANGUAGES, RIGHT_TO_LEFT

PHONE, DESKTOP = 360, 800
HEIGHT = 1000
SCHEMES = {"dark": 0, "light": 1}
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROBE = (Path(__file__).parent / "probe.js").read_text()


@dataclass(frozen=True)
class Shown:
    """A mail in a frame, and what PROBE measured there."""

    kind: str
    language: str
    width: int
    measures: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.kind} in {self.language} at {self.width} px: {self.measures}"


@dataclass(frozen=True)
class Sheet:
    """All mails, shown by one colour scheme."""

    scheme: str
    mails: list[Shown]
    picture: Path


@pytest.fixture(scope="module", params=SCHEMES)
def sheet(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    missing: Callable[[str], None],
) -> Sheet:
    """Every kind, side by side in one page; by day in every language."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        missing("Chromium")
    widely = [ENGLISH, "ar"]
    shown = [(kind, language, DESKTOP) for language in widely for kind in KINDS]
    for language in [ENGLISH, *LANGUAGES] if request.param == "light" else widely:
        shown += [(kind, language, PHONE) for kind in KINDS]
    frames = [
        f'<iframe style="width: {width}px; height: {HEIGHT}px; border: 0" srcdoc="'
        f'{escape(render_email(hostile(kind, language)).html)}"></iframe>'
        for kind, language, width in shown
    ]
    folder = tmp_path_factory.mktemp(request.param)
    page, picture = folder / "sheet.html", folder / "sheet.png"
    page.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"{''.join(frames)}<script>{PROBE}</script>",
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            str(chromium),
            *QUIET,
            f"--user-data-dir={folder / 'profile'}",
            f"--blink-settings=preferredColorScheme={SCHEMES[request.param]}",
            f"--window-size={4 * DESKTOP},{6 * HEIGHT}",
            f"--screenshot={picture}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    found = re.search(r"<output>(.*?)</output>", done.stdout)
    assert found, done.stderr
    measures = json.loads(unescape(found[1]))
    mails = [Shown(*what, values) for what, values in zip(shown, measures, strict=True)]
    return Sheet(request.param, mails, picture)


def hostile(kind: str, language: str) -> Any:
    """A message with everything that can be in it, and words that break nowhere."""
    name = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren"
    return message(kind, locale=language, name=name, phrase="Golden fox", country="Deutschland")


def test_no_mail_is_too_wide_and_no_text_is_cut(sheet: Sheet) -> None:
    for mail in sheet.mails:
        assert mail.measures["overflow"] <= 0, str(mail)
        assert mail.measures["clipped"] == 0, str(mail)


def test_every_text_stands_out(sheet: Sheet) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5 to 1."""
    for mail in sheet.mails:
        assert mail.measures["contrast"] >= 4.5, str(mail)


def test_text_starts_where_the_language_does(sheet: Sheet) -> None:
    for mail in sheet.mails:
        assert mail.measures["atStart"] == (mail.language not in RIGHT_TO_LEFT), str(mail)


def test_the_background_follows_the_scheme(sheet: Sheet) -> None:
    for mail in sheet.mails:
        assert (mail.measures["background"] < 0.5) == (sheet.scheme == "dark"), str(mail)


def test_the_picture_is_not_blank(sheet: Sheet) -> None:
    width, height, lines = read_png(sheet.picture)
    assert (width, height) == (4 * DESKTOP, 6 * HEIGHT)
    assert len(set(lines)) > 200


def read_png(path: Path) -> tuple[int, int, list[bytes]]:
    """A picture's width, height and (filtered) lines."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    position, packed = 8, b""
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        if data[position + 4 : position + 8] == b"IDAT":
            packed += data[position + 8 : position + 8 + length]
        position += 12 + length
    width, height = struct.unpack(">II", data[16:24])
    pixels = zlib.decompress(packed)
    stride = len(pixels) // height
    return width, height, [pixels[i * stride : (i + 1) * stride] for i in range(height)]
