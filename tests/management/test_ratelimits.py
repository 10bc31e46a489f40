"""``manage.py ratelimits``, and the document that holds its table."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from django_account.limits import rules

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "rate-limits.md"

Project = Callable[..., None]


@pytest.fixture(autouse=True)
def limited(project: Project) -> None:
    project(RATE_LIMITS_ENABLED=True)


def output(*arguments: str) -> str:
    out = StringIO()
    call_command("ratelimits", *arguments, stdout=out)
    return out.getvalue()


def rows() -> list[list[str]]:
    return [line.split() for line in output().splitlines()]


def test_lists_every_limit() -> None:
    found = rows()
    assert len(found) == 1 + sum(len(route.limits) for route in rules.limited_routes.values())
    assert ["POST", "/account", "create", "10", "3600", "url,ip", "-"] in found
    assert next(row[:3] for row in found if row[-1] == "201" and row[0] == "PUT") == [
        "PUT",
        "/account/sessions/magic-url",
        "update_magic_url_session",
    ]


def test_lists_what_the_settings_change(project: Project) -> None:
    project(RATE_LIMITS={"create": {"limit": 7, "window": 60}, "update_password": None})
    found = rows()
    assert ["POST", "/account", "create", "7", "60", "url,ip", "-"] in found
    assert ["PATCH", "/account/password", "update_password", "off", "-", "-", "-"] in found


def test_all_switched_off(project: Project) -> None:
    project(RATE_LIMITS_ENABLED=False)
    assert {row[3] for row in rows()[1:]} == {"off"}


def test_a_site_without_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_account.management.commands.ratelimits.limited_routes", {})
    with pytest.raises(CommandError, match=r"django_account\.urls"):
        output()


def test_the_document_has_the_same_table() -> None:
    """Mend it with the output of ``manage.py ratelimits --markdown``."""
    assert output("--markdown") in DOCUMENT.read_text()
