"""The query language of lists (transport.md §15, mfa-oauth.md §5).

A query is a JSON text: ``{"method": "equal", "attribute": "name", "values": ["Ada"]}``. What a
resource lets clients ask of which attribute stands in its :class:`Resource`; everything else is a
400. Filters become Django's ``Q`` objects and pages are keyset pages, so that page number 40 000
costs what the first one costs.

What is compared how:

- ``equal``, ``notEqual``, ``between`` and the order of strings are the database's own, exact to the
  letter's case; e-mail addresses are compared in lower case, as they are stored.
- ``contains``, ``startsWith``, ``endsWith``, ``search`` and their opposites ignore case.
- Dates have the precision of the wire, which is milliseconds.
- What is empty matches no filter but ``isNull``, not even a negative one. It is ordered first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from functools import reduce
from operator import and_, or_
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import DataError, connections
from django.db.models import BooleanField, F, Field, Func, Model, Q, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from rest_framework import serializers

from django_account.accounts.search import holds, search_condition, search_words
from django_account.api.fields import ABSENT, refuse
from django_account.core.ids import is_valid_id
from django_account.core.json_values import is_storable
from django_account.exceptions import CursorNotFound, QueryInvalid, QueryOrderNull

Row = TypeVar("Row", bound=Model)

MAX_QUERIES: Final = 100
MAX_CHARS: Final = 4096
MAX_VALUES: Final = 500
MAX_NESTING: Final = 5

# SQL conditions of one request; SQLite takes no expression deeper than 1000.
MAX_CONDITIONS: Final = 500

DEFAULT_LIMIT: Final = 25

# Rows of one page, whatever limit() says; and where counting stops.
MAX_ROWS: Final = 5000

_MAX_INTEGER: Final = 2**63 - 1
_MILLISECOND: Final = timedelta(milliseconds=1)


class Kind(Enum):
    """What an attribute holds."""

    TEXT = "text"
    EMAIL = "email"
    FLAG = "flag"
    MOMENT = "moment"
    NUMBER = "number"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a resource.

    Attributes:
        path: the model's field, with ``__`` across relations.
        kind: what it holds.
        nullable: whether it may be empty.
    """

    path: str
    kind: Kind = Kind.TEXT
    nullable: bool = False


# What every row has.
BASICS: Final = {
    "$id": Attribute("public_id"),
    "$createdAt": Attribute("created_at", Kind.MOMENT),
    "$updatedAt": Attribute("updated_at", Kind.MOMENT),
    "$sequence": Attribute("pk", Kind.NUMBER),
}

SEQUENCE: Final = BASICS["$sequence"]


@dataclass(frozen=True, slots=True)
class Resource:
    """What may be asked of a list.

    Attributes:
        name: as errors call one of its items.
        attributes: by their names on the wire; none for a list that takes limit and offset only.
    """

    name: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(slots=True)
