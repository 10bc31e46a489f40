"""Whether pages can be used by everybody: axe-core in Chromium, on a phone and a desktop, by day
and by night.

For pages of this process, which pytest-django's ``live_server`` serves with their static files::

    looks = look_at(
        browser_packages, [f"{live_server.url}/admin/"], cookies=session_cookie(admin_client)
    )
    assert_usable(looks)
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.test import Client

HERE = Path(__file__).resolve().parent

PHONE, DESKTOP = 360, 1280

# What a careful site sends. Nothing inline runs and nothing inline styles.
STRICT_CSP = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'"


@dataclass(frozen=True, slots=True)
class Look:
    """A page, as it was seen once.

    Attributes:
        page: its address.
        width: of the window, in pixels.
        scheme: "light" or "dark".
        landed: where it led to.
        status: the HTTP status.
        problems: what axe-core finds serious or critical, a line each.
        overflow: how many pixels it is wider than the window.
        errors: what the browser's console complained of: scripts, and what a policy forbade.
    """

    page: str
    width: int
    scheme: str
    landed: str
    status: int
    problems: list[str]
    overflow: int
    errors: list[str]

    def __str__(self) -> str:
        return f"{self.page} at {self.width} px, {self.scheme}"


def look_at(
    packages: Path,
    pages: Sequence[str],
    *,
    cookies: Mapping[str, str] | None = None,
    widths: Sequence[int] = (PHONE, DESKTOP),
    schemes: Sequence[str] = ("light", "dark"),
    csp: str | None = None,
    pictures: Path | None = None,
) -> list[Look]:
    """Open each page at each width by each scheme, and ask axe-core about it.

    Args:
        packages: where the npm packages are, as the fixture ``browser_packages`` says.
        pages: addresses of one origin.
        cookies: of a visitor who is signed in.
        csp: a Content-Security-Policy that pages get in place of their own.
        pictures: a directory for pictures of the whole pages.
    """
    from tests.live.conftest import chromium

    asked = {
        "pages": list(pages),
        "cookies": dict(cookies or {}),
        "widths": list(widths),
        "schemes": list(schemes),
        "csp": csp,
        "pictures": str(pictures) if pictures else None,
    }
    done = subprocess.run(
        ["node", str(HERE / "axe.mjs")],
        cwd=packages,
        env={**os.environ, "CHROMIUM": chromium() or ""},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Look(**each) for each in json.loads(done.stdout)]


def assert_usable(looks: Sequence[Look]) -> None:
    """Check that every page is there, fits, and has nothing that keeps anybody out.

    Raises:
        AssertionError: with all that is wrong.
    """
    wrong = []
    for look in looks:
        if look.status != 200:
            wrong.append(f"{look}: status {look.status}")
        if look.landed != look.page:
            wrong.append(f"{look}: leads to {look.landed}")
        if look.overflow > 0:
            wrong.append(f"{look}: {look.overflow} px too wide")
        wrong += [f"{look}: {text}" for text in (*look.problems, *look.errors)]
    assert looks, "no page was looked at"
    assert not wrong, "\n".join(wrong)


def session_cookie(client: Client) -> dict[str, str]:
    """The cookie by which a test client is signed in, for :func:`look_at`."""
    name = settings.SESSION_COOKIE_NAME
    return {name: client.cookies[name].value}
