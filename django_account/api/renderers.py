"""How an answer is written (core.md §3.2)."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def json_answer(document: dict[str, Any], status: int = 200) -> HttpResponse:
    """An answer with a body. Documents hold wire values only, so no renderer has to convert any."""
    return HttpResponse(
        encode(document), status=status, content_type="application/json; charset=UTF-8"
    )


def empty_answer() -> HttpResponse:
    """204. The Python SDK needs a content type that is not JSON, even here."""
    return HttpResponse(status=204, content_type="text/html; charset=UTF-8")
