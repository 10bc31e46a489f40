"""Rate limits: every limited route, the headers, and who counts with whom (core.md §5)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.db import connection
from django.urls import include, path
from django.urls.resolvers import RoutePattern

from django_account.accounts.models import Account
from django_account.api.urls import urlpatterns as api_urlpatterns
from django_account.limits.rules import limited_routes
from tests.client import PASSWORD, ApiClient, assert_error
from tests.limits.conftest import MEMORY, STORES, on_postgres, postgres_table, store

__all__ = ["on_postgres", "postgres_table", "store"]

Project = Callable[..., None]
Edit = Callable[..., None]

HOUR = 3600

# A quarter past: windows begin at full hours.
QUARTER_PAST = datetime(2030, 1, 1, 12, 15, tzinfo=UTC)
END = int(QUARTER_PAST.timestamp()) + 45 * 60

# As the contract has them (core.md §5.2, mfa-oauth.md §2, transport.md §6.3), but for the JWT,
# where the user's document wins. "userId" is the parameter, "caller" the person signed in.
CONTRACT = """
POST   /account                                    10 url+ip
PATCH  /account/password                           10 url+ip
POST   /account/sessions                           10 url+email               resets on 201
POST   /account/sessions/email                     10 url+email               resets on 201
DELETE /account/sessions                          100 url+ip
POST   /account/sessions/anonymous                 50 ip
POST   /account/sessions/token                     10 ip+userId               resets on 201
PUT    /account/sessions/magic-url                 10 ip+userId               resets on 201
PUT    /account/sessions/phone                     10 ip+userId
PATCH  /account/sessions/<str:sessionId>           10 url+ip
DELETE /account/sessions/<str:sessionId>          100 url+ip
POST   /account/sessions/magic-url                 60 url+email url+ip
POST   /account/sessions/phone                     10 url+phone url+ip
POST   /account/tokens/magic-url                   60 url+email url+ip
POST   /account/tokens/email                       10 url+email url+ip
POST   /account/tokens/phone                       10 url+phone url+ip
POST   /account/jwts                              100 url+caller
POST   /account/jwt                               100 url+caller
POST   /account/recovery                           10 url+email url+ip
PUT    /account/recovery                           10 url+userId
POST   /account/recovery/otp                       10 url+email url+ip
PUT    /account/recovery/otp                       10 url+userId
POST   /account/verifications/email                10 url+caller
PUT    /account/verifications/email                10 url+userId
POST   /account/verification                       10 url+caller
PUT    /account/verification                       10 url+userId
POST   /account/verifications/email/otp            10 url+caller
PUT    /account/verifications/email/otp            10 url+userId
POST   /account/verifications/phone                10 url+caller url+ip
PUT    /account/verifications/phone                10 userId
POST   /account/verification/phone                 10 url+caller url+ip
PUT    /account/verification/phone                 10 userId
POST   /account/mfa/challenges                     10 url+caller
POST   /account/mfa/challenge                      10 url+caller
PUT    /account/mfa/challenges                     10 url+challengeId
PUT    /account/mfa/challenge                      10 url+challengeId
POST   /account/sessions/id-token                  50 ip
GET    /account/sessions/oauth2/<str:provider>     50 ip
GET    /account/tokens/oauth2/<str:provider>       50 ip
GET    /account/sessions/oauth2/<str:provider>/redirect  50 ip
"""

# Wrong or harmless wherever it is sent, and with every parameter that a limit counts by.
BODY = {
    "userId": "_",
    "challengeId": "_",
    "email": "ada@example.org",
    "phone": "+15551234567",
    "duration": 0,
    "current": 1,
}


def contract() -> Iterator[tuple[str, str, int, list[str], tuple[int, ...]]]:
    """The rows of the table: method, path, limit, keys, statuses that reset."""
    for line in CONTRACT.strip().splitlines():
        method, route, limit, *rest = line.split()
        keys = [word.replace("+", ",") for word in rest if word not in ("resets", "on", "201")]
        yield method, route, int(limit), keys, (201,) if "201" in rest else ()


def limited_paths() -> Iterator[Any]:
    """Each path with its limit, counted in memory; each operation once, counted elsewhere."""
    seen = set()
    for (method, route), declared in limited_routes.items():
        stores = STORES[:1] if declared.action in seen else STORES
        seen.add(declared.action)
        for name in stores:
            values = getattr(name, "values", (name,))
            marks = getattr(name, "marks", ())
            figures = (*values, method, route, declared.limits[0].limit)
            yield pytest.param(*figures, marks=marks, id=" ".join(map(str, figures)))


@pytest.fixture(autouse=True)
def limited(project: Project) -> None:
    project(RATE_LIMITS_ENABLED=True)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(QUARTER_PAST, tick=False) as clock:
        yield clock


@pytest.fixture
def anybody(ada: ApiClient) -> Callable[[str], ApiClient]:
    """A new client for a route: a guest, or Ada where the route asks for an account."""

    def find(route: str) -> ApiClient:
        client = ApiClient()
        if route.startswith(("GET", "PATCH", "DELETE")) or re.search("jwt|verif|mfa", route):
            client.headers["X-Appwrite-Session"] = ada.credential
        return client

    return find


def limits(response: Any) -> tuple[int, int, int]:
    """What the headers say: limit, remaining, reset."""
    names = ("Limit", "Remaining", "Reset")
    found = tuple(int(response[f"X-RateLimit-{name}"]) for name in names)
    assert ("Retry-After" in response) == (response.status_code == 429)
    return found  # type: ignore[return-value]


def remaining(response: Any) -> int:
    return limits(response)[1]


def call(client: ApiClient, method: str, route: str, **headers: str) -> Any:
    for placeholder in ("<str:sessionId>", "<str:provider>", "<str:type>"):
        route = route.replace(placeholder, "nobody")
    return client.call(method, route, BODY, **headers)


class TestTable:
    def test_is_the_contracts(self) -> None:
        """Every limited route is in the contract, and every route of the contract is limited."""
        routed = {
            f"/{pattern.pattern._route}"
            for pattern in api_urlpatterns
            if isinstance(pattern.pattern, RoutePattern)
        }
        expected = {
            (method, route): (limit, HOUR, keys, resets)
            for method, route, limit, keys, resets in contract()
            if route in routed
        }
        declared = {}
        for key, route in limited_routes.items():
            figures = {(limit.limit, limit.window) for limit in route.limits}
            assert len(figures) == 1
            keys = [limit.key for limit in route.limits]
            declared[key] = (*figures.pop(), keys, route.resets)
        assert declared == expected

    @pytest.mark.parametrize(
        ("store", "method", "route", "limit"), list(limited_paths()), indirect=["store"]
    )
    def test_limit_passes_and_one_more_does_not(
        self,
        clock: Any,
        anybody: Callable[[str], ApiClient],
        store: str,
        method: str,
        route: str,
        limit: int,
    ) -> None:
        client = anybody(f"{method} {route}")
        for left in range(limit - 1, -1, -1):
            response = call(client, method, route)
            assert response.status_code != 429
            assert limits(response) == (limit, left, END)
        for _ in range(2):
            response = call(client, method, route)
            assert_error(response, 429, "general_rate_limit_exceeded")
            assert limits(response) == (limit, 0, END)
            assert response["Retry-After"] == "2700"
        clock.move_to(END - 1)
        response = call(client, method, route)
        assert (response.status_code, response["Retry-After"]) == (429, "1")
        clock.move_to(END)
        assert limits(call(client, method, route)) == (limit, limit - 1, END + HOUR)

    def test_routes_without_limits_say_nothing(self, ada: ApiClient) -> None:
        for method, route in [
            ("GET", "/account"),
            ("GET", "/account/sessions"),
            ("PATCH", "/account/name"),
            ("PATCH", "/account/email"),
            ("GET", "/account/nowhere"),
        ]:
            assert "X-RateLimit-Limit" not in ada.call(method, route)


class TestReset:
    """A success begins anew, where the contract says so."""

    def sign_in(self, client: ApiClient, password: str = PASSWORD) -> Any:
        body = {"email": "ada@example.org", "password": password}
        return client.post("/account/sessions/email", body)

    @pytest.mark.parametrize("store", STORES, indirect=True)
    def test_of_the_limit_on_signing_in(self, ada: ApiClient, store: str) -> None:
        """Twenty successes in a row; nine failures and a success; ten failures, and no more."""
        for _ in range(20):
            assert self.sign_in(ApiClient()).status_code == 201
        for _ in range(2):
            for left in range(9, 0, -1):
                response = self.sign_in(ApiClient(), "wrong horse")
                assert (response.status_code, remaining(response)) == (401, left)
            response = self.sign_in(ApiClient())
            assert (response.status_code, remaining(response)) == (201, 0)
        for _ in range(10):
            assert self.sign_in(ApiClient(), "wrong horse").status_code == 401
        for password in ("wrong horse", PASSWORD):
            assert self.sign_in(ApiClient(), password).status_code == 429

    def test_by_a_servers_success(self, ada: ApiClient, server: ApiClient) -> None:
        for _ in range(10):
            self.sign_in(ApiClient(), "wrong horse")
        assert self.sign_in(ApiClient()).status_code == 429
        assert self.sign_in(server, "wrong horse").status_code == 401
        assert self.sign_in(ApiClient()).status_code == 429
        assert self.sign_in(server).status_code == 201
        assert self.sign_in(ApiClient()).status_code == 201

    @pytest.mark.parametrize(
        ("method", "route", "after"),
        [
            ("POST", "/account/sessions/token", 9),
            ("PUT", "/account/sessions/magic-url", 9),
            # Counted with the two above, and not reset.
            ("PUT", "/account/sessions/phone", 4),
        ],
    )
    def test_of_the_limit_on_secrets(
        self, ada: ApiClient, server: ApiClient, method: str, route: str, after: int
    ) -> None:
        account_id = Account.objects.get().public_id
        wrong = {"userId": account_id, "secret": "wrong"}
        for _ in range(4):
            assert ApiClient().call(method, route, wrong).status_code == 401
        ask = {"userId": account_id, "email": "ada@example.org"}
        secret = server.post("/account/tokens/email", ask).json()["secret"]
        right = {"userId": account_id, "secret": secret}
        response = ApiClient().call(method, route, right)
        assert (response.status_code, remaining(response)) == (201, 5)
        assert remaining(ApiClient().call(method, route, wrong)) == after

    def test_is_of_nobody_elses(self, ada: ApiClient) -> None:
        other = {"email": "bob@example.org", "password": "wrong horse"}
        assert remaining(ApiClient().post("/account/sessions/email", other)) == 9
        self.sign_in(ApiClient())
        assert remaining(ApiClient().post("/account/sessions/email", other)) == 8


class TestServers:
    def test_are_told_and_not_counted(self, server: ApiClient, guest: ApiClient) -> None:
        route = "/account/sessions/email"
        for _ in range(15):
            response = server.post(route, BODY)
            assert (response.status_code, remaining(response)) == (400, 9)
        for _ in range(3):
            guest.post(route, BODY)
        assert remaining(server.post(route, BODY)) == 6

    def test_pass_where_others_do_not(self, server: ApiClient, guest: ApiClient) -> None:
        for _ in range(11):
            response = guest.post("/account", {})
        assert response.status_code == 429
        response = server.post("/account", {})
        assert (response.status_code, remaining(response)) == (400, 0)


class TestOrder:
    """Counted after the caller is let in, and before anything else is looked at (core.md §1)."""

    @pytest.fixture
    def exhausted(self, guest: ApiClient) -> ApiClient:
        for _ in range(10):
            guest.post("/account/sessions/email", BODY)
        return guest

    @pytest.mark.parametrize("fault", ["method off", "signed in", "parameters"])
    def test_before(
        self, ada: ApiClient, exhausted: ApiClient, project: Project, fault: str
    ) -> None:
        client = ada if fault == "signed in" else exhausted
        if fault == "method off":
            project(AUTH_METHODS={"email-password": False})
        ada.http.cookies.pop("a_device_demo")
        assert client.post("/account/sessions/email", BODY).status_code == 429

    @pytest.mark.parametrize(
        ("fault", "status"), [("origin", 403), ("project", 404), ("service off", 403)]
    )
    def test_after(self, exhausted: ApiClient, project: Project, fault: str, status: int) -> None:
        headers = {
            "origin": {"Origin": "https://evil.example"},
            "project": {"X_Appwrite_Project": "nope"},
        }.get(fault, {})
        if fault == "service off":
            project(SERVICES={"account": False})
        response = exhausted.post("/account/sessions/email", BODY, **headers)
        assert response.status_code == status
        assert "X-RateLimit-Limit" not in response

    @pytest.mark.parametrize("state", ["blocked", "second factor", "guest"])
    def test_who_is_not_let_in_is_not_counted(self, ada: ApiClient, edit: Edit, state: str) -> None:
        client = ApiClient(session=ada.credential if state != "guest" else None)
        edit(is_active=state != "blocked", mfa_enabled=True, email_verified=True)
        for _ in range(11):
            assert client.post("/account/jwts").status_code in (401, 403)
        edit(is_active=True, mfa_enabled=False)
        assert remaining(ada.post("/account/jwts")) == 99

    def test_failures_count_of_every_kind(self, ada: ApiClient, guest: ApiClient) -> None:
        for body in ({}, {"userId": "x"}, {"userId": "x", "secret": "y"}):
            response = guest.put("/account/verifications/phone", body)
            assert response.status_code in (400, 404)
        assert remaining(guest.put("/account/verifications/phone", {"userId": "x"})) == 7


class TestSeveralLimits:
    """An address and an IP address: whichever is used up first."""

    ROUTE = "/account/tokens/email"

    def ask(self, email: str, ip: str) -> Any:
        body = {"userId": "_", "email": email}
        return ApiClient().post(self.ROUTE, body, X_Forwarded_For=ip)

    @pytest.fixture(autouse=True)
    def behind_a_proxy(self, project: Project) -> None:
        project(TRUSTED_PROXIES=1)

    def test_each_is_a_limit(self) -> None:
        for number in range(10):
            assert self.ask("ada@example.org", f"192.0.2.{number}").status_code == 400
        assert self.ask("ada@example.org", "192.0.2.99").status_code == 429
        for number in range(10):
            assert self.ask(f"{number}@example.org", "198.51.100.1").status_code == 400
        assert self.ask("bob@example.org", "198.51.100.1").status_code == 429

    def test_headers_tell_of_the_one_with_the_least_left(self) -> None:
        for number in range(3):
            self.ask("ada@example.org", f"192.0.2.{number}")
        assert remaining(self.ask("bob@example.org", "192.0.2.0")) == 8
        assert remaining(self.ask("ada@example.org", "192.0.2.9")) == 6
        for _ in range(9):
            self.ask("carl@example.org", "192.0.2.1")
        assert remaining(self.ask("dora@example.org", "192.0.2.1")) == 0

    def test_what_the_first_refuses_does_not_count_in_the_second(self) -> None:
        for number in range(10):
            self.ask("ada@example.org", f"192.0.2.{number}")
        for _ in range(20):
            assert self.ask("ada@example.org", "192.0.2.99").status_code == 429
        assert remaining(self.ask("bob@example.org", "192.0.2.99")) == 9


# Two ways to say the same: they count together. {} is the body's other fields.
SAME_ROUTE = [
    ("POST", "/account/sessions", "/account/sessions/email"),
    ("POST", "/account/sessions/email", "//account///sessions//email/"),
    ("POST", "/account/sessions/magic-url", "/account/tokens/magic-url"),
    ("POST", "/account/sessions/phone", "/account/tokens/phone"),
    ("POST", "/account/sessions/token", "/account//sessions/token"),
    ("POST", "/account/jwt", "/account/jwts"),
    ("POST", "/account/verification", "/account/verifications/email"),
    ("PUT", "/account/verification", "/account/verifications/email"),
    ("POST", "/account/verification/phone", "/account/verifications/phone"),
    ("PUT", "/account/verification/phone", "/account/verifications/phone"),
    ("PATCH", "/account/sessions/one", "/account/sessions/another"),
    ("DELETE", "/account/sessions/one", "/account//sessions/another?x=1"),
]

# Different operations that count together.
SHARED = [
    (("POST", "/account/sessions/token"), ("PUT", "/account/sessions/magic-url")),
    (("POST", "/account/sessions/token"), ("PUT", "/account/sessions/phone")),
]

# And some that do not.
APART = [
    (("PATCH", "/account/sessions/one"), ("DELETE", "/account/sessions/one")),
    (("POST", "/account/verifications/email"), ("PUT", "/account/verifications/email")),
    (("POST", "/account/recovery"), ("POST", "/account/recovery/otp")),
    (("PUT", "/account/recovery"), ("PUT", "/account/recovery/otp")),
    (("PUT", "/account/recovery"), ("PUT", "/account/verifications/phone")),
    (("POST", "/account/sessions/email"), ("POST", "/account/tokens/email")),
    (("POST", "/account"), ("POST", "/account/sessions/anonymous")),
]

urlpatterns = [
    path("v1/Other/api/", include("django_account.urls")),
    path("v1/", include("django_account.urls")),
]


class TestWhoCountsWithWhom:
    def counts(self, first: Any, second: Any) -> bool:
        """Whether what has been counted for one request is counted for another."""
        left, then = remaining(first()), remaining(second())
        return then == left - 1

    @pytest.mark.parametrize(("method", "one", "other"), SAME_ROUTE)
    def test_paths_of_one_route(
        self, anybody: Callable[[str], ApiClient], method: str, one: str, other: str
    ) -> None:
        client = anybody(f"{method} {one}")
        first, second = (lambda where=where: call(client, method, where) for where in (one, other))
        assert self.counts(first, second)
        assert self.counts(second, first)

    @pytest.mark.urls(__name__)
    def test_mount_points(self, guest: ApiClient) -> None:
        paths = (
            "/account/sessions/email",
            "/Other/api/account/sessions",
            "//Other/api//account/sessions/email",
        )
        left = [remaining(guest.post(each, BODY)) for each in paths]
        assert left == [9, 8, 7]

    def test_hosts(self, guest: ApiClient) -> None:
        hosts = ("testserver", "TESTSERVER", "testserver:8000", "forged.example", "[::1]")
        left = [remaining(guest.post("/account", {}, Host=host)) for host in hosts]
        assert left == [9, 8, 7, 6, 5]

    @pytest.mark.parametrize(("one", "other"), SHARED)
    def test_operations_that_share(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        client = ApiClient()
        assert self.counts(lambda: call(client, *one), lambda: call(client, *other))

    @pytest.mark.parametrize(("one", "other"), APART)
    def test_operations_that_do_not(
        self,
        anybody: Callable[[str], ApiClient],
        one: tuple[str, str],
        other: tuple[str, str],
    ) -> None:
        call(anybody(" ".join(one)), *one)
        response = call(anybody(" ".join(other)), *other)
        limit, left, _ = limits(response)
        assert left == limit - 1

    @pytest.mark.parametrize(
        "spelling", ["ADA@Example.ORG", " ada@example.org ", "Ada@example.org\n"]
    )
    def test_spellings_of_an_address(self, guest: ApiClient, spelling: str) -> None:
        for body in ({"email": "ada@example.org"}, {"email": spelling}):
            response = guest.post("/account/sessions/email", body)
        assert remaining(response) == 8

    def test_addresses(self, guest: ApiClient) -> None:
        for email in ("ada@example.org", "bob@example.org", "ada+1@example.org", "ada@", "Ada@x"):
            response = guest.post("/account/sessions/email", {"email": email})
            assert remaining(response) == 9

    def test_many_others_push_nobodys_counter_out(self, guest: ApiClient) -> None:
        guest.post("/account/sessions/email", BODY)
        for number in range(400):
            guest.post("/account/sessions/email", {"email": f"{number}@example.org"})
        assert remaining(guest.post("/account/sessions/email", BODY)) == 8

    def test_paths_in_another_case_lead_nowhere(self, guest: ApiClient) -> None:
        assert_error(guest.post("/Account/Sessions/email", BODY), 404, "general_route_not_found")

    def test_whatever_is_no_text_counts_together(self, guest: ApiClient) -> None:
        """A limit is not escaped by leaving its parameter out, or by an object in its place."""
        emails = [None, "", 1, True, {"a": "b"}, {"a": "c"}, ["ada@example.org"], [], {}]
        bodies: list[dict[str, Any]] = [{}, *({"email": email} for email in emails)]
        left = [remaining(guest.post("/account/sessions/email", body)) for body in bodies]
        assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
        assert guest.post("/account/sessions/email", {"email": 2}).status_code == 429
        assert guest.post("/account/sessions/email", BODY).status_code == 400

    @pytest.mark.parametrize(
        "hostile", ["\ud800", "\x00", "a" * 100_000, "ada@example.org\x00", "\u212a@example.org"]
    )
    def test_texts_that_are_no_address(self, guest: ApiClient, hostile: str) -> None:
        for left in (9, 8):
            response = guest.post("/account/sessions/email", {"email": hostile})
            assert (response.status_code, remaining(response)) == (400, left)

    def test_forms_count_as_json_does(self, guest: ApiClient) -> None:
        guest.post("/account/sessions/email", BODY)
        form = b"email=Ada%40example.org&password=12345678"
        content_type = "application/x-www-form-urlencoded"
        response = guest.post("/account/sessions/email", form, Content_Type=content_type)
        assert remaining(response) == 8

    def test_ids_are_different_in_another_case(self, guest: ApiClient) -> None:
        for account_id in ("ada", "Ada"):
            response = guest.put("/account/recovery", {"userId": account_id})
            assert remaining(response) == 9

    def test_people(self, ada: ApiClient, bob: ApiClient, ada_elsewhere: ApiClient) -> None:
        left = [remaining(each.post("/account/jwts")) for each in (ada, bob, ada_elsewhere)]
        assert left == [99, 99, 98]

    def test_projects(self, guest: ApiClient, project: Project) -> None:
        guest.post("/account", {})
        project(PROJECT_ID="another")
        assert remaining(guest.post("/account", {}, X_Appwrite_Project="another")) == 9

    def test_head_is_no_way_around(self, guest: ApiClient) -> None:
        """There is no limited GET yet; a HEAD is a GET to every check."""
        assert "X-RateLimit-Limit" not in guest.call("HEAD", "/account/sessions/anonymous")


class TestAddresses:
    """Which network address counts, whatever the client says it has."""

    def left(self, peer: str, **headers: str) -> int:
        client = ApiClient()
        client.http.defaults["REMOTE_ADDR"] = peer
        return remaining(client.post("/account", {}, **headers))

    def test_forged_headers_are_nothing(self) -> None:
        forged = [
            {"X_Forwarded_For": f"192.0.2.{number}", "X_Real_IP": f"192.0.2.{number}"}
            for number in range(4)
        ]
        forged.append({"Forwarded": "for=192.0.2.9", "CF_Connecting_IP": "192.0.2.9"})
        assert [self.left("198.51.100.1", **each) for each in forged] == [9, 8, 7, 6, 5]

    def test_only_what_the_proxy_saw_counts(self, project: Project) -> None:
        project(TRUSTED_PROXIES=1)
        chains = ["192.0.2.1", "1.1.1.1, 192.0.2.1", "2.2.2.2,3.3.3.3 , 192.0.2.1:4711"]
        assert [self.left("10.0.0.1", X_Forwarded_For=each) for each in chains] == [9, 8, 7]
        assert self.left("10.0.0.1", X_Forwarded_For="192.0.2.1, 192.0.2.2") == 9

    def test_ipv4_is_itself_in_ipv6(self) -> None:
        spellings = ["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:C000:0201", "0:0:0:0:0:ffff:c000:201"]
        assert [self.left(each) for each in spellings] == [9, 8, 7, 6]
        assert self.left("::ffff:192.0.2.2") == 9

    def test_ipv6_counts_by_network(self) -> None:
        neighbours = ["2001:db8::1", "2001:db8::2", "2001:DB8:0:0:ffff::", "2001:db8::1%eth0"]
        assert [self.left(each) for each in neighbours] == [9, 8, 7, 6]
        assert self.left("2001:db8:0:1::1") == 9

    def test_no_address_at_all(self) -> None:
        assert [self.left(each) for each in ("", "garbage", "unix:")] == [9, 8, 7]


class TestSettings:
    def test_switched_off(self, guest: ApiClient, project: Project) -> None:
        project(RATE_LIMITS_ENABLED=False)
        for _ in range(12):
            response = guest.post("/account", {})
            assert response.status_code == 400
            assert "X-RateLimit-Limit" not in response

    def test_one_switched_off(self, guest: ApiClient, project: Project) -> None:
        project(RATE_LIMITS={"create": None})
        assert "X-RateLimit-Limit" not in guest.post("/account", {})
        assert "X-RateLimit-Limit" in guest.post("/account/sessions/email", {})

    def test_one_changed(self, guest: ApiClient, project: Project, clock: Any) -> None:
        project(RATE_LIMITS={"create": {"limit": 2, "window": timedelta(minutes=1)}})
        start = int(QUARTER_PAST.timestamp())
        assert limits(guest.post("/account", {})) == (2, 1, start + 60)
        assert limits(guest.post("/account", {})) == (2, 0, start + 60)
        assert guest.post("/account", {}).status_code == 429
        clock.shift(60)
        assert limits(guest.post("/account", {})) == (2, 1, start + 120)
        assert limits(guest.post("/account/sessions/email", {}))[0] == 10

    def test_a_figure_changed_in_the_middle_of_a_window(
        self, guest: ApiClient, project: Project
    ) -> None:
        for _ in range(5):
            guest.post("/account", {})
        project(RATE_LIMITS={"create": {"limit": 20}})
        assert remaining(guest.post("/account", {})) == 14

    def test_both_limits_of_a_route_changed(self, guest: ApiClient, project: Project) -> None:
        project(RATE_LIMITS={"create_magic_url_token": {"limit": 1}})
        route = "/account/tokens/magic-url"
        assert guest.post(route, BODY).status_code == 400
        assert guest.post(route, {**BODY, "email": "bob@example.org"}).status_code == 429

    def test_django_ratelimits_own_settings(self, guest: ApiClient, settings: Any) -> None:
        other = {"BACKEND": MEMORY, "LOCATION": "counters"}
        settings.CACHES = {**settings.CACHES, "counters": other}
        settings.RATELIMIT_USE_CACHE = "counters"
        guest.post("/account", {})
        caches["default"].clear()
        assert remaining(guest.post("/account", {})) == 8
        caches["counters"].clear()
        assert remaining(guest.post("/account", {})) == 9
        settings.RATELIMIT_ENABLE = False
        assert "X-RateLimit-Limit" not in guest.post("/account", {})


class TestKnownDevices:
    """Nobody is locked out of a device that they signed in on by somebody else's guesses."""

    WRONG = {"email": "ada@example.org", "password": "wrong horse"}

    def sign_in(self, client: ApiClient, password: str = PASSWORD) -> Any:
        client.http.cookies.pop("a_session_demo", None)
        client.http.cookies.pop("a_session_demo_legacy", None)
        return client.post("/account/sessions/email", {**self.WRONG, "password": password})

    @pytest.fixture
    def attacked(self, ada: ApiClient) -> ApiClient:
        for _ in range(10):
            assert self.sign_in(ApiClient(), "wrong horse").status_code == 401
        assert self.sign_in(ApiClient()).status_code == 429
        return ada

    def test_signs_in_in_spite_of_an_attack(self, attacked: ApiClient) -> None:
        assert self.sign_in(attacked).status_code == 201
        # And helps the attacker nothing.
        assert self.sign_in(ApiClient()).status_code == 429

    def test_asks_for_a_code_in_spite_of_an_attack(self, ada: ApiClient) -> None:
        body = {"userId": "unique()", "email": "ada@example.org", "url": "http://localhost/"}
        for _ in range(10):
            ApiClient().post("/account/recovery", {**body, "url": "wrong"})
        # The IP address has a limit of its own; elsewhere the device is known.
        assert ada.post("/account/recovery", body).status_code == 429
        ada.http.defaults["REMOTE_ADDR"] = "192.0.2.7"
        stranger = ApiClient()
        stranger.http.defaults["REMOTE_ADDR"] = "192.0.2.8"
        assert ada.post("/account/recovery", body).status_code == 201
        assert stranger.post("/account/recovery", body).status_code == 429

    def test_those_of_a_phone_number_share_a_limit(self, ada: ApiClient) -> None:
        """Whoever earns by SMS signs in as often as they like, and has ten more all the same."""
        Account.objects.update(phone="+15551234567")
        body = {"userId": "_", "phone": "+15551234567"}
        devices = [ApiClient() for _ in range(3)]
        for number, device in enumerate(devices):
            device.sign_in()
            device.http.defaults["REMOTE_ADDR"] = f"192.0.2.{number}"
        stranger = ApiClient()
        for _ in range(10):
            assert stranger.post("/account/tokens/phone", body).status_code == 400
        assert stranger.post("/account/tokens/phone", body).status_code == 429
        left = [
            remaining(device.post("/account/tokens/phone", body)) for device in (devices * 4)[:10]
        ]
        assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
        assert devices[0].post("/account/tokens/phone", body).status_code == 429

    def test_a_stolen_one_has_the_limit_and_no_more(self, attacked: ApiClient) -> None:
        thief = ApiClient()
        thief.http.cookies["a_device_demo"] = attacked.http.cookies["a_device_demo"].value
        for _ in range(10):
            assert self.sign_in(thief, "wrong horse").status_code == 401
            # What the answer sets is not needed to be known.
            assert "a_device_demo" not in thief.post("/account/sessions/email", {}).cookies
        assert self.sign_in(thief).status_code == 429

    @pytest.mark.parametrize("forge", ["", "x", "." * 5000, "{0}{0}", "é", "{1}", "0{0}", "{2}"])
    def test_a_forged_one_counts_with_everybody(
        self, attacked: ApiClient, bob: ApiClient, forge: str
    ) -> None:
        mine = attacked.http.cookies["a_device_demo"].value
        bobs = bob.http.cookies["a_device_demo"].value
        forger = ApiClient()
        flipped = mine[:-1] + ("0" if mine[-1] != "0" else "1")
        forger.http.cookies["a_device_demo"] = forge.format(mine, bobs, flipped)
        assert self.sign_in(forger).status_code == 429

    def test_one_of_a_retired_key(self, attacked: ApiClient, settings: Any) -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "new" + settings.SECRET_KEY
        # The counters begin anew with the key, but for what is signed: only the cookie is tested.
        for _ in range(10):
            self.sign_in(ApiClient(), "wrong horse")
        assert self.sign_in(ApiClient()).status_code == 429
        assert self.sign_in(attacked).status_code == 201
        settings.SECRET_KEY_FALLBACKS = []
        assert self.sign_in(attacked).status_code == 201

    def test_one_that_has_ended(self, project: Project, guest: ApiClient) -> None:
        project(KNOWN_DEVICE_DURATION=timedelta(days=10))
        with time_machine.travel(QUARTER_PAST, tick=False) as clock:
            guest.sign_up()
            guest.sign_in()
            for days, status in ((9, 201), (11, 429)):
                clock.shift(timedelta(days=days))
                for _ in range(10):
                    self.sign_in(ApiClient(), "wrong horse")
                assert self.sign_in(ApiClient()).status_code == 429
                assert self.sign_in(guest).status_code == status

    def test_switched_off(self, project: Project, ada: ApiClient) -> None:
        project(KNOWN_DEVICE_DURATION=0)
        response = self.sign_in(ada)
        assert response.status_code == 201
        assert "a_device_demo" not in response.cookies
        for _ in range(10):
            self.sign_in(ApiClient(), "wrong horse")
        assert self.sign_in(ada).status_code == 429

    def test_several_people_on_one(self, ada: ApiClient) -> None:
        """A family's tablet."""
        tablet = ApiClient()
        for name in ("ada", "bob", "carl"):
            if name != "ada":
                ApiClient().sign_up(f"{name}@example.org")
            assert self.sign_in_as(tablet, name).status_code == 201
        for name in ("ada", "bob", "carl"):
            for _ in range(11):
                self.sign_in_as(ApiClient(), name, "wrong horse")
            assert self.sign_in_as(tablet, name).status_code == 201
        assert len(tablet.http.cookies["a_device_demo"].value) < 500

    def sign_in_as(self, client: ApiClient, name: str, password: str = PASSWORD) -> Any:
        for cookie in ("a_session_demo", "a_session_demo_legacy"):
            client.http.cookies.pop(cookie, None)
        body = {"email": f"{name}@example.org", "password": password}
        return client.post("/account/sessions/email", body)


