"""The signed-in person's accounts elsewhere (mfa-oauth.md §7.3 and §7.4)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.identity import (
    IdentityInput,
    IdentityListInput,
    IdentityListSerializer,
    identity_document,
)
from django_account.api.views import AccountViewSet, endpoint
from django_account.identities.models import Identity
from django_account.identities.services import unlink


class IdentityViewSet(AccountViewSet):
    """Identities."""

    @endpoint(
        scope="account", params=IdentityListInput, answers=IdentityListSerializer, by_staff=True
    )
    def list_identities(self, request: object, **path: str) -> HttpResponse:
        """The person's identities, oldest first."""
        queries, owned = self.params["queries"], Identity.objects.filter(account=self.account)
        page, total = queries.answer(owned, count=self.params["total"])
        documents = [
            identity_document(identity, self.account, with_tokens=not self.caller.staff_id)
            for identity in page
        ]
        return json_answer({"total": total, "identities": documents})

    @endpoint(scope="account", params=IdentityInput, status=204, event="identity.delete")
    def delete_identity(self, request: object, **path: str) -> HttpResponse:
        """Unlink an identity. Sessions that began with it stay."""
        unlink(account=self.account, identity_id=self.params["identityId"])
        return empty_answer()
