"""English texts that can be translated later."""

from __future__ import annotations

from typing import Any


def gettext_noop(text: str) -> str:
    """Mark a text for translation, where a module is imported that a site's settings import.

    Django's own reads the settings, which are only half there by then.
    """
    return text


class FilledText(str):
    """A text with values in it, which remembers both: for who translates it where it is shown.

    Args:
        template: in English, marked with ``gettext_noop``, with ``%(name)s`` where a value goes.
        **values: for the template.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> FilledText:
        text = super().__new__(cls, template % values)
        text.template, text.values = template, values
        return text
