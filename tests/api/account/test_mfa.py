"""Second factors over HTTP: one class per SDK method (mfa-oauth.md §8 and §15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.contrib.auth import get_user_model

from django_account.accounts.models import Account
from django_account.core.messages import Message
from django_account.mfa.models import Authenticator, Challenge, GuessCount, RecoveryCode
from django_account.sessions.models import Session
from tests.client import PASSWORD, ApiClient, assert_error
from tests.mfa.people import (
    Clock,
    answer,
    begin,
    code,
    enrol,
    messages,
    prove,
    stopped_clock,
    wrong,
)

Project = Callable[..., None]
Edit = Callable[..., None]

PHONE = "+16308520394"
TOTP = "/account/mfa/authenticators/totp"
CODES = "/account/mfa/recovery-codes"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    with stopped_clock() as clock:
        yield clock


@pytest.fixture
def sent() -> Iterator[list[Message]]:
    with messages() as sent:
        yield sent


@pytest.fixture
def verified(ada: ApiClient, edit: Edit) -> ApiClient:
    """Ada, with a verified e-mail address and phone number."""
    edit(email_verified=True, phone=PHONE, phone_verified=True)
    return ada


@pytest.fixture
def secret(ada: ApiClient, clock: Clock) -> str:
    """Of Ada's authenticator, verified in her session; the clock is a step further."""
    secret = enrol(ada)
    clock.forward()
    return secret


@pytest.fixture
def half(ada: ApiClient, secret: str) -> ApiClient:
    """Ada on another device, who owes a second factor there."""
    ada.patch("/account/mfa", {"mfa": True})
    client = ApiClient()
    assert client.sign_in()["factors"] == ["password"]
    return client


def fresh(client: ApiClient) -> None:
    """Have the session complete a challenge, with a recovery code."""
    codes = client.post(CODES).json()["recoveryCodes"]
    prove(client, "recoveryCode", codes[0])


class TestUpdateMFA:
    @pytest.mark.parametrize("enabled", [True, False])
    def test_sets_the_flag(self, ada: ApiClient, enabled: bool) -> None:
        response = ada.patch("/account/mfa", {"mfa": enabled})
        assert response.status_code == 200
        assert response.json()["mfa"] is enabled
        assert ada.get("/account").json()["mfa"] is enabled

    def test_without_any_factor_nobody_is_gated(self, ada: ApiClient) -> None:
        ada.patch("/account/mfa", {"mfa": True})
        other = ApiClient()
        other.sign_in()
        assert other.get("/account").status_code == 200

    def test_adds_what_is_verified_to_the_current_session(
        self, verified: ApiClient, secret: str
    ) -> None:
        verified.patch("/account/mfa", {"mfa": True})
        session = verified.get("/account/sessions/current").json()
        assert session["factors"] == ["password", "totp", "email", "phone"]
        assert session["mfaUpdatedAt"] == ""

    def test_what_is_switched_off_is_not_added(self, verified: ApiClient, project: Project) -> None:
        project(MFA_FACTORS={"phone": False})
        verified.patch("/account/mfa", {"mfa": True})
        session = verified.get("/account/sessions/current").json()
        assert session["factors"] == ["password", "email"]

    def test_other_sessions_owe_a_factor_at_once(self, verified: ApiClient) -> None:
        other = ApiClient()
        other.sign_in()
        verified.patch("/account/mfa", {"mfa": True})
        assert_error(other.get("/account"), 401, "user_more_factors_required")

    def test_off_again_gates_nobody(self, ada: ApiClient, half: ApiClient) -> None:
        ada.patch("/account/mfa", {"mfa": False})
        assert half.get("/account").status_code == 200

    def test_off_is_told_by_mail(self, ada: ApiClient, sent: list[Message]) -> None:
        ada.patch("/account/mfa", {"mfa": True})
        assert sent == []
        ada.patch("/account/mfa", {"mfa": False}, X_Appwrite_Locale="de")
        (message,) = sent
        told = (message.kind, message.recipient, message.locale)
        assert told == ("mfa-removed", "ada@example.org", "de")
        ada.patch("/account/mfa", {"mfa": False})
        assert len(sent) == 1

    def test_off_needs_no_fresh_proof(self, ada: ApiClient, secret: str) -> None:
        ada.patch("/account/mfa", {"mfa": True})
        assert ada.patch("/account/mfa", {"mfa": False}).status_code == 200

    def test_off_needs_a_fresh_proof_where_the_site_wants_it(
        self, ada: ApiClient, secret: str, project: Project
    ) -> None:
        project(MFA_REQUIRE_FRESH_PROOF=True)
        ada.patch("/account/mfa", {"mfa": True})
        response = ada.patch("/account/mfa", {"mfa": False})
        assert_error(response, 401, "user_challenge_required")
        prove(ada, "totp", code(secret))
        assert ada.patch("/account/mfa", {"mfa": False}).status_code == 200

    def test_who_has_no_factor_needs_no_proof(self, ada: ApiClient, project: Project) -> None:
        project(MFA_REQUIRE_FRESH_PROOF=True)
        ada.patch("/account/mfa", {"mfa": True})
        assert ada.patch("/account/mfa", {"mfa": False}).status_code == 200

    @pytest.mark.parametrize("mfa", ["true", 1, None, [], {}])
    def test_not_a_boolean(self, ada: ApiClient, mfa: Any) -> None:
        assert_error(ada.patch("/account/mfa", {"mfa": mfa}), 400, "general_argument_invalid")

    def test_guest(self, guest: ApiClient) -> None:
        response = guest.patch("/account/mfa", {"mfa": True})
        assert_error(response, 401, "general_unauthorized_scope")

    def test_key(self, server: ApiClient) -> None:
        response = server.patch("/account/mfa", {"mfa": True})
        assert_error(response, 401, "general_unauthorized_scope")

    def test_by_jwt_the_session_behind_it_is_extended(self, verified: ApiClient) -> None:
        jwt = ApiClient(jwt=verified.post("/account/jwts").json()["jwt"])
        assert jwt.patch("/account/mfa", {"mfa": True}).status_code == 200
        assert jwt.get("/account").status_code == 200
        session = verified.get("/account/sessions/current").json()
        assert session["factors"] == ["password", "email", "phone"]


