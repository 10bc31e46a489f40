"""What each endpoint costs the database: the present figures, so that a new statement is noticed.

Two of the statements of each ``atomic`` block are its SAVEPOINT and RELEASE here, and BEGIN and
COMMIT, for the outermost, in a real request. One statement, the first, finds out who is calling.
The activity log is written after the commit, which these tests never come to: see TestActivityLog.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_account.accounts.models import Account
from django_account.targets.models import Target
from tests.client import PASSWORD, ApiClient
from tests.mfa.people import answer, begin, code, enrol, stopped_clock

Count = Callable[[int], Any]
Project = Callable[..., None]

# The caller, then what the endpoint itself does. "{id}" is the current session's.
ENDPOINTS = [
    ("GET", "/account", None, 1),
    ("GET", "/account/prefs", None, 1),
    ("GET", "/account/sessions/current", None, 1),
    # The session by its id, even the current one's.
    ("GET", "/account/sessions/{id}", None, 2),
    # However many there are.
    ("GET", "/account/sessions", None, 2),
    # Which entries, of which there are none here; and the capped count.
    ("GET", "/account/logs", None, 3),
    ("POST", "/account/jwts", {}, 1),
    # atomic: UPDATE session
    ("PATCH", "/account/sessions/current", {}, 4),
    # atomic: UPDATE account
    ("PATCH", "/account/name", {"name": "Bob"}, 4),
    ("PATCH", "/account/prefs", {"prefs": {"a": 1}}, 4),
    # Address free among identities, accounts, users and targets; atomic: lock, atomic: UPDATE
    # account; UPDATE target and user; DELETE tokens sent to the old address; then the targets for
    # the answer.
    ("PATCH", "/account/email", {"email": "x@example.org", "password": PASSWORD}, 15),
    # The same; the user model has no phone number, so nobody looks there.
    ("PATCH", "/account/phone", {"phone": "+16308520394", "password": PASSWORD}, 11),
    # atomic: lock, atomic: UPDATE account and user; DELETE recovery tokens; atomic: SELECT the
    # other sessions, which are none
    ("PATCH", "/account/password", {"password": "new horse", "oldPassword": PASSWORD}, 12),
    # atomic: atomic: UPDATE account; UPDATE user
    ("PATCH", "/account/status", {}, 7),
    # atomic: lock, UPDATE account
    ("PATCH", "/account/mfa", {"mfa": False}, 5),
    # and the session: SELECT its factors, UPDATE
    ("PATCH", "/account/mfa", {"mfa": True}, 7),
    # SELECT whether there is a recovery code; the rest stands on the account
    ("GET", "/account/mfa/factors", None, 2),
    # atomic: lock, SELECT whether there is one, INSERT, UPDATE the account's flag
    ("POST", "/account/mfa/authenticators/totp", {}, 7),
    # atomic: lock, SELECT whether there are any, INSERT all in a savepoint
    ("POST", "/account/mfa/recovery-codes", {}, 6),
    # atomic: lock, INSERT
    ("POST", "/account/mfa/challenges", {"factor": "recoveryCode"}, 5),
    # one look that finds none
    ("PUT", "/account/mfa/challenges", {"challengeId": "x", "otp": "1"}, 2),
    # atomic: lock and read the sessions, DELETE targets and sessions
    ("DELETE", "/account/sessions/current", None, 7),
    ("DELETE", "/account/sessions", None, 7),
]


SIGN_IN = ("POST", "/account/sessions/email", {"email": "ada@example.org", "password": PASSWORD})


class TestEndpoints:
    @pytest.mark.parametrize(("method", "path", "body", "count"), ENDPOINTS)
    def test_by_session(
        self,
        ada: ApiClient,
        django_assert_num_queries: Count,
        method: str,
        path: str,
        body: Any,
        count: int,
    ) -> None:
        with django_assert_num_queries(count):
            response = ada.call(method, path.format(id=ada.session["$id"]), body)
        assert response.status_code < 300 or body == {"challengeId": "x", "otp": "1"}

    def test_answering_a_challenge(self, ada: ApiClient, django_assert_num_queries: Count) -> None:
        with stopped_clock() as clock:
            secret = enrol(ada)
            clock.forward()
            challenge = begin(ada, "totp")
            # The challenge, UPDATE its tries, UPDATE the guesses; atomic: lock, SELECT the
            # authenticator, UPDATE its step, DELETE challenge, SELECT and UPDATE the session;
            # UPDATE the guesses.
            with django_assert_num_queries(13):
                assert answer(ada, challenge, code(secret)).status_code == 200

    def test_with_a_second_factor_the_caller_is_one_statement(
        self, ada: ApiClient, django_assert_num_queries: Count
    ) -> None:
        with stopped_clock():
            enrol(ada)
            ada.patch("/account/mfa", {"mfa": True})
            half = ApiClient()
            half.sign_in()
            with django_assert_num_queries(1):
                assert ada.get("/account").status_code == 200
            with django_assert_num_queries(1):
                assert half.get("/account").status_code == 401

    @pytest.mark.parametrize(
        ("method", "path", "count"),
        [("GET", "/account", 1), ("GET", "/account/prefs", 1), ("GET", "/account/sessions", 2)],
    )
    def test_by_jwt(
        self,
        ada_by_jwt: ApiClient,
        django_assert_num_queries: Count,
        method: str,
        path: str,
        count: int,
    ) -> None:
        with django_assert_num_queries(count):
            assert ada_by_jwt.call(method, path).status_code == 200

    def test_account_with_many_targets(
        self, ada: ApiClient, django_assert_num_queries: Count
    ) -> None:
        account = Target.objects.get().account
        Target.objects.bulk_create(
            Target(account=account, provider_type="push", identifier=f"device {number}")
            for number in range(20)
        )
        with django_assert_num_queries(1):
            assert len(ada.get("/account").json()["targets"]) == 21

    def test_list_of_many_sessions(self, ada: ApiClient, django_assert_num_queries: Count) -> None:
        for _ in range(9):
            ApiClient().sign_in()
        with django_assert_num_queries(2):
            assert ada.get("/account/sessions").json()["total"] == 10

    def test_key_and_session_together(
        self, ada: ApiClient, server: ApiClient, django_assert_num_queries: Count
    ) -> None:
        server.get("/ping")
        server.headers["X-Appwrite-Session"] = ada.credential
        # The session; the key.
        with django_assert_num_queries(2):
            assert server.get("/account").status_code == 401


class TestSigningIn:
    CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}

    def sign_in(self, status: int = 201, **values: str) -> None:
        response = ApiClient().post("/account/sessions/email", self.CREDENTIALS | values)
        assert response.status_code == status

    def test_sign_up(self, guest: ApiClient, django_assert_num_queries: Count) -> None:
        # Address free among identities, accounts and users; atomic: INSERT user, account and
        # target; the targets for the answer.
        with django_assert_num_queries(9):
            guest.sign_up()

    def test_by_password(self, ada: ApiClient, django_assert_num_queries: Count) -> None:
        # Account with its user; atomic: lock, INSERT, SELECT what is over the limit; last login,
        # which is Django's own.
        with django_assert_num_queries(7):
            self.sign_in()

    def test_by_password_over_the_limit(
        self, ada: ApiClient, project: Project, django_assert_num_queries: Count
    ) -> None:
        project(SESSION_LIMIT=1)
        # One more: the oldest session is deleted.
        with django_assert_num_queries(8):
            self.sign_in()

    def test_wrong_password(self, ada: ApiClient, django_assert_num_queries: Count) -> None:
        with django_assert_num_queries(1):
            self.sign_in(401, password="wrong horse")

    def test_anonymously(self, guest: ApiClient, django_assert_num_queries: Count) -> None:
        # atomic: id free; atomic: INSERT user and account; then as above, without a password.
        with django_assert_num_queries(13):
            guest.post("/account/sessions/anonymous")


class TestRefused:
    """Who is not let in costs little."""

    @pytest.mark.parametrize(
        ("headers", "count"),
        [
            ({}, 0),
            ({"X-Appwrite-Session": "garbage"}, 0),
            ({"X-Fallback-Cookies": "{}"}, 0),
            ({"X-Appwrite-JWT": "garbage"}, 0),
            ({"X-Appwrite-Key": "x_y"}, 0),
            ({"X-Appwrite-Key": "standard_x"}, 1),
            ({"Origin": "https://evil.example"}, 0),
            ({"X-Appwrite-Project": "nope"}, 0),
        ],
    )
    def test_guest(
        self,
        guest: ApiClient,
        django_assert_num_queries: Count,
        headers: dict[str, str],
        count: int,
    ) -> None:
        guest.headers |= headers
        with django_assert_num_queries(count):
            assert guest.get("/account").status_code in (401, 403, 404)

    def test_invalid_parameters(self, guest: ApiClient, django_assert_num_queries: Count) -> None:
        with django_assert_num_queries(0):
            guest.post("/account", {"userId": "_"})

    def test_ping(self, guest: ApiClient, django_assert_num_queries: Count) -> None:
        with django_assert_num_queries(0):
            guest.get("/ping")


class TestAccessedAt:
    """Nothing is written by reading, but once in more than 24 hours."""

    START = datetime(2030, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("later", "count"),
        [(timedelta(0), 1), (timedelta(hours=24), 1), (timedelta(hours=24, seconds=1), 2)],
    )
    @pytest.mark.parametrize("transport", ["cookie", "jwt"])
    def test_get_account(
        self,
        guest: ApiClient,
        django_assert_num_queries: Count,
        transport: str,
        later: timedelta,
        count: int,
    ) -> None:
        with time_machine.travel(self.START, tick=False):
            guest.sign_up()
            guest.sign_in()
        with time_machine.travel(self.START + later, tick=False):
            client = guest
            if transport == "jwt":
                # Signing one counts as activity; undo that.
                client = ApiClient(jwt=guest.post("/account/jwts").json()["jwt"])
                Account.objects.update(accessed_at=self.START)
            with django_assert_num_queries(count):
                assert client.get("/account").status_code == 200
            with django_assert_num_queries(1):
                assert client.get("/account").status_code == 200


@pytest.mark.django_db(transaction=True)
class TestActivityLog:
    """Whatever is logged costs one INSERT more, and nothing around it."""

    def statements(self, client: ApiClient, *request: Any) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            client.call(*request)
        return [query["sql"] for query in captured]

    @pytest.mark.parametrize(
        ("method", "path", "body", "count"),
        [
            # The caller; BEGIN, UPDATE, COMMIT; the log.
            ("PATCH", "/account/name", {"name": "Bob"}, 5),
            # As in TestSigningIn.
            ("POST", "/account/sessions/email", TestSigningIn.CREDENTIALS, 8),
            # The account; the log, which finds out by itself whose it is.
            (
                "POST",
                "/account/sessions/email",
                {"email": "ada@example.org", "password": "x" * 8},
                2,
            ),
            # The account, then the site's users, of whom none has the address; the log.
            ("POST", "/account/sessions/email", {"email": "x@example.org", "password": "x" * 8}, 4),
        ],
    )
    def test_one_insert(
        self, ada: ApiClient, method: str, path: str, body: Any, count: int
    ) -> None:
        client = ada if method == "PATCH" else ApiClient()
        written = self.statements(client, method, path, body)
        assert len(written) == count, written
        assert [sql for sql in written if "logentry" in sql] == written[-1:]
        assert written[-1].startswith("INSERT")

    def test_nothing_for_reading(self, ada: ApiClient) -> None:
        assert not any("logentry" in sql for sql in self.statements(ada, "GET", "/account"))

    def test_nothing_for_what_is_refused_at_the_door(self, guest: ApiClient) -> None:
        assert self.statements(guest, "POST", "/account/sessions/email", {"email": "x"}) == []

    def test_an_alert_costs_a_look_and_a_delivery(self, ada: ApiClient, project: Project) -> None:
        without = self.statements(ApiClient(), *SIGN_IN)
        project(SESSION_ALERTS=True)
        alerted = self.statements(ApiClient(), *SIGN_IN)
        # Whether there is another session; INSERT delivery; claim, read, finish.
        assert len(alerted) - len(without) == 5
