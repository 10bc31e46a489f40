"""The activity log: GET /account/logs, and what every other endpoint writes into it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pyotp
import pytest
import time_machine
from django.core import mail
from django.db import DatabaseError, connection

from django_account.accounts.models import Account
from django_account.api_keys.services import create_api_key
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientInfo
from django_account.sessions.services import create_email_password_session
from django_account.tokens.models import Token
from django_account.tokens.services import issue_token
from tests.client import PASSWORD, ApiClient, assert_error

# The log is written once the transaction has committed.
pytestmark = pytest.mark.django_db(transaction=True)

Project = Callable[..., None]

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/70.0.3538.110 Safari/537.36"
)
EMAIL = "ada@example.org"


TOO_SMALL = "Invalid query: Invalid limit: Value must be a valid range between 1 and "
NEGATIVE = "Invalid query: Invalid offset: Value must be a valid range between 0 and "


def logs(client: ApiClient, *queries: dict[str, Any] | str, **params: str) -> dict[str, Any]:
    """The answer's body, asked for as the SDKs do."""
    given = [query if isinstance(query, str) else json.dumps(query) for query in queries]
    sent = {f"queries[{number}]": query for number, query in enumerate(given)} | params
    response = client.get(f"/account/logs?{urlencode(sent)}")
    assert response.status_code == 200, response.content
    return response.json()


def events(client: ApiClient, *queries: dict[str, Any] | str) -> list[str]:
    return [entry["event"] for entry in logs(client, *queries)["logs"]]


def limit(number: Any) -> dict[str, Any]:
    return {"method": "limit", "values": [number]}


def offset(number: Any) -> dict[str, Any]:
    return {"method": "offset", "values": [number]}


class TestList:
    def test_a_new_account_with_one_sign_in(self, ada: ApiClient) -> None:
        body = logs(ada)
        assert list(body) == ["total", "logs"]
        assert body["total"] == 2
        assert [entry["event"] for entry in body["logs"]] == ["session.create", "user.create"]

    def test_an_entry(self, guest: ApiClient) -> None:
        guest.headers |= {"User-Agent": CHROME}
        account = guest.sign_up(name="Ada")
        with time_machine.travel(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), tick=False):
            guest.sign_in()
            (entry, *_) = logs(guest)["logs"]
        assert list(entry.items()) == [
            ("event", "session.create"),
            ("userId", account["$id"]),
            ("userEmail", EMAIL),
            ("userName", "Ada"),
            ("mode", "default"),
            ("userType", "user"),
            ("ip", "127.0.0.1"),
            ("time", "2030-01-02T03:04:05.000+00:00"),
            ("osCode", "WIN"),
            ("osName", "Windows"),
            ("osVersion", "10"),
            ("clientType", "browser"),
            ("clientCode", "CH"),
            ("clientName", "Chrome"),
            ("clientVersion", "70.0"),
            ("clientEngine", "Blink"),
            ("clientEngineVersion", ""),
            ("deviceName", "desktop"),
            ("deviceBrand", ""),
            ("deviceModel", ""),
            ("countryCode", "--"),
            ("countryName", "Unknown"),
        ]

    def test_says_what_was_true_then(self, ada: ApiClient) -> None:
        ada.patch("/account/name", {"name": "Countess"})
        ada.patch("/account/email", {"email": "countess@example.org", "password": PASSWORD})
        seen = [(entry["userName"], entry["userEmail"]) for entry in logs(ada)["logs"]]
        assert seen == [
            ("Countess", "countess@example.org"),
            ("Countess", EMAIL),
            ("Ada", EMAIL),
            ("Ada", EMAIL),
        ]

    def test_nothing_of_other_people(self, ada: ApiClient, bob: ApiClient) -> None:
        ada.patch("/account/name", {"name": "A"})
        assert events(bob) == ["session.create", "user.create"]

    def test_nothing_of_somebody_who_had_the_id_before(self) -> None:
        first = ApiClient()
        first.sign_up(userId="ada")
        first.sign_in()
        assert first.delete("/account").status_code == 204
        second = ApiClient()
        second.sign_up(userId="ada")
        second.sign_in()
        assert events(second) == ["session.create", "user.create"]
        assert LogEntry.objects.filter(user_id="ada").count() == 5

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert events(ada_by_jwt) == ["session.create", "user.create"]

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(guest.get("/account/logs"), 401, "general_unauthorized_scope")

    def test_key(self, server: ApiClient) -> None:
        assert_error(server.get("/account/logs"), 401, "general_unauthorized_scope")

    def test_reading_is_not_logged(self, ada: ApiClient) -> None:
        for path in ("", "/prefs", "/sessions", "/sessions/current", "/logs"):
            assert ada.get(f"/account{path}").status_code == 200
        assert ada.post("/account/jwts").status_code == 201
        assert LogEntry.objects.count() == 2

    def test_takes_three_statements_however_many_there_are(
        self, ada: ApiClient, django_assert_num_queries: Callable[[int], Any]
    ) -> None:
        fill(60)
        # The caller; which entries; those; how many there are.
        with django_assert_num_queries(4):
            assert len(logs(ada, limit(60))["logs"]) == 60
        with django_assert_num_queries(3):
            logs(ada, total="false")


