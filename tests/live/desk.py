"""Where staff work in the admin."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.live.window import Window

RED = "rgb(186, 33, 33)"
# The button of the page that asks.
CONFIRM = "input[name=confirmed]"


@dataclass
class Desk:
    """Where a superuser works: a window, and the site that it shows."""

    window: Window
    url: str

    def go(self, path: str) -> None:
        self.window.go(f"{self.url}{path}")

    def path(self) -> str:
        """Where the window is."""
        return str(self.window.do("evaluate", "location.pathname"))

    def told(self, text: str, kind: str = "success") -> None:
        """Wait for a message above the page's content."""
        self.window.wait_for(
            f".messagelist .{kind}:has-text({json.dumps(text, ensure_ascii=False)})"
        )

    def names(self) -> list[str]:
        """Who is in the list, by name."""
        script = "[...document.querySelectorAll('.field-who')].map((each) => each.innerText)"
        return list(self.window.do("evaluate", script))

    def follow(self, selector: str) -> None:
        """Click on what leads to another page, and wait for it."""
        self.window.click(selector)
        self.window.do("waitForLoadState")

    def is_red(self, selector: str) -> bool:
        style = f"getComputedStyle(document.querySelector({json.dumps(selector)}))"
        return bool(self.window.do("evaluate", f"{style}.backgroundColor") == RED)
