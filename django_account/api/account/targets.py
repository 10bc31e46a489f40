"""Push targets: the devices of the signed-in person (mfa-oauth.md §7.2)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.account import TargetSerializer, target_document
from django_account.api.serializers.target import (
    PushTargetInput,
    PushTargetUpdateInput,
    TargetInput,
)
from django_account.api.views import AccountViewSet, endpoint
from django_account.exceptions import PeopleOnly
from django_account.selfservice import targets
from django_account.targets.models import Target


class TargetViewSet(AccountViewSet):
    """A key may hold ``targets.write`` too, but is nobody who could have a device."""

    def require_person(self) -> None:
        """Refuse a caller who is no person.

        Raises:
            PeopleOnly: it is a key.
        """
        if self.caller.is_server:
            raise PeopleOnly

    def find_target(self) -> Target:
        self.require_person()
        return targets.find_target(
            account=self.account, target_id=self.params["targetId"], push_only=True
        )

    @endpoint(
        scope="targets.write",
        params=PushTargetInput,
        answers=TargetSerializer,
        status=201,
        event="target.create",
    )
    def create_push_target(self, request: object, **path: str) -> HttpResponse:
        """Register the device that asks; it goes with the session."""
        self.require_person()
        target = targets.create_push_target(
            account=self.account,
            target_id=self.params["targetId"],
            identifier=self.params["identifier"],
            provider_id=self.params["providerId"],
            session=self.caller.session or self.caller.jwt_session,
            client=self.client,
        )
        return json_answer(target_document(target, self.account), 201)

    @endpoint(
        scope="targets.write",
        params=PushTargetUpdateInput,
        answers=TargetSerializer,
        event="target.update",
    )
    def update_push_target(self, request: object, **path: str) -> HttpResponse:
        """Note that a device's token has changed."""
        target = self.find_target()
        targets.update_target(
            target=target,
            identifier=self.params["identifier"],
            name=targets.device_name(self.client),
        )
        return json_answer(target_document(target, self.account))

    @endpoint(scope="targets.write", params=TargetInput, status=204, event="target.delete")
    def delete_push_target(self, request: object, **path: str) -> HttpResponse:
        """Forget a device."""
        targets.delete_target(self.find_target())
        return empty_answer()