def fill(count: int) -> None:
    """More entries of Ada's, the oldest first."""
    account = Account.objects.get(email=EMAIL)
    LogEntry.objects.bulk_create(
        LogEntry(
            event="user.update",
            account_pk=account.pk,
            user_id=account.public_id,
            user_name=str(number),
            user_type="user",
        )
        for number in range(count)
    )


# Entries of its own: nothing here has to be committed, which is slow.
@pytest.mark.django_db
class TestQueries:
    def test_25_by_default(self, ada: ApiClient) -> None:
        fill(30)
        body = logs(ada)
        assert (body["total"], len(body["logs"])) == (30, 25)
        assert [entry["userName"] for entry in body["logs"]] == [str(n) for n in range(29, 4, -1)]

    @pytest.mark.parametrize(
        ("queries", "expected"),
        [
            ([limit(1)], ["5"]),
            ([limit("2")], ["5", "4"]),
            ([limit(3), offset(2)], ["3", "2", "1"]),
            ([offset(2), limit(3)], ["3", "2", "1"]),
            ([limit(1), limit(4), offset(1), offset(3)], ["4"]),
            ([offset(100)], []),
            ([limit(2**63 - 1), offset(5)], ["0"]),
            ([offset(2**63 - 1)], []),
            ([{"method": "limit", "attribute": None, "values": [1, "x"]}], ["5"]),
        ],
    )
    def test_limit_and_offset(
        self, ada: ApiClient, queries: list[dict[str, Any]], expected: list[str]
    ) -> None:
        fill(6)
        body = logs(ada, *queries)
        assert [entry["userName"] for entry in body["logs"]] == expected
        assert body["total"] == 6

    @pytest.mark.parametrize(
        "query",
        [
            urlencode([("queries[]", json.dumps(limit(1))), ("queries[]", json.dumps(offset(1)))]),
            urlencode({"queries[1]": json.dumps(offset(1)), "queries[0]": json.dumps(limit(1))}),
            urlencode({"queries[7]": json.dumps(offset(1)), "queries[a]": json.dumps(limit(1))}),
        ],
    )
    def test_all_spellings_of_a_list(self, ada: ApiClient, query: str) -> None:
        fill(3)
        response = ada.get(f"/account/logs?{query}")
        assert [entry["userName"] for entry in response.json()["logs"]] == ["1"]

    @pytest.mark.parametrize(
        ("total", "expected"), [("false", 0), ("0", 0), ("true", 2), ("1", 2), ("True", 2)]
    )
    def test_total(self, ada: ApiClient, total: str, expected: int) -> None:
        fill(2)
        body = logs(ada, total=total)
        assert (body["total"], len(body["logs"])) == (expected, 2)

    def test_total_stops_at_5000(self, ada: ApiClient) -> None:
        fill(5010)
        assert logs(ada, limit(1))["total"] == 5000

    def test_an_answer_holds_at_most_5000(self, ada: ApiClient) -> None:
        fill(5010)
        assert len(logs(ada, limit(10**9))["logs"]) == 5000

    @pytest.mark.parametrize(
        ("query", "detail"),
        [
            ("nope", "Invalid query: Invalid query: Syntax error"),
            ("", "Invalid query: Invalid query: Syntax error"),
            ("limit(1)", "Invalid query: Invalid query: Syntax error"),
            ("[" * 4000, "Invalid query: Invalid query: Syntax error"),
            ('{"method":"\\ud800"}', "Invalid query: Invalid query: Syntax error"),
            ('{"method":"\\u0000"}', "Invalid query: Invalid query: Syntax error"),
            ("x" * 4097, "Invalid query: A query has at most 4096 characters"),
            ('"limit"', "Invalid query: Invalid query. Must be an array, got string"),
            ("5", "Invalid query: Invalid query. Must be an array, got integer"),
            ("5.5", "Invalid query: Invalid query. Must be an array, got double"),
            ("true", "Invalid query: Invalid query. Must be an array, got boolean"),
            ("null", "Invalid query: Invalid query. Must be an array, got NULL"),
            ("[1]", "Invalid query: Invalid query method: "),
            ("{}", "Invalid query: Invalid query method: "),
            ({"method": "nope"}, "Invalid query: Invalid query method: nope"),
            ({"method": "regex"}, "Invalid query: Invalid query method: regex"),
            ({"method": 5}, "Invalid query: Invalid query method. Must be a string, got integer"),
            (
                {"method": "limit", "attribute": []},
                "Invalid query: Invalid query attribute. Must be a string, got array",
            ),
            (
                {"method": "limit", "values": "1"},
                "Invalid query: Invalid query values. Must be an array, got string",
            ),
            ({"method": "select", "values": ["event"]}, "Invalid query method: select"),
            (
                {"method": "equal", "attribute": "event", "values": ["x"]},
                "Invalid query method: equal",
            ),
            ({"method": "orderDesc", "attribute": ""}, "Invalid query method: orderDesc"),
            ({"method": "cursorAfter", "values": ["x"]}, "Invalid query method: cursorAfter"),
            ({"method": "or", "values": [limit(1), limit(2)]}, "Invalid query method: or"),
            *[(limit(value), TOO_SMALL) for value in (0, -1, "x", "", None, True, 1.5, [], 2**63)],
            ({"method": "limit"}, TOO_SMALL),
            (limit("9" * 2000), TOO_SMALL),
            *[(offset(value), NEGATIVE) for value in (-1, "-1", "x", None, False, 2**63)],
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_refused(self, ada: ApiClient, query: dict[str, Any] | str, detail: str) -> None:
        sent = query if isinstance(query, str) else json.dumps(query)
        # A good one before it helps nothing.
        parameters = urlencode({"queries[0]": json.dumps(limit(1)), "queries[1]": sent})
        response = ada.get(f"/account/logs?{parameters}")
        error = assert_error(response, 400, "general_argument_invalid")
        assert error["message"].startswith(f"Invalid `queries` param: {detail}")

    def test_no_list(self, ada: ApiClient) -> None:
        error = assert_error(ada.get("/account/logs?queries=x"), 400, "general_argument_invalid")
        assert error["message"] == "Invalid `queries` param: Queries must be an array"

    def test_100_and_no_more(self, ada: ApiClient) -> None:
        fill(2)
        assert len(logs(ada, *[limit(1)] * 100)["logs"]) == 1
        sent = urlencode([("queries[]", json.dumps(limit(1)))] * 101)
        assert_error(ada.get(f"/account/logs?{sent}"), 400, "general_argument_invalid")

    def test_total_that_is_no_boolean(self, ada: ApiClient) -> None:
        assert_error(ada.get("/account/logs?total=maybe"), 400, "general_argument_invalid")


class TestSuccesses:
    """One entry for each act, whatever else it brought about."""

    @pytest.mark.parametrize(
        ("method", "path", "body", "event"),
        [
            ("PATCH", "/account/name", {"name": "Bob"}, "user.update"),
            ("PATCH", "/account/prefs", {"prefs": {}}, "user.update"),
            (
                "PATCH",
                "/account/password",
                {"password": "new horse", "oldPassword": PASSWORD},
                "user.update",
            ),
            ("PATCH", "/account/email", {"email": "x@a.org", "password": PASSWORD}, "user.update"),
            (
                "PATCH",
                "/account/phone",
                {"phone": "+16308520394", "password": PASSWORD},
                "user.update",
            ),
            ("PATCH", "/account/status", {}, "user.update"),
            ("PATCH", "/account/sessions/current", {}, "session.update"),
            ("DELETE", "/account/sessions/current", {}, "session.delete"),
            ("DELETE", "/account/sessions", {}, "session.delete"),
            ("DELETE", "/account", {}, "user.delete"),
            (
                "POST",
                "/account/verifications/email",
                {"url": "http://localhost/"},
                "verification.create",
            ),
            ("POST", "/account/verifications/email/otp", {}, "verification.create"),
        ],
    )
    def test_of_somebody_signed_in(
        self, ada: ApiClient, method: str, path: str, body: dict[str, Any], event: str
    ) -> None:
        ApiClient().sign_in()
        account = Account.objects.get()
        before = LogEntry.objects.count()
        assert ada.call(method, path, body).status_code < 300
        entry = LogEntry.objects.latest("pk")
        assert LogEntry.objects.count() == before + 1
        assert (entry.event, entry.error, entry.title) == (event, "", event)
        assert (entry.account_pk, entry.user_id) == (account.pk, account.public_id)
        assert (entry.user_type, entry.mode) == ("user", "default")
        assert entry.session_id == ada.session["$id"]

    @pytest.mark.parametrize(
        ("path", "body", "event"),
        [
            ("/account/tokens/email", {"userId": "unique()", "email": EMAIL}, "session.create"),
            ("/account/tokens/magic-url", {"userId": "x", "email": EMAIL}, "session.create"),
            ("/account/recovery", {"email": EMAIL, "url": "http://localhost/"}, "recovery.create"),
            ("/account/recovery/otp", {"email": EMAIL}, "recovery.create"),
        ],
    )
    def test_of_a_guest_are_the_matched_persons(
        self, ada: ApiClient, path: str, body: dict[str, Any], event: str
    ) -> None:
        assert ApiClient().post(path, body).status_code == 201
        assert len(mail.outbox) == 1
        (entry, *_) = logs(ada)["logs"]
        assert (entry["event"], entry["userEmail"], entry["userType"]) == (event, EMAIL, "user")

    def test_of_somebody_else_who_is_signed_in(self, ada: ApiClient, bob: ApiClient) -> None:
        account = Account.objects.get(email=EMAIL)
        issued = issue_token(account=account, kind=Token.Kind.EMAIL_VERIFICATION, address=EMAIL)
        body = {"userId": account.public_id, "secret": issued.secret}
        assert bob.put("/account/verifications/email", body).status_code == 200
        assert events(ada)[0] == "verification.update"
        assert events(bob) == ["session.create", "user.create"]

    def test_recovery(self, ada: ApiClient) -> None:
        account = Account.objects.get()
        issued = issue_token(account=account, kind=Token.Kind.RECOVERY, address=EMAIL)
        body = {"userId": account.public_id, "secret": issued.secret, "password": "new horse"}
        assert ApiClient().put("/account/recovery", body).status_code == 200
        # The password, the verified address and the ended sessions are part of it.
        assert LogEntry.objects.latest("pk").event == "recovery.update"
        assert LogEntry.objects.count() == 3

    def test_somebody_new_by_a_code(self, guest: ApiClient) -> None:
        body = {"userId": "unique()", "email": "new@example.org"}
        token = guest.post("/account/tokens/email", body).json()
        entry = LogEntry.objects.get()
        assert (entry.event, entry.user_id) == ("session.create", token["userId"])

    def test_the_oldest_session_goes_without_an_entry_of_its_own(
        self, ada: ApiClient, project: Project
    ) -> None:
        project(SESSION_LIMIT=1)
        client = ApiClient()
        client.sign_in()
        assert events(client) == ["session.create", "session.create", "user.create"]

    def test_anonymously(self, guest: ApiClient) -> None:
        assert guest.post("/account/sessions/anonymous").status_code == 201
        assert events(guest) == ["session.create"]

    def test_of_a_server(self, ada: ApiClient) -> None:
        key = create_api_key(name="web shop", scopes=["sessions.write"]).secret
        agent = {"User-Agent": "curl/8", "X-Forwarded-User-Agent": CHROME}
        session = ApiClient(key=key, headers=agent).sign_in()
        entry = LogEntry.objects.latest("pk")
        assert (entry.user_type, entry.key_name) == ("keyProject", "web shop")
        assert (entry.session_id, entry.user_agent) == (session["$id"], CHROME)
        (shown, *_) = logs(ada)["logs"]
        assert (shown["userType"], shown["clientName"]) == ("keyProject", "Chrome")

    def test_a_forwarded_user_agent_of_anybody_else_is_ignored(self, guest: ApiClient) -> None:
        guest.headers |= {"User-Agent": "curl/8", "X-Forwarded-User-Agent": CHROME}
        guest.sign_up()
        assert LogEntry.objects.get().user_agent == "curl/8"


class TestAddress:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "ip"),
        [
            (0, "198.51.100.7", "127.0.0.1"),
            (1, "198.51.100.7", "198.51.100.7"),
            (1, "203.0.113.66, 198.51.100.7", "198.51.100.7"),
            (1, "198.51.100.7:4711", "198.51.100.7"),
            (1, "::ffff:198.51.100.7", "198.51.100.7"),
            (1, "2001:DB8:0:0::7", "2001:db8::7"),
            (1, "<script>", "127.0.0.1"),
        ],
    )
    def test_is_what_our_own_proxies_saw(
        self, guest: ApiClient, project: Project, proxies: int, forwarded: str, ip: str
    ) -> None:
        project(TRUSTED_PROXIES=proxies)
        guest.headers["X-Forwarded-For"] = forwarded
        guest.sign_up()
        assert guest.sign_in()["ip"] == ip
        assert {entry.ip for entry in LogEntry.objects.all()} == {ip}