class TestDeviceCookie:
    def sign_in(self, **headers: str) -> Any:
        body = {"email": "ada@example.org", "password": PASSWORD}
        return ApiClient().post("/account/sessions/email", body, **headers)

    def test_stands_before_the_sessions(self, ada: ApiClient) -> None:
        """Some clients keep one Set-Cookie header, the last."""
        names = ["a_device_demo", "a_session_demo_legacy", "a_session_demo"]
        assert list(self.sign_in().cookies) == names

    def test_attributes(self, ada: ApiClient, project: Project) -> None:
        cookie = self.sign_in().cookies["a_device_demo"]
        half_a_year = timedelta(days=365).total_seconds() / 2
        assert (cookie["httponly"], cookie["path"], cookie["domain"]) == (True, "/", "")
        assert (cookie["samesite"], cookie["secure"]) == ("Lax", "")
        assert cookie["max-age"] == half_a_year
        project(TRUSTED_PROXIES=1)
        cookie = self.sign_in(X_Forwarded_Proto="https").cookies["a_device_demo"]
        assert (cookie["samesite"], cookie["secure"]) == ("None", True)

    def test_tells_nothing(self, ada: ApiClient) -> None:
        value = self.sign_in().cookies["a_device_demo"].value
        assert set(value) <= set("0123456789abcdef.")
        assert value != self.sign_in().cookies["a_device_demo"].value

    def test_is_not_for_servers_nor_people_without_an_address(
        self, ada: ApiClient, server: ApiClient, guest: ApiClient
    ) -> None:
        body = {"email": "ada@example.org", "password": PASSWORD}
        assert "a_device_demo" not in server.post("/account/sessions/email", body).cookies
        assert "a_device_demo" not in guest.post("/account/sessions/anonymous").cookies

    def test_stays_after_signing_out(self, ada: ApiClient) -> None:
        assert "a_device_demo" not in ada.delete("/account/sessions/current").cookies


