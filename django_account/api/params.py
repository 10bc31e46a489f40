"""Reading the parameters of a request (transport.md §9)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request


class StrictJSONParser(JSONParser):
    """JSON as it is defined, whatever the host's STRICT_JSON says: no NaN, no Infinity."""

    strict = True


PARSERS = [StrictJSONParser, FormParser, MultiPartParser]

# PHP takes no more levels of brackets either by default; nobody needs more than three.
_MAX_DEPTH = 16

_BRACKETS = re.compile(r"\[([^\[\]]*)\]")


def read_params(request: Request) -> dict[str, Any]:
    """The parameters of a request: the query string of a GET, the body of anything else.

    A body that cannot be read, or is no object, holds no parameters.

    Raises:
        RequestDataTooBig and others of Django's: the body is over the site's limits.
    """
    if request.method in ("GET", "HEAD"):
        return expand(request.query_params.lists())
    try:
        # At once, and so within DATA_UPLOAD_MAX_MEMORY_SIZE: not every DRF looks at it.
        _ = request._request.body
        data = request.data
    except (ParseError, UnsupportedMediaType, RecursionError, ValueError):
        # ValueError: a Content-Length that is no number, where the server lets it pass.
        return {}
    if isinstance(data, QueryDict):
        return expand(data.lists())
    return data if isinstance(data, dict) else {}


def expand(pairs: Iterable[tuple[str, list[Any]]]) -> dict[str, Any]:
    """Read flat and PHP-bracketed names: ``a=1``, ``a[b]=1``, ``a[0]=1``, ``a[]=1``.

    The last value of a repeated name counts. An object whose keys are 0 to n-1 is a list.
    """
    found: dict[str, Any] = {}
    for name, values in pairs:
        head, bracket, _ = name.partition("[")
        keys = _BRACKETS.findall(name[len(head) :])[:_MAX_DEPTH] if bracket and head else []
        if not keys:
            found[name] = values[-1] if values else ""
            continue
        node = found
        for key, following in zip((head, *keys), keys, strict=False):
            child = node.setdefault(key or str(len(node)), {})
            if not isinstance(child, dict):
                child = node[key] = {}
            node = child
            last = following
        for value in values if not last else values[-1:]:
            node[last or str(len(node))] = value
    return {name: _listed(value) for name, value in found.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _listed(item) for key, item in value.items()}
    is_list = bool(items) and list(items) == [str(index) for index in range(len(items))]
    return list(items.values()) if is_list else items