class TestFailures:
    """Of signing in, codes and recovery every failure is logged, under a name of its own."""

    WRONG = {"email": EMAIL, "password": "wrong horse"}

    def test_wrong_password_is_shown_to_whom_it_was_aimed_at(self, ada: ApiClient) -> None:
        attacker = ApiClient(headers={"User-Agent": "curl/8"})
        assert attacker.post("/account/sessions/email", self.WRONG).status_code == 401
        (entry, *_) = logs(ada)["logs"]
        assert (entry["event"], entry["userType"]) == ("session.create.failed", "guest")
        assert (entry["userEmail"], entry["userName"]) == (EMAIL, "Ada")
        assert entry["clientName"] == "curl"
        assert LogEntry.objects.latest("pk").error == "user_invalid_credentials"

    def test_an_address_that_nobody_has_is_for_staff_alone(self, ada: ApiClient) -> None:
        body = {"email": "nobody@example.org", "password": PASSWORD}
        assert ApiClient().post("/account/sessions/email", body).status_code == 401
        entry = LogEntry.objects.latest("pk")
        assert (entry.account_pk, entry.user_id, entry.user_name) == (None, "", "")
        assert (entry.user_email, entry.user_type) == ("nobody@example.org", "guest")
        assert events(ada) == ["session.create", "user.create"]

    def test_a_blocked_person(self, ada: ApiClient, edit: Callable[..., None]) -> None:
        edit(is_active=False)
        body = {"email": EMAIL, "password": PASSWORD}
        assert ApiClient().post("/account/sessions/email", body).status_code == 403
        entry = LogEntry.objects.latest("pk")
        assert (entry.title, entry.error) == ("session.create.failed", "user_blocked")

    @pytest.mark.parametrize(
        ("method", "path", "extra", "event"),
        [
            ("POST", "/account/sessions/token", {}, "session.create"),
            ("PUT", "/account/sessions/magic-url", {}, "session.create"),
            ("PUT", "/account/sessions/phone", {}, "session.create"),
            ("PUT", "/account/recovery", {"password": "new horse"}, "recovery.update"),
            ("PUT", "/account/recovery/otp", {"password": "new horse"}, "recovery.update"),
            ("PUT", "/account/verifications/email", {}, "verification.update"),
            ("PUT", "/account/verifications/email/otp", {}, "verification.update"),
            ("PUT", "/account/verifications/phone", {}, "verification.update"),
        ],
    )
    @pytest.mark.parametrize("known", [True, False])
    def test_wrong_secrets(
        self,
        ada: ApiClient,
        method: str,
        path: str,
        extra: dict[str, str],
        event: str,
        known: bool,
    ) -> None:
        user_id = ada.account["$id"] if known else "nobody"
        body = {"userId": user_id, "secret": "135790", **extra}
        assert ApiClient().call(method, path, body).status_code in (401, 404)
        entry = LogEntry.objects.latest("pk")
        assert (entry.event, entry.user_id) == (event, user_id)
        assert (entry.account_pk is not None, entry.user_email == EMAIL) == (known, known)
        assert events(ada)[0] == (f"{event}.failed" if known else "session.create")
        assert "135790" not in str(LogEntry.objects.values())

    @pytest.mark.parametrize(
        ("method", "body", "event"),
        [
            ("POST", {"factor": "totp"}, "challenge.create"),
            ("PUT", {"challengeId": "x", "otp": "135790"}, "challenges.update"),
        ],
    )
    def test_second_factors(
        self, ada: ApiClient, method: str, body: dict[str, str], event: str
    ) -> None:
        assert ada.call(method, "/account/mfa/challenges", body).status_code in (401, 404)
        entry = LogEntry.objects.latest("pk")
        assert (entry.user_id, entry.session_id) == (ada.account["$id"], ada.session["$id"])
        assert events(ada)[0] == f"{event}.failed"
        assert "135790" not in str(LogEntry.objects.values())

    def test_a_wrong_code_of_a_new_authenticator(self, ada: ApiClient) -> None:
        secret = ada.post("/account/mfa/authenticators/totp").json()["secret"]
        right = pyotp.TOTP(secret).now()
        wrong = f"{(int(right) + 5) % 1_000_000:06}"
        for code, status in ((wrong, 401), (right, 200), (right, 409)):
            response = ada.put("/account/mfa/authenticators/totp", {"otp": code})
            assert response.status_code == status
        failed = ["user.update.failed", "user.update", "user.update.failed", "user.update"]
        assert events(ada)[:4] == failed
        entries = LogEntry.objects.order_by("-pk")[:3]
        assert [entry.error for entry in entries] == [
            "user_authenticator_already_verified",
            "",
            "user_invalid_token",
        ]
        assert {entry.session_id for entry in entries} == {ada.session["$id"]}
        told = str(LogEntry.objects.values())
        assert not any(text in told for text in (secret, f"'{right}'", f"'{wrong}'"))

    def test_aimed_at_somebody_else_by_somebody_signed_in(
        self, ada: ApiClient, bob: ApiClient
    ) -> None:
        body = {"userId": ada.account["$id"], "secret": "135790", "password": "new horse"}
        assert bob.put("/account/recovery/otp", body).status_code == 401
        assert events(ada)[0] == "recovery.update.failed"
        assert events(bob)[0] == "session.create"
        entry = LogEntry.objects.latest("pk")
        assert (entry.user_type, entry.session_id) == ("user", bob.session["$id"])

    def test_asking_for_a_code(self, ada: ApiClient, project: Project) -> None:
        project(SMS_BACKEND="")
        body = {"userId": "unique()", "phone": "+14155550100"}
        assert ApiClient().post("/account/tokens/phone", body).status_code == 503
        entry = LogEntry.objects.latest("pk")
        assert (entry.title, entry.error) == ("session.create.failed", "general_phone_disabled")
        assert (entry.user_phone, entry.account_pk) == ("+14155550100", None)

    def test_asking_to_be_verified_twice(self, ada: ApiClient, edit: Callable[..., None]) -> None:
        edit(email_verified=True)
        assert ada.post("/account/verifications/email/otp", {}).status_code == 409
        assert events(ada)[0] == "verification.create.failed"

    def test_our_own_mistake(self, guest: ApiClient, project: Project) -> None:
        project(NEW_USER_FIELDS="tests.nowhere")
        assert guest.post("/account/sessions/anonymous").status_code == 500
        assert LogEntry.objects.get().error == "general_unknown"

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PATCH", "/account/password", {"password": "new horse", "oldPassword": "wrong!!!"}),
            ("PATCH", "/account/sessions/nope", {}),
            ("DELETE", "/account/sessions/nope", {}),
        ],
    )
    def test_others_are_not_logged(
        self, ada: ApiClient, method: str, path: str, body: dict[str, Any]
    ) -> None:
        assert ada.call(method, path, body).status_code in (401, 404)
        assert LogEntry.objects.count() == 2

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            ({"email": "no address", "password": PASSWORD}, {}),
            ({}, {}),
            (WRONG, {"Origin": "https://evil.example"}),
            (WRONG, {"X-Appwrite-Project": "nope"}),
            (WRONG, {"X-Appwrite-Key": "standard_nope"}),
        ],
    )
    def test_what_is_refused_before_it_is_tried_is_no_attempt(
        self, guest: ApiClient, body: dict[str, Any], headers: dict[str, str]
    ) -> None:
        guest.headers |= headers
        assert 400 <= guest.post("/account/sessions/email", body).status_code < 500
        assert LogEntry.objects.count() == 0


