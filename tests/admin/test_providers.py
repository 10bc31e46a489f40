"""The OAuth2 providers in the admin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.test.html import parse_html
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.admin.providers import ProviderState, shown
from django_account.audit.models import LogEntry
from django_account.identities.models import Identity
from django_account.identities.providers.registry import PROVIDERS
from tests.admin.staff import staff

PAGE = "/admin/django_account/oauth2provider/"

pytestmark = pytest.mark.django_db

Project = Callable[..., None]


def states(client: Client) -> dict[str, ProviderState]:
    return {each.provider.key: each for each in client.get(PAGE).context["states"]}


def identity(provider: str, uid: str) -> None:
    user = get_user_model().objects.create_user(f"{provider}-{uid}")
    account = Account.objects.create(user=user)
    Identity.objects.create(account=account, provider=provider, provider_uid=uid)


class TestState:
    @pytest.mark.parametrize(
        ("key", "config", "state", "missing", "unknown"),
        [
            ("github", {"client_id": "1", "client_secret": "2"}, "on", [], []),
            ("github", {"client_id": "1"}, "incomplete", ["client_secret"], []),
            ("github", {}, "incomplete", ["client_id", "client_secret"], []),
            ("github", {"client_id": "1", "enabled": False}, "off", ["client_secret"], []),
            ("oidc", {"client_id": "1", "client_secret": "2", "issuer": "https://a"}, "on", [], []),
            (
                "oidc",
                {"client_id": "1", "client_secret": "2"},
                "incomplete",
                ["endpoint / issuer"],
                [],
            ),
            (
                "apple",
                {"client_id": "1", "team_id": "2", "key_id": "3"},
                "incomplete",
                ["private_key"],
                [],
            ),
            ("github", {"client_id": "1", "client_secret": "2", "scope": "x"}, "on", [], ["scope"]),
        ],
    )
    def test_of_a_provider(
        self,
        admin_client: Client,
        project: Project,
        key: str,
        config: dict[str, Any],
        state: str,
        missing: list[str],
        unknown: list[str],
    ) -> None:
        project(OAUTH2_PROVIDERS={key: config})
        found = states(admin_client)[key]
        assert (found.state, found.missing, found.unknown) == (state, missing, unknown)
        text = admin_client.get(PAGE).content.decode()
        for word in (*missing, *unknown):
            assert f"<code>{word}</code>" in text

    def test_scopes_and_callback(self, admin_client: Client, project: Project) -> None:
        config = {"client_id": "1", "client_secret": "2", "scopes": ["repo", "user:email"]}
        project(OAUTH2_PROVIDERS={"github": config})
        found = states(admin_client)["github"]
        assert found.scopes == ["user:email", "repo"]
        assert found.callback == "http://testserver/v1/account/sessions/oauth2/callback/github/demo"
        assert found.callback in admin_client.get(PAGE).content.decode()

    def test_identities_and_the_last_sign_in(self, admin_client: Client, project: Project) -> None:
        config = {"client_id": "1", "client_secret": "2"}
        project(OAUTH2_PROVIDERS={"github": config, "google": config})
        for provider, uid in (("github", "1"), ("github", "2"), ("gitlab", "1")):
            identity(provider, uid)
        for age in (1, 5, 100):
            at = timezone.now() - timedelta(hours=age)
            LogEntry.objects.create(event="session.create", provider="github", at=at)
        found = states(admin_client)
        assert [found[key].identities for key in ("github", "google")] == [2, 0]
        hour = (timezone.now() - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
        assert found["github"].last_sign_in == hour
        assert found["google"].last_sign_in is None
        assert "1 identity that nobody can sign in with" in admin_client.get(PAGE).content.decode()

    def test_none_is_set_up(self, admin_client: Client, project: Project) -> None:
        project(OAUTH2_PROVIDERS={})
        text = admin_client.get(PAGE).content.decode()
        parse_html(text)
        assert "None is set up." in text
        assert f"{len(PROVIDERS)} other providers" in text
        assert all(f"<code>{key}</code>" in text for key in PROVIDERS)

    def test_a_name_that_is_no_providers(self, admin_client: Client, project: Project) -> None:
        project(OAUTH2_PROVIDERS={"gitbub": {"client_id": "1", "client_secret": "hidden-value"}})
        text = admin_client.get(PAGE).content.decode()
        assert "<code>gitbub</code>" in text
        assert "hidden-value" not in text


class TestSecrets:
    def test_of_no_provider_are_shown(self, admin_client: Client, project: Project) -> None:
        """Whatever it may be given: all but what is known to be none is hidden."""
        project(
            OAUTH2_PROVIDERS={
                key: {
                    **{name: f"hidden-{name}" for name in provider.known_keys | {"surprise"}},
                    **dict.fromkeys(("client_id", "domain", "endpoint", "issuer"), "public"),
                    "scopes": ["s"],
                    "enabled": True,
                }
                for key, provider in PROVIDERS.items()
            }
        )
        text = admin_client.get(PAGE).content.decode()
        assert "hidden-tenant" in text
        for secret in ("client_secret", "private_key", "surprise"):
            assert f"hidden-{secret}" not in text
        assert len(states(admin_client)) == len(PROVIDERS)

    @pytest.mark.parametrize(
        ("key", "value", "text"),
        [
            ("client_secret", "abc", "set"),
            ("client_secret", "", "empty"),
            ("private_key", None, "empty"),
            ("client_id", "1234.apps", "1234.apps"),
            (
                "endpoint",
                "https://me:pass@id.example.com:8443/a?key=1",
                "https://id.example.com:8443/a",
            ),
            ("domain", "me:pass@id.example.com", "id.example.com"),
            ("endpoint", "https://[bad@", "https://"),
            ("native_client_ids", ["a", "b"], "a, b"),
            ("max_age", 5, "5"),
        ],
    )
    def test_shown(self, key: str, value: Any, text: str) -> None:
        assert shown(key, value) == text


class TestPage:
    def test_is_on_the_index(self, admin_client: Client) -> None:
        assert f'href="{PAGE}"' in admin_client.get("/admin/").content.decode()

    def test_changes_nothing(self, admin_client: Client, project: Project) -> None:
        project(OAUTH2_PROVIDERS={"github": {"client_id": "1", "client_secret": "2"}})
        content = admin_client.get(PAGE).content.decode().partition('id="content-main"')[2]
        assert "<form" not in content
        assert "<input" not in content
        for path in ("add/", "1/change/", "1/delete/"):
            assert admin_client.get(PAGE + path).status_code == 404

    def test_permissions(self, client: Client) -> None:
        assert client.get(PAGE).status_code == 302
        may, may_not = staff("view_oauth2provider"), Client()
        assert may.get(PAGE).status_code == 200
        user = get_user_model().objects.create_user("other", is_staff=True)
        may_not.force_login(user)
        assert may_not.get(PAGE).status_code == 403
        assert PAGE not in may_not.get("/admin/").content.decode()