class TestListMFAFactors:
    def test_nothing_at_first(self, ada: ApiClient) -> None:
        response = ada.get("/account/mfa/factors")
        assert response.status_code == 200
        assert response.json() == {
            "totp": False,
            "phone": False,
            "email": False,
            "recoveryCode": False,
            "custom": False,
        }
        assert list(response.json()) == ["totp", "phone", "email", "recoveryCode", "custom"]

    def test_everything(self, verified: ApiClient, secret: str, project: Project) -> None:
        project(MFA_FACTORS={"custom": True})
        verified.post(CODES)
        assert set(verified.get("/account/mfa/factors").json().values()) == {True}

    def test_an_unverified_authenticator_is_none(self, ada: ApiClient) -> None:
        ada.post(TOTP)
        assert ada.get("/account/mfa/factors").json()["totp"] is False

    @pytest.mark.parametrize("factor", ["totp", "phone", "email"])
    def test_switched_off(
        self, verified: ApiClient, secret: str, project: Project, factor: str
    ) -> None:
        project(MFA_FACTORS={factor: False})
        assert verified.get("/account/mfa/factors").json()[factor] is False

    def test_recovery_codes_cannot_be_switched_off(self, ada: ApiClient, project: Project) -> None:
        project(MFA_FACTORS={"recoveryCode": False})
        ada.post(CODES)
        assert ada.get("/account/mfa/factors").json()["recoveryCode"] is True

    def test_half_signed_in(self, half: ApiClient) -> None:
        assert half.get("/account/mfa/factors").json()["totp"] is True

    def test_a_factor_that_would_add_nothing_is_not_offered(
        self, verified: ApiClient, edit: Edit, secret: str
    ) -> None:
        """A session that began with a code by e-mail has proven the address."""
        edit(mfa_enabled=True)
        Session.objects.update(factors=["email"])
        factors = verified.get("/account/mfa/factors").json()
        assert (factors["email"], factors["totp"]) == (False, True)
        Session.objects.update(factors=["email", "totp"])
        assert verified.get("/account/mfa/factors").json()["email"] is True

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(guest.get("/account/mfa/factors"), 401, "general_unauthorized_scope")


class TestCreateMFAAuthenticator:
    def test_gives_a_secret_and_a_uri(self, ada: ApiClient) -> None:
        response = ada.post(TOTP)
        assert response.status_code == 200
        body = response.json()
        assert list(body) == ["secret", "uri"]
        assert len(body["secret"]) == 32
        assert body["uri"] == (
            f"otpauth://totp/demo%3Aada%40example.org?issuer=demo&secret={body['secret']}"
        )

    @pytest.mark.parametrize(
        ("values", "label"),
        [
            ({"email": "x:y@example.org"}, "xy@example.org"),
            ({"email": None, "phone": PHONE, "name": "Ada"}, PHONE),
            ({"email": None, "name": "Ada: L"}, "Ada L"),
        ],
    )
    def test_label(self, ada: ApiClient, project: Project, values: Any, label: str) -> None:
        project(PROJECT_NAME="My: Shop & Co")
        Account.objects.update(**values)
        uri = ada.post(TOTP).json()["uri"]
        assert "+" not in uri
        assert " " not in uri
        parts = urlsplit(uri)
        assert unquote(parts.path) == f"/My Shop & Co:{label}"
        assert parse_qs(parts.query)["issuer"] == ["My Shop & Co"]
        assert list(parse_qs(parts.query)) == ["issuer", "secret"]

    def test_label_of_an_anonymous_account(self, guest: ApiClient) -> None:
        user_id = guest.post("/account/sessions/anonymous").json()["userId"]
        assert f"demo%3A{user_id}?" in guest.post(TOTP).json()["uri"]

    def test_an_unverified_one_is_replaced(self, ada: ApiClient) -> None:
        first, second = (ada.post(TOTP).json()["secret"] for _ in range(2))
        assert_error(ada.put(TOTP, {"otp": code(first)}), 401, "user_invalid_token")
        assert ada.put(TOTP, {"otp": code(second)}).status_code == 200
        assert Authenticator.objects.count() == 1

    def test_a_verified_one_is_kept(self, ada: ApiClient, secret: str) -> None:
        assert_error(ada.post(TOTP), 409, "user_authenticator_already_verified")
        prove(ada, "totp", code(secret))

    def test_type_in_another_case(self, ada: ApiClient) -> None:
        assert ada.post("/account/mfa/authenticators/TOTP").status_code == 200

    @pytest.mark.parametrize("method", ["post", "put"])
    def test_unknown_type(self, ada: ApiClient, method: str) -> None:
        response = getattr(ada, method)("/account/mfa/authenticators/webauthn", {"otp": "1"})
        body = assert_error(response, 400, "general_argument_invalid")
        assert "Value must be one of (totp)" in body["message"]

    def test_an_unverified_one_gates_nobody(self, ada: ApiClient) -> None:
        ada.patch("/account/mfa", {"mfa": True})
        ada.post(TOTP)
        other = ApiClient()
        other.sign_in()
        assert other.get("/account").status_code == 200

    def test_half_signed_in(self, half: ApiClient) -> None:
        assert_error(half.post(TOTP), 401, "user_more_factors_required")

    def test_guest(self, guest: ApiClient) -> None:
        assert_error(guest.post(TOTP), 401, "general_unauthorized_scope")

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        secret = ada_by_jwt.post(TOTP).json()["secret"]
        response = ada_by_jwt.put(TOTP, {"otp": code(secret)})
        assert response.status_code == 200
        assert Session.objects.get().factors == ["password", "totp"]


