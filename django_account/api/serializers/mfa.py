"""Second factors on the wire (mfa-oauth.md §4)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_account.api.fields import Params, StrictBooleanParam, StringParam, refuse
from django_account.api.serializers.documents import document, flag, moment, text
from django_account.core.times import iso
from django_account.mfa.factors import all_factors, find_factor
from django_account.mfa.factors.base import Factor
from django_account.mfa.models import Authenticator, Challenge


def challenge_document(challenge: Challenge) -> dict[str, Any]:
    """The keys of a challenge: neither its factor nor its code.

    Args:
        challenge: with its account loaded.
    """
    return {
        "$id": challenge.public_id,
        "$createdAt": iso(challenge.created_at),
        "userId": challenge.account.public_id,
        "expire": iso(challenge.expires_at),
    }


MfaChallengeSerializer = document(
    "MfaChallenge",
    {"$id": text(), "$createdAt": moment(), "userId": text(), "expire": moment()},
)

MfaTypeSerializer = document("MfaType", {"secret": text(), "uri": text()})

MfaFactorsSerializer = document(
    "MfaFactors",
    {
        "totp": flag(),
        "phone": flag(),
        "email": flag(),
        "recoveryCode": flag(),
        "custom": flag(),
    },
)

MfaRecoveryCodesSerializer = document(
    "MfaRecoveryCodes",
    {"recoveryCodes": serializers.ListField(child=serializers.CharField())},
)


class FactorParam(StringParam):
    """The name of a factor, in any case; read as the factor."""

    def to_internal_value(self, data: Any) -> Factor:  # type: ignore[override]
        factor = find_factor(data) if isinstance(data, str) else None
        if factor is None:
            refuse(f"Value must be one of ({', '.join(all_factors())})")
        return factor


class AuthenticatorTypeParam(StringParam):
    """The type of an authenticator, in any case."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data.lower() not in Authenticator.Type.values:
            refuse(f"Value must be one of ({', '.join(Authenticator.Type.values)})")
        return data.lower()


class MfaInput(Params):
    mfa = StrictBooleanParam()


class AuthenticatorInput(Params):
    type = AuthenticatorTypeParam()


class AuthenticatorConfirmationInput(Params):
    type = AuthenticatorTypeParam()
    otp = StringParam(min_chars=1, max_chars=256)


class ChallengeInput(Params):
    factor = FactorParam()


class ChallengeAnswerInput(Params):
    challengeId = StringParam(min_chars=1, max_chars=256)  # noqa: N815, as on the wire
    otp = StringParam(min_chars=1, max_chars=256)
