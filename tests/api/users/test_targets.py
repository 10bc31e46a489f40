"""Targets: other people's, and one's own devices (users.md §3, mfa-oauth.md §7.2)."""

from __future__ import annotations

from typing import Any

import pytest

from django_account.sessions.models import Session
from django_account.targets.models import Target
from tests.api.rows import unchanged
from tests.client import ApiClient, assert_error

Person = dict[str, Any]

PHONE = "Mozilla/5.0 (Linux; Android 13; Pixel 7) Chrome/120.0.0.0 Mobile Safari/537.36"


class TestOfPeople:
    """users.createTarget, listTargets, getTarget, updateTarget, deleteTarget"""

    @pytest.mark.parametrize(
        ("kind", "identifier", "stored"),
        [
            ("push", "a token", "a token"),
            ("EMAIL", "X@example.org", "x@example.org"),
            ("sms", "+33123456789", "+33123456789"),
        ],
    )
    def test_create(
        self, site: ApiClient, person: Person, kind: str, identifier: str, stored: str
    ) -> None:
        body = {"targetId": "t", "providerType": kind, "identifier": identifier, "name": "Phone"}
        response = site.post("/users/eve/targets", {**body, "providerId": "unknown"})
        target = response.json()
        assert response.status_code == 201
        assert (target["$id"], target["userId"], target["name"]) == ("t", "eve", "Phone")
        assert (target["providerType"], target["identifier"]) == (kind.lower(), stored)
        assert target["providerId"] is None
        assert site.get("/users/eve/targets/t").json() == target
        assert target in site.get("/users/eve").json()["targets"]

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"providerType": "fax"}, "general_argument_invalid"),
            ({"identifier": ""}, "general_argument_invalid"),
            ({"identifier": "x" * 256}, "general_argument_invalid"),
            ({"name": ""}, "general_argument_invalid"),
            ({"providerId": ""}, "general_argument_invalid"),
            ({"providerType": "email", "identifier": "x"}, "general_invalid_email"),
            ({"providerType": "sms", "identifier": "x"}, "general_invalid_phone"),
        ],
    )
    def test_wrong(self, site: ApiClient, changed: dict[str, Any], code: str) -> None:
        body = {"targetId": "t", "providerType": "push", "identifier": "x", **changed}
        # Before the person is looked for.
        assert_error(site.post("/users/nobody/targets", body), 400, code)

    @pytest.mark.parametrize("same", [{"targetId": "t"}, {"identifier": "eve@example.org"}])
    def test_taken(self, site: ApiClient, person: Person, same: dict[str, Any]) -> None:
        body = {"targetId": "t", "providerType": "push", "identifier": "x"}
        site.post("/users/eve/targets", body)
        with unchanged():
            response = site.post(
                "/users/eve/targets", {**body, "targetId": "u", "identifier": "y", **same}
            )
        assert_error(response, 409, "user_target_already_exists")

    def test_list(self, site: ApiClient, person: Person) -> None:
        body = site.get("/users/eve/targets").json()
        assert (body["total"], body["targets"]) == (2, person["targets"])
        query = '{"method":"equal","attribute":"providerType","values":["sms"]}'
        body = site.get(f"/users/eve/targets?queries[0]={query}&total=false").json()
        assert (body["total"], body["targets"]) == (0, person["targets"][1:])

    def test_update(self, site: ApiClient, person: Person) -> None:
        path = f"/users/eve/targets/{person['targets'][0]['$id']}"
        Target.objects.update(expired=True)
        assert site.patch(path, {"name": "Mail"}).json()["expired"] is True
        target = site.patch(path, {"identifier": "NEW@example.org"}).json()
        assert (target["identifier"], target["name"], target["expired"]) == (
            "new@example.org",
            "Mail",
            False,
        )
        assert_error(site.patch(path, {"identifier": "x"}), 400, "general_invalid_email")
        assert_error(site.patch(path, {"providerId": "x"}), 404, "provider_not_found")
        site.post("/users", {"userId": "bob", "email": "bob@example.org"})
        response = site.patch(path, {"identifier": "bob@example.org"})
        assert_error(response, 409, "user_target_already_exists")

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    def test_somebody_elses(self, site: ApiClient, person: Person, method: str) -> None:
        site.post("/users", {"userId": "bob"})
        path = f"/users/bob/targets/{person['targets'][0]['$id']}"
        assert_error(site.call(method, path, {"name": "x"}), 404, "user_target_not_found")

    def test_delete(self, site: ApiClient, person: Person) -> None:
        path = f"/users/eve/targets/{person['targets'][0]['$id']}"
        assert site.delete(path).status_code == 204
        assert_error(site.delete(path), 404, "user_target_not_found")