class TestUpdateMFAAuthenticator:
    def test_verifies(self, ada: ApiClient) -> None:
        secret = ada.post(TOTP).json()["secret"]
        response = ada.put(TOTP, {"otp": code(secret)})
        assert response.status_code == 200
        assert response.json()["$id"] == ada.account["$id"]
        assert response.json()["mfa"] is False
        assert ada.get("/account/mfa/factors").json()["totp"] is True

    def test_the_session_has_proven_it_and_is_not_fresh(self, ada: ApiClient, secret: str) -> None:
        session = ada.get("/account/sessions/current").json()
        assert (session["factors"], session["mfaUpdatedAt"]) == (["password", "totp"], "")

    def test_wrong_code(self, ada: ApiClient) -> None:
        secret = ada.post(TOTP).json()["secret"]
        response = ada.put(TOTP, {"otp": wrong(code(secret))})
        assert_error(response, 401, "user_invalid_token")
        assert ada.get("/account/mfa/factors").json()["totp"] is False
        assert ada.put(TOTP, {"otp": code(secret)}).status_code == 200

    def test_none(self, ada: ApiClient) -> None:
        assert_error(ada.put(TOTP, {"otp": "123456"}), 404, "user_authenticator_not_found")

    def test_verified_already(self, ada: ApiClient, secret: str) -> None:
        response = ada.put(TOTP, {"otp": code(secret)})
        assert_error(response, 409, "user_authenticator_already_verified")

    @pytest.mark.parametrize("otp", ["", "1" * 257, 123456, None])
    def test_no_text(self, ada: ApiClient, otp: Any) -> None:
        ada.post(TOTP)
        assert_error(ada.put(TOTP, {"otp": otp}), 400, "general_argument_invalid")

    @pytest.mark.parametrize(
        "otp", ["x", "1234567", "\uff11\uff12\uff13\uff14\uff15\uff16", "12345é", "0" * 256]
    )
    def test_other_text_is_a_wrong_code(self, ada: ApiClient, otp: str) -> None:
        ada.post(TOTP)
        assert_error(ada.put(TOTP, {"otp": otp}), 401, "user_invalid_token")

    def test_ten_wrong_codes_in_an_hour(self, ada: ApiClient, clock: Clock) -> None:
        secret = ada.post(TOTP).json()["secret"]
        for _ in range(10):
            ada.put(TOTP, {"otp": wrong(code(secret))})
        response = ada.put(TOTP, {"otp": code(secret)})
        assert_error(response, 429, "general_rate_limit_exceeded")
        clock.forward(timedelta(hours=1))
        assert ada.put(TOTP, {"otp": code(secret)}).status_code == 200


class TestDeleteMFAAuthenticator:
    def test_needs_a_fresh_proof(self, ada: ApiClient, secret: str) -> None:
        assert_error(ada.delete(TOTP), 401, "user_challenge_required")
        prove(ada, "totp", code(secret))
        assert ada.delete(TOTP).status_code == 204
        assert_error(ada.delete(TOTP), 404, "user_authenticator_not_found")
        assert ada.get("/account/mfa/factors").json()["totp"] is False

    def test_the_proof_of_other_sessions_goes_with_it(
        self, ada: ApiClient, half: ApiClient, secret: str, clock: Clock
    ) -> None:
        prove(half, "totp", code(secret))
        clock.forward()
        prove(ada, "totp", code(secret))
        ada.delete(TOTP)
        assert_error(half.patch(CODES), 401, "user_challenge_required")

    def test_a_stale_proof_is_none(self, ada: ApiClient, secret: str, clock: Clock) -> None:
        prove(ada, "totp", code(secret))
        clock.forward(timedelta(seconds=1800))
        assert ada.patch(CODES).status_code == 404
        clock.forward(timedelta(seconds=1))
        assert_error(ada.delete(TOTP), 401, "user_challenge_required")

    def test_the_proof_comes_before_the_parameters(self, ada: ApiClient) -> None:
        response = ada.delete("/account/mfa/authenticators/nope")
        assert_error(response, 401, "user_challenge_required")

    def test_unverified_one_with_another_proof(self, ada: ApiClient, sent: list[Message]) -> None:
        ada.post(TOTP)
        fresh(ada)
        assert ada.delete(TOTP, {"otp": "ignored"}).status_code == 204
        assert sent == []

    def test_is_told_by_mail(self, ada: ApiClient, secret: str, sent: list[Message]) -> None:
        prove(ada, "totp", code(secret))
        ada.delete(TOTP)
        assert [message.kind for message in sent] == ["mfa-removed"]

    def test_the_last_factor_leaves_no_claim(
        self, ada: ApiClient, half: ApiClient, secret: str, clock: Clock
    ) -> None:
        prove(half, "totp", code(secret))
        assert half.delete(TOTP).status_code == 204
        assert {tuple(session.factors) for session in Session.objects.all()} == {("password",)}
        assert half.get("/account").status_code == 200
        assert ada.get("/account").status_code == 200
        # A new one is for every other session to prove.
        clock.forward()
        enrol(half)
        assert_error(ada.get("/account"), 401, "user_more_factors_required")

    def test_with_another_factor_the_own_session_goes_on(
        self, verified: ApiClient, half: ApiClient, secret: str
    ) -> None:
        prove(half, "totp", code(secret))
        assert half.delete(TOTP).status_code == 204
        assert half.get("/account").status_code == 200
        # That of another device has to prove what is left.
        assert verified.get("/account/sessions/current").json()["factors"] == [
            "password",
            "email",
            "phone",
        ]

    def test_outstanding_challenges_die_with_it(
        self, ada: ApiClient, half: ApiClient, secret: str, clock: Clock
    ) -> None:
        challenge = begin(half, "totp")
        prove(ada, "totp", code(secret))
        ada.delete(TOTP)
        clock.forward()
        assert_error(answer(half, challenge, code(secret)), 401, "user_invalid_token")


