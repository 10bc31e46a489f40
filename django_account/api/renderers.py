"""How an answer is written (core.md §3.2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def iso(moment: datetime | None) -> str:
    """A date on the wire: UTC with milliseconds and a numeric offset; ``""`` when unset."""
    if moment is None:
        return ""
    if moment.tzinfo is not UTC:
        # A site with USE_TZ = False keeps its own zone's wall clock.
        moment = (timezone.make_aware(moment) if moment.tzinfo is None else moment).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")


def json_answer(document: dict[str, Any], status: int = 200) -> HttpResponse:
    """An answer with a body. Documents hold wire values only, so no renderer has to convert any."""
    return HttpResponse(
        _encode(document), status=status, content_type="application/json; charset=UTF-8"
    )


def empty_answer() -> HttpResponse:
    """204. The Python SDK needs a content type that is not JSON, even here."""
    return HttpResponse(status=204, content_type="text/html; charset=UTF-8")
