"""The activity log in the admin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from django_account.admin.paging import CappedPaginator
from django_account.audit.models import LogEntry

LIST = "/admin/django_account/logentry/"

pytestmark = pytest.mark.django_db


def entry(**values: Any) -> LogEntry:
    given = {"event": "session.create", "user_type": "user", "user_id": "ada", "account_pk": 1}
    return LogEntry.objects.create(**given | values)


def shown(client: Client, query: str = "") -> set[int]:
    """The entries that a list shows."""
    response = client.get(LIST + query)
    assert response.status_code == 200
    return {found.pk for found in response.context["cl"].result_list}


class TestList:
    def test_newest_first(self, admin_client: Client) -> None:
        first, second = entry(), entry()
        response = admin_client.get(LIST)
        assert list(response.context["cl"].result_list) == [second, first]

    def test_who_what_and_from_where(self, admin_client: Client) -> None:
        entry(
            user_email="ada@example.org",
            error="user_invalid_credentials",
            ip="192.0.2.1",
            country_code="de",
            user_agent="curl/8.5.0",
        )
        text = admin_client.get(LIST).content.decode()
        for fact in ("ada@example.org", "user_invalid_credentials", "192.0.2.1", ">DE<", "curl"):
            assert fact in text

    def test_an_attempt_at_nobody(self, admin_client: Client) -> None:
        entry(user_id="", account_pk=None, user_email="x@example.org", error="user_not_found")
        assert "x@example.org (nobody)" in admin_client.get(LIST).content.decode()

    def test_filters(self, admin_client: Client) -> None:
        done, failed = entry(), entry(error="user_blocked")
        update = entry(event="user.update")
        old = entry(at=timezone.now() - timedelta(days=100))
        everything = {done.pk, failed.pk, update.pk, old.pk}
        assert shown(admin_client) == everything
        assert shown(admin_client, "?outcome=failed") == {failed.pk}
        assert shown(admin_client, "?outcome=done") == everything - {failed.pk}
        assert shown(admin_client, "?event=user.update") == {update.pk}
        assert shown(admin_client, "?event=nonsense&outcome=nonsense") == everything
        since = quote((timezone.now() - timedelta(days=7)).isoformat())
        assert shown(admin_client, f"?at__gte={since}") == everything - {old.pk}

    @pytest.mark.parametrize(
        ("term", "found"),
        [
            ("ada", True),
            ("ada@example.org", True),
            (" Ada@Example.org ", True),
            ("192.0.2.1", True),
            ("ad", False),
            ("example.org", False),
            ("192.0.2", False),
            ("192.0.2.2", False),
            ("user.create", False),
        ],
    )
    def test_search(self, admin_client: Client, term: str, found: bool) -> None:
        expected = {entry(user_email="ada@example.org", ip="192.0.2.1").pk} if found else set()
        entry(user_id="bob", user_email="bob@example.org", ip="192.0.2.9")
        if not found:
            entry(user_email="ada@example.org", ip="192.0.2.1")
        assert shown(admin_client, f"?q={term}") == expected

    def test_counts_no_further_than_it_must(
        self,
        admin_client: Client,
        monkeypatch: pytest.MonkeyPatch,
        django_assert_num_queries: Callable[..., Any],
    ) -> None:
        monkeypatch.setattr(CappedPaginator, "MAX_COUNT", 150)
        LogEntry.objects.bulk_create(
            LogEntry(event="user.update", user_type="user") for _ in range(200)
        )
        # Session, user; how many; the entries.
        with django_assert_num_queries(4) as captured:
            response = admin_client.get(LIST)
        assert response.context["cl"].result_count == 150
        counts = [query["sql"] for query in captured if "COUNT(" in query["sql"]]
        assert all("LIMIT 150" in sql for sql in counts)
        assert len(counts) == 1

    def test_is_not_sorted_by_what_has_no_index(self, admin_client: Client) -> None:
        first, second = entry(event="user.update"), entry(event="session.create")
        response = admin_client.get(f"{LIST}?o=2")
        assert list(response.context["cl"].result_list) == [second, first]


class TestReadOnly:
    def test_an_entry_is_looked_at(self, admin_client: Client) -> None:
        found = entry(user_agent="curl/8.5.0", key_name="web shop", session_id="s1")
        text = admin_client.get(f"{LIST}{found.pk}/change/").content.decode()
        for fact in ("session.create", "curl/8.5.0", "web shop", "s1"):
            assert fact in text
        assert 'name="_save"' not in text
        assert "<textarea" not in text

    def test_nothing_is_added(self, admin_client: Client) -> None:
        assert admin_client.get(f"{LIST}add/").status_code == 403

    def test_nothing_is_changed(self, admin_client: Client) -> None:
        found = entry()
        body = {"event": "user.delete"}
        assert admin_client.post(f"{LIST}{found.pk}/change/", body).status_code == 403
        assert LogEntry.objects.get().event == "session.create"

    def test_nothing_is_deleted(self, admin_client: Client) -> None:
        found = entry()
        body = {"action": "delete_selected", "_selected_action": [found.pk], "post": "yes"}
        admin_client.post(LIST, body)
        url = f"{LIST}{found.pk}/delete/"
        assert admin_client.post(url, {"post": "yes"}).status_code == 403
        assert LogEntry.objects.exists()

    @pytest.mark.parametrize(("permission", "status"), [(None, 403), ("view_logentry", 200)])
    def test_who_may_look(
        self, client: Client, django_user_model: Any, permission: str | None, status: int
    ) -> None:
        user = django_user_model.objects.create_user("staff", password="x", is_staff=True)
        given = Permission.objects.filter(
            codename=permission, content_type__app_label="django_account"
        )
        user.user_permissions.set(given)
        client.force_login(user)
        assert client.get(LIST).status_code == status