class TestMFARecoveryCodes:
    def test_create(self, ada: ApiClient) -> None:
        response = ada.post(CODES)
        assert response.status_code == 201
        codes = response.json()["recoveryCodes"]
        assert list(response.json()) == ["recoveryCodes"]
        assert len(set(codes)) == 6
        assert all(len(each) == 10 and int(each, 16) >= 0 for each in codes)

    def test_create_twice(self, ada: ApiClient) -> None:
        ada.post(CODES)
        assert_error(ada.post(CODES), 409, "user_recovery_codes_already_exists")

    def test_create_when_all_are_used(self, ada: ApiClient) -> None:
        for each in ada.post(CODES).json()["recoveryCodes"]:
            prove(ada, "recoveryCode", each)
        assert_error(ada.get(CODES), 404, "user_recovery_codes_not_found")
        assert ada.get("/account/mfa/factors").json()["recoveryCode"] is False
        assert ada.post(CODES).status_code == 201

    @pytest.mark.parametrize("method", ["get", "patch"])
    def test_read_and_renew_need_a_fresh_proof(self, ada: ApiClient, method: str) -> None:
        ada.post(CODES)
        assert_error(getattr(ada, method)(CODES), 401, "user_challenge_required")

    def test_get(self, ada: ApiClient) -> None:
        codes = ada.post(CODES).json()["recoveryCodes"]
        prove(ada, "recoveryCode", codes[2])
        response = ada.get(CODES)
        assert response.status_code == 200
        assert response.json()["recoveryCodes"] == codes[:2] + codes[3:]

    def test_update(self, ada: ApiClient) -> None:
        codes = ada.post(CODES).json()["recoveryCodes"]
        prove(ada, "recoveryCode", codes[0])
        response = ada.patch(CODES)
        assert response.status_code == 200
        assert len(set(response.json()["recoveryCodes"]) | set(codes)) == 12
        assert ada.get(CODES).json() == response.json()
        challenge = begin(ada, "recoveryCode")
        assert_error(answer(ada, challenge, codes[1]), 401, "user_invalid_token")

    @pytest.mark.parametrize("method", ["get", "patch"])
    def test_none(self, ada: ApiClient, method: str, edit: Edit, clock: Clock) -> None:
        fresh(ada)
        RecoveryCode.objects.all().delete()
        assert_error(getattr(ada, method)(CODES), 404, "user_recovery_codes_not_found")

    @pytest.mark.parametrize("method", ["get", "post", "patch"])
    def test_half_signed_in(self, half: ApiClient, method: str) -> None:
        assert_error(getattr(half, method)(CODES), 401, "user_more_factors_required")

    @pytest.mark.parametrize("method", ["get", "post", "patch"])
    def test_guest(self, guest: ApiClient, method: str) -> None:
        assert_error(getattr(guest, method)(CODES), 401, "general_unauthorized_scope")

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert_error(ada_by_jwt.get(CODES), 401, "user_challenge_required")
        fresh(ada_by_jwt)
        assert len(ada_by_jwt.get(CODES).json()["recoveryCodes"]) == 5


