"""Other people's sessions, tokens and JWTs (users.md §3 and §10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from django_account.sessions.models import Session
from tests.client import ApiClient, assert_error

Person = dict[str, Any]


class TestCreateSession:
    """users.createSession"""

    def test_secret_signs_in(self, site: ApiClient, person: Person) -> None:
        response = site.post("/users/eve/sessions")
        session = response.json()
        assert response.status_code == 201
        assert (session["provider"], session["factors"]) == ("server", ["server"])
        assert (session["current"], session["userId"]) == (False, "eve")
        assert not response.cookies
        assert "X-Fallback-Cookies" not in response
        eve = ApiClient(session=session["secret"])
        assert eve.get("/account").json()["$id"] == "eve"
        assert eve.delete("/account/sessions/current").status_code == 204
        assert eve.get("/account").status_code == 401

    def test_of_the_visitor(self, site: ApiClient, person: Person) -> None:
        forwarded = {
            "X_Forwarded_For": "6.6.6.6, 203.0.113.9",
            "X_Forwarded_User_Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Firefox/120.0",
        }
        session = site.post("/users/eve/sessions", **forwarded).json()
        assert (session["ip"], session["clientName"]) == ("203.0.113.9", "Firefox")

    def test_knows_no_limit(
        self, site: ApiClient, person: Person, project: Callable[..., None]
    ) -> None:
        project(SESSION_LIMIT=1)
        for _ in range(3):
            site.post("/users/eve/sessions")
        assert site.get("/users/eve/sessions").json()["total"] == 3

    def test_of_somebody_blocked(self, site: ApiClient, person: Person) -> None:
        site.patch("/users/eve/status", {"status": False})
        session = site.post("/users/eve/sessions").json()
        response = ApiClient(session=session["secret"]).get("/account")
        assert_error(response, 403, "user_blocked")

    @pytest.mark.parametrize("user_id", ["nobody", "unique()"])
    def test_of_nobody(self, site: ApiClient, user_id: str) -> None:
        assert_error(site.post(f"/users/{user_id}/sessions"), 404, "user_not_found")


class TestSessions:
    """users.listSessions, deleteSessions, deleteSession"""

    def test_list(self, site: ApiClient, ada: ApiClient) -> None:
        user_id = ada.account["$id"]
        site.post(f"/users/{user_id}/sessions")
        body = site.get(f"/users/{user_id}/sessions").json()
        assert (body["total"], [each["provider"] for each in body["sessions"]]) == (
            2,
            ["email", "server"],
        )
        assert {(each["current"], each["secret"]) for each in body["sessions"]} == {(False, "")}
        assert site.get(f"/users/{user_id}/sessions?total=false").json()["total"] == 0

    def test_list_has_the_expired(self, site: ApiClient, ada: ApiClient) -> None:
        Session.objects.update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
        assert site.get(f"/users/{ada.account['$id']}/sessions").json()["total"] == 1

    def test_delete_one(self, site: ApiClient, ada: ApiClient) -> None:
        path = f"/users/{ada.account['$id']}/sessions/{ada.session['$id']}"
        assert site.delete(path).status_code == 204
        assert ada.get("/account").status_code == 401
        assert_error(site.delete(path), 404, "user_session_not_found")

    def test_delete_somebody_elses(self, site: ApiClient, ada: ApiClient, person: Person) -> None:
        response = site.delete(f"/users/eve/sessions/{ada.session['$id']}")
        assert_error(response, 404, "user_session_not_found")
        assert ada.get("/account").status_code == 200

    def test_delete_all_even_when_there_is_none(self, site: ApiClient, ada: ApiClient) -> None:
        for _ in range(2):
            assert site.delete(f"/users/{ada.account['$id']}/sessions").status_code == 204
        assert ada.get("/account").status_code == 401


class TestCreateToken:
    """users.createToken"""

    @pytest.mark.parametrize("length", [None, 4, 15, 64, 128])
    def test_signs_in_once(self, site: ApiClient, person: Person, length: int | None) -> None:
        response = site.post("/users/eve/tokens", {} if length is None else {"length": length})
        token = response.json()
        assert response.status_code == 201
        assert (len(token["secret"]), token["userId"]) == (length or 6, "eve")
        body = {"userId": "eve", "secret": token["secret"]}
        session = ApiClient().post("/account/sessions/token", body).json()
        assert (session["provider"], session["factors"]) == ("token", ["token"])
        response = ApiClient().post("/account/sessions/token", body)
        assert_error(response, 401, "user_invalid_token")

    def test_expires(self, site: ApiClient, person: Person) -> None:
        token = site.post("/users/eve/tokens", {"expire": 60}).json()
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
            body = {"userId": "eve", "secret": token["secret"]}
            response = ApiClient().post("/account/sessions/token", body)
        assert_error(response, 401, "user_invalid_token")

    @pytest.mark.parametrize(
        "wrong", [{"length": 3}, {"length": 129}, {"expire": 59}, {"expire": 31_536_001}], ids=str
    )
    def test_out_of_bounds(self, site: ApiClient, person: Person, wrong: dict[str, int]) -> None:
        assert_error(site.post("/users/eve/tokens", wrong), 400, "general_argument_invalid")


class TestCreateJWT:
    """users.createJWT"""

    def jwt(self, site: ApiClient, user_id: str, **body: Any) -> ApiClient:
        response = site.post(f"/users/{user_id}/jwts", body)
        assert response.status_code == 201, response.content
        return ApiClient(jwt=response.json()["jwt"])

    def test_without_a_session_outlives_them(self, site: ApiClient, person: Person) -> None:
        eve = self.jwt(site, "eve")
        site.post("/users/eve/sessions")
        site.delete("/users/eve/sessions")
        account = eve.get("/account").json()
        assert (account["$id"], len(account["targets"])) == ("eve", 2)
        assert_error(eve.get("/account/sessions/current"), 404, "user_session_not_found")
        assert_error(eve.post("/account/jwts"), 403, "user_jwt_creation_denied")

    @pytest.mark.parametrize("chosen", [{}, {"sessionId": "recent"}, {"sessionId": None}])
    def test_of_the_latest_session_dies_with_it(
        self, site: ApiClient, ada: ApiClient, chosen: dict[str, Any]
    ) -> None:
        user_id = ada.account["$id"]
        latest = site.post(f"/users/{user_id}/sessions").json()["$id"]
        by_jwt = self.jwt(site, user_id, **chosen)
        site.delete(f"/users/{user_id}/sessions/{ada.session['$id']}")
        assert by_jwt.get("/account").status_code == 200
        site.delete(f"/users/{user_id}/sessions/{latest}")
        assert_error(by_jwt.get("/account"), 401, "general_unauthorized_scope")

    def test_of_a_session(self, site: ApiClient, ada: ApiClient) -> None:
        user_id = ada.account["$id"]
        by_jwt = self.jwt(site, user_id, sessionId=ada.session["$id"])
        ada.delete("/account/sessions/current")
        assert by_jwt.get("/account").status_code == 401

    def test_of_somebody_elses_session(
        self, site: ApiClient, ada: ApiClient, person: Person
    ) -> None:
        response = site.post("/users/eve/jwts", {"sessionId": ada.session["$id"]})
        assert_error(response, 404, "user_session_not_found")

    def test_expires(self, site: ApiClient, person: Person) -> None:
        eve = self.jwt(site, "eve", duration=5)
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=6)):
            assert_error(eve.get("/account"), 401, "user_jwt_invalid")

    def test_dies_with_the_person(self, site: ApiClient, person: Person) -> None:
        eve = self.jwt(site, "eve")
        site.patch("/users/eve/status", {"status": False})
        assert_error(eve.get("/account"), 403, "user_blocked")
        site.delete("/users/eve")
        assert_error(eve.get("/account"), 401, "general_unauthorized_scope")

    @pytest.mark.parametrize("duration", [0, 3601, "x"])
    def test_out_of_bounds(self, site: ApiClient, person: Person, duration: Any) -> None:
        response = site.post("/users/eve/jwts", {"duration": duration})
        assert_error(response, 400, "general_argument_invalid")
