"""API keys in the admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client

from django_account.api_keys.models import ApiKey
from tests.client import ApiClient

LIST = "/admin/django_account/apikey/"
FORM = {"name": "web", "scopes": ["sessions.write"], "expires_at_0": "", "expires_at_1": ""}


def secret_on(response: Any) -> str:
    found = re.search(r"standard_[0-9a-f]{256}", response.content.decode())
    assert found is not None
    return found.group()


class TestAdd:
    def test_the_secret_is_shown_once_and_works(self, admin_client: Client) -> None:
        response = admin_client.post(f"{LIST}add/", FORM)
        assert response.status_code == 200
        secret = secret_on(response)
        assert ApiClient(key=secret).post("/account/sessions/anonymous").status_code == 201

    def test_the_page_with_the_secret_is_not_kept(self, admin_client: Client) -> None:
        response = admin_client.post(f"{LIST}add/", FORM)
        assert "no-store" in response["Cache-Control"]
        secret = secret_on(response)
        assert secret not in str(dict(response.cookies))
        assert all(secret not in str(row.get_decoded()) for row in DjangoSession.objects.all())

    def test_no_later_page_shows_it(self, admin_client: Client) -> None:
        secret = secret_on(admin_client.post(f"{LIST}add/", FORM))
        key = ApiKey.objects.get()
        for page in (LIST, f"{LIST}{key.pk}/change/", f"{LIST}{key.pk}/history/"):
            body = admin_client.get(page).content.decode()
            assert secret[9:] not in body
            assert key.secret_digest not in body

    def test_a_scope_no_key_may_hold(self, admin_client: Client) -> None:
        response = admin_client.post(f"{LIST}add/", {**FORM, "scopes": ["account"]})
        assert "Select a valid choice" in response.content.decode()
        assert not ApiKey.objects.exists()

    def test_the_admin_log_says_who_made_it(self, admin_client: Client, admin_user: Any) -> None:
        from django.contrib.admin.models import LogEntry

        admin_client.post(f"{LIST}add/", FORM)
        assert LogEntry.objects.get().user == admin_user


class TestChange:
    def test_scopes_change_and_the_secret_stays(self, admin_client: Client) -> None:
        secret = secret_on(admin_client.post(f"{LIST}add/", FORM))
        key = ApiKey.objects.get()
        changed = {**FORM, "scopes": ["users.read"]}
        assert admin_client.post(f"{LIST}{key.pk}/change/", changed).status_code == 302
        response = ApiClient(key=secret).post("/account/sessions/anonymous")
        assert response.json()["type"] == "general_unauthorized_scope"

    def test_deleting_revokes(self, admin_client: Client) -> None:
        secret = secret_on(admin_client.post(f"{LIST}add/", FORM))
        key = ApiKey.objects.get()
        admin_client.post(f"{LIST}{key.pk}/delete/", {"post": "yes"})
        response = ApiClient(key=secret).post("/account/sessions/anonymous")
        assert response.json()["type"] == "user_unauthorized"


@pytest.mark.django_db
def test_staff_without_the_permission_see_nothing(django_user_model: Any) -> None:
    staff = django_user_model.objects.create_user("staff", password="x", is_staff=True)
    client = Client()
    client.force_login(staff)
    assert client.get(LIST).status_code == 403
    assert client.post(f"{LIST}add/", FORM).status_code == 403
    assert not ApiKey.objects.exists()