class TestCost:
    """What a limited request asks of the cache."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        asked: list[str] = []
        backend = type(caches["default"])

        def recording(name: str) -> Any:
            real = getattr(backend, name)

            def record(self: Any, *args: Any, **kwargs: Any) -> Any:
                asked.append(name)
                return real(self, *args, **kwargs)

            return record

        for name in ("add", "incr", "set_many", "delete"):
            monkeypatch.setattr(backend, name, recording(name))
        get_many = backend.get_many

        def record_get_many(self: Any, keys: Any, version: Any = None) -> Any:
            asked.append("get_many")
            return get_many(self, keys, version)

        monkeypatch.setattr(backend, "get_many", record_get_many)
        return asked

    @pytest.mark.parametrize(
        ("method", "route", "buckets"),
        [("POST", "/account/sessions/email", 1), ("POST", "/account/tokens/email", 2)],
    )
    def test_one_question_and_one_count_a_bucket(
        self, guest: ApiClient, asked: list[str], method: str, route: str, buckets: int
    ) -> None:
        call(guest, method, route)
        assert asked == ["get_many"] + ["add"] * buckets
        asked.clear()
        call(guest, method, route)
        assert asked == ["get_many"] + ["add", "incr"] * buckets

    @pytest.mark.skipif(connection.vendor == "mysql", reason="it tells nothing of what it writes")
    @pytest.mark.parametrize("store", ["sqlite"], indirect=True)
    def test_in_the_database(
        self, guest: ApiClient, store: str, django_assert_num_queries: Any
    ) -> None:
        # The salts; INSERT, which finds nothing in its way.
        with django_assert_num_queries(2):
            guest.post("/account", {})
        # The salts; INSERT, which finds the counter; UPDATE.
        with django_assert_num_queries(3):
            guest.post("/account", {})

    def test_no_query(self, guest: ApiClient, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            for _ in range(11):
                guest.post("/account", {})

    def test_of_a_success(self, ada: ApiClient, asked: list[str]) -> None:
        asked.clear()
        ApiClient().sign_in()
        assert asked == ["get_many", "add", "incr", "set_many"] or asked == [
            "get_many",
            "add",
            "set_many",
        ]


def test_what_is_kept_names_nobody(guest: ApiClient, settings: Any) -> None:
    """The cache holds no address, id or phone number, in keys or values."""
    settings.CACHES = {"default": {"BACKEND": MEMORY, "LOCATION": "names-nobody"}}
    for route in ("/account/sessions/email", "/account/tokens/phone", "/account/sessions/token"):
        guest.post(route, {**BODY, "userId": "somebody"})
    guest.sign_up()
    guest.sign_in()
    kept = json.dumps([repr(key) + repr(value) for key, value in caches["default"]._cache.items()])
    assert kept.count("rl:") >= 4
    for secret in ("ada@", "555123", "somebody", "127.0.0.1"):
        assert secret not in kept
