"""Other people's second factors (users.md §3, mfa-oauth.md §8)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from django_account.api.permissions import missing_scopes
from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.mfa import (
    MfaChallengeSecretSerializer,
    MfaFactorsSerializer,
    MfaRecoveryCodesSerializer,
    UserAuthenticatorInput,
    UserChallengeInput,
    challenge_document,
)
from django_account.api.serializers.user import UserInput
from django_account.api.users.base import PeopleViewSet, users_endpoint
from django_account.mfa import services
from django_account.selfservice.passwordless import Requester

_NEW_CODES: dict[str, Any] = {
    "scope": "users.write",
    "params": UserInput,
    "answers": MfaRecoveryCodesSerializer,
    "event": "user.update",
}


class UserMFAViewSet(PeopleViewSet):
    """Second factors of the person whom the path names."""

    def require_server(self) -> None:
        """Refuse impersonators: with what is read here they could sign in as the person.

        Raises:
            UnauthorizedScope.
        """
        if not self.caller.is_server:
            raise missing_scopes(self.caller, self.spec.scopes, self.request._request)

    @users_endpoint(scope="users.read", params=UserInput, answers=MfaFactorsSerializer)
    def list_mfa_factors(self, request: object, **path: str) -> HttpResponse:
        """Which factors the person has. Recovery codes are not looked for here."""
        return json_answer(services.list_factors(self.find_person()) | {"recoveryCode": False})

    @users_endpoint(
        scope="users.read", params=UserChallengeInput, answers=MfaChallengeSecretSerializer
    )
    def get_mfa_challenge(self, request: object, **path: str) -> HttpResponse:
        """A custom factor's open challenge, with the code that the server delivers."""
        self.require_server()
        challenge = services.find_custom_challenge(
            account=self.find_person(), challenge_id=self.params["challengeId"]
        )
        return json_answer(challenge_document(challenge) | {"code": challenge.code})

    @users_endpoint(scope="users.read", params=UserInput, answers=MfaRecoveryCodesSerializer)
    def get_mfa_recovery_codes(self, request: object, **path: str) -> HttpResponse:
        """The unused recovery codes."""
        self.require_server()
        codes = services.list_recovery_codes(account=self.find_person())
        return json_answer({"recoveryCodes": codes})

    @users_endpoint(**_NEW_CODES)
    def create_mfa_recovery_codes(self, request: object, **path: str) -> HttpResponse:
        """Six recovery codes."""
        codes = services.create_recovery_codes(account=self.find_person())
        return json_answer({"recoveryCodes": codes})

    @users_endpoint(**_NEW_CODES)
    def update_mfa_recovery_codes(self, request: object, **path: str) -> HttpResponse:
        """Six new recovery codes in place of the old."""
        codes = services.update_recovery_codes(account=self.find_person())
        return json_answer({"recoveryCodes": codes})

    @users_endpoint(
        scope="users.write", params=UserAuthenticatorInput, status=204, event="user.update"
    )
    def delete_mfa_authenticator(self, request: object, **path: str) -> HttpResponse:
        """Take somebody's authenticator away; the flag stays as it is."""
        services.delete_authenticator(
            account=self.find_person(),
            session=None,
            requester=Requester(client=self.client, locale=self.locale),
        )
        return empty_answer()
