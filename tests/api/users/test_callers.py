"""Who reaches whom: every route with an id, by everybody; ephemeral keys; impersonators."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine

from django_account.accounts.models import Account
from django_account.api.urls import urlpatterns
from django_account.api_keys.models import GRANTABLE_SCOPES, ApiKey
from django_account.api_keys.services import create_api_key, create_ephemeral_key
from django_account.core.crypto import derive_keys
from django_account.exceptions import InvalidArgument
from django_account.identities.models import Identity
from django_account.mfa.models import Challenge
from tests.api.rows import unchanged
from tests.client import ApiClient, assert_error
from tests.mfa.people import enrol

PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")


def routes() -> Iterator[tuple[str, str, Any]]:
    """Every route, method and endpoint of the URL configuration."""
    for pattern in urlpatterns:
        for method, action in getattr(pattern.callback, "actions", {}).items():
            declared = getattr(getattr(pattern.callback.cls, action), "endpoint", None)
            if declared is not None:
                yield str(pattern.pattern), method.upper(), declared


# What names a person or something of theirs, and what else stands in a path.
IDS = {"userId", "sessionId", "targetId", "identityId", "challengeId"}
NO_IDS = {"provider", "projectId", "type"}

WITH_ID = [each for each in routes() if IDS.intersection(PLACEHOLDER.findall(each[0]))]
OF_USERS = [each for each in routes() if each[2].service == "users"]

# Enough for every route with an id, so that nothing but its caller is refused.
BODY = {
    "email": "eva@example.org",
    "emailVerification": True,
    "identifier": "another-token",
    "impersonator": True,
    "labels": ["vip"],
    "mfa": False,
    "name": "Eva",
    "number": "+14155550199",
    "password": "another horse",
    "phoneVerification": True,
    "prefs": {"theme": "dark"},
    "providerType": "push",
    "status": False,
    "targetId": "another",
}


def named(each: tuple[str, str, Any]) -> str:
    return f"{each[1]} {each[0]}"


class TestMatrix:
    """Generated from the URL configuration: a new route with an id is held to it at once."""

    def test_there_are_routes(self) -> None:
        services = Counter(declared.service for _, _, declared in WITH_ID)
        assert services["account"] >= 6
        assert services["users"] >= 34
        assert len(OF_USERS) > services["users"]

    def test_every_placeholder_is_known(self) -> None:
        """Where this fails, a path names something new: add it to IDS and to Ada's belongings."""
        placeholders = {name for each in routes() for name in PLACEHOLDER.findall(each[0])}
        assert placeholders == IDS | NO_IDS

    @pytest.fixture
    def adas(self, ada: ApiClient) -> dict[str, str]:
        """What is Ada's, by what names it in a path; besides, she has a second factor."""
        account = Account.objects.get(public_id=ada.account["$id"])
        enrol(ada)
        ada.post("/account/mfa/recovery-codes")
        ada.post("/account/targets/push", {"targetId": "adas", "identifier": "token"})
        identity = Identity.objects.create(account=account, provider="github", provider_uid="1")
        expires_at = datetime.now(UTC) + timedelta(minutes=5)
        challenge = Challenge(account=account, factor="custom", expires_at=expires_at)
        challenge.set_code("123456", readable=True)
        challenge.save()
        found = {
            "userId": account.public_id,
            "sessionId": ada.session["$id"],
            "targetId": "adas",
            "identityId": identity.public_id,
            "challengeId": challenge.public_id,
        }
        assert found.keys() == IDS
        return found

    def path(self, pattern: str, adas: dict[str, str]) -> str:
        return "/" + PLACEHOLDER.sub(lambda name: adas.get(name[1], "totp"), pattern)

    @pytest.mark.parametrize("route", WITH_ID, ids=named)
    def test_nobody_reaches_another_person(
        self,
        adas: dict[str, str],
        ada: ApiClient,
        bob: ApiClient,
        guest: ApiClient,
        route: tuple[str, str, Any],
    ) -> None:
        pattern, method, declared = route
        path = self.path(pattern, adas)
        jwt_of_bob = ApiClient(jwt=bob.post("/account/jwts").json()["jwt"])
        others = [scope for scope in GRANTABLE_SCOPES if scope not in declared.scopes]
        key = ApiClient(key=create_api_key(name="other", scopes=others).secret)
        with unchanged():
            for caller in (bob, jwt_of_bob, guest, key):
                response = caller.call(method, path, BODY)
                assert response.status_code in (401, 404), (response.status_code, response.content)
                assert adas["userId"].encode() not in response.content

    @pytest.mark.parametrize("route", WITH_ID, ids=named)
    def test_whoever_may_does(
        self, adas: dict[str, str], ada: ApiClient, site: ApiClient, route: tuple[str, str, Any]
    ) -> None:
        """So that the others are refused for who they are, not for what they sent."""
        pattern, method, declared = route
        if named(route) == "PATCH users/<str:userId>/mfa/recovery-codes":
            Account.objects.get(public_id=adas["userId"]).recovery_codes.all().delete()
        caller = ada if declared.service == "account" else site
        response = caller.call(method, self.path(pattern, adas), BODY)
        assert response.status_code == declared.status, response.content

    @pytest.mark.parametrize("route", OF_USERS, ids=named)
    def test_only_keys_with_a_scope_of_the_route_reach_the_users_api(
        self, ada: ApiClient, guest: ApiClient, route: tuple[str, str, Any]
    ) -> None:
        pattern, method, declared = route
        path = "/" + PLACEHOLDER.sub("nobody", pattern)
        for caller in (ada, guest):
            error = assert_error(caller.call(method, path), 401, "general_unauthorized_scope")
            assert declared.scopes[0] in error["message"]
        for scope in declared.scopes:
            key = ApiClient(key=create_api_key(name="right", scopes=[scope]).secret)
            response = key.call(method, path)
            assert response.status_code in (200, 201, 400, 404), response.content

    def test_a_key_mints_no_keys(self, adas: dict[str, str], site: ApiClient) -> None:
        """Whatever it asks for, with whatever name a key would have."""
        fields = ("pk", "name", "scopes", "expires_at", "secret_digest")
        keys = list(ApiKey.objects.values(*fields))
        body = BODY | {"userId": "unique()", "scopes": list(GRANTABLE_SCOPES), "duration": 3600}
        for pattern, method, _ in OF_USERS:
            response = site.call(method, self.path(pattern, adas), body)
            assert b"standard_" not in response.content
            assert b"ephemeral_" not in response.content
        for path in ("keys", "project/keys", "project/keys/ephemeral", "projects/demo/keys"):
            assert_error(site.post(f"/{path}", body), 404, "general_route_not_found")
        assert list(ApiKey.objects.values(*fields)) == keys


