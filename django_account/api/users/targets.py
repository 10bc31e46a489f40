"""Other people's targets (users.md §3)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.account import TargetSerializer, target_document
from django_account.api.serializers.target import (
    NewUserTargetInput,
    TargetListSerializer,
    UserTargetInput,
    UserTargetListInput,
    UserTargetUpdateInput,
)
from django_account.api.users.base import PeopleViewSet, users_endpoint
from django_account.exceptions import ProviderNotFound
from django_account.selfservice import targets
from django_account.targets.models import Target


class UserTargetViewSet(PeopleViewSet):
    """Targets of the person whom the path names."""

    def find_target(self) -> Target:
        return targets.find_target(account=self.find_person(), target_id=self.params["targetId"])

    @users_endpoint(
        scope="users.write",
        params=NewUserTargetInput,
        answers=TargetSerializer,
        status=201,
        event="target.create",
    )
    def create_target(self, request: object, **path: str) -> HttpResponse:
        """Give somebody a target. An unknown provider, and here all are, is no error."""
        provider_type = self.params["providerType"]
        identifier = targets.read_identifier(provider_type, self.params["identifier"])
        target = targets.create_target(
            account=self.find_person(),
            target_id=self.params["targetId"],
            provider_type=provider_type,
            identifier=identifier,
            name=self.params["name"],
        )
        return json_answer(target_document(target, target.account), 201)

    @users_endpoint(scope="users.read", params=UserTargetListInput, answers=TargetListSerializer)
    def list_targets(self, request: object, **path: str) -> HttpResponse:
        """Somebody's targets."""
        account = self.find_person()
        queries, rows = self.params["queries"], Target.objects.filter(account=account)
        page, total = queries.answer(rows, count=self.params["total"])
        return json_answer(
            {
                "total": total,
                "targets": [target_document(target, account) for target in page],
            }
        )

    @users_endpoint(scope="users.read", params=UserTargetInput, answers=TargetSerializer)
    def get_target(self, request: object, **path: str) -> HttpResponse:
        """One target."""
        target = self.find_target()
        return json_answer(target_document(target, target.account))

    @users_endpoint(
        scope="users.write",
        params=UserTargetUpdateInput,
        answers=TargetSerializer,
        event="target.update",
    )
    def update_target(self, request: object, **path: str) -> HttpResponse:
        """Change a target. The site has no messaging providers that one could name."""
        target, identifier = self.find_target(), self.params["identifier"]
        if identifier is not None:
            identifier = targets.read_identifier(target.provider_type, identifier)
        if self.params["providerId"] is not None:
            raise ProviderNotFound
        targets.update_target(target=target, identifier=identifier, name=self.params["name"])
        return json_answer(target_document(target, target.account))

    @users_endpoint(scope="users.write", params=UserTargetInput, status=204, event="target.delete")
    def delete_target(self, request: object, **path: str) -> HttpResponse:
        """Take a target away."""
        targets.delete_target(self.find_target())
        return empty_answer()
