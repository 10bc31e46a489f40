"""Teams are the site's own affair; this is how their memberships look on the wire (users.md §6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from django_account.accounts.models import Account
from django_account.api.fields import BooleanParam
from django_account.api.queries import BASICS, Attribute, Kind, QueriesParam, Resource
from django_account.api.serializers.documents import document, flag, moment, text
from django_account.api.serializers.user import SearchParam, UserInput

MembershipSerializer = document(
    "Membership",
    {
        "$id": text(),
        "$createdAt": moment(),
        "$updatedAt": moment(),
        "userId": text(),
        "userName": text(),
        "userEmail": text(),
        "userPhone": text(),
        "teamId": text(),
        "teamName": text(),
        "invited": moment(),
        "joined": moment(),
        "confirm": flag(),
        "mfa": flag(),
        "userAccessedAt": moment(),
        "roles": serializers.ListField(child=serializers.CharField()),
    },
)

_EMPTY: dict[str, Any] = {
    **dict.fromkeys(MembershipSerializer().fields, ""),
    "confirm": False,
    "mfa": False,
    "roles": [],
}


def membership_document(given: Mapping[str, Any], account: Account) -> dict[str, Any]:
    """A membership of somebody's as MEMBERSHIPS gives it; what it leaves out is empty."""
    whose = {
        "userId": account.public_id,
        "userName": account.name,
        "userEmail": account.email or "",
    }
    return {**_EMPTY, **whose, **given}


MembershipListSerializer = document(
    "MembershipList",
    {
        "total": serializers.IntegerField(),
        "memberships": MembershipSerializer(many=True),
    },
)

# The paths are those of a site's own model, if its hook has one with these names.
MEMBERSHIPS = Resource(
    "Membership",
    {
        **BASICS,
        "userId": Attribute("user_id"),
        "teamId": Attribute("team_id"),
        "invited": Attribute("invited", Kind.MOMENT, nullable=True),
        "joined": Attribute("joined", Kind.MOMENT, nullable=True),
        "confirm": Attribute("confirm", Kind.FLAG),
        "roles": Attribute("roles", Kind.LIST),
    },
)


class UserMembershipListInput(UserInput):
    queries = QueriesParam(MEMBERSHIPS)
    search = SearchParam()
    total = BooleanParam(required=False, default=True)
