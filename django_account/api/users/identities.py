"""Other people's accounts elsewhere (users.md §3)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.identity import (
    IdentityInput,
    IdentityListSerializer,
    UserIdentityListInput,
    identity_document,
)
from django_account.api.users.base import PeopleViewSet, users_endpoint
from django_account.exceptions import QueryInvalid
from django_account.identities.models import Identity
from django_account.identities.services import remove


class UserIdentityViewSet(PeopleViewSet):
    """Everybody's identities."""

    @users_endpoint(
        scope="users.read", params=UserIdentityListInput, answers=IdentityListSerializer
    )
    def list_identities(self, request: object, **path: str) -> HttpResponse:
        """Those that the queries find. They cannot be searched (users.md §3)."""
        if self.params["search"]:
            raise QueryInvalid("Identities cannot be searched. Filter them by queries.")
        page, total = self.params["queries"].answer(
            Identity.objects.select_related("account"), count=self.params["total"]
        )
        # With somebody's tokens an impersonator could act as them at the provider.
        documents = [
            identity_document(identity, identity.account, with_tokens=self.caller.is_server)
            for identity in page
        ]
        return json_answer({"total": total, "identities": documents})

    @users_endpoint(scope="users.write", params=IdentityInput, status=204, event="identity.delete")
    def delete_identity(self, request: object, **path: str) -> HttpResponse:
        """Take an identity away."""
        self.concern(remove(identity_id=self.params["identityId"]))
        return empty_answer()
