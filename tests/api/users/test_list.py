"""The list of people: queries, search, cursors, totals (transport.md §15, users.md §3.1)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection

from django_account.accounts.models import Account
from tests.client import ApiClient, assert_error

CRISTIANO = {
    "userId": "cr7",
    "email": "cristiano.ronaldo@manchester-united.co.uk",
    "name": "Cristiano Ronaldo",
    "phone": "+351912345678",
}


def ask(client: ApiClient, *queries: Any, **params: Any) -> Any:
    """The list, with queries given as objects or raw texts."""
    texts = [query if isinstance(query, str) else json.dumps(query) for query in queries]
    pairs = [(f"queries[{number}]", text) for number, text in enumerate(texts)]
    return client.get(f"/users?{urlencode([*pairs, *params.items()])}")


def query(method: str, attribute: str | None = None, *values: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"method": method}
    if attribute is not None:
        found["attribute"] = attribute
    return {**found, "values": list(values)} if values else found


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [user["$id"] for user in response.json()["users"]]


@pytest.fixture
def people(site: ApiClient) -> list[str]:
    """Thirty people, p00 to p29."""
    names = [f"p{number:02}" for number in range(30)]
    for name in names:
        site.post("/users", {"userId": name, "name": name.upper(), "email": f"{name}@example.org"})
    return names


class TestPages:
    def test_twenty_five_in_the_order_of_creation(self, site: ApiClient, people: list[str]) -> None:
        response = ask(site)
        assert ids(response) == people[:25]
        assert response.json()["total"] == 30
        assert response.json()["users"][0]["targets"][0]["identifier"] == "p00@example.org"

    def test_limit_and_offset(self, site: ApiClient, people: list[str]) -> None:
        page = ask(site, query("limit", None, 3), query("offset", None, "2"))
        assert (ids(page), page.json()["total"]) == (people[2:5], 30)

    def test_the_first_of_several_limits_counts(self, site: ApiClient, people: list[str]) -> None:
        assert len(ids(ask(site, query("limit", None, 2), query("limit", None, 9)))) == 2

    def test_all_pages_by_cursor_and_back(self, site: ApiClient, people: list[str]) -> None:
        for order in ([], [query("orderDesc", "name")], [query("orderAsc", "emailVerification")]):
            wanted = people[::-1] if order and order[0]["method"] == "orderDesc" else people
            seen: list[str] = []
            while True:
                cursor = [query("cursorAfter", None, seen[-1])] if seen else []
                page = ids(ask(site, query("limit", None, 7), *order, *cursor))
                if not page:
                    break
                seen += page
            assert seen == wanted
            back = ids(
                ask(site, query("limit", None, 7), *order, query("cursorBefore", None, wanted[20]))
            )
            assert back == wanted[13:20]

    def test_unknown_cursor(self, site: ApiClient, people: list[str]) -> None:
        response = ask(site, query("cursorAfter", None, "nobody"))
        message = assert_error(response, 400, "general_cursor_not_found")["message"]
        assert message == "User 'nobody' for the 'cursor' value not found."

    def test_cursor_at_somebody_without_the_value(self, site: ApiClient, people: list[str]) -> None:
        ordered = query("orderAsc", "accessedAt")
        assert ids(ask(site, ordered)) == people[:25]
        response = ask(site, ordered, query("cursorAfter", None, "p03"))
        assert_error(response, 400, "database_query_order_null")

    def test_random_order(self, site: ApiClient, people: list[str]) -> None:
        assert sorted(ids(ask(site, query("orderRandom"), query("limit", None, 30)))) == people
        response = ask(site, query("orderRandom"), query("cursorAfter", None, "p03"))
        assert_error(response, 400, "general_argument_invalid")

    @pytest.mark.parametrize("word", ["false", "0"])
    def test_without_total(self, site: ApiClient, people: list[str], word: str) -> None:
        body = ask(site, total=word).json()
        assert (body["total"], len(body["users"])) == (0, 25)

    def test_counting_stops(
        self, site: ApiClient, people: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django_account.api.queries.MAX_ROWS", 10)
        body = ask(site, query("limit", None, 1000)).json()
        assert (body["total"], len(body["users"])) == (10, 10)

    def test_statements_do_not_grow_with_the_page(
        self,
        site: ApiClient,
        people: list[str],
        django_assert_num_queries: Callable[[int], Any],
    ) -> None:
        ask(site)
        for size in (1, 30):
            # The key; the page with its users; the targets; the total.
            with django_assert_num_queries(4):
                ask(site, query("limit", None, size))


class TestFilters:
    """Right ones; tests/fuzz/test_queries.py holds many more to a plain filter."""

    CASES = [
        (query("equal", "name", "P03", "P04"), ["p03", "p04"]),
        # MySQL and MariaDB fold case in names, as upstream's database does.
        (query("equal", "name", "p03"), ["p03"] if connection.vendor == "mysql" else []),
        (query("equal", "email", "P03@EXAMPLE.org"), ["p03"]),
        (query("equal", "$id", "p03"), ["p03"]),
        (query("startsWith", "name", "p2"), [f"p2{number}" for number in range(10)]),
        (query("endsWith", "name", "07"), ["p07"]),
        (query("contains", "email", "09@"), ["p09"]),
        (query("between", "name", "P03", "P05"), ["p03", "p04", "p05"]),
        (query("isNotNull", "phone"), []),
        (query("greaterThan", "name", "P28"), ["p29"]),
        (query("search", "name", "p 11"), ["p11"]),
        (
            query("or", None, query("equal", "name", "P01"), query("equal", "name", "P02")),
            ["p01", "p02"],
        ),
    ]

    @pytest.mark.parametrize(("given", "found"), CASES)
    def test_finds(
        self, site: ApiClient, people: list[str], given: dict[str, Any], found: list[str]
    ) -> None:
        response = ask(site, given)
        assert (ids(response), response.json()["total"]) == (found, len(found))

    def test_labels(self, site: ApiClient, people: list[str]) -> None:
        site.put("/users/p01/labels", {"labels": ["vip", "a"]})
        site.put("/users/p02/labels", {"labels": ["vipx"]})
        assert ids(ask(site, query("contains", "labels", "vip"))) == ["p01"]
        assert ids(ask(site, query("containsAll", "labels", "vip", "a"))) == ["p01"]
        assert len(ids(ask(site, query("notContains", "labels", "vip")))) == 25

    def test_date_as_the_wire_has_it_finds_its_row(
        self, site: ApiClient, people: list[str]
    ) -> None:
        created = site.get("/users/p07").json()["$createdAt"]
        assert "p07" in ids(ask(site, query("equal", "$createdAt", created)))
        assert "p07" not in ids(ask(site, query("greaterThan", "$createdAt", created)))


class TestRefused:
    """Wrong ones, in the words of mfa-oauth.md §5.2."""

    DEEP: dict[str, Any] = query("equal", "name", "x")
    for _ in range(6):
        DEEP = query("or", None, DEEP, query("equal", "name", "x"))

    CASES = [
        ("{", "Invalid query: Invalid query: Syntax error"),
        ('{"a": NaN}', "Invalid query: Invalid query: Syntax error"),
        ("5", "Invalid query: Invalid query. Must be an array, got integer"),
        ('"x"', "Invalid query: Invalid query. Must be an array, got string"),
        ("null", "Invalid query: Invalid query. Must be an array, got NULL"),
        (query("regex", "name", "x"), "Invalid query: Invalid query method: regex"),
        (query("select", None, "name"), "Invalid query method: select"),
        ({"method": 5}, "Invalid query: Invalid query method. Must be a string, got integer"),
        (
            {"method": "equal", "attribute": []},
            "Invalid query: Invalid query attribute. Must be a string, got array",
        ),
        (
            {"method": "equal", "attribute": "name", "values": "x"},
            "Invalid query: Invalid query values. Must be an array, got string",
        ),
        (query("equal", "password", "x"), "Invalid query: Attribute not found in schema: password"),
        (query("orderAsc", "prefs"), "Invalid query: Attribute not found in schema: prefs"),
        (
            query("equal", "name", 5),
            'Invalid query: Query value is invalid for attribute "name"',
        ),
        (
            query("equal", "status", "true"),
            'Invalid query: Query value is invalid for attribute "status"',
        ),
        (
            query("equal", "registration", "yesterday"),
            'Invalid query: Query value is invalid for attribute "registration"',
        ),
        (
            query("equal", "$sequence", 2**70),
            'Invalid query: Query value is invalid for attribute "$sequence"',
        ),
        (query("equal", "name"), "Invalid query: Equal queries require at least one value."),
        (
            query("lessThan", "name", "a", "b"),
            "Invalid query: LessThan queries require exactly one value.",
        ),
        (
            query("between", "name", "a"),
            "Invalid query: Between queries require exactly two values.",
        ),
        (
            query("equal", "labels", "vip"),
            'Invalid query: Cannot query equal on attribute "labels" because it is an array.',
        ),
        (
            query("and", None, query("equal", "name", "a")),
            "Invalid query: And queries require at least two queries",
        ),
        (
            query("or", None, query("equal", "name", "a"), query("limit", None, 5)),
            "Invalid query: Or queries can only contain filter queries",
        ),
        (DEEP, "Invalid query: Or queries are nested too deep"),
        (
            query("equal", "name", *["x"] * 501),
            "Invalid query: Query on attribute has greater than 500 values: name",
        ),
        (query("cursorAfter", None, "_x"), "Invalid query: Invalid cursor: UID must contain"),
        (query("limit", None, 0), "Invalid query: Invalid limit: Value must be a valid range"),
        (query("limit", None, "x"), "Invalid query: Invalid limit: Value must be a valid range"),
        (query("limit"), "Invalid query: Invalid limit: Value must be a valid range"),
        (query("offset", None, -1), "Invalid query: Invalid offset: Value must be a valid range"),
        (query("contains", "name", *["x"] * 499, "y"), None),
        (
            json.dumps(query("equal", "name", "x")) + " " * 4096,
            "Invalid query: A query has at most 4096",
        ),
    ]

    @pytest.mark.parametrize(("given", "told"), CASES)
    def test_refused(self, site: ApiClient, given: Any, told: str | None) -> None:
        response = ask(site, given)
        if told is None:
            assert response.status_code == 200
            return
        message = assert_error(response, 400, "general_argument_invalid")["message"]
        assert message.startswith(f"Invalid `queries` param: {told}")

    def test_no_array(self, site: ApiClient) -> None:
        response = site.get("/users?queries=x")
        message = assert_error(response, 400, "general_argument_invalid")["message"]
        assert message == "Invalid `queries` param: Queries must be an array"

    def test_too_many(self, site: ApiClient) -> None:
        response = ask(site, *[query("limit", None, 1)] * 101)
        assert_error(response, 400, "general_argument_invalid")

    def test_too_many_conditions(self, site: ApiClient) -> None:
        many = [query("contains", "name", *["x"] * 300)] * 2
        assert_error(ask(site, *many), 400, "general_argument_invalid")


class TestSearch:
    @pytest.mark.parametrize(
        "text",
        [
            "Ronaldo",
            "cristiano.ronaldo@manchester-united.co.uk",
            "cristiano.ronaldo",
            "manchester",
            "united.co.uk",
            "cr7",
            "man",
            "ronaldo cristiano",
            '"Cristiano Ronaldo"',
            "+351912345678",
            "label:striker",
        ],
    )
    def test_finds(self, site: ApiClient, text: str) -> None:
        site.post("/users", {"userId": "other", "email": "other@example.org", "name": "Other"})
        site.post("/users", CRISTIANO)
        site.put("/users/cr7/labels", {"labels": ["striker"]})
        assert ids(ask(site, search=text)) == ["cr7"]

    @pytest.mark.parametrize("text", [">", "nobody", '"Ronaldo Cristiano"', "label:strike"])
    def test_finds_nobody(self, site: ApiClient, text: str) -> None:
        site.post("/users", CRISTIANO)
        response = ask(site, search=text)
        assert (ids(response), response.json()["total"]) == ([], 0)

    def test_goes_with_queries(self, site: ApiClient, people: list[str]) -> None:
        response = ask(site, query("limit", None, 2), query("orderDesc", "$id"), search="example")
        assert (ids(response), response.json()["total"]) == (["p29", "p28"], 30)

    @pytest.mark.parametrize("text", ["", "x" * 257])
    def test_wrong_length(self, site: ApiClient, text: str) -> None:
        assert_error(ask(site, search=text), 400, "general_argument_invalid")


def test_impersonators_may_list(ada: ApiClient, site: ApiClient) -> None:
    assert_error(ask(ada), 401, "general_unauthorized_scope")
    Account.objects.update(impersonator=True)
    assert ids(ask(ada)) == [ada.account["$id"]]
