"""Second factors of the signed-in person (mfa-oauth.md §8)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.account import AccountSerializer, account_document
from django_account.api.serializers.mfa import (
    AuthenticatorConfirmationInput,
    AuthenticatorInput,
    ChallengeAnswerInput,
    ChallengeInput,
    MfaChallengeSerializer,
    MfaFactorsSerializer,
    MfaInput,
    MfaRecoveryCodesSerializer,
    MfaTypeSerializer,
    challenge_document,
)
from django_account.api.serializers.session import SessionSerializer, session_document
from django_account.api.throttling import HOUR, Limit
from django_account.api.views import AccountViewSet, endpoint
from django_account.mfa import services
from django_account.selfservice.passwordless import Requester
from django_account.sessions.models import Session


class MfaViewSet(AccountViewSet):
    """Multi-factor authentication. A JWT speaks for its session."""

    @property
    def session(self) -> Session | None:
        return self.caller.acting_session

    @property
    def requester(self) -> Requester:
        """Who asks, and in which language."""
        return Requester(client=self.client, locale=self.locale)

    def account_answer(self) -> HttpResponse:
        return json_answer(account_document(self.account, self.caller.targets))

    def codes_answer(self, codes: list[str], status: int = 200) -> HttpResponse:
        return json_answer({"recoveryCodes": codes}, status)

    @endpoint(scope="account", params=MfaInput, answers=AccountSerializer, event="user.update")
    def update_mfa(self, request: object, **path: str) -> HttpResponse:
        """Have signing in ask for a second factor, or not any more."""
        services.update_mfa(
            account=self.account,
            session=self.session,
            enabled=self.params["mfa"],
            requester=self.requester,
        )
        return self.account_answer()

    @endpoint(scope="account", mfa_exempt=True, answers=MfaFactorsSerializer, by_staff=True)
    def list_mfa_factors(self, request: object, **path: str) -> HttpResponse:
        """Which factors a challenge can be created for."""
        return json_answer(services.list_factors(self.account, self.session))

    @endpoint(
        scope="account", params=AuthenticatorInput, answers=MfaTypeSerializer, event="user.update"
    )
    def create_mfa_authenticator(self, request: object, **path: str) -> HttpResponse:
        """Add an authenticator app, to be verified."""
        secret, uri = services.create_authenticator(account=self.account)
        return json_answer({"secret": secret, "uri": uri})

    @endpoint(
        scope="account",
        # Guesses are limited by mfa.models.GuessCount.
        params=AuthenticatorConfirmationInput,
        answers=AccountSerializer,
        event="user.update",
        tries=True,
    )
    def update_mfa_authenticator(self, request: object, **path: str) -> HttpResponse:
        """Verify the authenticator app."""
        services.confirm_authenticator(
            account=self.account, session=self.session, code=self.params["otp"]
        )
        return self.account_answer()

    @endpoint(
        scope="account",
        fresh_proof=True,
        params=AuthenticatorInput,
        status=204,
        event="user.update",
    )
    def delete_mfa_authenticator(self, request: object, **path: str) -> HttpResponse:
        """Remove the authenticator app."""
        services.delete_authenticator(
            account=self.account, session=self.session, requester=self.requester
        )
        return empty_answer()

    @endpoint(scope="account", answers=MfaRecoveryCodesSerializer, status=201, event="user.update")
    def create_mfa_recovery_codes(self, request: object, **path: str) -> HttpResponse:
        """Six recovery codes."""
        return self.codes_answer(services.create_recovery_codes(account=self.account), 201)

    @endpoint(scope="account", fresh_proof=True, answers=MfaRecoveryCodesSerializer)
    def get_mfa_recovery_codes(self, request: object, **path: str) -> HttpResponse:
        """The unused recovery codes."""
        return self.codes_answer(services.list_recovery_codes(account=self.account))

    @endpoint(
        scope="account",
        fresh_proof=True,
        answers=MfaRecoveryCodesSerializer,
        event="user.update",
    )
    def update_mfa_recovery_codes(self, request: object, **path: str) -> HttpResponse:
        """Six new recovery codes in place of the old."""
        return self.codes_answer(services.update_recovery_codes(account=self.account))

    @endpoint(
        scope="account",
        mfa_exempt=True,
        limits=[Limit(10, HOUR, "url,caller")],
        params=ChallengeInput,
        answers=MfaChallengeSerializer,
        status=201,
        event="challenge.create",
    )
    def create_mfa_challenge(self, request: object, **path: str) -> HttpResponse:
        """Begin to prove a second factor."""
        challenge = services.create_challenge(
            account=self.account,
            session=self.session,
            factor=self.params["factor"],
            requester=self.requester,
        )
        return json_answer(challenge_document(challenge), 201)

    @endpoint(
        scope="account",
        mfa_exempt=True,
        limits=[Limit(10, HOUR, "url,challengeId")],
        params=ChallengeAnswerInput,
        answers=SessionSerializer,
        event="challenges.update",
    )
    def update_mfa_challenge(self, request: object, **path: str) -> HttpResponse:
        """Prove the second factor. The session stays the same, and may do more."""
        session = services.complete_challenge(
            session=self.session,
            challenge_id=self.params["challengeId"],
            answer=self.params["otp"],
        )
        return json_answer(session_document(session, current=True, locale=self.locale))