class TestImpersonation:
    """transport.md §8"""

    @pytest.fixture
    def staff(self, ada: ApiClient) -> ApiClient:
        """Ada, who may act as others."""
        Account.objects.filter(public_id=ada.account["$id"]).update(impersonator=True)
        return ada

    @pytest.fixture
    def eve(self, site: ApiClient) -> str:
        body = {"userId": "eve", "email": "eve@example.org", "phone": "+14155550100"}
        return site.post("/users", body).json()["$id"]

    WAYS = [
        {"X_Appwrite_Impersonate_User_Id": "eve"},
        {"X_Appwrite_Impersonate_User_Email": "EVE@example.org"},
        {"X_Appwrite_Impersonate_User_Phone": "+14155550100"},
    ]

    @pytest.mark.parametrize("header", WAYS, ids=str)
    def test_by_header(self, staff: ApiClient, eve: str, header: dict[str, str]) -> None:
        body = staff.get("/account", **header).json()
        assert (body["$id"], body["impersonatorUserId"]) == ("eve", staff.account["$id"])
        assert len(body["targets"]) == 2
        assert body["accessedAt"] == ""

    @pytest.mark.parametrize(
        "query",
        [
            "impersonateUserId=eve",
            "impersonateuserid=eve",
            "impersonateEmail=eve@example.org",
            "impersonatephone=%2B14155550100",
        ],
    )
    def test_by_parameter(self, staff: ApiClient, eve: str, query: str) -> None:
        assert staff.get(f"/account?{query}").json()["$id"] == "eve"

    def test_header_wins(self, staff: ApiClient, site: ApiClient, eve: str) -> None:
        site.post("/users", {"userId": "bob"})
        response = staff.get("/account?impersonateUserId=bob", X_Appwrite_Impersonate_User_Id="eve")
        assert response.json()["$id"] == "eve"

    @pytest.mark.parametrize("header", WAYS, ids=str)
    def test_others_ask_in_vain(self, ada: ApiClient, eve: str, header: dict[str, str]) -> None:
        body = ada.get("/account", **header).json()
        assert (body["$id"], body["impersonatorUserId"]) == (ada.account["$id"], None)
        assert ada.get("/users", **header).status_code == 401

    @pytest.mark.parametrize("value", ["nobody", "\x7f", "_", "x" * 300])
    def test_nobody(self, staff: ApiClient, value: str) -> None:
        body = staff.get("/account", X_Appwrite_Impersonate_User_Id=value).json()
        assert (body["$id"], body["impersonatorUserId"]) == (staff.account["$id"], None)

    def test_delete(self, staff: ApiClient, eve: str) -> None:
        response = staff.delete("/account", X_Appwrite_Impersonate_User_Id="eve")
        assert response.status_code == 204
        assert not response.cookies
        assert list(Account.objects.values_list("public_id", flat=True)) == [staff.account["$id"]]

    def test_nobody_deletes_themselves_by_a_slip(self, staff: ApiClient, eve: str) -> None:
        with unchanged():
            response = staff.delete("/account", X_Appwrite_Impersonate_User_Id="evee")
        assert_error(response, 404, "user_not_found")

    def test_everything_else_acts_on_the_actor(self, staff: ApiClient, eve: str) -> None:
        header = {"X_Appwrite_Impersonate_User_Id": "eve"}
        staff.patch("/account/name", {"name": "Changed"}, **header)
        names = dict(Account.objects.values_list("public_id", "name"))
        assert names == {"eve": "", staff.account["$id"]: "Changed"}
        sessions = staff.get("/account/sessions", **header).json()["sessions"]
        assert [each["userId"] for each in sessions] == [staff.account["$id"]]

    def test_somebody_blocked(self, staff: ApiClient, site: ApiClient, eve: str) -> None:
        site.patch("/users/eve/status", {"status": False})
        response = staff.get("/account", X_Appwrite_Impersonate_User_Id="eve")
        assert_error(response, 403, "user_blocked")

    def test_blocked_actor(self, staff: ApiClient, site: ApiClient, eve: str) -> None:
        site.patch(f"/users/{staff.account['$id']}/status", {"status": False})
        response = staff.get("/account", X_Appwrite_Impersonate_User_Id="eve")
        assert_error(response, 403, "user_blocked")

    def test_reads_but_never_writes_the_users_api(self, staff: ApiClient, eve: str) -> None:
        reads = [each for each in OF_USERS if "users.read" in each[2].scopes]
        assert reads
        for pattern, method, declared in OF_USERS:
            path = "/" + PLACEHOLDER.sub("eve", pattern)
            response = staff.call(method, path)
            secret = pattern.endswith(("/recovery-codes", "/challenges/<str:challengeId>"))
            if "users.read" in declared.scopes and not secret:
                assert response.status_code != 401, (path, response.content)
            else:
                assert_error(response, 401, "general_unauthorized_scope")


