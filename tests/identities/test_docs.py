"""The page and the command about the providers say what the registry says."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from django_account.identities.providers.registry import PROVIDERS, Provider

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "oauth2.md").read_text()
EVERY = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


def row(provider: Provider) -> list[str]:
    [found] = [line for line in PAGE.splitlines() if line.startswith(f"| `{provider.key}` |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("oauth2providers", *arguments, stdout=out)
    return out.getvalue()


@EVERY
def test_the_page_has_each(provider: Provider) -> None:
    _, name, keys, vouches, pkce = row(provider)
    assert provider.name in name
    assert provider.console in name
    needed = {key for need in provider.needs for key in need.split("|")}
    assert set(re.findall(r"`(\w+)`", keys)) == needed | set(provider.takes)
    assert (vouches, pkce) == (
        "yes" if provider.verified is not None else "no",
        "yes" if provider.pkce else "–",  # noqa: RUF001
    )
    assert not provider.note or f"- `{provider.key}`: {provider.note}" in PAGE


def test_the_page_has_no_other() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(PROVIDERS)


def test_the_command_lists_all(project: Callable[..., None]) -> None:
    project(OAUTH2_PROVIDERS={"github": {"client_id": "1", "client_secret": "s3cret"}})
    lines = run().splitlines()
    assert [line.split()[0] for line in lines] == list(PROVIDERS)
    assert next(line for line in lines if line.startswith("github")).split()[1] == "on"
    assert next(line for line in lines if line.startswith("gitlab")).split()[1] == "off"


@EVERY
def test_the_command_tells_what_each_needs(
    provider: Provider, project: Callable[..., None]
) -> None:
    told = run(provider.key)
    callback = f"/v1/account/sessions/oauth2/callback/{provider.key}/demo"
    assert callback in told
    for need in provider.missing({}):
        assert need.replace("|", " or ") in told


def test_the_command_shows_no_secret(project: Callable[..., None]) -> None:
    project(OAUTH2_PROVIDERS={"github": {"client_id": "1", "client_secret": "s3cret"}})
    assert "s3cret" not in run() + run("github")


def test_the_command_knows_no_other() -> None:
    with pytest.raises(CommandError):
        run("nobody")