class TestCreateMFAChallenge:
    @pytest.mark.parametrize("path", ["challenges", "challenge"])
    @pytest.mark.parametrize(
        "factor", ["totp", "TOTP", "recoverycode", "recoveryCode", "email", "Email", "phone"]
    )
    def test_answers_with_neither_factor_nor_code(
        self, verified: ApiClient, secret: str, path: str, factor: str
    ) -> None:
        response = verified.post(f"/account/mfa/{path}", {"factor": factor})
        assert response.status_code == 201
        body = response.json()
        assert list(body) == ["$id", "$createdAt", "userId", "expire"]
        assert body["userId"] == verified.account["$id"]
        assert body["$createdAt"] == "2026-03-04T05:06:30.000+00:00"
        assert body["expire"] == "2026-03-04T05:21:30.000+00:00"

    def test_lives_as_long_as_the_site_says(self, ada: ApiClient, project: Project) -> None:
        project(MFA_CHALLENGE_DURATION=3600)
        body = ada.post("/account/mfa/challenges", {"factor": "recoveryCode"}).json()
        assert body["expire"] == "2026-03-04T06:06:00.000+00:00"

    @pytest.mark.parametrize("factor", ["sms", "", None, 1, ["totp"], "totp "])
    def test_unknown_factor(self, ada: ApiClient, factor: Any) -> None:
        response = ada.post("/account/mfa/challenges", {"factor": factor})
        assert_error(response, 400, "general_argument_invalid")

    @pytest.mark.parametrize("factor", ["totp", "email", "phone", "custom"])
    def test_switched_off(
        self, verified: ApiClient, secret: str, project: Project, factor: str
    ) -> None:
        project(MFA_FACTORS={factor: False})
        response = verified.post("/account/mfa/challenges", {"factor": factor})
        body = assert_error(response, 501, "user_auth_method_unsupported")
        assert body["message"] == "The requested factor is disabled by the MFA factors policy"

    def test_totp_without_an_authenticator(self, ada: ApiClient) -> None:
        ada.post(TOTP)
        response = ada.post("/account/mfa/challenges", {"factor": "totp"})
        assert_error(response, 404, "user_authenticator_not_found")

    @pytest.mark.parametrize(
        ("factor", "values", "code"),
        [
            ("email", {"email": None}, "user_email_not_found"),
            ("email", {}, "user_email_not_verified"),
            ("phone", {}, "user_phone_not_found"),
            ("phone", {"phone": PHONE}, "user_phone_not_verified"),
        ],
    )
    def test_an_address_that_is_not_there_or_not_verified(
        self, ada: ApiClient, factor: str, values: Any, code: str
    ) -> None:
        if values:
            Account.objects.update(**values)
        assert_error(ada.post("/account/mfa/challenges", {"factor": factor}), 400, code)
        assert not Challenge.objects.exists()

    def test_no_mail_here(self, verified: ApiClient, settings: Any) -> None:
        dummy = "django.core.mail.backends.dummy.EmailBackend"
        if hasattr(settings, "MAILERS"):
            settings.MAILERS = {"default": {"BACKEND": dummy}}
        else:
            settings.EMAIL_BACKEND = dummy
        response = verified.post("/account/mfa/challenges", {"factor": "email"})
        assert_error(response, 503, "general_smtp_disabled")

    def test_no_sms_here(self, verified: ApiClient, project: Project) -> None:
        project(SMS_BACKEND="django_account.notifications.sms.dummy.SMSBackend")
        response = verified.post("/account/mfa/challenges", {"factor": "phone"})
        assert_error(response, 503, "general_phone_disabled")

    def test_email(self, verified: ApiClient, sent: list[Message]) -> None:
        verified.post("/account/mfa/challenges", {"factor": "email"}, X_Appwrite_Locale="fr")
        (message,) = sent
        assert (message.kind, message.channel) == ("mfa-challenge", "email")
        assert (message.recipient, message.locale) == ("ada@example.org", "fr")
        assert len(message.code) == 6
        assert message.code.isdecimal()

    def test_phone(self, verified: ApiClient, sent: list[Message]) -> None:
        begin(verified, "phone")
        (message,) = sent
        assert (message.channel, message.recipient) == ("sms", PHONE)
        assert len(message.code) == 6

    def test_mock_number(self, verified: ApiClient, sent: list[Message], project: Project) -> None:
        project(MOCK_NUMBERS={PHONE: "424242"})
        prove(verified, "phone", "424242")
        assert sent == []

    def test_custom_is_off_at_first(self, ada: ApiClient) -> None:
        response = ada.post("/account/mfa/challenges", {"factor": "custom"})
        assert_error(response, 501, "user_auth_method_unsupported")

    def test_guest(self, guest: ApiClient) -> None:
        response = guest.post("/account/mfa/challenges", {"factor": "totp"})
        assert_error(response, 401, "general_unauthorized_scope")


