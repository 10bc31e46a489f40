"""What may be said about targets (mfa-oauth.md §7.2, endpoints-users.yaml)."""

from __future__ import annotations

from rest_framework import serializers

from django_account.api.fields import (
    BooleanParam,
    ChoiceParam,
    IdParam,
    NewIdParam,
    Params,
    StringParam,
)
from django_account.api.queries import BASICS, Attribute, QueriesParam, Resource
from django_account.api.serializers.account import TargetSerializer
from django_account.api.serializers.documents import document
from django_account.api.serializers.user import UserInput
from django_account.targets.models import Target

TargetListSerializer = document(
    "TargetList", {"total": serializers.IntegerField(), "targets": TargetSerializer(many=True)}
)

TARGETS = Resource(
    "Target",
    {
        **BASICS,
        "userId": Attribute("account__public_id"),
        "providerId": Attribute("provider_id", nullable=True),
        "providerType": Attribute("provider_type"),
        "identifier": Attribute("identifier"),
    },
)


class PushTargetInput(Params):
    targetId = NewIdParam()  # noqa: N815, as on the wire
    identifier = StringParam(min_chars=1, max_chars=255)
    providerId = IdParam(required=False)  # noqa: N815


class PushTargetUpdateInput(Params):
    targetId = IdParam()  # noqa: N815, as on the wire
    identifier = StringParam(min_chars=1, max_chars=255)


class TargetInput(Params):
    targetId = IdParam()  # noqa: N815, as on the wire


class UserTargetListInput(UserInput):
    queries = QueriesParam(TARGETS)
    total = BooleanParam(required=False, default=True)


class NewUserTargetInput(UserInput):
    targetId = NewIdParam()  # noqa: N815, as on the wire
    providerType = ChoiceParam(Target.ProviderType.values)  # noqa: N815
    identifier = StringParam(min_chars=1, max_chars=255)
    providerId = IdParam(required=False)  # noqa: N815
    name = StringParam(min_chars=1, max_chars=128, required=False, default="")


class UserTargetInput(UserInput):
    targetId = IdParam()  # noqa: N815, as on the wire


class UserTargetUpdateInput(UserTargetInput):
    identifier = StringParam(min_chars=1, max_chars=255, required=False)
    providerId = IdParam(required=False)  # noqa: N815, as on the wire
    name = StringParam(min_chars=1, max_chars=128, required=False)
