"""What the account API is compared with."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.data import PASSWORD
from django_account.core.crypto import digest
from django_account.sessions.models import Session


class BareView(APIView):
    """A "who am I" as a careful person writes it with Django REST framework and nothing else.

    One indexed SELECT with a join, a hand-built document of the size of an account; everything
    else is as Django REST framework comes.
    """

    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        """The person that a token belongs to."""
        try:
            session = Session.objects.select_related("account__user").get(
                secret_digest=digest(request.headers.get("X-Token", ""))
            )
        except Session.DoesNotExist:
            raise Http404 from None
        account, user = session.account, session.account.user
        document: dict[str, Any] = {
            "$id": account.public_id,
            "$createdAt": account.created_at,
            "$updatedAt": account.updated_at,
            "name": account.name,
            "registration": account.registered_at,
            "status": user.is_active,
            "labels": account.labels,
            "passwordUpdate": account.password_changed_at,
            "email": account.email,
            "phone": account.phone,
            "emailVerification": account.email_verified,
            "emailCanonical": account.email,
            "emailIsFree": False,
            "emailIsDisposable": False,
            "emailIsCorporate": True,
            "emailIsCanonical": True,
            "phoneVerification": account.phone_verified,
            "mfa": account.mfa_enabled,
            "prefs": account.prefs,
            "targets": [
                {
                    "$id": account.public_id,
                    "$createdAt": account.created_at,
                    "$updatedAt": account.updated_at,
                    "name": "",
                    "userId": account.public_id,
                    "providerId": None,
                    "providerType": "email",
                    "identifier": account.email,
                    "expired": False,
                }
            ],
            "accessedAt": account.accessed_at,
            "impersonator": account.impersonator,
            "impersonatorUserId": None,
        }
        return Response(document)


def constant(request: HttpRequest) -> HttpResponse:
    """The same answer for everybody: what the server, Django and the middleware cost."""
    return JsonResponse({"status": "ok"})


def hash_once(request: HttpRequest) -> HttpResponse:
    """The same answer after one check of a password: the part of a sign-in that must be slow."""
    return JsonResponse({"status": check_password(PASSWORD, _encoded())})


@cache
def _encoded() -> str:
    return make_password(PASSWORD)
