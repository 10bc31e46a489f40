"""Other people's second factors (users.md §3)."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import get_user_model

from django_account.accounts.models import Account
from django_account.mfa.models import Authenticator
from tests.client import ApiClient, assert_error
from tests.mfa.people import messages

Person = dict[str, Any]


class TestFlag:
    """users.updateMFA, updateEmailVerification"""

    def test_off_is_told_by_mail(self, site: ApiClient, ada: ApiClient) -> None:
        path = f"/users/{ada.account['$id']}/mfa"
        with messages() as sent:
            for mfa in (True, False, False):
                assert site.patch(path, {"mfa": mfa}).status_code == 200
        assert [(each.kind, each.recipient) for each in sent] == [
            ("mfa-removed", "ada@example.org")
        ]

    def test_an_address_that_is_no_factor_any_more(self, site: ApiClient, ada: ApiClient) -> None:
        path = f"/users/{ada.account['$id']}"
        site.patch(f"{path}/verification", {"emailVerification": True})
        ada.patch("/account/mfa", {"mfa": True})
        with messages() as sent:
            site.patch(f"{path}/verification", {"emailVerification": False})
        assert [each.kind for each in sent] == ["mfa-removed"]
        assert ada.get("/account/sessions/current").json()["factors"] == ["password"]


class TestFactors:
    """users.listMFAFactors"""

    def test_what_is_verified(self, site: ApiClient, person: Person) -> None:
        nothing = dict.fromkeys(["totp", "phone", "email", "recoveryCode", "custom"], False)
        assert site.get("/users/eve/mfa/factors").json() == nothing
        site.patch("/users/eve/verification", {"emailVerification": True})
        site.patch("/users/eve/mfa/recovery-codes")
        assert site.get("/users/eve/mfa/factors").json() == {**nothing, "email": True}

    def test_unknown_person(self, site: ApiClient) -> None:
        assert_error(site.get("/users/nobody/mfa/factors"), 404, "user_not_found")


class TestRecoveryCodes:
    """users.createMFARecoveryCodes, updateMFARecoveryCodes, getMFARecoveryCodes"""

    PATH = "/users/eve/mfa/recovery-codes"

    def test_made_read_and_made_anew(self, site: ApiClient, person: Person) -> None:
        for method in ("GET", "PUT"):
            response = site.call(method, self.PATH)
            assert_error(response, 404, "user_recovery_codes_not_found")
        response = site.patch(self.PATH)
        codes = response.json()["recoveryCodes"]
        assert (response.status_code, len(codes)) == (200, 6)
        assert all(re.fullmatch("[0-9a-f]{10}", code) for code in codes)
        for _ in range(2):
            assert site.get(self.PATH).json() == {"recoveryCodes": codes}
        assert_error(site.patch(self.PATH), 409, "user_recovery_codes_already_exists")
        renewed = site.put(self.PATH).json()["recoveryCodes"]
        assert not set(codes) & set(renewed)

    def test_not_for_impersonators(self, site: ApiClient, ada: ApiClient, person: Person) -> None:
        site.patch(self.PATH)
        Account.objects.update(impersonator=True)
        assert ada.get("/users/eve").status_code == 200
        assert_error(ada.get(self.PATH), 401, "general_unauthorized_scope")
        response = ada.get("/users/eve/mfa/challenges/any")
        assert_error(response, 401, "general_unauthorized_scope")


class TestChallenge:
    """users.getMFAChallenge"""

    def test_unknown_or_of_another_kind(self, site: ApiClient, ada: ApiClient) -> None:
        user_id = ada.account["$id"]
        site.patch(f"/users/{user_id}/verification", {"emailVerification": True})
        mailed = ada.post("/account/mfa/challenges", {"factor": "email"}).json()["$id"]
        for challenge in (mailed, "unknown", "x" * 256):
            response = site.get(f"/users/{user_id}/mfa/challenges/{challenge}")
            assert_error(response, 401, "user_invalid_token")
        assert_error(site.get("/users/nobody/mfa/challenges/x"), 404, "user_not_found")


class TestDeleteAuthenticator:
    """users.deleteMFAAuthenticator"""

    def test_leaves_the_flag(self, site: ApiClient, ada: ApiClient) -> None:
        path = f"/users/{ada.account['$id']}/mfa"
        ada.post("/account/mfa/authenticators/totp")
        Authenticator.objects.update(confirmed=True)
        site.patch(path, {"mfa": True})
        assert site.delete(f"{path}/authenticators/TOTP").status_code == 204
        assert not Authenticator.objects.filter(user=get_user_model().objects.get()).exists()
        assert Account.objects.get().mfa_enabled
        response = site.delete(f"{path}/authenticators/totp")
        assert_error(response, 404, "user_authenticator_not_found")
        response = site.delete(f"{path}/authenticators/webauthn")
        assert_error(response, 400, "general_argument_invalid")
