"""Whatever people write into their accounts is text in the admin, on every page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.admin.acts import registry
from django_account.api_keys.models import ApiKey
from django_account.audit.models import LogEntry
from django_account.identities.models import Identity
from django_account.mfa.models import Authenticator
from django_account.notifications.models import Delivery
from django_account.sessions.models import Session
from django_account.targets.models import Target
from django_account.tokens.models import Token
from tests.admin.staff import LIST, act_page, change, form_of

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = [
    *("name", "email", "prefs", "labels", "username", "provider", "uid", "identity-email", "ip"),
    *("agent", "browser", "device", "factor", "target", "target-name", "address", "recipient"),
    *("error", "log-event", "log-ip", "key", "device-name", "log-email", "log-phone", "log-name"),
    *("log-error", "log-provider", "log-session", "actor", "reason", "api-key", "method"),
    *("failure",),
]


def canary(field: str) -> str:
    """A tag that names the field it came from, and breaks out of attributes and scripts."""
    return f"\"'><script>{field}</script><img src=x onerror={field}>{{{{7*7}}}}"


@pytest.fixture
def mallory(settings: Any) -> Account:
    """An account with a canary wherever a row can hold one, past every check at the door."""
    account = create_account(account_id="mallory")
    User.objects.filter(pk=account.user_id).update(username=canary("username"))
    Account.objects.filter(pk=account.pk).update(
        name=canary("name"),
        # As the constraint wants it.
        email=canary("email").lower(),
        phone="+1<b>phone</b>",
        prefs={canary("prefs"): canary("prefs")},
        labels=[canary("labels")],
    )
    identity = Identity.objects.create(
        account=account,
        provider="github",
        provider_uid=canary("uid"),
        provider_email=canary("identity-email"),
    )
    Session.objects.create(
        account=account,
        secret_digest="x",
        provider=canary("provider"),
        factors=[canary("factor")],
        ip=canary("ip")[:45],
        user_agent=canary("agent"),
        client={
            "client_name": canary("browser"),
            "os_name": canary("os"),
            "device_model": canary("device"),
        },
        expires_at="2100-01-01T00:00:00Z",
    )
    device, _ = Authenticator.new(account.user)
    device.name = canary("device-name")[:64]
    device.save()
    Target.objects.create(
        account=account,
        provider_type="email",
        identifier=canary("target"),
        name=canary("target-name"),
    )
    Token.objects.create(
        account=account,
        kind="recovery",
        secret_digest="x",
        address=canary("address"),
        identity=identity,
        expires_at="2100-01-01T00:00:00Z",
    )
    Delivery.objects.create(
        account=account,
        kind="recovery",
        channel="email",
        recipient=canary("recipient"),
        error=canary("error"),
        expires_at="2100-01-01T00:00:00Z",
    )
    LogEntry.objects.create(
        event="user.update",
        account_pk=account.pk,
        user_id="mallory",
        user_type="user",
        ip=canary("log-ip")[:45],
        key_name=canary("key"),
        user_agent=canary("agent"),
        client=[canary("agent")] * 12,
    )
    LogEntry.objects.create(
        event="session.create",
        account_pk=account.pk,
        user_id="mallory",
        key_name=canary("key"),
        user_agent=canary("agent"),
        # SQLite holds what is too long, and these pages are the same everywhere.
        user_email=canary("log-email"),
        user_phone=canary("log-phone"),
        user_name=canary("log-name"),
        error=canary("log-error"),
        provider=canary("log-provider"),
        session_id=canary("log-session"),
        actor_id=canary("actor"),
        reason=canary("reason"),
        mode="told",
    )
    ApiKey.objects.create(name=canary("api-key"), secret_digest="x", scopes=["users.read"])
    for what, detail in (("sign-in", "method"), ("failure", "failure")):
        LogEntry.objects.create(
            event="session.create",
            provider=canary(detail) if what == "sign-in" else "",
            error=canary(detail) if what == "failure" else "",
        )
    return Account.objects.with_user().get()


def is_inert(page: str) -> None:
    for field in FIELDS:
        assert f"<script>{field}" not in page, field
        assert f"onerror={field}>" not in page, field
    assert "<b>phone" not in page


def test_the_list(admin_client: Client, mallory: Account) -> None:
    for query in ("", "?q=mallory", "?q=%22%3E%3Cscript%3Ename", "?status=%22%3E%3Cscript%3Ename"):
        is_inert(admin_client.get(LIST + query).content.decode())
    assert "&lt;script&gt;name" in admin_client.get(LIST).content.decode()


def test_the_page(admin_client: Client, mallory: Account) -> None:
    page = admin_client.get(change(mallory)).content.decode()
    is_inert(page)
    # Each of them is there, as text.
    for field in ("name", "username", "prefs", "labels", "uid", "browser", "target", "address"):
        assert f"&lt;script&gt;{field}" in page, field
    assert "&lt;script&gt;recipient" in page
    assert "&lt;script&gt;key" in page


def test_the_page_of_who_may_only_look(
    client: Client, mallory: Account, django_user_model: Any
) -> None:
    from tests.admin.staff import staff

    page = staff("view_account", "view_logentry", "view_delivery").get(change(mallory))
    is_inert(page.content.decode())
    assert "&lt;script&gt;name" in page.content.decode()


def test_a_refused_form(admin_client: Client, mallory: Account) -> None:
    refused = {"email": canary("email"), "labels": canary("labels"), "prefs": canary("prefs")}
    page = admin_client.post(change(mallory), form_of(mallory, **refused)).content.decode()
    assert "errorlist" in page
    is_inert(page)
    kept = form_of(mallory, prefs=json.dumps({"a": canary("prefs")}), email="x")
    is_inert(admin_client.post(change(mallory), kept).content.decode())


def test_the_history(admin_client: Client, mallory: Account) -> None:
    admin_client.post(act_page(mallory, "block"), {"confirmed": "x"})
    is_inert(admin_client.get(f"{LIST}{mallory.pk}/history/").content.decode())
    is_inert(admin_client.get("/admin/").content.decode())


@pytest.mark.parametrize("name", sorted(registry))
def test_every_page_that_asks(
    admin_client: Client, mallory: Account, project: Callable[..., None], name: str
) -> None:
    project(ADMIN_SET_PASSWORDS=True, ADMIN_IMPERSONATION=True)
    item = registry[name].item
    for query in ("", f"?{item}=%22%3E%3Cscript%3Ename" if item else "?x=1"):
        page = admin_client.get(act_page(mallory, name) + query).content.decode()
        is_inert(page)
        assert "&lt;script&gt;email" in page
    chosen = {"action": name, "_selected_action": [mallory.pk]}
    is_inert(admin_client.post(LIST, chosen, follow=True).content.decode())
    answer = {"confirmed": "x", "address": canary("address"), item or "x": canary("uid")}
    answered = admin_client.post(act_page(mallory, name), answer, follow=True)
    # A file of data is for no browser to show.
    if not answered.has_header("Content-Disposition"):
        is_inert(answered.content.decode())


def test_every_other_page(admin_client: Client, mallory: Account, admin_user: Any) -> None:
    """With each field on the page that shows it, as text."""
    entry, key = LogEntry.objects.get(mode="told"), ApiKey.objects.get()
    delivery = Delivery.objects.get()
    of_site = f"/admin/auth/user/{mallory.user_id}/"
    for path, fields in (
        ("logentry/", ["log-email", "log-error", "log-ip"]),
        (
            f"logentry/{entry.pk}/change/",
            [
                *("log-email", "log-phone", "log-name", "log-error", "log-provider"),
                *("log-session", "actor", "reason", "key", "agent"),
            ],
        ),
        (f"logentry/{entry.pk}/history/", []),
        ("delivery/", ["recipient", "error"]),
        (f"delivery/{delivery.pk}/change/", ["recipient", "error"]),
        (f"delivery/{delivery.pk}/history/", []),
        ("apikey/", ["api-key"]),
        (f"apikey/{key.pk}/change/", ["api-key"]),
        (f"apikey/{key.pk}/delete/", ["api-key"]),
        ("tally/?range=24h", ["method", "failure"]),
        ("oauth2provider/", []),
        (f"{of_site}change/", ["username"]),
        (f"{of_site}delete/", ["username", "email", "recipient"]),
        (f"{of_site}history/", ["username"]),
    ):
        url = path if path.startswith("/") else f"/admin/django_account/{path}"
        page = admin_client.get(url).content.decode()
        is_inert(page)
        for field in fields:
            assert f"&lt;script&gt;{field}" in page, (path, field)


def test_the_page_of_rate_limits(admin_client: Client, mallory: Account) -> None:
    page = "/admin/django_account/cacheentry/"
    asked = admin_client.post(page, {"who": "mallory"}).content.decode()
    is_inert(asked)
    assert "&lt;script&gt;name" in asked
    done = admin_client.post(page, {"who": "mallory", "confirmed": "x"}, follow=True)
    is_inert(done.content.decode())
    is_inert(admin_client.get("/admin/").content.decode())


def test_the_page_of_a_new_key(admin_client: Client) -> None:
    body = {"name": canary("api-key"), "scopes": ["users.read"]}
    page = admin_client.post("/admin/django_account/apikey/add/", body).content.decode()
    assert "standard_" in page
    is_inert(page)
    assert "&lt;script&gt;api-key" in page


def test_the_banner_of_who_acts_as_them(
    admin_client: Client, mallory: Account, project: Callable[..., None]
) -> None:
    project(ADMIN_IMPERSONATION=True)
    reason = {"reason": canary("reason"), "confirmed": "x"}
    started = admin_client.post(act_page(mallory, "impersonate"), reason)
    admin_client.get(started["Location"])
    page = admin_client.get(LIST).content.decode()
    assert "You are acting as" in page
    is_inert(page)
    kept = LogEntry.objects.get(reason__startswith=canary("reason")[:9], session_id__gt="/")
    is_inert(admin_client.get(f"/admin/django_account/logentry/{kept.pk}/change/").content.decode())