class TestEphemeralKeys:
    """transport.md §6.1"""

    def key(self, **given: Any) -> str:
        return create_ephemeral_key(name="job", scopes=["users.read"], **given)

    def test_works_within_its_scopes(self, db: None) -> None:
        for secret in (self.key(), self.key().replace("ephemeral_", "dynamic_")):
            client = ApiClient(key=secret)
            assert client.get("/users").status_code == 200
            response = client.post("/users", {"userId": "unique()"})
            assert_error(response, 401, "general_unauthorized_scope")

    def test_runs_out_and_is_a_guest_then(self, db: None) -> None:
        client = ApiClient(key=self.key(duration=timedelta(seconds=5)))
        with time_machine.travel(datetime.now(UTC) + timedelta(seconds=6)):
            error = assert_error(client.get("/users"), 401, "general_unauthorized_scope")
        assert "role: guests" in error["message"]

    def test_forged_foreign_or_broken(self, db: None, project: Any) -> None:
        claims = {
            "projectId": "demo",
            "name": "x",
            "scopes": ["users.read"],
            "iat": 1,
            "exp": 2**33,
        }
        forged = jwt.encode(claims, "x" * 32, algorithm="HS256")
        unsigned = jwt.encode(claims, None, algorithm="none")
        others = jwt.encode(claims, next(derive_keys("jwt")), algorithm="HS256")
        foreign = self.key().removeprefix("ephemeral_")
        for token in (forged, unsigned, others, "", "x", "a.b.c"):
            assert ApiClient(key=f"ephemeral_{token}").get("/users").status_code == 401
        project(PROJECT_ID="other")
        client = ApiClient(key=f"ephemeral_{foreign}", project="other")
        assert client.get("/users").status_code == 401

    def test_needs_its_project(self, db: None) -> None:
        response = ApiClient(key=self.key(), project=None).get("/users")
        assert_error(response, 403, "project_id_missing")

    @pytest.mark.parametrize(
        "wrong", [{"scopes": ["account"]}, {"duration": timedelta(0)}, {"duration": timedelta(2)}]
    )
    def test_bounds(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(InvalidArgument):
            create_ephemeral_key(**{"name": "job", "scopes": ["users.read"], **wrong})


class TestLimitVisitors:
    """Limits for each visitor of a server that renders for them."""

    BODY = {"userId": "nobody", "secret": "x"}

    def statuses(self, client: ApiClient, number: int, **headers: str) -> set[int]:
        path = "/account/sessions/token"
        return {client.post(path, self.BODY, **headers).status_code for _ in range(number)}

    def test_each_visitor_has_their_own(self, server: ApiClient, project: Any) -> None:
        project(RATE_LIMITS_ENABLED=True, LIMIT_VISITORS=True)
        ada, bob = ({"X_Forwarded_For": f"203.0.113.{n}"} for n in (1, 2))
        assert self.statuses(server, 10, **ada) == {401}
        assert self.statuses(server, 1, **ada) == {429}
        # What the visitor claims to have been forwarded by changes nothing.
        assert self.statuses(server, 1, X_Forwarded_For="6.6.6.6, 203.0.113.1") == {429}
        assert self.statuses(server, 1, **bob) == {401}
        # The server itself is not limited, nor are others who claim to be forwarded.
        assert self.statuses(server, 12) == {401}
        assert self.statuses(ApiClient(), 1, **ada) == {401}

    def test_nobody_is_limited_otherwise(self, server: ApiClient, project: Any) -> None:
        project(RATE_LIMITS_ENABLED=True)
        assert self.statuses(server, 12, X_Forwarded_For="203.0.113.1") == {401}


class TestForwarded:
    """The visitor's address is the word of a server with a key, and nobody else's."""

    def ip(self, client: ApiClient, forwarded: str) -> str:
        response = client.post("/account/sessions/anonymous", X_Forwarded_For=forwarded)
        assert response.status_code == 201, response.content
        return response.json()["ip"]

    def test_of_a_guest_is_ignored(self, guest: ApiClient) -> None:
        assert self.ip(guest, "203.0.113.9") == "127.0.0.1"

    @pytest.mark.parametrize(
        ("proxies", "forwarded", "ip"),
        [
            (0, "203.0.113.9", "203.0.113.9"),
            (0, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
            (0, "nonsense", "127.0.0.1"),
            # The outermost of our proxies added the server's own address.
            (1, "6.6.6.6, 203.0.113.9, 198.51.100.1", "203.0.113.9"),
            (1, "198.51.100.1", "198.51.100.1"),
        ],
    )
    def test_of_a_server(
        self, server: ApiClient, project: Any, proxies: int, forwarded: str, ip: str
    ) -> None:
        project(TRUSTED_PROXIES=proxies)
        assert self.ip(server, forwarded) == ip