class TestUnderWay:
    def test_a_log_that_cannot_be_written_disturbs_nobody(
        self, ada: ApiClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(execute: Any, sql: str, *args: Any) -> Any:
            if sql.startswith("INSERT") and LogEntry._meta.db_table in sql:
                raise DatabaseError("disk full")
            return execute(sql, *args)

        client = ApiClient()
        with connection.execute_wrapper(fail):
            client.sign_in()
        assert client.get("/account").status_code == 200
        assert "disk full" in caplog.text

    def test_one_transaction_for_the_whole_request(self, ada: ApiClient, settings: Any) -> None:
        connection.settings_dict["ATOMIC_REQUESTS"] = True
        try:
            assert ada.patch("/account/name", {"name": "A"}).status_code == 200
            body = {"email": EMAIL, "password": "wrong horse"}
            assert ApiClient().post("/account/sessions/email", body).status_code == 401
        finally:
            connection.settings_dict["ATOMIC_REQUESTS"] = False
        assert events(ada)[:2] == ["session.create.failed", "user.update"]
        assert LogEntry.objects.count() == 4


class TestPages:
    """Our own pages do the same as the API, and are logged the same."""

    def redeem(self, page: str, user_id: str, secret: str, **form: str) -> int:
        client = ApiClient().http
        client.get(f"/v1/pages/{page}?userId={user_id}&secret={secret}")
        return int(client.post(f"/v1/pages/{page}", form).status_code)

    @pytest.mark.parametrize(
        ("page", "kind", "event", "form"),
        [
            ("magic-url", Token.Kind.MAGIC_URL, "session.create", {}),
            (
                "recovery",
                Token.Kind.RECOVERY,
                "recovery.update",
                {"password": "new horse", "password_again": "new horse"},
            ),
            ("verification", Token.Kind.EMAIL_VERIFICATION, "verification.update", {}),
        ],
    )
    def test_well_and_badly(
        self, ada: ApiClient, page: str, kind: Token.Kind, event: str, form: dict[str, str]
    ) -> None:
        account = Account.objects.get()
        secret = issue_token(account=account, kind=kind, address=EMAIL).secret
        assert self.redeem(page, account.public_id, secret, **form) == 303
        assert self.redeem(page, account.public_id, secret, **form) == 400
        entries = list(LogEntry.objects.order_by("-pk")[:2])
        assert LogEntry.objects.count() == 4
        assert [entry.title for entry in entries] == [f"{event}.failed", event]
        assert [entry.user_type for entry in entries] == ["guest", "user"]
        assert {entry.account_pk for entry in entries} == {account.pk}
        assert secret not in str(LogEntry.objects.values())

    def test_a_password_that_is_refused(self, ada: ApiClient, project: Project) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        account = Account.objects.get()
        secret = issue_token(account=account, kind=Token.Kind.RECOVERY, address=EMAIL).secret
        form = {"password": "i am Ada!", "password_again": "i am Ada!"}
        assert self.redeem("recovery", account.public_id, secret, **form) == 400
        assert LogEntry.objects.latest("pk").error == "password_personal_data"


def test_from_python_by_the_persons_own_client(ada: ApiClient) -> None:
    """A sign-in view of the site's own, for instance."""
    create_email_password_session(
        email=EMAIL, password=PASSWORD, client=ClientInfo("203.0.113.9", CHROME)
    )
    (entry, *_) = logs(ada)["logs"]
    assert (entry["event"], entry["mode"], entry["userType"]) == (
        "session.create",
        "default",
        "user",
    )
    assert (entry["ip"], entry["clientName"]) == ("203.0.113.9", "Chrome")
