"""The helper itself: a page that keeps people out does not pass, and Django's own admin does."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.test import Client

from tests.live.axe import STRICT_CSP, assert_usable, look_at, session_cookie

pytestmark = pytest.mark.live

BAD = b"""<!DOCTYPE html><html lang="en"><title>Bad</title><meta name="viewport"
content="width=device-width"><body><main><h1>Bad</h1><p style="color: #bbb; background: #fff">Faint
</p><input><div style="width: 700px">Wide</div><script>throw new Error("broken")</script></main>"""


@pytest.fixture
def bad_page() -> Iterator[str]:
    """The address of a page with every fault."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/bad" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(BAD)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/bad"
        server.shutdown()


def test_a_bad_page_is_found_out(bad_page: str, browser_packages: Path, tmp_path: Path) -> None:
    phone, desktop = look_at(browser_packages, [bad_page], schemes=["light"], pictures=tmp_path)
    assert phone.overflow > 300
    assert desktop.overflow <= 0
    for look in (phone, desktop):
        assert any("color-contrast" in problem for problem in look.problems)
        assert any("label" in problem for problem in look.problems)
        assert any("broken" in error for error in look.errors)
    with pytest.raises(AssertionError, match="too wide"):
        assert_usable([phone])
    assert {path.name for path in tmp_path.iterdir()} == {"bad-360-light.png", "bad-1280-light.png"}
    (look,) = look_at(browser_packages, [bad_page], schemes=["dark"], widths=[360], csp=STRICT_CSP)
    assert any("Content Security Policy" in error for error in look.errors)
    (look,) = look_at(browser_packages, [bad_page[:-1]], schemes=["dark"], widths=[360])
    assert look.status == 404


def test_the_admin_passes(live_server: Any, admin_client: Client, browser_packages: Path) -> None:
    pages = [f"{live_server.url}/admin/"]
    assert_usable(
        look_at(browser_packages, pages, cookies=session_cookie(admin_client), csp=STRICT_CSP)
    )
