"""Random queries: never a server error, and the answer of a plain filter over the same rows.

More for a longer search: ``FUZZ_EXAMPLES=10000``, ten minutes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from hypothesis import given, note
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from django_account.accounts.models import Account
from django_account.api_keys.services import create_api_key
from django_account.core.clients import ClientInfo
from django_account.sessions.services import create_session
from tests.client import ApiClient, assert_error
from tests.fuzz.strategies import DECLARED, PLACEHOLDER, examples, texts, values

MOMENT = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)

# id, name, e-mail, phone, active, labels; registered and accessed, milliseconds after MOMENT.
PEOPLE: list[tuple[Any, ...]] = [
    ("ada", "Ada", "ada@example.org", "+14155550100", True, ["vip"], 0, None),
    ("Bob", "Bob Ada", "bob@example.com", None, True, [], 0.4, 5),
    ("c.c", "", None, "+4915112345678", False, ["vip", "VIP2"], 1, 5),
    ("d_d", "100%", "d_d@example.org", None, True, ["Vip"], 1.9, 5.5),
    ("e-e", "a_b\\c", "e.e@mail.example.org", "+14155550101", False, [], 2, None),
    ("f6", 'quo"te', None, None, True, ["a", "b", "c"], -1, 86_400_000),
    ("g7", "ada", "ada@example.net", None, True, ["b"], 5_000, -1),
    ("h8", "\N{CJK UNIFIED IDEOGRAPH-738B} it's", "h@example.org", "+33123456789", False, [], 5, 0),
    ("i9", "Ada Ada", None, None, True, ["vipx", "a"], 86_400_000, 6),
    ("j10", "zz", "zz@zz.example", None, False, ["c", "a"], 0, None),
]


def after(milliseconds: float | None) -> datetime | None:
    return None if milliseconds is None else MOMENT + timedelta(milliseconds=milliseconds)


def wire(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def folded(text: str) -> str:
    """In lower case where databases agree what that is."""
    return "".join(each.lower() if each.isascii() else each for each in text)


TEXTS = {
    "$id": 0,
    "name": 1,
    "email": 2,
    "phone": 3,
}
FLAGS = {"status": 4}
LISTS = {"labels": 5}
MOMENTS = {"registration": 6, "accessedAt": 7}
KINDS = {**dict.fromkeys(TEXTS, "text"), **dict.fromkeys(FLAGS, "flag")} | {
    **dict.fromkeys(LISTS, "list"),
    **dict.fromkeys(MOMENTS, "moment"),
}

words = st.sampled_from(
    ["", "a", "A", "Ada", "ada", "ADA", "d_d", "_", "%", "\\", '"', "'", "example.org", "+1415"]
    + [person[column] for person in PEOPLE for column in (0, 1, 2, 3) if person[column]]
    + ["\N{CJK UNIFIED IDEOGRAPH-738B}", "zzz", "vip", "VIP", "1", "Bob A"]
)
moments = st.sampled_from(
    [after(each) for person in PEOPLE for each in person[6:8] if each is not None]
    + [after(offset) for offset in (-2, 3, 1.4, 10**8)]
)

OF_TEXTS = ["equal", "notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual"]
OF_TEXTS += ["between", "notBetween", "contains", "containsAny", "containsAll", "notContains"]
OF_TEXTS += ["startsWith", "notStartsWith", "endsWith", "notEndsWith", "search", "notSearch"]
METHODS = {
    "text": [*OF_TEXTS, "isNull", "isNotNull"],
    "flag": ["equal", "notEqual", "isNull", "isNotNull"],
    "list": ["contains", "containsAny", "containsAll", "notContains", "isNull", "isNotNull"],
    "moment": [*OF_TEXTS[:8], "isNull", "isNotNull"],
}
SEVERAL = {"equal", "contains", "containsAny", "containsAll", "notContains"}


@st.composite
def filters(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """A filter that is right, perhaps of several."""
    if depth and not draw(st.integers(0, 4)):
        members = draw(st.lists(filters(depth - 1), min_size=2, max_size=3))
        return {"method": draw(st.sampled_from(["and", "or"])), "values": members}
    attribute = draw(st.sampled_from(sorted(KINDS)))
    kind = KINDS[attribute]
    method = draw(st.sampled_from(METHODS[kind]))
    if method in ("isNull", "isNotNull"):
        return {"method": method, "attribute": attribute}
    count = 2 if "etween" in method else draw(st.integers(1, 3)) if method in SEVERAL else 1
    one = {"flag": st.booleans(), "moment": moments.map(wire)}.get(kind, words)
    chosen = draw(st.lists(one, min_size=count, max_size=count))
    return {"method": method, "attribute": attribute, "values": chosen}


orders = st.builds(
    lambda method, attribute: {"method": method, "attribute": attribute},
    st.sampled_from(["orderAsc", "orderDesc"]),
    st.sampled_from(["$id", "name", "email", "status", "registration", "accessedAt", ""]),
)
pages = st.one_of(
    st.builds(lambda n: {"method": "limit", "values": [n]}, st.integers(1, 12)),
    st.builds(lambda n: {"method": "offset", "values": [n]}, st.integers(0, 4)),
    st.builds(
        lambda method, public_id: {"method": method, "values": [public_id]},
        st.sampled_from(["cursorAfter", "cursorBefore"]),
        st.sampled_from([person[0] for person in PEOPLE]),
    ),
)


# --- what the answer should be --------------------------------------------------------------------

Row = dict[str, Any]

COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "lessThan": lambda a, b: a < b,
    "lessThanEqual": lambda a, b: a <= b,
    "greaterThan": lambda a, b: a > b,
    "greaterThanEqual": lambda a, b: a >= b,
}


def words_of(text: str) -> list[str]:
    if len(text) > 2 and text[0] == text[-1] == '"':
        return [text[1:-1].strip()]
    for sign in '@+-*()<>~"':
        text = text.replace(sign, " ")
    return text.split()


def holds(row: Row, query: dict[str, Any]) -> bool:
    """Whether a row passes a filter."""
    method, attribute, given_values = (query.get(k) for k in ("method", "attribute", "values"))
    if method in ("and", "or"):
        return (all if method == "and" else any)(holds(row, each) for each in given_values)
    value = row[attribute]
    if method in ("isNull", "isNotNull"):
        return (value is None) == (method == "isNull")
    if value is None:
        return False
    if method.startswith("not"):
        plain = method[3].lower() + method[4:]
        return not holds(row, {**query, "method": plain})
    if attribute in MOMENTS:
        value = value.replace(microsecond=value.microsecond // 1000 * 1000)
        given_values = [datetime.fromisoformat(each) for each in given_values]
    if attribute == "email":
        given_values = [each.lower() for each in given_values]
    return passes(method, value, given_values)


def passes(method: str, value: Any, wanted: list[Any]) -> bool:
    """Whether a value that is there passes a positive filter."""
    if isinstance(value, list):
        return (all if method == "containsAll" else any)(each in value for each in wanted)
    if method == "equal":
        return value in wanted
    if method == "between":
        return wanted[0] <= value <= wanted[1]
    if method in COMPARED:
        return COMPARED[method](value, wanted[0])
    value, wanted = folded(value), [folded(each) for each in wanted]
    if method == "startsWith":
        return value.startswith(wanted[0])
    if method == "endsWith":
        return value.endswith(wanted[0])
    if method == "search":
        sought = words_of(wanted[0])
        return bool(sought) and all(word in value for word in sought)
    return (all if method == "containsAll" else any)(each in value for each in wanted)


def ordered(rows: list[Row], by: list[tuple[str, bool]]) -> list[Row]:
    """Rows in an order; what is empty comes first, or last when descending."""
    for attribute, descending in reversed(by):
        rows = sorted(
            rows,
            key=lambda row: (0,) if row[attribute] is None else (1, row[attribute]),
            reverse=descending,
        )
    return rows


def comes_after(row: Row, cursor: Row, by: list[tuple[str, bool]]) -> bool:
    """Whether a row is behind the cursor; where it is empty it is nowhere."""
    for attribute, descending in by:
        value, at = row[attribute], cursor[attribute]
        if value is None:
            return False
        if value != at:
            return bool(value < at) if descending else bool(value > at)
    return False


class Model:
    """The same list in plain Python."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def answer(self, queries: list[dict[str, Any]]) -> tuple[int, list[str]] | None:
        """Total and ids; None where the cursor has nothing to order by."""
        first = {name: self.first(queries, name) for name in ("limit", "offset", "cursor")}
        by: list[tuple[str, bool]] = []
        for query in queries:
            if query["method"].startswith("order"):
                attribute = query["attribute"] or "$sequence"
                if attribute not in dict(by):
                    by.append((attribute, query["method"] == "orderDesc"))
        by.append(("$sequence", by[-1][1] if by else False))
        conditions = [q for q in queries if "attribute" in q or q["method"] in ("and", "or")]
        conditions = [q for q in conditions if not q["method"].startswith("order")]
        left = [row for row in self.rows if all(holds(row, each) for each in conditions)]
        total = len(left)
        before = first["cursor"] is not None and first["cursor"]["method"] == "cursorBefore"
        if before:
            by = [(attribute, not descending) for attribute, descending in by]
        if first["cursor"] is not None:
            at = next(row for row in self.rows if row["$id"] == first["cursor"]["values"][0])
            if any(at[attribute] is None for attribute, _ in by):
                return None
            left = [row for row in left if comes_after(row, at, by)]
        start = first["offset"]["values"][0] if first["offset"] else 0
        size = first["limit"]["values"][0] if first["limit"] else 25
        page = [row["$id"] for row in ordered(left, by)[start : start + size]]
        return total, page[::-1] if before else page

    def first(self, queries: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
        return next((query for query in queries if query["method"].startswith(name)), None)


class QueriesTestCase(TestCase):
    """The people above, a server that asks for them, and one of them."""

    server: ApiClient
    person: ApiClient

    @classmethod
    def setUpTestData(cls) -> None:
        rows = []
        for public_id, name, email, phone, active, labels, registered, accessed in PEOPLE:
            user = get_user_model().objects.create(username=public_id, is_active=active)
            account = Account.objects.create(
                public_id=public_id,
                user=user,
                name=name,
                email=email,
                phone=phone,
                labels=labels,
                registered_at=after(registered),
                accessed_at=after(accessed),
            )
            row = {"$id": public_id, "name": name, "email": email, "phone": phone}
            row |= {"status": active, "labels": labels, "$sequence": account.pk}
            row |= {"registration": after(registered), "accessedAt": after(accessed)}
            rows.append(row)
        cls.model = Model(rows)
        cls.server = ApiClient(key=create_api_key(name="fuzz", scopes=["users.read"]).secret)

    def ask(self, queries: list[str], path: str = "users") -> Any:
        query = urlencode(
            [(f"queries[{n}]", text) for n, text in enumerate(queries)], errors="replace"
        )
        caller = self.person if path.startswith("account") else self.server
        return caller.get(f"/{path}?{query}")


class TestRightQueries(QueriesTestCase):
    @examples(250)
    @given(
        st.lists(filters(), max_size=3), st.lists(orders, max_size=2), st.lists(pages, max_size=3)
    )
    def test_answer_is_that_of_a_plain_filter(
        self, conditions: list[Any], by: list[Any], page: list[Any]
    ) -> None:
        queries = [*conditions, *by, *page]
        note(str(queries))
        expected = self.model.answer(queries)
        response = self.ask([json.dumps(query) for query in queries])
        if expected is None:
            assert_error(response, 400, "database_query_order_null")
            return
        assert response.status_code == 200, response.content
        body = response.json()
        assert (body["total"], [user["$id"] for user in body["users"]]) == expected


# Every list that takes queries.
LISTS = sorted(
    PLACEHOLDER.sub("ada", route)
    for (route, _), declared in DECLARED.items()
    if declared.params and "queries" in declared.params.fields
)


class TestAnyQueries(QueriesTestCase):
    """Whatever is sent as a query is answered or refused, by every list."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        account = Account.objects.get(public_id="ada")
        issued = create_session(
            account=account, provider="email", factors=["password"], client=ClientInfo()
        )
        cls.person = ApiClient(session=issued.credential)

    def test_the_lists(self) -> None:
        of_ada = [f"users/ada/{name}" for name in ("logs", "memberships", "targets")]
        of_account = ["account/identities", "account/logs"]
        assert [*of_account, "users", *of_ada, "users/identities"] == LISTS

    names = st.one_of(st.sampled_from([*sorted(KINDS), "$sequence", "password", ""]), texts)
    methods = st.one_of(
        st.sampled_from([*METHODS["text"], "limit", "offset", "cursorAfter", "orderAsc", "and"]),
        texts,
    )
    broken = st.fixed_dictionaries(
        {},
        optional={
            "method": st.one_of(methods, values),
            "attribute": st.one_of(names, values),
            "values": st.one_of(st.lists(st.one_of(words, values), max_size=3), values),
        },
    )

    @examples(200)
    @given(
        st.sampled_from(["users", *LISTS]),
        st.lists(st.one_of(broken.map(json.dumps), values.map(json.dumps), texts), max_size=3),
    )
    def test_is_answered_or_refused(self, path: str, queries: list[str]) -> None:
        response = self.ask(queries, path)
        assert response.status_code in (200, 400), response.content
        if response.status_code == 400:
            assert response.json()["type"] in {
                "general_argument_invalid",
                "general_query_invalid",
                "general_cursor_not_found",
                "database_query_order_null",
            }

    @examples(100)
    @given(texts)
    def test_any_search(self, text: str) -> None:
        response = self.server.get(f"/users?{urlencode({'search': text}, errors='replace')}")
        assert response.status_code in (200, 400), response.content
