"""GET /users/usage, which only consoles call (users.md §8.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_account.accounts.models import Account
from tests.client import ApiClient, assert_error


@pytest.mark.parametrize(
    ("range_", "number", "length"),
    [("24h", 24, timedelta(hours=1)), ("30d", 30, timedelta(days=1)), ("90d", 90, timedelta(1))],
)
def test_buckets(site: ApiClient, ada: ApiClient, range_: str, number: int, length: Any) -> None:
    for age, user_id in ((0, "now"), (1, "before"), (number, "too-long-ago")):
        site.post("/users", {"userId": user_id})
        made = timezone.now() - age * length
        Account.objects.filter(public_id=user_id).update(created_at=made)
    body = site.get(f"/users/usage?range={range_.upper()}").json()
    assert list(body) == ["range", "usersTotal", "sessionsTotal", "users", "sessions"]
    assert (body["range"], body["usersTotal"], body["sessionsTotal"]) == (range_, 4, 1)
    assert [each["value"] for each in body["users"]] == [*[0] * (number - 2), 1, 2]
    assert [each["value"] for each in body["sessions"]] == [*[0] * (number - 1), 1]
    dates = [datetime.fromisoformat(each["date"]) for each in body["users"]]
    assert dates == [dates[0] + index * length for index in range(number)]
    assert body["users"][0]["date"].endswith(":00:00.000+00:00")


def test_thirty_days_unless_said(site: ApiClient) -> None:
    assert site.get("/users/usage").json()["range"] == "30d"
    assert_error(site.get("/users/usage?range=1y"), 400, "general_argument_invalid")
