"""Sessions and JWTs on the wire (core.md §8.2 to §8.4)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_account.api.fields import (
    BooleanParam,
    EmailParam,
    IdParam,
    Params,
    PasswordParam,
    SecondsParam,
    StrictBooleanParam,
)
from django_account.api.serializers.documents import (
    client_document,
    client_fields,
    document,
    flag,
    moment,
    text,
)
from django_account.conf import ONE_YEAR, conf
from django_account.core.times import iso
from django_account.sessions.jwt import DEFAULT_DURATION, MAX_DURATION
from django_account.sessions.models import Session
from django_account.sessions.provider_tokens import ProviderTokens


def session_document(
    session: Session,
    *,
    current: bool,
    locale: str,
    secret: str = "",
    with_tokens: bool = True,
) -> dict[str, Any]:
    """The 29 keys of a session.

    Args:
        session: with its account loaded.
        current: whether it is the session that asks.
        locale: the language of the country's name.
        secret: the credential; given to servers, at creation only.
        with_tokens: whether the provider's tokens are told; its owner and servers see them.
    """
    tokens = session.provider_tokens if with_tokens else ProviderTokens()
    return {
        "$id": session.public_id,
        "$createdAt": iso(session.created_at),
        "$updatedAt": iso(session.updated_at),
        "userId": session.account.public_id,
        "expire": iso(session.expires_at),
        "provider": session.provider,
        "providerUid": session.provider_uid,
        "providerAccessToken": tokens.access,
        "providerAccessTokenExpiry": iso(tokens.expires_at),
        "providerRefreshToken": tokens.refresh,
        "ip": session.ip,
        **client_document(session.client_details, session.country_code, locale),
        "current": current,
        "factors": session.factors,
        "secret": secret,
        "mfaUpdatedAt": iso(session.mfa_updated_at),
    }


SessionSerializer = document(
    "Session",
    {
        "$id": text(),
        "$createdAt": moment(),
        "$updatedAt": moment(),
        "userId": text(),
        "expire": moment(),
        "provider": text(),
        "providerUid": text(),
        "providerAccessToken": text(),
        "providerAccessTokenExpiry": moment(),
        "providerRefreshToken": text(),
        "ip": text(),
        **client_fields(),
        "current": flag(),
        "factors": serializers.ListField(child=serializers.CharField()),
        "secret": text(),
        "mfaUpdatedAt": moment(),
    },
)

SessionListSerializer = document(
    "SessionList",
    {"total": serializers.IntegerField(), "sessions": SessionSerializer(many=True)},
)

JWTSerializer = document("JWT", {"jwt": text()})


class SessionDurationParam(SecondsParam):
    """How long a session shall live, at most as long as the site allows."""

    def upper_bound(self) -> int:
        return int(conf.session_duration.total_seconds())


class EmailPasswordSessionInput(Params):
    email = EmailParam()
    password = PasswordParam()
    duration = SessionDurationParam(minimum=60, maximum=ONE_YEAR, required=False)


class SessionInput(Params):
    sessionId = IdParam()  # noqa: N815, as on the wire


class SessionListInput(Params):
    total = BooleanParam(required=False, default=True)


class DeleteSessionsInput(Params):
    current = StrictBooleanParam(required=False, default=True)


class JWTInput(Params):
    duration = SecondsParam(
        minimum=1,
        maximum=int(MAX_DURATION.total_seconds()),
        required=False,
        default=DEFAULT_DURATION,
    )