class TestUpdateMFAChallenge:
    @pytest.mark.parametrize("path", ["challenges", "challenge"])
    def test_completes_the_sign_in(
        self, half: ApiClient, secret: str, path: str, clock: Clock
    ) -> None:
        before = half.credential
        challenge = begin(half, "totp", path)
        response = answer(half, challenge, code(secret), path)
        assert response.status_code == 200
        session = response.json()
        assert session["factors"] == ["password", "totp"]
        assert session["mfaUpdatedAt"] == "2026-03-04T05:06:30.000+00:00"
        assert (session["secret"], session["current"]) == ("", True)
        assert session["countryName"]
        assert not response.cookies
        assert half.credential == before
        assert half.get("/account").status_code == 200

    @pytest.mark.parametrize("factor", ["email", "phone"])
    def test_by_message(
        self, verified: ApiClient, half: ApiClient, sent: list[Message], factor: str
    ) -> None:
        challenge = begin(half, factor)
        response = answer(half, challenge, sent[0].code)
        assert response.json()["factors"] == ["password", factor]
        assert half.get("/account").status_code == 200

    def test_by_recovery_code(self, ada: ApiClient, half: ApiClient) -> None:
        codes = ada.post(CODES).json()["recoveryCodes"]
        session = prove(half, "recoverycode", codes[0])
        assert session["factors"] == ["password", "recoveryCode"]
        challenge = begin(half, "recoveryCode", "challenge")
        for used in (codes[0], "nonsense", codes[1].upper() + "x", f" {codes[1]}"):
            assert_error(answer(half, challenge, used), 401, "user_invalid_token")
        assert answer(half, challenge, codes[1]).status_code == 200

    def test_recovery_code_that_nobody_has(self, ada: ApiClient) -> None:
        challenge = begin(ada, "recoveryCode")
        assert_error(answer(ada, challenge, "0123456789"), 401, "user_invalid_token")

    def test_custom(self, ada: ApiClient, project: Project) -> None:
        project(MFA_FACTORS={"custom": True})
        assert ada.get("/account/mfa/factors").json()["custom"] is True
        challenge = begin(ada, "custom")
        right = Challenge.objects.get().code
        assert_error(answer(ada, challenge, wrong(right)), 401, "user_invalid_token")
        assert answer(ada, challenge, right).json()["factors"] == ["password", "custom"]
        assert_error(answer(ada, challenge, right), 401, "user_invalid_token")

    def test_the_other_sessions_owe_it_still(self, half: ApiClient, secret: str) -> None:
        third = ApiClient()
        third.sign_in()
        prove(half, "totp", code(secret))
        assert_error(third.get("/account"), 401, "user_more_factors_required")

    def test_twice_adds_nothing_and_is_fresh_again(
        self, half: ApiClient, secret: str, clock: Clock
    ) -> None:
        prove(half, "totp", code(secret))
        clock.forward()
        session = prove(half, "totp", code(secret))
        assert session["factors"] == ["password", "totp"]
        assert session["mfaUpdatedAt"] == "2026-03-04T05:07:00.000+00:00"

    def test_wrong_code_then_the_right_one(self, half: ApiClient, secret: str) -> None:
        challenge = begin(half, "totp")
        response = answer(half, challenge, wrong(code(secret)))
        assert_error(response, 401, "user_invalid_token")
        assert_error(half.get("/account"), 401, "user_more_factors_required")
        assert answer(half, challenge, code(secret)).status_code == 200

    def test_second_use(self, half: ApiClient, secret: str, clock: Clock) -> None:
        challenge = begin(half, "totp")
        answer(half, challenge, code(secret))
        clock.forward()
        assert_error(answer(half, challenge, code(secret)), 401, "user_invalid_token")

    def test_one_step_is_good_for_one_challenge(self, half: ApiClient, secret: str) -> None:
        prove(half, "totp", code(secret))
        challenge = begin(half, "totp")
        assert_error(answer(half, challenge, code(secret)), 401, "user_invalid_token")

    @pytest.mark.parametrize("challenge", ["nope", "6630e1f0a1b2c3d4e5f6", "x" * 256, "é"])
    def test_unknown_challenge(self, half: ApiClient, challenge: str) -> None:
        assert_error(answer(half, challenge, "123456"), 401, "user_invalid_token")

    def test_expired(self, half: ApiClient, secret: str, clock: Clock) -> None:
        challenge = begin(half, "totp")
        clock.forward(15 * MINUTE + timedelta(milliseconds=1))
        assert_error(answer(half, challenge, code(secret)), 401, "user_invalid_token")

    def test_in_its_last_moment(self, half: ApiClient, secret: str, clock: Clock) -> None:
        challenge = begin(half, "totp")
        clock.forward(15 * MINUTE)
        assert answer(half, challenge, code(secret)).status_code == 200

    def test_somebody_elses(self, half: ApiClient, bob: ApiClient, secret: str) -> None:
        challenge = begin(half, "totp")
        assert_error(answer(bob, challenge, code(secret)), 401, "user_invalid_token")

    def test_another_session_of_the_same_person(
        self, ada: ApiClient, half: ApiClient, secret: str
    ) -> None:
        challenge = begin(half, "totp")
        assert_error(answer(ada, challenge, code(secret)), 401, "user_invalid_token")
        assert answer(half, challenge, code(secret)).status_code == 200

    def test_dies_of_five_wrong_codes(self, half: ApiClient, secret: str) -> None:
        challenge = begin(half, "totp")
        for _ in range(5):
            answer(half, challenge, wrong(code(secret)))
        assert_error(answer(half, challenge, code(secret)), 401, "user_invalid_token")
        assert half.get("/account/mfa/factors").status_code == 200
        prove(half, "totp", code(secret))

    def test_ten_wrong_codes_in_an_hour(
        self, half: ApiClient, secret: str, clock: Clock, bob: ApiClient
    ) -> None:
        for _ in range(2):
            challenge = begin(half, "totp")
            for _ in range(5):
                answer(half, challenge, wrong(code(secret)))
        challenge = begin(half, "totp")
        response = answer(half, challenge, code(secret))
        assert_error(response, 429, "general_rate_limit_exceeded")
        assert 0 < int(response["Retry-After"]) <= 3600
        # Nobody else's business.
        fresh(bob)
        clock.forward(timedelta(hours=1))
        prove(half, "totp", code(secret))

    def test_the_cap_is_the_sites(self, half: ApiClient, secret: str, project: Project) -> None:
        project(MFA_WRONG_ANSWERS=1)
        challenge = begin(half, "totp")
        answer(half, challenge, wrong(code(secret)))
        response = answer(half, challenge, code(secret))
        assert_error(response, 429, "general_rate_limit_exceeded")

    def test_right_codes_are_not_counted(self, half: ApiClient, secret: str, clock: Clock) -> None:
        for _ in range(12):
            prove(half, "totp", code(secret))
            clock.forward()
        assert GuessCount.objects.get().count == 0

    def test_switched_off_in_between(self, half: ApiClient, secret: str, project: Project) -> None:
        challenge = begin(half, "totp")
        project(MFA_FACTORS={"totp": False})
        response = answer(half, challenge, code(secret))
        assert_error(response, 501, "user_auth_method_unsupported")

    @pytest.mark.parametrize("factor", ["email", "phone"])
    def test_address_changed_in_between(
        self, verified: ApiClient, sent: list[Message], factor: str
    ) -> None:
        challenge = begin(verified, factor)
        new = {"email": "new@example.org"} if factor == "email" else {"phone": "+14155550100"}
        Account.objects.update(**new)
        assert_error(answer(verified, challenge, sent[0].code), 401, "user_invalid_token")

    def test_code_of_one_challenge_in_another(
        self, verified: ApiClient, sent: list[Message]
    ) -> None:
        begin(verified, "email")
        challenge = begin(verified, "email")
        if sent[0].code != sent[1].code:
            assert_error(answer(verified, challenge, sent[0].code), 401, "user_invalid_token")
        assert answer(verified, challenge, sent[1].code).status_code == 200

    def test_the_code_as_apps_show_it(self, half: ApiClient, secret: str) -> None:
        right = code(secret)
        prove(half, "totp", f"{right[:3]} {right[3:]}")

    def test_by_jwt(self, ada: ApiClient, secret: str, clock: Clock) -> None:
        jwt = ApiClient(jwt=ada.post("/account/jwts").json()["jwt"])
        session = prove(jwt, "totp", code(secret))
        assert session["$id"] == ada.session["$id"]
        assert ada.get("/account/sessions/current").json()["mfaUpdatedAt"]

    def test_with_a_retired_key(
        self,
        verified: ApiClient,
        half: ApiClient,
        secret: str,
        settings: Any,
        sent: list[Message],
    ) -> None:
        by_app, by_mail = begin(half, "totp"), begin(half, "email")
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "new" * 20
        assert answer(half, by_app, code(secret)).status_code == 200
        assert answer(half, by_mail, sent[0].code).status_code == 200

    def test_with_a_lost_key(self, half: ApiClient, secret: str, settings: Any) -> None:
        challenge = begin(half, "totp")
        settings.SECRET_KEY = "new" * 20
        assert_error(answer(half, challenge, code(secret)), 401, "user_invalid_token")

    def test_guest(self, guest: ApiClient) -> None:
        response = answer(guest, "x", "123456")
        assert_error(response, 401, "general_unauthorized_scope")


