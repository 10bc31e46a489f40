"""The admin's own pages in a browser: on a phone and a desktop, by day and by night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from django_account.audit.models import LogEntry
from django_account.audit.tallies import roll_up
from django_account.notifications.models import Delivery
from tests.live.axe import STRICT_CSP, assert_usable, look_at, session_cookie

pytestmark = pytest.mark.live

HERE = "/admin/django_account"


def test_overview_providers_and_deliveries(
    live_server: Any,
    admin_client: Client,
    browser_packages: Path,
    project: Callable[..., None],
) -> None:
    config = {"client_id": "1" * 60, "client_secret": "2"}
    project(
        OAUTH2_PROVIDERS={
            "github": config,
            "google": {"client_id": "1"},
            "gitlab": {**config, "enabled": False, "unknown": 1},
        }
    )
    now = timezone.now()
    for hours in range(300):
        at = now - timedelta(hours=7 * hours)
        outcome = {"error": "user_blocked"} if hours % 9 == 0 else {"provider": "github"}
        LogEntry.objects.create(event="session.create", at=at, **outcome)
    roll_up(since=now - timedelta(days=90))
    delivery = Delivery.objects.create(
        kind="otp-session",
        channel="email",
        recipient=f"{'a' * 60}@example.org",
        state=Delivery.State.FAILED,
        error="OSError: the mail server does not answer",
        expires_at=now,
    )
    cookies = session_cookie(admin_client)

    def address(page: str) -> str:
        return f"{live_server.url}{HERE}/{page}"

    pages = ["tally/?range=24h", "tally/?range=90d", "oauth2provider/"]
    assert_usable(
        look_at(browser_packages, [*map(address, pages)], cookies=cookies, csp=STRICT_CSP)
    )
    # Django's own templates style a thing or two inline.
    pages = ["delivery/", f"delivery/{delivery.pk}/change/"]
    assert_usable(look_at(browser_packages, [*map(address, pages)], cookies=cookies))
