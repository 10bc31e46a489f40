"""The overview in the admin."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.html import parse_html
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.admin.charts import Columns, Share, shares
from django_account.audit.models import LogEntry
from django_account.audit.tallies import Tally
from tests.admin.staff import staff
from tests.client import ApiClient

PAGE = "/admin/django_account/tally/"

pytestmark = pytest.mark.django_db


def figures(client: Client, range_: str = "24h") -> dict[str, int]:
    """The total of each chart."""
    charts = client.get(f"{PAGE}?range={range_}").context["charts"]
    return {chart.name: chart.total for chart in charts}


def entry(age: timedelta = timedelta(0), **values: Any) -> None:
    given = {"event": "session.create", "at": timezone.now() - age, **values}
    LogEntry.objects.create(**given)


class TestFigures:
    @pytest.mark.django_db(transaction=True)
    def test_of_what_people_do(self, guest: ApiClient, admin_client: Client) -> None:
        guest.sign_up(userId="ada", name="Ada")
        guest.sign_in()
        body = {"email": "ada@example.org", "password": "wrong-password"}
        assert ApiClient().post("/account/sessions/email", body).status_code == 401
        ApiClient().post("/account/sessions/anonymous", {})
        context = admin_client.get(f"{PAGE}?range=24h").context
        assert figures(admin_client) == {"sign-up": 2, "sign-in": 2, "failure": 1}
        assert context["methods"] == [
            Share("Anonymously", 1, 50),
            Share("E-mail address and password", 1, 50),
        ]
        assert context["failures"] == [Share("user_invalid_credentials", 1, 100)]
        stock = context["stock"]
        assert (stock.accounts, stock.sessions, stock.with_mfa) == (2, 2, 0)

    @pytest.mark.parametrize(("range_", "hours"), [("24h", 22), ("30d", 700), ("90d", 2130)])
    def test_reach_back_so_far(self, admin_client: Client, range_: str, hours: int) -> None:
        entry(timedelta(hours=hours), provider="github")
        entry(timedelta(days=95), provider="github")
        entry(provider="magic-url")
        # However long counting takes.
        while admin_client.get(f"{PAGE}?range=90d").context["hours_left"]:
            pass
        assert figures(admin_client, range_)["sign-in"] == 2
        context = admin_client.get(f"{PAGE}?range={range_}").context
        assert context["methods"] == [Share("GitHub", 1, 50), Share("Magic URL", 1, 50)]

    def test_with_mfa_and_seen(self, ada: ApiClient, admin_client: Client) -> None:
        Account.objects.update(mfa_enabled=True, accessed_at=timezone.now() - timedelta(days=3))
        stock = admin_client.get(f"{PAGE}?range=24h").context["stock"]
        assert (stock.with_mfa, stock.seen) == (1, 0)
        response = admin_client.get(f"{PAGE}?range=30d")
        assert response.context["stock"].seen == 1
        assert "100 %" in response.content.decode()

    def test_says_what_is_not_counted_yet(self, admin_client: Client, monkeypatch: Any) -> None:
        monkeypatch.setattr("django_account.admin.overview.PATIENCE", 0)
        entry(timedelta(hours=5), provider="email")
        text = admin_client.get(PAGE).content.decode()
        assert re.search(r"\b[45] hours of this period have not been counted yet", text)
        monkeypatch.undo()
        assert "not been counted" not in admin_client.get(PAGE).content.decode()

    @pytest.mark.parametrize("range_", ["", "1y", "<script>", "24H"])
    def test_of_thirty_days_unless_said(self, admin_client: Client, range_: str) -> None:
        response = admin_client.get(PAGE, {"range": range_})
        assert len(response.context["charts"][0].starts) == 30
        assert "<script>" not in response.content.decode()

    def test_take_no_more_statements_with_more_of_everything(self, admin_client: Client) -> None:
        def statements() -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                admin_client.get(f"{PAGE}?range=30d")
            return len(queries)

        entry(timedelta(hours=3), provider="email")
        admin_client.get(f"{PAGE}?range=90d")
        before = statements()
        for number in range(20):
            entry(provider=f"p{number}")
            entry(error=f"error_{number}")
        assert statements() == before <= 15


class TestPage:
    def test_is_on_the_indexes(self, admin_client: Client) -> None:
        for index in ("/admin/", "/admin/django_account/"):
            assert f'href="{PAGE}"' in admin_client.get(index).content.decode()

    def test_is_well_formed_and_needs_nothing_inline(self, admin_client: Client) -> None:
        entry(provider="email")
        entry(error="user_blocked")
        text = admin_client.get(f"{PAGE}?range=90d").content.decode()
        parse_html(text)
        content = text[text.index('id="content-main"') :]
        assert "<script" not in content
        assert "style=" not in content
        assert " on" not in "".join(re.findall(r"<[^>]+>", content)).replace(" one", "")

    def test_each_drawing_has_a_name_a_description_and_a_table(self, admin_client: Client) -> None:
        entry(provider="email")
        text = admin_client.get(PAGE).content.decode()
        for name, number in (("sign-up", 0), ("sign-in", 1), ("failure", 0)):
            section = re.search(
                rf'<section class="account-chart account-chart-{name}".*?</section>', text, re.S
            )
            assert section
            svg = ElementTree.fromstring(re.search(r"<svg.*?</svg>", section[0], re.S)[0])
            assert svg.get("role") == "img"
            ids = {element.get("id"): element.text for element in svg}
            title, description = (ids[each] for each in svg.get("aria-labelledby", "").split())
            assert title
            assert str(number) in description or "None" in description
            assert section[0].count("<tr>") == 31

    def test_in_another_language_draws_the_same(self, admin_client: Client, settings: Any) -> None:
        settings.USE_THOUSAND_SEPARATOR = True
        settings.LANGUAGE_CODE = "de"
        entry(provider="email")
        text = admin_client.get(f"{PAGE}?range=90d").content.decode()
        content = text[text.index('id="content-main"') :]
        # Django's own icons stand behind ours.
        drawings = content.partition("<footer")[0]
        numbers = re.findall(r' (?:x|y|width|height|viewBox)="([^"]*)"', drawings)
        assert len(numbers) > 1000
        assert [each for each in numbers if not re.fullmatch(r"[\d. ]+", each)] == []

    def test_without_time_zones(self, admin_client: Client, settings: Any) -> None:
        settings.USE_TZ = False
        text = admin_client.get(PAGE).content.decode()
        assert "UTC" not in text[text.index('id="content-main"') :]


class TestPermissions:
    def test_viewing_it_is_enough(self) -> None:
        client = staff("view_tally")
        assert client.get(PAGE).status_code == 200
        assert PAGE in client.get("/admin/").content.decode()

    def test_without(self) -> None:
        client = staff("view_account", "view_logentry")
        assert client.get(PAGE).status_code == 403
        assert PAGE not in client.get("/admin/").content.decode()

    def test_anybody_else(self, client: Client, django_user_model: Any) -> None:
        assert client.get(PAGE).status_code == 302
        client.force_login(django_user_model.objects.create_user("visitor"))
        assert client.get(PAGE).status_code == 302

    def test_there_is_nothing_else(self, admin_client: Client) -> None:
        tally = Tally.objects.create(day=timezone.now().date(), hour=0, what="counted")
        for path in ("add/", f"{tally.pk}/change/", f"{tally.pk}/delete/", f"{tally.pk}/history/"):
            assert admin_client.get(PAGE + path).status_code == 404
        admin_client.post(PAGE, {"action": "delete_selected", "_selected_action": tally.pk})
        assert Tally.objects.count() >= 1


class TestColumns:
    STARTS = [datetime(2031, 5, day, tzinfo=UTC) for day in range(1, 5)]

    @pytest.mark.parametrize(
        ("most", "top"),
        [(0, 1), (1, 1), (3, 4), (7, 8), (9, 10), (10, 10), (11, 20), (41, 50), (999_999, 10**6)],
    )
    def test_scale(self, most: int, top: int) -> None:
        assert Columns("n", "N", self.STARTS, [0, most, 0, 0]).top == top

    def test_heights(self) -> None:
        columns = Columns("n", "N", self.STARTS, [0, 4, 1, 2]).columns
        assert [(each.x, each.y, each.height) for each in columns] == [
            (0, "100.00", "0.00"),
            (10, "0.00", "100.00"),
            (20, "75.00", "25.00"),
            (30, "50.00", "50.00"),
        ]

    def test_description(self) -> None:
        chart = Columns("n", "N", self.STARTS, [0, 4, 1, 2])
        assert chart.description == "7 between May 1 and May 4; most at May 2: 4."
        assert (
            Columns("n", "N", self.STARTS, [0] * 4).description == "None between May 1 and May 4."
        )


def test_shares() -> None:
    numbers = {"a": 1, "b": 700, "c": 1, "d": 298}
    assert shares(numbers, most=2, rest="other") == [
        Share("b", 700, 70),
        Share("d", 298, 30),
        Share("other", 2, 0),
    ]
    assert [each.text for each in shares(numbers, most=9, rest="")] == [
        "70 %",
        "30 %",
        "< 1 %",
        "< 1 %",
    ]
    assert shares({}, most=2, rest="other") == []