class TestAnAddressThatWasTheLastFactor:
    """When it changes, no session keeps a claim to it; what a session began with stays."""

    @pytest.mark.parametrize("factor", ["email", "phone"])
    def test_change(self, ada: ApiClient, edit: Edit, factor: str) -> None:
        edit(phone=PHONE, **{f"{factor}_verified": True})
        ada.patch("/account/mfa", {"mfa": True})
        assert ada.get("/account/sessions/current").json()["factors"] == ["password", factor]
        new = {"email": "new@example.org"} if factor == "email" else {"phone": "+14155550100"}
        assert ada.patch(f"/account/{factor}", {**new, "password": PASSWORD}).status_code == 200
        assert ada.get("/account/sessions/current").json()["factors"] == ["password"]
        Account.objects.update(**{f"{factor}_verified": True})
        assert_error(ada.get("/account"), 401, "user_more_factors_required")

    def test_change_by_the_site(self, ada: ApiClient, edit: Edit) -> None:
        edit(email_verified=True)
        ada.patch("/account/mfa", {"mfa": True})
        user = get_user_model().objects.get()
        user.email = "new@example.org"
        user.save()
        assert Session.objects.get().factors == ["password"]

    @pytest.mark.parametrize("factor", ["email", "phone"])
    def test_is_told_at_the_address_of_before(
        self, ada: ApiClient, edit: Edit, sent: list[Message], factor: str
    ) -> None:
        edit(phone=PHONE, **{f"{factor}_verified": True})
        ada.patch("/account/mfa", {"mfa": True})
        new = {"email": "new@example.org"} if factor == "email" else {"phone": "+14155550100"}
        ada.patch(f"/account/{factor}", {**new, "password": PASSWORD})
        told = [(message.kind, message.recipient) for message in sent]
        assert told == [("mfa-removed", "ada@example.org")]

    def test_is_not_told_without_mfa(self, ada: ApiClient, edit: Edit, sent: list[Message]) -> None:
        edit(email_verified=True)
        ada.patch("/account/email", {"email": "new@example.org", "password": PASSWORD})
        assert sent == []

    def test_with_another_factor(self, verified: ApiClient, sent: list[Message]) -> None:
        verified.patch("/account/mfa", {"mfa": True})
        body = {"email": "new@example.org", "password": PASSWORD}
        assert verified.patch("/account/email", body).status_code == 200
        assert verified.get("/account").status_code == 200
        assert sent == []

    def test_claims_that_were_kept_go_with_the_last(
        self, ada: ApiClient, half: ApiClient, secret: str, edit: Edit
    ) -> None:
        """The authenticator went first, while the address was left."""
        edit(email_verified=True)
        prove(half, "totp", code(secret))
        assert half.delete(TOTP).status_code == 204
        assert half.get("/account/sessions/current").json()["factors"] == ["password", "totp"]
        body = {"email": "new@example.org", "password": PASSWORD}
        assert half.patch("/account/email", body).status_code == 200
        assert half.get("/account/sessions/current").json()["factors"] == ["password"]

    def test_a_session_that_began_with_it(self, ada: ApiClient, edit: Edit) -> None:
        edit(email_verified=True)
        Session.objects.update(factors=["email", "recoveryCode"])
        body = {"email": "new@example.org", "password": PASSWORD}
        assert ada.patch("/account/email", body).status_code == 200
        assert Session.objects.get().factors == ["email", "recoveryCode"]


