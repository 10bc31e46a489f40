"""A browser window that a test uses as a person does: it clicks, types and reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.live.sdks import Bridge


class Window:
    """The newest window of a browser.

    Args:
        bridge: the process that runs window.mjs.
    """

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    @contextmanager
    def opened(self, **options: Any) -> Iterator[None]:
        """Use a new window with nothing remembered, then the one of before.

        Args:
            options: of Playwright's ``newContext``: ``locale``, ``colorScheme``, ``userAgent``…
        """
        self.bridge.ask(op="open", options=options)
        try:
            yield
        finally:
            self.bridge.ask(op="close")

    def do(self, method: str, *args: Any) -> Any:
        """Call a method of Playwright's ``Page``."""
        return self.bridge.ask(op="do", method=method, args=args)

    def go(self, url: str) -> None:
        """Open an address."""
        self.do("goto", url)

    def click(self, selector: str) -> None:
        """Click on an element, once it is there and can be clicked on."""
        self.do("click", selector)

    def wait_for(self, selector: str) -> None:
        """Wait until an element is there."""
        self.do("waitForSelector", selector)

    def fill(self, form: str, **values: str) -> None:
        """Fill in fields of a form by their names."""
        for name, value in values.items():
            self.do("fill", f'{form} >> [name="{name}"]', value)

    def press(self, key: str) -> None:
        """Press a key, wherever the focus is."""
        self.bridge.ask(op="keyboard", method="press", text=key)

    def type(self, text: str) -> None:
        """Type, wherever the focus is."""
        self.bridge.ask(op="keyboard", method="type", text=text)

    def text(self, selector: str) -> str:
        """The text of the first element, as it is seen."""
        return str(self.bridge.ask(op="text", selector=selector))

    def value(self, selector: str) -> str:
        """What is in a field."""
        return str(self.do("inputValue", selector))

    def count(self, selector: str) -> int:
        """How many elements there are."""
        script = f"document.querySelectorAll({json.dumps(selector)}).length"
        return int(self.do("evaluate", script))

    def download(self, selector: str) -> tuple[str, str]:
        """Click on an element, and wait for the file that it gives: its name and its text."""
        file = self.bridge.ask(op="download", selector=selector)
        return file["name"], file["text"]

    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.do("evaluate", "document.documentElement.scrollWidth - innerWidth"))

    def problems(self, *exclude: str) -> list[str]:
        """What axe-core finds serious or critical.

        Args:
            exclude: selectors of what is not ours.
        """
        return list(self.bridge.ask(op="axe", exclude=exclude))

    def errors(self) -> list[str]:
        """Scripts that failed, and policies that were broken, since it was last asked."""
        return list(self.bridge.ask(op="errors"))
