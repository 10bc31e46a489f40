"""Accounts elsewhere on the wire (mfa-oauth.md §4, §7.3 and §9)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_account.accounts.models import Account
from django_account.api.fields import (
    ABSENT,
    BooleanParam,
    ChoiceParam,
    IdParam,
    Params,
    PrintableParam,
    RedirectParam,
    SecondsParam,
    StringParam,
    StringsParam,
)
from django_account.api.queries import BASICS, Attribute, Kind, QueriesParam, Resource
from django_account.api.serializers.documents import document, moment, text
from django_account.api.serializers.user import SearchParam
from django_account.core.times import iso
from django_account.identities.models import Identity
from django_account.identities.native import NATIVE_PROVIDERS
from django_account.identities.oauth2 import MAX_TOKEN
from django_account.identities.providers.registry import PROVIDERS
from django_account.sessions.provider_tokens import ProviderTokens

# Microsoft's codes are longer than the 2048 characters that upstream takes.
MAX_CODE = 8192


def identity_document(
    identity: Identity, account: Account, *, with_tokens: bool = True
) -> dict[str, Any]:
    """The keys of an identity.

    Args:
        with_tokens: whether the provider's tokens are told; its owner and servers see them.
    """
    tokens = identity.provider_tokens if with_tokens else ProviderTokens()
    return {
        "$id": identity.public_id,
        "$createdAt": iso(identity.created_at),
        "$updatedAt": iso(identity.updated_at),
        "userId": account.public_id,
        "provider": identity.provider,
        "providerUid": identity.provider_uid,
        "providerEmail": identity.provider_email,
        "providerAccessToken": tokens.access,
        "providerAccessTokenExpiry": iso(identity.provider_token_expires_at),
        "providerRefreshToken": tokens.refresh,
        "providerIdToken": "",
    }


IdentitySerializer = document(
    "Identity",
    {
        "$id": text(),
        "$createdAt": moment(),
        "$updatedAt": moment(),
        "userId": text(),
        "provider": text(),
        "providerUid": text(),
        "providerEmail": text(),
        "providerAccessToken": text(),
        "providerAccessTokenExpiry": moment(),
        "providerRefreshToken": text(),
        "providerIdToken": text(),
    },
)

IdentityListSerializer = document(
    "IdentityList",
    {"total": serializers.IntegerField(), "identities": IdentitySerializer(many=True)},
)


IDENTITIES = Resource(
    "Identity",
    {
        **BASICS,
        "userId": Attribute("account__public_id"),
        "provider": Attribute("provider"),
        "providerUid": Attribute("provider_uid"),
        "providerEmail": Attribute("provider_email", Kind.EMAIL),
        "providerAccessTokenExpiry": Attribute(
            "provider_token_expires_at", Kind.MOMENT, nullable=True
        ),
    },
)


class IdentityInput(Params):
    identityId = IdParam()  # noqa: N815, as on the wire


class IdentityListInput(Params):
    queries = QueriesParam(IDENTITIES)
    total = BooleanParam(required=False, default=True)


class UserIdentityListInput(Params):
    queries = QueriesParam(IDENTITIES)
    search = SearchParam()
    total = BooleanParam(required=False, default=True)


class OAuth2Input(Params):
    provider = ChoiceParam(PROVIDERS, exact=True)
    success = RedirectParam(required=False)
    failure = RedirectParam(required=False)
    scopes = StringsParam(max_items=100, max_chars=4096, required=False, default=())
    state = PrintableParam(max_chars=256, required=False, default="")


class OAuth2CallbackInput(Params):
    provider = ChoiceParam(PROVIDERS, exact=True)
    projectId = StringParam(min_chars=1, max_chars=1024)  # noqa: N815, as on the wire
    code = StringParam(max_chars=MAX_CODE, required=False, default="")
    state = StringParam(min_chars=1, max_chars=2048, required=False, default="")
    error = StringParam(max_chars=2048, required=False, default="")
    error_description = StringParam(max_chars=2048, required=False, default="")
    iss = StringParam(max_chars=2048, required=False, default="")
    user = StringParam(max_chars=2048, required=False, default="")


class OAuth2RedirectInput(Params):
    provider = ChoiceParam(PROVIDERS, exact=True)
    code = StringParam(max_chars=MAX_CODE, required=False, default="")
    state = StringParam(min_chars=1, max_chars=2048, required=False, default="")
    error = StringParam(max_chars=2048, required=False, default="")
    error_description = StringParam(max_chars=2048, required=False, default="")
    iss = StringParam(max_chars=2048, required=False, default="")
    user = StringParam(max_chars=2048, required=False, default="")


class LifetimeParam(SecondsParam):
    """A lifetime as a provider reports it: also with a fraction, which is dropped."""

    def run_validation(self, data: Any = ABSENT) -> Any:
        whole = isinstance(data, float) and abs(data) < 1e10
        return super().run_validation(int(data) if whole else data)


class IdTokenInput(Params):
    provider = ChoiceParam(NATIVE_PROVIDERS, exact=True)
    idToken = StringParam(min_chars=1, max_chars=MAX_TOKEN)  # noqa: N815, as on the wire
    nonce = StringParam(max_chars=256, required=False, default="")
    accessToken = StringParam(max_chars=MAX_TOKEN, required=False, default="")  # noqa: N815
    accessTokenExpiry = LifetimeParam(  # noqa: N815, as on the wire
        minimum=0, maximum=315_360_000, required=False
    )
    name = StringParam(max_chars=128, required=False, default="")
