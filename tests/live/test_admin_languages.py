"""The admin of people in German and in Arabic: used by clicks in Chromium, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext, ngettext, override

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.admin.acts import registry
from django_account.audit.models import LogEntry
from django_account.exceptions import PhoneNotFound
from django_account.notifications.models import Delivery
from tests.admin.staff import LIST, act_page, change
from tests.administration.people import EMAIL, NAME, somebody
from tests.live.axe import PHONE
from tests.live.desk import CONFIRM, Desk
from tests.live.window import Window
from tests.notifications.test_languages import PACKAGE, catalog, texts

pytestmark = pytest.mark.live

HERE = "/admin/django_account"

# Django's own: links that only a colour tells, a search and a date without a visible label.
DJANGOS = (".breadcrumbs", "#toolbar", ".datetime")

# Every text that is seen or read out, but for code, what is declared to be English, what is
# isolated because it may be of any language, and what people have typed.
TEXTS = """(() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const within = walker.currentNode.parentElement;
    if (!within.closest("script, style, code, bdi, textarea, [lang=en]")) {
      found.push(walker.currentNode.data);
    }
  }
  for (const each of document.querySelectorAll("body *")) {
    found.push(each.ariaLabel, each.title, each.placeholder);
    if (each.type === "submit") found.push(each.value);
  }
  return found.map((text) => (text || "").replace(/\\s+/g, " ").trim()).filter(Boolean);
})()"""

# Names, and abbreviations that are the same everywhere.
NAMES = {"API", "GitHub", "ID", "MFA", "SMS"}
# What the API, the log and the templates call things, addresses, ids: words that are none, or one
# for itself.
DATA = re.compile(r"[a-z0-9]+|\S*[0-9@._:/-]\S*( \S*[0-9@._:/-]\S*)*", re.ASCII)


def is_data(text: str) -> bool:
    """Whether a text is nothing to translate."""
    text = text.removeprefix("\u203a ").rstrip(":")
    return text in NAMES or all(DATA.fullmatch(each) for each in text.split(", "))


class Reader:
    """Who looks at pages in a language, and notes what is wrong with them."""

    def __init__(self, desk: Desk, code: str) -> None:
        self.desk = desk
        self.code = code
        self.direction = "rtl" if code == "ar" else "ltr"
        self.wrong: list[str] = []
        ours = texts(catalog(PACKAGE, code))
        placeholder = re.compile(r"%\\\(\w+\\\)[sd]")
        self.english = re.compile(
            "|".join(
                placeholder.sub(".+?", re.escape(english))
                for english, translated in ours.items()
                if english.casefold() not in map(str.casefold, translated)
            ),
            re.IGNORECASE,
        )

    def look(self, state: str) -> None:
        """Note what is wrong with the page that is shown."""
        window = self.desk.window
        root = window.do("evaluate", "[document.documentElement.lang, document.dir]")
        problems = [] if root == [self.code, self.direction] else [f"it is {root}"]
        if (overflow := window.overflow()) > 0:
            problems.append(f"{overflow} px too wide")
        problems += window.problems(*DJANGOS)
        problems += [
            f"in English: {text}" for text in window.do("evaluate", TEXTS) if self.is_english(text)
        ]
        self.wrong += [f"{state}: {problem}" for problem in problems]

    def is_english(self, text: str) -> bool:
        """Whether a text is one of ours, or in Arabic any at all that is no name and no data."""
        if self.english.fullmatch(text.rstrip(":")):
            return True
        is_latin = re.search("[A-Za-z]", text) and not re.search("[\u0600-\u06ff]", text)
        known = text in self.desk.names() or is_data(text)
        return bool(self.code == "ar" and is_latin and not known)


@pytest.mark.parametrize("code", ["de", "ar"])
def test_in_the_readers_language(
    live_server: Any,
    admin_user: User,
    window: Window,
    settings: Any,
    project: Callable[..., None],
    code: str,
) -> None:
    settings.LANGUAGE_CODE = code
    config = {"client_id": "1", "client_secret": "2"}
    project(
        ADMIN_IMPERSONATION=True,
        ADMIN_SET_PASSWORDS=True,
        BLOCK_EMAILS=["disposable"],
        OAUTH2_PROVIDERS={"github": config, "google": {"client_id": "1"}, "gitlab": config},
    )
    account, _ = somebody()
    people = [
        create_account(name=name, email=f"{name.lower()}@example.org") for name in ("Bob", "Eve")
    ]
    delivery = Delivery.objects.create(
        kind="recovery", channel="email", recipient=EMAIL, state="failed", expires_at=timezone.now()
    )
    entry = LogEntry.objects.create(event="session.create", error="user_blocked", user_email=EMAIL)

    desk = Desk(window, live_server.url)
    reader = Reader(desk, code)

    def told(text: str, kind: str = "success") -> None:
        with override(code):
            desk.told(gettext(text), kind)

    with window.opened(locale=code, viewport={"width": PHONE, "height": 800}):
        desk.go(LIST)
        reader.look("sign-in")
        window.fill("#login-form", username="admin", password="password")
        desk.follow("#login-form [type=submit]")
        window.wait_for("#changelist")
        reader.look("list")
        window.fill("#changelist-search", q="bob@example")
        desk.follow("#changelist-search [type=submit]")
        assert desk.names() == ["Bob"]
        desk.go(LIST)
        desk.follow('#changelist-filter a[href="?verified=no-email"]')
        assert desk.names() == ["Eve", "Bob"]

        desk.go(change(account))
        reader.look("page")
        window.fill("#account_form", name=f"{NAME} II")
        desk.follow("[name=_continue]")
        window.wait_for(".messagelist .success")
        assert Account.objects.get(pk=account.pk).name == f"{NAME} II"
        window.fill("#account_form", email="bob@example.org", labels="vip!")
        desk.follow("[name=_continue]")
        window.wait_for(".field-email .errorlist")
        window.wait_for(".field-labels .errorlist")
        reader.look("refused")
        desk.go(change(account))
        window.fill("#account_form", email="ada@mailinator.com")
        desk.follow("[name=_continue]")
        window.wait_for(".field-email .errorlist")
        reader.look("refused by the service")
        desk.go(act_page(people[0], "send_verification"))
        window.do("selectOption", "select[name=address]", "phone")
        desk.follow(CONFIRM)
        told(PhoneNotFound.message, "error")
        reader.look("an act refused")

        for act in ("delete", "impersonate", "send_verification"):
            desk.go(act_page(account, act))
            reader.look(act)
        desk.go(change(account))
        desk.follow('a.account-act[href*="/act/block/"]')
        reader.look("block")
        desk.follow(CONFIRM)
        told("Blocked.")
        desk.go(change(account).replace("change", "history"))
        reader.look("history")

        desk.go(LIST)
        for each in people:
            window.do("check", f'input[name=_selected_action][value="{each.pk}"]')
        window.do("selectOption", "select[name=action]", "require_password")
        desk.follow("#changelist-form .actions button")
        reader.look("nobody left")
        desk.go(LIST)
        for each in (account, *people):
            window.do("check", f'input[name=_selected_action][value="{each.pk}"]')
        window.do("selectOption", "select[name=action]", "block")
        desk.follow("#changelist-form .actions button")
        reader.look("many")
        desk.follow(CONFIRM)
        with override(code):
            text = ngettext("%(number)d account: %(done)s", "%(number)d accounts: %(done)s", 2)
            desk.told(text % {"number": 2, "done": registry["block"].done})
        assert not any(Account.objects.get(pk=each.pk).is_active for each in people)

        for page in (
            "tally/?range=24h",
            "oauth2provider/",
            "delivery/",
            f"delivery/{delivery.pk}/change/",
            "logentry/",
            f"logentry/{entry.pk}/change/",
            "apikey/add/",
            "cacheentry/",
        ):
            desk.go(f"{HERE}/{page}")
            reader.look(page)
        window.fill(".account-act-form", who=EMAIL)
        desk.follow(".account-do")
        reader.look("limits of somebody")
        desk.follow(CONFIRM)
        window.wait_for(".messagelist .success")
        assert window.errors() == []
    assert not reader.wrong, "\n".join(reader.wrong)
