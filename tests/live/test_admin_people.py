"""The admin of people, used as staff use it: by clicks in Chromium, up to what is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.admin.acts import Act, registry
from django_account.administration.services import update_status
from django_account.identities.models import Identity
from django_account.mfa.models import Authenticator, GuessCount, RecoveryCode
from django_account.notifications import sms
from django_account.sessions.models import Session
from tests.admin.staff import LIST, act_page, change
from tests.administration.people import EMAIL, PHONE, somebody
from tests.live.axe import DESKTOP, assert_usable, look_at, session_cookie
from tests.live.desk import CONFIRM, Desk
from tests.live.window import Window

pytestmark = pytest.mark.live

Project = Callable[..., None]


def now(account: Account) -> Account:
    return Account.objects.with_user().get(pk=account.pk)


def is_mailed(page: str, email: str = EMAIL) -> bool:
    """Whether one person alone was mailed a link to a page of ours."""
    found = [(str(message.to), str(message.body)) for message in mail.outbox]
    return len(found) == 1 and email in found[0][0] and f"/v1/pages/{page}?" in found[0][1]


@pytest.fixture
def desk(live_server: Any, admin_client: Client, window: Window) -> Iterator[Desk]:
    """A window of a superuser who is signed in. No script may fail."""
    cookies = [
        {"name": name, "value": value, "url": live_server.url}
        for name, value in session_cookie(admin_client).items()
    ]
    state = {"cookies": cookies, "origins": []}
    with window.opened(storageState=state, viewport={"width": DESKTOP, "height": 900}):
        yield Desk(window, live_server.url)
        assert window.errors() == []


def test_sign_in_find_and_change(live_server: Any, admin_user: User, window: Window) -> None:
    create_account(name="Bob", email="bob@example.org")
    eve = create_account(name="Eve", email="eve@example.org", phone=PHONE)
    update_status(account=eve, is_active=False)
    desk = Desk(window, live_server.url)
    with window.opened(viewport={"width": DESKTOP, "height": 900}):
        desk.go(LIST)
        window.fill("#login-form", username="admin", password="password")
        desk.follow("#login-form [type=submit]")
        window.wait_for("#changelist")
        assert {"Bob", "Eve"} <= set(desk.names())

        window.fill("#changelist-search", q="bob@example")
        desk.follow("#changelist-search [type=submit]")
        assert desk.names() == ["Bob"]
        desk.go(LIST)
        desk.follow('#changelist-filter a:has-text("Blocked")')
        assert desk.names() == ["Eve"]

        desk.follow(".field-who a")
        window.wait_for("#account_form")
        assert desk.path() == change(eve)
        window.fill("#account_form", name="Eve Adams", labels="vip beta", prefs='{"a": 1}')
        desk.follow("[name=_continue]")
        desk.told("was changed successfully")
        eve = now(eve)
        assert (eve.name, eve.labels, eve.prefs) == ("Eve Adams", ["vip", "beta"], {"a": 1})

        # One by the form, one by the service; nothing of it is saved.
        for email, refusal in (("nobody", "valid email address"), ("bob@example.org", "exists")):
            window.fill("#account_form", name="Mallory", email=email)
            window.do("evaluate", "document.querySelector('#account_form').noValidate = true")
            desk.follow("[name=_continue]")
            window.wait_for(f'.field-email .errorlist:has-text("{refusal}")')
            assert window.value("[name=email]") == email
            assert (now(eve).name, now(eve).email) == ("Eve Adams", "eve@example.org")
        assert window.errors() == []


def test_add(desk: Desk) -> None:
    desk.go(f"{LIST}add/")
    desk.window.fill("#account_form", name="Grace", email="grace@example.org")
    desk.follow("[name=_save]")
    desk.told("was added successfully")
    assert Account.objects.get(email="grace@example.org").name == "Grace"
    assert is_mailed("recovery", "grace@example.org")


@dataclass(frozen=True)
class Case:
    """One act in the browser.

    Attributes:
        check: that it is done.
        changes: of the person, beforehand.
        values: of the act's form.
        confirm: press the button; whatever it leads to, end where messages are shown.
    """

    check: Callable[[Account], bool]
    changes: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    confirm: Callable[[Desk, Account], None] = lambda desk, account: desk.follow(CONFIRM)


def save_file(desk: Desk, account: Account) -> None:
    """The answer is a file, and the page stays."""
    name, text = desk.window.download(CONFIRM)
    assert name == f"account-{account.public_id}.json"
    assert json.loads(text)
    assert EMAIL in text
    desk.go(change(account))


def act_and_stop(desk: Desk, account: Account) -> None:
    """Be the person on a page of the site, see the banner, stop."""
    window = desk.window
    desk.follow(CONFIRM)
    banner = ".django-account-acting"
    window.wait_for(banner)
    assert desk.path() == "/"
    assert f"You are acting as {EMAIL}" in window.text(banner)
    ask = "fetch('/v1/account').then((answer) => answer.json()).then((account) => account.$id)"
    assert window.do("evaluate", ask) == account.public_id
    desk.follow(f"{banner} a")
    desk.follow('button:has-text("Stop")')
    window.wait_for("#account_form")
    assert window.count(banner) == 0
    assert not Session.objects.filter(account=account, provider="impersonation").exists()


def test_the_banner_on_our_own_pages(desk: Desk, project: Project) -> None:
    """Whose policy lets nothing in but what they name; a breach would be an error of the window."""
    project(ADMIN_IMPERSONATION=True)
    account, _ = somebody()
    window, bar = desk.window, ".django-account-acting-bar"
    desk.go(act_page(account, "impersonate"))
    window.fill(".account-act-form", reason="Ticket")
    desk.follow(CONFIRM)
    window.wait_for(bar)

    def style() -> str:
        return str(
            window.do(
                "evaluate",
                f"(({{ position, backgroundColor }}) => position + backgroundColor)"
                f"(getComputedStyle(document.querySelector('{bar}')))",
            )
        )

    elsewhere = style()
    assert elsewhere == "fixedrgb(122, 46, 0)"
    for page in ("recovery", "verification"):
        desk.go(f"/v1/pages/{page}")
        assert style() == elsewhere


def is_texted() -> bool:
    """Whether the person alone was sent an SMS."""
    return [message.to for message in sms.outbox] == [PHONE]


def has_no_factor(account: Account) -> bool:
    codes = RecoveryCode.objects.filter(account=account)
    return not (codes or Authenticator.objects.filter(user=account.user))


def has_no_session(account: Account) -> bool:
    return not Session.objects.filter(account=account).exists()


CASES = {
    "block": Case(lambda account: not account.is_active),
    "unblock": Case(lambda account: account.is_active, changes={"is_active": False}),
    "verify_email": Case(lambda account: account.email_verified, changes={"email_verified": False}),
    "unverify_email": Case(lambda account: not account.email_verified),
    "verify_phone": Case(lambda account: account.phone_verified, changes={"phone_verified": False}),
    "unverify_phone": Case(lambda account: not account.phone_verified),
    "send_verification": Case(
        lambda _: is_texted(), changes={"phone_verified": False}, values={"address": "phone"}
    ),
    "send_recovery": Case(lambda _: is_mailed("recovery")),
    "set_password": Case(
        lambda account: account.user.check_password("battery staple"),
        values={"password": "battery staple"},
    ),
    "end_sessions": Case(has_no_session),
    "end_session": Case(has_no_session),
    "unlink_identity": Case(lambda account: not Identity.objects.filter(account=account).exists()),
    "reset_mfa": Case(has_no_factor),
    "reset_limits": Case(lambda account: not GuessCount.objects.filter(user=account.user).exists()),
    "delete": Case(lambda account: not Account.objects.filter(pk=account.pk).exists()),
    "require_password": Case(
        lambda account: account.password_reset_required and is_mailed("recovery")
    ),
    "export": Case(lambda account: account.email == EMAIL, confirm=save_file),
    "impersonate": Case(
        lambda account: account.email == EMAIL, values={"reason": "Ticket"}, confirm=act_and_stop
    ),
    "anonymise": Case(lambda account: not account.email and has_no_session(account)),
}


def fill_in(window: Window, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        choice = f"select[name={name}]"
        if window.count(choice):
            window.do("selectOption", choice, value)
        else:
            window.fill(".account-act-form", **{name: value})


@pytest.mark.parametrize("act", registry.values(), ids=registry)
def test_every_act(desk: Desk, project: Project, act: Act) -> None:
    project(ADMIN_SET_PASSWORDS=True, ADMIN_IMPERSONATION=True)
    case, window = CASES[act.name], desk.window
    account, _ = somebody()
    for name, value in case.changes.items():
        owner = account.user if name == "is_active" else account
        setattr(owner, name, value)
        owner.save()

    desk.go(change(account))
    desk.follow(f'a.account-act[href*="/act/{act.name}/"]')
    window.wait_for(CONFIRM)
    assert window.text("h1 >> nth=-1") == str(act.label)
    assert str(act.description) in window.text(".account-act-form")
    assert desk.is_red(CONFIRM) == act.dangerous
    # What goes with somebody is said, and nothing is done by asking.
    asked = window.text(".account-act-form")
    assert ("Sessions: 1" in asked) == (act.name in ("delete", "anonymise"))
    assert now(account).email == EMAIL
    assert not case.check(now(account)) or act.name in ("export", "impersonate")

    fill_in(window, case.values)
    case.confirm(desk, account)
    desk.told(f"{account.public_id}: {act.done}")
    assert desk.path() == (LIST if act.name == "delete" else change(account))
    assert case.check(account if act.name == "delete" else now(account))


def test_an_act_of_the_list(desk: Desk) -> None:
    people = [create_account(name=name, email=f"{name}@example.org") for name in ("bob", "eve")]
    left = create_account(name="Ada", email="ada@example.org")
    desk.go(LIST)
    for account in people:
        desk.window.do("check", f'input[name=_selected_action][value="{account.pk}"]')
    desk.window.do("selectOption", "select[name=action]", "block")
    desk.follow("#changelist-form .actions button")
    desk.window.wait_for(CONFIRM)
    assert desk.window.count(".account-act-list li") == len(people)
    assert all(now(account).is_active for account in people)
    desk.follow(CONFIRM)
    desk.told("2 accounts: Blocked.")
    assert desk.path() == LIST
    assert [now(account).is_active for account in (*people, left)] == [False, False, True]


def test_everybody_can_use_the_pages(
    live_server: Any, admin_client: Client, browser_packages: Path, project: Project
) -> None:
    project(ADMIN_IMPERSONATION=True)
    account, _ = somebody()
    create_account(name="Somebody with quite a long name", email=f"{'a' * 60}@example.org")
    acts = (act_page(account, act) for act in ("delete", "impersonate"))
    pages = [LIST, f"{LIST}add/", change(account), *acts]
    looks = look_at(
        browser_packages,
        [f"{live_server.url}{page}" for page in pages],
        cookies=session_cookie(admin_client),
    )
    assert_usable(looks)