class TestGate:
    """What a session may do that owes a second factor (mfa-oauth.md §8.2)."""

    OPEN = [
        ("GET", "/account/mfa/factors", None),
        ("POST", "/account/mfa/challenges", {"factor": "totp"}),
        ("POST", "/account/mfa/challenge", {"factor": "totp"}),
    ]
    SHUT = [
        ("GET", "/account", None),
        ("DELETE", "/account", None),
        ("GET", "/account/prefs", None),
        ("PATCH", "/account/prefs", {"prefs": {}}),
        ("PATCH", "/account/name", {"name": "x"}),
        ("PATCH", "/account/password", {"password": "new horse", "oldPassword": PASSWORD}),
        ("PATCH", "/account/mfa", {"mfa": False}),
        ("POST", "/account/jwts", {}),
        ("GET", "/account/sessions", None),
        ("DELETE", "/account/sessions", None),
        ("GET", "/account/sessions/current", None),
        ("PATCH", "/account/sessions/current", None),
        ("POST", TOTP, None),
        ("PUT", TOTP, {"otp": "1"}),
        ("DELETE", TOTP, None),
        ("POST", CODES, None),
        ("GET", CODES, None),
        ("PATCH", CODES, None),
        # For guests, and for others who come with a cookie.
        ("POST", "/account/recovery", {"email": "ada@example.org", "url": "http://localhost"}),
        ("POST", "/account", {"userId": "unique()"}),
        ("POST", "/account/sessions/anonymous", None),
        ("PUT", "/account/verification", {"userId": "x", "secret": "x"}),
    ]

    @pytest.mark.parametrize(("method", "path", "body"), OPEN)
    def test_open(self, half: ApiClient, method: str, path: str, body: Any) -> None:
        assert half.call(method, path, body).status_code < 300

    @pytest.mark.parametrize(("method", "path", "body"), SHUT)
    def test_shut(self, half: ApiClient, method: str, path: str, body: Any) -> None:
        assert_error(half.call(method, path, body), 401, "user_more_factors_required")

    def test_ending_sessions(self, ada: ApiClient, half: ApiClient) -> None:
        assert half.delete(f"/account/sessions/{ada.session['$id']}").status_code == 204
        assert half.delete("/account/sessions/current").status_code == 204

    def test_a_jwt_does_no_more_than_its_session(self, ada: ApiClient, edit: Edit) -> None:
        jwt = ApiClient(jwt=ada.post("/account/jwts").json()["jwt"])
        edit(mfa_enabled=True, email_verified=True)
        assert_error(jwt.get("/account"), 401, "user_more_factors_required")
        assert jwt.get("/account/mfa/factors").status_code == 200

    @pytest.mark.parametrize("factor", ["totp", "email", "phone"])
    def test_a_factor_that_is_switched_off_demands_nothing(
        self, ada: ApiClient, edit: Edit, project: Project, factor: str
    ) -> None:
        edit(mfa_enabled=True, **{f"{factor}_verified": True})
        assert_error(ada.get("/account"), 401, "user_more_factors_required")
        project(MFA_FACTORS={factor: False})
        assert ada.get("/account").status_code == 200

    def test_recovery_codes_demand_nothing(self, ada: ApiClient) -> None:
        ada.post(CODES)
        ada.patch("/account/mfa", {"mfa": True})
        other = ApiClient()
        other.sign_in()
        assert other.get("/account").status_code == 200

    def test_a_new_password_by_recovery_proves_no_second_factor(
        self, half: ApiClient, secret: str, sent: list[Message]
    ) -> None:
        guest = ApiClient()
        url = "http://localhost/in"
        body = {"email": "ada@example.org", "url": url}
        user_id = guest.post("/account/recovery", body).json()["userId"]
        link = parse_qs(urlsplit(sent[0].link).query)["secret"][0]
        body = {"userId": user_id, "secret": link, "password": "new horse"}
        assert guest.put("/account/recovery", body).status_code == 200
        assert guest.sign_in(password="new horse")["factors"] == ["password"]
        assert_error(guest.get("/account"), 401, "user_more_factors_required")

    def test_a_code_by_email_is_one_factor(
        self, verified: ApiClient, half: ApiClient, sent: list[Message]
    ) -> None:
        """As upstream: proving the address twice is still one factor."""
        guest = ApiClient()
        body = {"userId": "unique()", "email": "ada@example.org"}
        user_id = guest.post("/account/tokens/email", body).json()["userId"]
        body = {"userId": user_id, "secret": sent[-1].code}
        assert guest.post("/account/sessions/token", body).json()["factors"] == ["email"]
        challenge = begin(guest, "email")
        assert answer(guest, challenge, sent[-1].code).json()["factors"] == ["email"]
        assert_error(guest.get("/account"), 401, "user_more_factors_required")