class Queries:
    """What a client asked of a list.

    Attributes:
        resource: what was asked for.
        filters: all of them.
        limit: rows of the page.
        offset: rows before it.
        cursor: the id of the row before the page, or behind it.
        before: whether the page ends before the cursor, rather than begin after it.
        orders: attributes, and whether each descends.
        shuffled: whether the order is random.
        patterned: whether a filter looks for a part of a text.
    """

    resource: Resource
    filters: Q = field(default_factory=Q)
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    cursor: str | None = None
    before: bool = False
    orders: list[tuple[Attribute, bool]] = field(default_factory=list)
    shuffled: bool = False
    patterned: bool = False

    def cut(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """The rows that limit and offset leave, of all rows in their order."""
        return rows[self.offset : self.offset + min(self.limit, MAX_ROWS)]

    def answer(self, rows: QuerySet[Row], *, count: bool) -> tuple[list[Row], int]:
        """The rows of the page, in order, and how many the filters leave.

        A part of a text is looked for without an order first, and then only what was found is put
        in order: a database that expects to meet enough rows by walking through an ordered index
        would walk through all of it for a rare word.

        Args:
            rows: those that the caller may see; the cursor is looked for among them too.
            count: whether to count, up to MAX_ROWS; 0 otherwise.

        Raises:
            CursorNotFound: there is no row with the cursor's id.
            QueryOrderNull: the cursor's row has nothing in an attribute that orders.
            QueryInvalid: the database cannot make sense of the filters.
        """
        matching = rows.filter(self.filters).order_by()
        found: int | None = None
        if self.patterned:
            few = _ask(lambda: list(matching.values_list("pk", flat=True)[:MAX_ROWS]))
            found = len(few)
            if found < MAX_ROWS:
                matching = rows.filter(pk__in=few)
        page = self._page(rows, matching)
        if count and found is None:
            found = _ask(lambda: capped_count(matching))
        return page, found or 0 if count else 0

    def _page(self, rows: QuerySet[Row], found: QuerySet[Row]) -> list[Row]:
        """The page of those that were found among the rows."""
        if self.shuffled:
            found = found.order_by("?")
        else:
            orders = [*self.orders, (SEQUENCE, self.orders[-1][1] if self.orders else False)]
            if self.before:
                orders = [(attribute, not descending) for attribute, descending in orders]
            if self.cursor is not None:
                found = found.filter(self._behind_cursor(rows, orders))
            found = found.order_by(*(_order(rows, *order) for order in orders))
        page = _ask(lambda: list(self.cut(found)))
        return page[::-1] if self.before and not self.shuffled else page

    def _behind_cursor(self, rows: QuerySet[Row], orders: list[tuple[Attribute, bool]]) -> Q:
        """The rows that come after the cursor's in an order."""
        paths = [attribute.path for attribute, _ in orders]
        values = rows.filter(public_id=self.cursor).values_list(*paths).first()
        if values is None:
            raise CursorNotFound(
                f"{self.resource.name} '{self.cursor}' for the 'cursor' value not found."
            )
        if None in values:
            raise QueryOrderNull
        directions = {descending for _, descending in orders}
        if len(directions) == 1 and connections[rows.db].vendor in _COMPARES_ROWS:
            # One range of an index over the same columns, however many rows share a value.
            columns = _row([F(path) for path in paths])
            here = _row(
                [Value(v, _field(rows.model, path)) for path, v in zip(paths, values, strict=True)]
            )
            return Q((LessThan if directions == {True} else GreaterThan)(columns, here))
        equal, behind = Q(), Q(pk__in=[])
        for path, value, (_, descending) in zip(paths, values, orders, strict=True):
            behind |= equal & Q(**{f"{path}__{'lt' if descending else 'gt'}": value})
            equal &= Q(**{path: value})
        # Says nothing new, but lets the database enter its index at the cursor.
        path, (_, descending) = paths[0], orders[0]
        return Q(**{f"{path}__{'lte' if descending else 'gte'}": values[0]}) & behind


def capped_count(rows: QuerySet[Any]) -> int:
    """How many rows there are; counting stops at MAX_ROWS."""
    return rows.order_by()[:MAX_ROWS].count()


Answer = TypeVar("Answer")


def _ask(question: Callable[[], Answer]) -> Answer:
    try:
        return question()
    except DataError as error:
        raise QueryInvalid from error


# Databases that find ``(a, b) > (1, 2)`` by an index.
_COMPARES_ROWS: Final = {"postgresql", "sqlite"}


def _row(members: list[Any]) -> Func:
    return Func(*members, template="(%(expressions)s)", output_field=BooleanField())


def _field(model: type[Model], path: str) -> Field[Any, Any]:
    """The field at a path across relations."""
    name, _, rest = path.partition("__")
    found: Any = model._meta.pk if name == "pk" else model._meta.get_field(name)
    return _field(found.related_model, rest) if rest else found


def _order(rows: QuerySet[Any], attribute: Attribute, descending: bool) -> Any:
    """Where it is empty comes first. PostgreSQL alone has to be told so."""
    by = F(attribute.path)
    if not attribute.nullable or connections[rows.db].vendor != "postgresql":
        return by.desc() if descending else by.asc()
    return by.desc(nulls_last=True) if descending else by.asc(nulls_first=True)


# --- reading --------------------------------------------------------------------------------------

COMPARISONS: Final = {
    "lessThan": "lt",
    "lessThanEqual": "lte",
    "greaterThan": "gt",
    "greaterThanEqual": "gte",
}
PATTERNS: Final = {"startsWith": "istartswith", "endsWith": "iendswith"}
_LOOKUPS: Final = COMPARISONS | PATTERNS
_LISTS: Final = {"contains", "containsAny", "containsAll"}
_PARTS: Final = {*PATTERNS, *_LISTS, "search"}
_OPPOSITES: Final = {
    "notEqual": "equal",
    "notBetween": "between",
    "notContains": "contains",
    "notStartsWith": "startsWith",
    "notEndsWith": "endsWith",
    "notSearch": "search",
}
FILTERS: Final = frozenset(
    {*COMPARISONS, *PATTERNS, *_LISTS, *_OPPOSITES, "equal", "between", "search"}
    | {"isNull", "isNotNull"}
)
ORDERS: Final = frozenset({"orderAsc", "orderDesc", "orderRandom"})
CURSORS: Final = frozenset({"cursorAfter", "cursorBefore"})
PAGES: Final = frozenset({"limit", "offset"})

# Methods that upstream knows elsewhere.
FOREIGN: Final = frozenset(
    {"select", "exists", "notExists", "elemMatch", "vectorDot", "vectorCosine", "vectorEuclidean"}
    | {"crosses", "distanceEqual", "intersects", "overlaps", "touches", "distanceNotEqual"}
    | {"notCrosses", "notIntersects", "notOverlaps", "notTouches"}
    | {"distanceGreaterThan", "distanceLessThan"}
)

_TYPE_NAMES: Final = {
    str: "string",
    int: "integer",
    float: "double",
    bool: "boolean",
    list: "array",
    dict: "array",
    type(None): "NULL",
}


class QueriesParam(serializers.Field[Any, Any, Any, Any]):
    """``queries[]``, read as :class:`Queries`.

    Args:
        resource: what may be asked.
    """

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        super().__init__(required=False, default=Queries(resource))

    def run_validation(self, data: Any = ABSENT) -> Any:
        if isinstance(data, dict):
            # Brackets with other numbers than 0 to n-1, which is a list all the same.
            data = list(data.values())
        if not isinstance(data, list):
            refuse("Queries must be an array")
        if len(data) > MAX_QUERIES:
            refuse(f"A list takes at most {MAX_QUERIES} queries")
        return _Reader(self.resource).read(data)


class _Reader:
    """Reads the queries of one request and counts what they cost."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.conditions = 0
        self.patterned = False

    def read(self, texts: list[Any]) -> Queries:
        """All queries; the first limit, offset and cursor win.

        Raises:
            ValidationError: in the words of mfa-oauth.md §5.2.
        """
        queries, seen = Queries(self.resource), set()
        for text in texts:
            method, attribute, values = self.parse(text)
            if method not in PAGES and not self.resource.attributes:
                refuse(f"Invalid query method: {method}")
            if method in PAGES or method in CURSORS:
                value = self.page_value(method, values)
                kind = "cursor" if method in CURSORS else method
                if kind not in seen:
                    seen.add(kind)
                    setattr(queries, kind, value)
                    queries.before = queries.before or method == "cursorBefore"
            elif method == "orderRandom":
                queries.shuffled = True
            elif method in ORDERS:
                chosen = self.attribute(attribute) if attribute else SEQUENCE
                if all(chosen is not each for each, _ in queries.orders):
                    queries.orders.append((chosen, method == "orderDesc"))
            else:
                queries.filters &= self.condition(method, attribute, values, MAX_NESTING)
        queries.patterned = self.patterned
        if queries.shuffled and queries.cursor is not None:
            refuse("Invalid query: A random order has no place for a cursor.")
        return queries

    def parse(self, text: Any) -> tuple[str, str, list[Any]]:
        """The parts of one query, in a text of its own."""
        if isinstance(text, str) and len(text) > MAX_CHARS:
            refuse(f"Invalid query: A query has at most {MAX_CHARS} characters")
        try:
            query = json.loads(text, parse_constant=_no_number)
        except (TypeError, ValueError, RecursionError):
            refuse("Invalid query: Invalid query: Syntax error")
        # Errors repeat what was asked: neither they nor the database hold every character.
        if not is_storable(query):
            refuse("Invalid query: Invalid query: Syntax error")
        return self.parts(query)

    def parts(self, query: Any) -> tuple[str, str, list[Any]]:
        """Method, attribute and values."""
        if not isinstance(query, (dict, list)):
            refuse(f"Invalid query: Invalid query. Must be an array, got {_type_name(query)}")
        given = query if isinstance(query, dict) else {}
        method, attribute, values = (
            default if given.get(name) is None else given[name]
            for name, default in (("method", ""), ("attribute", ""), ("values", []))
        )
        for name, value in (("method", method), ("attribute", attribute)):
            if not isinstance(value, str):
                refuse(
                    f"Invalid query: Invalid query {name}. Must be a string, "
                    f"got {_type_name(value)}"
                )
        if not isinstance(values, list):
            refuse(
                f"Invalid query: Invalid query values. Must be an array, got {_type_name(values)}"
            )
        if method in FOREIGN:
            refuse(f"Invalid query method: {method}")
        if method not in FILTERS | ORDERS | CURSORS | PAGES | {"and", "or"}:
            refuse(f"Invalid query: Invalid query method: {method[:64]}")
        return method, attribute, values

    def page_value(self, method: str, values: list[Any]) -> Any:
        """The value of limit, offset or a cursor."""
        value = values[0] if values else None
        if method in CURSORS:
            if not isinstance(value, str) or not is_valid_id(value):
                refuse(
                    "Invalid query: Invalid cursor: UID must contain at most 36 chars. Valid chars "
                    "are a-z, A-Z, 0-9, period, hyphen and underscore."
                )
            return value
        number, lowest = _number(value), 1 if method == "limit" else 0
        if number is None or not lowest <= number <= _MAX_INTEGER:
            refuse(
                f"Invalid query: Invalid {method}: Value must be a valid range between "
                f"{lowest} and {_MAX_INTEGER}"
            )
        return number

    def attribute(self, name: str) -> Attribute:
        """An attribute of the resource."""
        if name not in self.resource.attributes:
            refuse(f"Invalid query: Attribute not found in schema: {name[:64]}")
        return self.resource.attributes[name]

    def count(self, conditions: int) -> None:
        """Bound what one request makes the database compare."""
        self.conditions += conditions
        if self.conditions > MAX_CONDITIONS:
            refuse(f"Invalid query: At most {MAX_CONDITIONS} conditions are taken.")

    # --- filters ---

    def condition(self, method: str, name: str, values: list[Any], nesting: int) -> Q:
        """The condition of a filter."""
        if method in ("and", "or"):
            return self.combination(method, values, nesting)
        attribute = self.attribute(name)
        if len(values) > MAX_VALUES:
            refuse(
                f"Invalid query: Query on attribute has greater than {MAX_VALUES} values: {name}"
            )
        if method in ("isNull", "isNotNull"):
            self.count(1)
            if not attribute.nullable:
                return Q(pk__in=[]) if method == "isNull" else ~Q(pk__in=[])
            return Q(**{f"{attribute.path}__isnull": method == "isNull"})
        self.check_form(method, name, attribute, values)
        read = [_value(attribute.kind, value) for value in values]
        if None in read:
            refuse(f'Invalid query: Query value is invalid for attribute "{name}"')
        plain = _OPPOSITES.get(method, method)
        if plain == "search":
            self.count(len(search_words(read[0])))
        self.count(2 * len(values) if attribute.kind is Kind.MOMENT else len(values))
        positive = _positive(plain, attribute, read)
        if method not in _OPPOSITES:
            self.patterned |= plain in _PARTS
            return positive
        return ~positive & Q(**{f"{attribute.path}__isnull": False})

    def combination(self, method: str, members: list[Any], nesting: int) -> Q:
        """``and`` and ``or``."""
        word = method.capitalize()
        if len(members) < 2:
            refuse(f"Invalid query: {word} queries require at least two queries")
        if not nesting:
            refuse(f"Invalid query: {word} queries are nested too deep")
        conditions = []
        for member in members:
            inner, name, values = self.parts(member)
            if inner not in FILTERS | {"and", "or"}:
                refuse(f"Invalid query: {word} queries can only contain filter queries")
            conditions.append(self.condition(inner, name, values, nesting - 1))
        return reduce(and_ if method == "and" else or_, conditions)

    def check_form(self, method: str, name: str, attribute: Attribute, values: list[Any]) -> None:
        """Whether the method goes with the attribute and the number of values."""
        plain = _OPPOSITES.get(method, method)
        word = method[0].upper() + method[1:]
        if attribute.kind is Kind.LIST and plain not in _LISTS:
            refuse(
                f'Invalid query: Cannot query {method} on attribute "{name}" '
                "because it is an array."
            )
        texts = (Kind.TEXT, Kind.EMAIL)
        if plain in _LISTS and attribute.kind not in (*texts, Kind.LIST):
            refuse(
                f'Invalid query: Cannot query {method} on attribute "{name}" '
                "because it is not an array or string."
            )
        if plain in (*PATTERNS, "search") and attribute.kind not in texts:
            refuse(
                f'Invalid query: Cannot query {method} on attribute "{name}" '
                "because it is not a string."
            )
        if plain in _LISTS or method == "equal":
            if not values:
                refuse(f"Invalid query: {word} queries require at least one value.")
        elif plain == "between":
            if len(values) != 2:
                refuse(f"Invalid query: {word} queries require exactly two values.")
        elif len(values) != 1:
            refuse(f"Invalid query: {word} queries require exactly one value.")


def _positive(method: str, attribute: Attribute, values: list[Any]) -> Q:
    """The condition of a method that is no opposite."""
    path, kind = attribute.path, attribute.kind
    if kind is Kind.LIST:
        return _joined(method, [holds(path, value) for value in values])
    if kind is Kind.MOMENT:
        return _moment(method, path, values)
    if method == "search":
        return search_condition(values[0], [path])
    if method in _LISTS:
        return _joined(method, [Q(**{f"{path}__icontains": value}) for value in values])
    if method in _LOOKUPS:
        return Q(**{f"{path}__{_LOOKUPS[method]}": values[0]})
    return Q(**{f"{path}__{'range' if method == 'between' else 'in'}": values})


def _joined(method: str, conditions: list[Q]) -> Q:
    return reduce(and_ if method == "containsAll" else or_, conditions)


def _moment(method: str, path: str, starts: list[datetime]) -> Q:
    """A date of the wire stands for its whole millisecond."""
    if method == "equal":
        return reduce(or_, (_within(path, start, start) for start in starts))
    if method == "between":
        return _within(path, *starts)
    start = starts[0]
    if method == "lessThan":
        return Q(**{f"{path}__lt": start})
    if method == "greaterThanEqual":
        return Q(**{f"{path}__gte": start})
    end = "lt" if method == "lessThanEqual" else "gte"
    return Q(**{f"{path}__{end}": start + _MILLISECOND})


def _within(path: str, first: datetime, last: datetime) -> Q:
    return Q(**{f"{path}__gte": first, f"{path}__lt": last + _MILLISECOND})


def _value(kind: Kind, value: Any) -> Any:
    """A value as the database wants it; None when it is of the wrong type."""
    if kind is Kind.FLAG:
        return value if isinstance(value, bool) else None
    if kind is Kind.NUMBER:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return value if is_number and abs(value) <= _MAX_INTEGER else None
    if not isinstance(value, str):
        return None
    if kind is Kind.MOMENT:
        return _read_moment(value)
    return value.lower() if kind is Kind.EMAIL else value


def _read_moment(text: str) -> datetime | None:
    """An ISO 8601 date or moment, cut to milliseconds; without an offset it is UTC."""
    try:
        moment = parse_datetime(text)
        if moment is None and (day := parse_date(text)) is not None:
            moment = datetime.combine(day, time())
        if moment is None:
            return None
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        # So that every millisecond has an end, and every zone a name for it.
        if not 1 < moment.year < 9999:
            return None
        return moment if settings.USE_TZ else timezone.make_naive(moment)
    except (ValueError, OverflowError):
        return None


def _number(value: Any) -> int | None:
    """A whole number, also as a numeral."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return None


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), "object")


# --- search ---------------------------------------------------------------------------------------


def searched(queries: Queries, condition: Q) -> Queries:
    """The same queries with a search more."""
    return replace(queries, filters=queries.filters & condition, patterned=True)
