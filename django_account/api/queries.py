"""What the SDKs' ``Query`` helpers send to a list (mfa-oauth.md §5, transport.md §15).

A list says what it takes by its :class:`QueriesParam`; so far lists take a limit and an offset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers

from django_account.api.fields import ABSENT, is_storable, refuse

Row = TypeVar("Row", bound=Model)

MAX_QUERIES = 100
MAX_CHARS = 4096

DEFAULT_LIMIT = 25

# No list counts further (mfa-oauth.md §5.3), nor does an answer hold more rows, whatever limit is
# asked for: upstream knows no bound there.
MAX_ROWS = 5000

# What a limit or offset may be at most: a database's largest integer.
MAX_NUMBER = 2**63 - 1

# Every method of the SDKs that upstream knows; what else an SDK may build is unknown to it.
METHODS = frozenset(
    re.findall(
        r"\w+",
        """
        equal notEqual lessThan lessThanEqual greaterThan greaterThanEqual between notBetween
        isNull isNotNull contains containsAny containsAll notContains startsWith notStartsWith
        endsWith notEndsWith search notSearch exists notExists elemMatch and or select limit offset
        cursorAfter cursorBefore orderAsc orderDesc orderRandom crosses notCrosses distanceEqual
        distanceNotEqual distanceGreaterThan distanceLessThan intersects notIntersects overlaps
        notOverlaps touches notTouches vectorDot vectorCosine vectorEuclidean
        """,
    )
)

# How PHP calls what JSON holds, in errors.
_TYPES = {bool: "boolean", int: "integer", float: "double", str: "string", type(None): "NULL"}


@dataclass(frozen=True, slots=True)
class Query:
    """One element of ``queries``, well formed."""

    method: str
    attribute: str
    values: list[Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a list are asked for."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0

    def total(self, rows: QuerySet[Any]) -> int:
        """How many rows there are, whatever the page; counting stops at MAX_ROWS."""
        return rows.order_by()[:MAX_ROWS].count()

    def page(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """The rows asked for, of all rows in their order."""
        return rows[self.offset : self.offset + min(self.limit, MAX_ROWS)]


class QueriesParam(serializers.Field[Any, Any, Any, Any]):
    """The ``queries`` of a list; read as a :class:`Selection`.

    Only the first limit and the first offset count, but all must be valid.
    """

    def __init__(self) -> None:
        super().__init__(required=False, default=Selection())

    def run_validation(self, data: Any = ABSENT) -> Any:
        """Read all elements.

        Raises:
            ValidationError: in the words of mfa-oauth.md §5.2.
        """
        if isinstance(data, dict):
            # Brackets with other numbers than 0 to n-1, which is a list all the same.
            data = list(data.values())
        if not isinstance(data, list):
            refuse("Queries must be an array")
        if len(data) > MAX_QUERIES:
            refuse(f"A list takes at most {MAX_QUERIES} queries")
        found: dict[str, int] = {}
        for element in data:
            query = parse(element)
            read = _READERS.get(query.method)
            if read is None:
                refuse(f"Invalid query method: {query.method}")
            found.setdefault(query.method, read(query))
        return Selection(**found)


def parse(element: Any) -> Query:
    """Take one element apart.

    Raises:
        ValidationError: it is no query.
    """
    if isinstance(element, str) and len(element) > MAX_CHARS:
        refuse(f"Invalid query: A query has at most {MAX_CHARS} characters")
    try:
        given = json.loads(element)
    except (TypeError, ValueError, RecursionError):
        refuse("Invalid query: Invalid query: Syntax error")
    if not is_storable(given):
        # Half a character would come back in the error, which nobody could encode.
        refuse("Invalid query: Invalid query: Syntax error")
    if isinstance(given, list):
        # To PHP, an object without names.
        given = {}
    if not isinstance(given, dict):
        refuse(f"Invalid query: Invalid query. Must be an array, got {_TYPES[type(given)]}")
    return Query(
        method=_known_method(_part(given, "method", str, "")),
        attribute=_part(given, "attribute", str, ""),
        values=_part(given, "values", list, []),
    )


def _part(given: Mapping[str, Any], name: str, kind: type, default: Any) -> Any:
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        wanted = "a string" if kind is str else "an array"
        got = _TYPES.get(type(value), "array")
        refuse(f"Invalid query: Invalid query {name}. Must be {wanted}, got {got}")
    return value


def _known_method(method: str) -> str:
    if method not in METHODS:
        refuse(f"Invalid query: Invalid query method: {method}")
    return method


def _number(name: str, minimum: int) -> Callable[[Query], int]:
    def read(query: Query) -> int:
        value: Any = query.values[0] if query.values else None
        # Nineteen digits are enough for anybody, and keep int() from being fed thousands.
        is_numeral = isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value) is not None
        number: Any = int(value) if is_numeral else value
        is_number = isinstance(number, int) and not isinstance(number, bool)
        if not is_number or not minimum <= number <= MAX_NUMBER:
            refuse(
                f"Invalid query: Invalid {name}: "
                f"Value must be a valid range between {minimum} and {MAX_NUMBER}"
            )
        return int(number)

    return read


_READERS = {"limit": _number("limit", 1), "offset": _number("offset", 0)}
