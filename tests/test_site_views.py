"""The site's own views: who is request.user?"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client
from django.urls import include, path, reverse
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_account.accounts.models import Account
from django_account.api.authentication import AccountAuthentication
from tests.client import ApiClient, assert_error


def plain(request: HttpRequest) -> JsonResponse:
    user = request.user
    return JsonResponse({"user": user.pk if user.is_authenticated else None})


async def plain_async(request: HttpRequest) -> JsonResponse:
    user = await request.auser()
    return JsonResponse({"user": user.pk if user.is_authenticated else None})


class Rest(APIView):
    authentication_classes = [AccountAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response({"user": request.user.pk, "session": request.auth.session is not None})

    post = get


urlpatterns = [
    path("plain", plain, name="ping"),
    path("async", plain_async),
    path("rest", Rest.as_view()),
    path("v1/plain", plain),
    path("v1/", include("django_account.urls")),
]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def user_at(client: ApiClient, page: str, **headers: str) -> Any:
    sent = client.headers | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.http.get(page, headers=sent)


class TestPlainViews:
    def test_by_cookie(self, ada: ApiClient) -> None:
        assert user_at(ada, "/plain").json() == {"user": User.objects.get().pk}

    def test_by_header(self, ada: ApiClient) -> None:
        by_header = ApiClient(session=ada.credential)
        assert user_at(by_header, "/plain").json() == {"user": User.objects.get().pk}

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        assert user_at(ada_by_jwt, "/plain").json() == {"user": User.objects.get().pk}

    def test_guest(self, guest: ApiClient) -> None:
        assert user_at(guest, "/plain").json() == {"user": None}

    def test_keep_their_names(self) -> None:
        assert reverse("ping") == "/plain"
        assert reverse("django_account:ping") == "/v1/ping"

    @pytest.mark.parametrize("path", ["/v1/plain/", "/v1//plain"])
    def test_under_the_mount_are_not_reached_past_the_sites_middleware(
        self, ada: ApiClient, path: str
    ) -> None:
        """The API tolerates empty segments, and its views ask for no CSRF token."""
        assert_error(ada.http.post(path), 404, "general_route_not_found")

    def test_garbage(self, db: None) -> None:
        assert user_at(ApiClient(session="?", jwt="?"), "/plain").json() == {"user": None}

    def test_djangos_own_session_comes_first(self, ada: ApiClient) -> None:
        staff = User.objects.create_user("staff")
        ada.http.force_login(staff)
        assert user_at(ada, "/plain").json() == {"user": staff.pk}

    def test_blocked(self, ada: ApiClient) -> None:
        User.objects.update(is_active=False)
        assert user_at(ada, "/plain").json() == {"user": None}

    def test_second_factor_owed(self, ada: ApiClient) -> None:
        Account.objects.update(mfa_enabled=True, email_verified=True)
        assert user_at(ada, "/plain").json() == {"user": None}

    def test_foreign_page(self, ada: ApiClient) -> None:
        assert user_at(ada, "/plain", Origin="https://evil.example").json() == {"user": None}

    def test_a_view_that_does_not_look_costs_nothing(
        self, ada: ApiClient, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            user_at(ada, "/outside")

    def test_async_view(self, ada: ApiClient) -> None:
        client = AsyncClient()
        client.cookies = ada.http.cookies

        async def ask() -> Any:
            return await client.get("/async")

        from asgiref.sync import async_to_sync

        assert async_to_sync(ask)().json() == {"user": User.objects.get().pk}


class TestRestViews:
    def test_by_cookie(self, ada: ApiClient) -> None:
        answer = user_at(ada, "/rest").json()
        assert answer == {"user": User.objects.get().pk, "session": True}

    def test_by_jwt(self, ada_by_jwt: ApiClient) -> None:
        answer = user_at(ada_by_jwt, "/rest").json()
        assert answer == {"user": User.objects.get().pk, "session": False}

    def test_guest(self, guest: ApiClient) -> None:
        assert user_at(guest, "/rest").status_code == 401

    def test_bad_jwt(self, db: None) -> None:
        response = user_at(ApiClient(jwt="a.b.c"), "/rest")
        assert response.status_code == 401
        assert "Failed to verify JWT" in response.json()["detail"]

    def test_foreign_page_posts(self, ada: ApiClient) -> None:
        headers = {"Origin": "https://evil.example"}
        assert ada.http.post("/rest", headers=headers).status_code == 401

    def test_own_page_posts(self, ada: ApiClient) -> None:
        headers = {"Origin": "http://localhost:3000"}
        assert ada.http.post("/rest", headers=headers).status_code == 200

    def test_server_key_is_nobody(self, server: ApiClient) -> None:
        assert user_at(server, "/rest").status_code == 401


def test_a_person_from_before_signs_in_on_the_first_try(guest: ApiClient) -> None:
    user = User.objects.create_user("old-hand", "Old.Hand@Example.org", "correct horse")
    session = guest.sign_in("old.hand@example.org")
    assert user_at(guest, "/plain").json() == {"user": user.pk}
    assert guest.get("/account").json()["$id"] == session["userId"]
    assert Client().login(username="old-hand", password="correct horse")