class TestPush:
    """account.createPushTarget, updatePushTarget, deletePushTarget"""

    BODY = {"targetId": "unique()", "identifier": "token", "providerId": "fcm"}

    def test_named_after_the_device(self, ada: ApiClient) -> None:
        response = ada.post("/account/targets/push", self.BODY, User_Agent=PHONE)
        target = response.json()
        assert response.status_code == 201
        assert (target["name"], target["providerId"]) == ("Google Pixel 7", "fcm")
        assert (target["providerType"], target["expired"]) == ("push", False)

    def test_goes_with_its_session(self, ada: ApiClient) -> None:
        ada.post("/account/targets/push", self.BODY)
        assert Target.objects.get(identifier="token").session == Session.objects.get()
        ada.delete("/account/sessions/current")
        assert not Target.objects.filter(identifier="token").exists()

    def test_of_a_jwt_hangs_on_its_session(self, ada_by_jwt: ApiClient) -> None:
        ada_by_jwt.post("/account/targets/push", self.BODY)
        assert Target.objects.get(identifier="token").session == Session.objects.get()

    def test_update(self, ada: ApiClient) -> None:
        target = ada.post("/account/targets/push", self.BODY).json()
        Target.objects.update(expired=True)
        path = f"/account/targets/{target['$id']}/push"
        changed = ada.put(path, {"identifier": "other"}, User_Agent=PHONE).json()
        assert (changed["identifier"], changed["expired"]) == ("other", False)
        assert changed["name"] == "Google Pixel 7"
        response = ada.put(path, {"identifier": "ada@example.org"})
        assert_error(response, 409, "user_target_already_exists")

    def test_delete(self, ada: ApiClient) -> None:
        target = ada.post("/account/targets/push", self.BODY).json()
        path = f"/account/targets/{target['$id']}/push"
        assert ada.delete(path).status_code == 204
        assert_error(ada.delete(path), 404, "user_target_not_found")

    @pytest.mark.parametrize("method", ["PUT", "DELETE"])
    def test_only_ones_own_devices(self, ada: ApiClient, site: ApiClient, method: str) -> None:
        site.post("/users", {"userId": "bob"})
        body = {"targetId": "bobs", "providerType": "push", "identifier": "x"}
        site.post("/users/bob/targets", body)
        mail = ada.account["targets"][0]["$id"]
        for target in ("bobs", mail, "unknown"):
            path = f"/account/targets/{target}/push"
            with unchanged():
                response = ada.call(method, path, {"identifier": "y"})
            assert_error(response, 404, "user_target_not_found")

    @pytest.mark.parametrize("same", [{"targetId": "t"}, {"identifier": "ada@example.org"}])
    def test_taken(self, ada: ApiClient, same: dict[str, Any]) -> None:
        ada.post("/account/targets/push", {"targetId": "t", "identifier": "x"})
        response = ada.post("/account/targets/push", {**self.BODY, **same})
        assert_error(response, 409, "user_target_already_exists")

    def test_callers(self, guest: ApiClient, site: ApiClient) -> None:
        for method, path in (
            ("POST", "/account/targets/push"),
            ("PUT", "/account/targets/t/push"),
            ("DELETE", "/account/targets/t/push"),
        ):
            body = {**self.BODY, "targetId": "t"}
            assert_error(guest.call(method, path, body), 401, "general_unauthorized_scope")
            assert_error(site.call(method, path, body), 401, "user_unauthorized")
