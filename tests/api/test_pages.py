"""The landing pages of links, over HTTP as a browser speaks it, CSRF checks included."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from django_account.accounts.models import Account
from django_account.api.pages import COOKIE
from django_account.sessions.models import Session
from django_account.tokens.models import Token
from django_account.tokens.services import issue_token
from tests.api.account.messages import mailed_link
from tests.client import PASSWORD, ApiClient

pytestmark = pytest.mark.django_db

MAGIC, RECOVERY, VERIFICATION = "magic-url", "recovery", "verification"
KINDS = {
    MAGIC: Token.Kind.MAGIC_URL,
    RECOVERY: Token.Kind.RECOVERY,
    VERIFICATION: Token.Kind.EMAIL_VERIFICATION,
}
NEW_PASSWORD = "battery staple"

every_page = pytest.mark.parametrize("name", KINDS)


class Markup(HTMLParser):
    """What a test asks of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of each tag that has the given ones."""
        return [
            found
            for name, found in self.tags
            if name == tag and attributes.items() <= found.items()
        ]


class Browser:
    """A browser without scripts: keeps cookies, follows redirects, sends the form's own token."""

    def __init__(self, **cookies: str) -> None:
        self.http = Client(enforce_csrf_checks=True, raise_request_exception=False)
        for name, value in cookies.items():
            self.http.cookies[name] = value

    def get(self, url: str, **headers: str) -> Any:
        return self.http.get(url, headers=headers)

    def open(self, url: str) -> Any:
        """Follow a link to its page."""
        return self.http.get(url, follow=True)

    def press(self, name: str, fields: dict[str, str] | None = None, **headers: str) -> Any:
        """Send the form of a page, as Chromium does under ``Referrer-Policy: no-referrer``."""
        token = self.http.cookies.get("csrftoken")
        sent = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
        sent |= {header.replace("_", "-"): value for header, value in headers.items()}
        data = {"csrfmiddlewaretoken": token.value if token else "", **(fields or {})}
        return self.http.post(page(name), data, headers=sent)


def page(name: str) -> str:
    return f"/v1/pages/{name}"


def link_to(name: str, account: Account, secret: str = "", **query: str) -> tuple[str, str]:
    """A page's link for an account and the secret in it: a new one, or the one given."""
    if not secret:
        secret = issue_token(account=account, kind=KINDS[name], address=account.email or "").secret
    given = {"userId": account.public_id, "secret": secret, "expire": "x", "project": "demo"}
    return f"{page(name)}?{urlencode(given | query)}", secret


def assert_problem(response: Any, status: int = 400, text: str = "This link does not work") -> None:
    """Check that a response is the page of a problem."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert f"<h1>{text}</h1>" in response.content.decode()


NO_LINK = "Open the link again"


@pytest.fixture
def account(guest: ApiClient) -> Account:
    """Ada's, whose address is unverified."""
    guest.sign_up(name="Ada")
    return Account.objects.get()


@pytest.fixture
def logins() -> Iterator[list[User]]:
    """Who has been announced by ``user_logged_in``."""
    seen: list[User] = []

    def receive(user: User, **kwargs: Any) -> None:
        seen.append(user)

    user_logged_in.connect(receive)
    yield seen
    user_logged_in.disconnect(receive)


def succeed(browser: Browser, name: str) -> Any:
    """Send a page's form with everything right."""
    fields = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD} if name == RECOVERY else {}
    return browser.press(name, fields)


@every_page
class TestEveryPage:
    def test_the_secret_leaves_the_url_at_once(self, name: str, account: Account) -> None:
        url, secret = link_to(name, account)
        response = Browser().get(url)
        assert (response.status_code, response["Location"]) == (303, page(name))
        assert response.content == b""
        assert secret not in str(response.headers)
        assert secret not in response.cookies.output()
        assert account.public_id not in response.cookies.output()

    def test_the_secret_is_in_no_page(self, name: str, account: Account) -> None:
        url, secret = link_to(name, account)
        browser = Browser()
        html = browser.open(url).content.decode()
        assert secret not in html
        assert account.public_id not in html
        assert browser.http.cookies[COOKIE].value not in html

    def test_the_cookie_is_for_this_page_alone(self, name: str, account: Account) -> None:
        cookie = Browser().get(link_to(name, account)[0]).cookies[COOKIE]
        assert (cookie["path"], cookie["max-age"]) == (page(name), 900)
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        assert (cookie["domain"], cookie["secure"]) == ("", "")

    def test_the_cookie_is_secure_over_https(self, name: str, account: Account) -> None:
        response = Client().get(link_to(name, account)[0], secure=True)
        assert response.cookies[COOKIE]["secure"]

    def test_reading_consumes_nothing(self, name: str, account: Account) -> None:
        url, _ = link_to(name, account)
        browser = Browser()
        for _ in range(50):
            assert browser.open(url).status_code == 200
            assert browser.http.head(url, follow=True).status_code == 200
            assert Browser().get(url).status_code == 303
        assert succeed(browser, name).status_code == 303
        assert not Token.objects.exists()

    def test_following_a_link_looks_nothing_up(
        self, name: str, account: Account, django_assert_num_queries: Any
    ) -> None:
        url, _ = link_to(name, account)
        with django_assert_num_queries(0):
            assert Browser().open(url).status_code == 200

    def test_head_is_as_get_without_a_body(self, name: str, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(name, account)[0])
        response = browser.http.head(page(name))
        assert (response.status_code, response.content) == (200, b"")

    def test_a_second_post_is_refused(self, name: str, account: Account) -> None:
        url, _ = link_to(name, account)
        first, second = Browser(), Browser()
        first.open(url)
        second.open(url)
        assert succeed(first, name).status_code == 303
        assert_problem(succeed(second, name))
        assert_problem(succeed(first, name), text=NO_LINK)

    def test_a_link_opened_after_its_use(self, name: str, account: Account) -> None:
        url, _ = link_to(name, account)
        browser = Browser()
        browser.open(url)
        succeed(browser, name)
        browser = Browser()
        assert browser.open(url).status_code == 200
        assert_problem(succeed(browser, name))

    def test_whatever_is_wrong_with_a_link_the_page_is_the_same(
        self, name: str, account: Account, guest: ApiClient
    ) -> None:
        guest.sign_up("bob@example.org")
        bob = Account.objects.get(email="bob@example.org")
        answers = []

        def redeem(url: str) -> None:
            browser = Browser()
            browser.open(url)
            response = succeed(browser, name)
            assert_problem(response)
            assert response.cookies[COOKIE]["max-age"] == 0
            answers.append(re.sub(r'nonce="[^"]+"', "", response.content.decode()))

        redeem(link_to(name, account, secret="0" * 256)[0])  # wrong
        redeem(link_to(name, Account(public_id="nobody"), secret="0" * 256)[0])  # unknown user
        redeem(link_to(name, bob, secret=link_to(name, account)[1])[0])  # somebody else's
        for other in KINDS.keys() - {name}:  # another page's
            redeem(link_to(name, account, secret=link_to(other, account)[1])[0])
        expired, _ = link_to(name, account)
        with time_machine.travel(timezone.now() + timedelta(days=8)):
            redeem(expired)
        User.objects.update(is_active=False)
        redeem(link_to(name, account)[0])  # blocked
        assert len(set(answers)) == 1

    def test_a_blocked_person_keeps_the_link(self, name: str, account: Account) -> None:
        User.objects.update(is_active=False)
        url, _ = link_to(name, account)
        browser = Browser()
        browser.open(url)
        assert_problem(succeed(browser, name))
        User.objects.update(is_active=True)
        browser.open(url)
        assert succeed(browser, name).status_code == 303

    def test_the_form_waits_a_quarter_of_an_hour(self, name: str, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(name, account)[0])
        with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=2)):
            assert_problem(browser.get(page(name)), text=NO_LINK)
            assert_problem(succeed(browser, name), text=NO_LINK)
        assert Token.objects.count() == 1

    def test_without_a_link(self, name: str, db: None) -> None:
        assert_problem(Browser().get(page(name)), text=NO_LINK)
        browser = Browser(csrftoken="a" * 32)
        assert_problem(succeed(browser, name), text=NO_LINK)

    def test_an_old_link_gives_way_to_a_new_one(self, name: str, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(name, account, secret="0" * 256)[0])
        browser.open(link_to(name, account)[0])
        assert succeed(browser, name).status_code == 303

    @pytest.mark.parametrize(
        "query",
        [
            "userId=ada",
            "secret=" + "0" * 64,
            "userId=&secret=",
            "userId=ada&secret=123456",
            "userId=ada%00&secret=" + "0" * 64,
            "userId=ada&secret=" + "0" * 63 + "%00",
            "userId=ada&secret=" + "0" * 64 + "%0A",
            "userId=%FF%FE&secret=%ED%A0%80",
            "userId=" + "a" * 5000 + "&secret=" + "0" * 64,
            "userId=ada&secret=" + "0" * 5000,
            "userId[]=ada&secret[]=0&secret=0",
        ],
    )
    def test_garbage_for_a_link(self, name: str, account: Account, query: str) -> None:
        browser = Browser()
        browser.open(link_to(name, account)[0])
        response = browser.get(f"{page(name)}?{query}")
        assert (response.status_code, response["Location"]) == (303, page(name))
        assert_problem(browser.get(page(name)), text=NO_LINK)

    def test_more_parameters_than_the_site_reads(self, name: str, db: None) -> None:
        query = "&".join(["secret=1"] * 1001)
        assert_problem(Browser().get(f"{page(name)}?{query}"), text="That did not work")

    @pytest.mark.parametrize("value", ["x", "ü\x00", "gAAAAA" + "A" * 4000, "[]", ""])
    def test_garbage_for_a_cookie(self, name: str, db: None, value: str) -> None:
        assert_problem(Browser(**{COOKIE: value}).get(page(name)), text=NO_LINK)

    def test_another_page_s_cookie(self, name: str, account: Account) -> None:
        other = next(iter(KINDS.keys() - {name}))
        cookie = Browser().get(link_to(other, account)[0]).cookies[COOKIE].value
        assert_problem(Browser(**{COOKIE: cookie}).get(page(name)), text=NO_LINK)

    def test_no_csrf_token(self, name: str, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(name, account)[0])
        assert_problem(browser.press(name, {"csrfmiddlewaretoken": ""}), 403, NO_LINK)
        del browser.http.cookies["csrftoken"]
        assert_problem(browser.press(name, {"csrfmiddlewaretoken": "a" * 64}), 403, NO_LINK)
        assert Token.objects.count() == 1

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "http://testserver.evil.example"},
            {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
            {"Origin": "null", "Sec_Fetch_Site": "same-site"},
            {"Origin": "null", "Sec_Fetch_Site": "none"},
            {"Origin": ""},
        ],
        ids=str,
    )
    def test_a_foreign_page_posts(
        self, name: str, account: Account, headers: dict[str, str]
    ) -> None:
        browser = Browser()
        browser.open(link_to(name, account)[0])
        assert_problem(browser.press(name, **headers), 403, NO_LINK)
        assert Token.objects.count() == 1

    def test_a_browser_that_sends_its_origin(self, name: str, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(name, account)[0])
        fields = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
        assert browser.press(name, fields, Origin="http://testserver").status_code == 303

    @pytest.mark.parametrize("present", [True, False])
    def test_with_and_without_the_site_s_csrf_middleware(
        self, name: str, account: Account, settings: Any, present: bool
    ) -> None:
        csrf = "django.middleware.csrf.CsrfViewMiddleware"
        others = [each for each in settings.MIDDLEWARE if each != csrf]
        settings.MIDDLEWARE = [csrf, *others] if present else others
        browser = Browser()
        browser.open(link_to(name, account)[0])
        assert_problem(browser.press(name, {"csrfmiddlewaretoken": ""}), 403, NO_LINK)
        assert succeed(browser, name).status_code == 303

    def test_without_any_middleware(self, name: str, account: Account, settings: Any) -> None:
        settings.MIDDLEWARE = []
        browser = Browser()
        assert browser.open(link_to(name, account)[0]).status_code == 200
        assert succeed(browser, name).status_code == 303

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"\xff\x00" * 99, "application/x-www-form-urlencoded"),
            (b"a=b", "application/x-www-form-urlencoded; charset=base64"),
            (b"a=b", "application/x-www-form-urlencoded; charset=no-such"),
            (b"--x", "multipart/form-data; boundary=x"),
            (b"--x", "multipart/form-data; boundary=\xfc"),
            (b"--x", "multipart/form-data"),
            (b"[" * 5000, "application/json"),
            (b"&a" * 1001, "application/x-www-form-urlencoded"),
            (b"a=" + b"b" * 2_700_000, "application/x-www-form-urlencoded"),
        ],
        ids=range(9),
    )
    def test_garbage_for_a_form(
        self, name: str, account: Account, body: bytes, content_type: str
    ) -> None:
        browser = Browser()
        browser.open(link_to(name, account)[0])
        response = browser.http.generic("POST", page(name), body, content_type)
        assert 400 <= response.status_code < 500
        assert response["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert Token.objects.count() == 1

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    def test_other_methods(self, name: str, account: Account, method: str) -> None:
        client = Client()  # without CSRF checks, which would come first
        response = client.generic(method, link_to(name, account)[0])
        assert_problem(response, 405, "That did not work")
        assert response["Allow"] == "GET, HEAD, POST"

    def test_headers_of_every_answer(self, name: str, account: Account) -> None:
        browser = Browser()
        url, _ = link_to(name, account)
        answers = [
            browser.get(url),
            browser.get(page(name)),
            browser.press(name, {"csrfmiddlewaretoken": ""}),
            Browser().get(page(name)),
            browser.http.put(page(name)),
            succeed(browser, name),
        ]
        nonces = set()
        for response in answers:
            assert response["Cache-Control"] == "no-store"
            assert response["Referrer-Policy"] == "no-referrer"
            assert response["X-Frame-Options"] == "DENY"
            assert response["X-Content-Type-Options"] == "nosniff"
            assert response["X-Robots-Tag"] == "noindex"
            policy = response["Content-Security-Policy"]
            nonce = re.search(r"style-src 'nonce-([\w-]{22})'", policy)
            assert nonce is not None
            assert policy == (
                f"default-src 'none'; script-src 'nonce-{nonce[1]}'; "
                f"style-src 'nonce-{nonce[1]}'; img-src 'self'; font-src 'self'; "
                "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            )
            nonces.add(nonce[1])
            for tag in re.findall(r"<(?:style|script)[^>]*>", response.content.decode()):
                assert f'nonce="{nonce[1]}"' in tag
        assert len(nonces) == len(answers)

    def test_the_site_s_assets_may_come_from_elsewhere(
        self, name: str, db: None, settings: Any
    ) -> None:
        settings.STATIC_URL = "https://cdn.example.com/static/"
        policy = Browser().get(page(name))["Content-Security-Policy"]
        assert "img-src 'self' https://cdn.example.com; " in policy
        assert "font-src 'self' https://cdn.example.com; " in policy

    def test_markup_is_accessible(self, name: str, account: Account) -> None:
        browser = Browser()
        for response in (browser.open(link_to(name, account)[0]), Browser().get(page(name))):
            markup = Markup(response.content.decode())
            assert markup.all("html", lang="en", dir="ltr")
            assert markup.all("meta", name="viewport")
            assert (len(markup.all("h1")), len(markup.all("main"))) == (1, 1)
            assert len(markup.all("title")) == 1
            ids = [found["id"] for _, found in markup.tags if "id" in found]
            assert len(ids) == len(set(ids))
            for field in markup.all("input"):
                described = (field.get("aria-describedby") or "").split()
                assert set(described) <= set(ids)
                assert field["type"] == "hidden" or markup.all("label", **{"for": field["id"]})
            assert not any("style" in found for _, found in markup.tags)
            assert all("role" not in found or found["role"] == "alert" for _, found in markup.tags)
        assert markup.all("div", role="alert")

    def test_right_to_left(self, name: str, account: Account) -> None:
        with translation.override("ar"):
            html = Browser().open(link_to(name, account)[0]).content.decode()
        assert Markup(html).all("html", lang="ar", dir="rtl")

    def test_the_site_s_locale_middleware_chooses_the_language(
        self, name: str, db: None, settings: Any
    ) -> None:
        locale = "django.middleware.locale.LocaleMiddleware"
        settings.MIDDLEWARE = [*settings.MIDDLEWARE[:2], locale, *settings.MIDDLEWARE[2:]]
        with translation.override("en"):  # which puts back what the middleware leaves behind
            response = Browser().get(page(name), **{"Accept-Language": "he"})
        assert Markup(response.content.decode()).all("html", lang="he", dir="rtl")

    def test_the_site_s_own_look(
        self, name: str, account: Account, settings: Any, tmp_path: Path
    ) -> None:
        base = tmp_path / "django_account" / "pages" / "base.html"
        base.parent.mkdir(parents=True)
        base.write_text(
            '{% extends "django_account/pages/base.html" %}{% load static %}'
            "{% block style %}:root { --accent: #0a7a3d }{% endblock %}"
            "{% block head %}"
            '<link rel="stylesheet" href="/shop.css" nonce="{{ csp_nonce }}">'
            "{% endblock %}"
            '{% block brand %}<img src="{% static \'shop.svg\' %}" alt="Shop">{% endblock %}'
        )
        settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
        html = Browser().open(link_to(name, account)[0]).content.decode()
        assert "--accent: #0a7a3d" in html
        assert '<img src="/static/shop.svg" alt="Shop">' in html
        assert Markup(html).all("form", method="post")

    def test_the_project_s_name_is_escaped(
        self, name: str, account: Account, project: Callable[..., None]
    ) -> None:
        project(PROJECT_NAME='<b onclick="x">Shop & Co')
        html = Browser().open(link_to(name, account)[0]).content.decode()
        assert "<b" not in html.partition("<body>")[2].replace("<button", "")
        assert "&lt;b onclick=&quot;x&quot;&gt;Shop &amp; Co" in html

    def test_the_service_is_switched_off(
        self, name: str, account: Account, project: Callable[..., None]
    ) -> None:
        browser = Browser()
        url, _ = link_to(name, account)
        browser.open(url)
        project(SERVICES={"account": False})
        assert_problem(browser.open(url), 403, "Not available at the moment")
        assert_problem(succeed(browser, name), 403, "Not available at the moment")
        assert Token.objects.count() == 1

    def test_a_path_with_empty_segments(self, name: str, account: Account) -> None:
        url, _ = link_to(name, account)
        response = Browser().get(url.replace("/pages/", "//pages///").replace("?", "/?"))
        assert (response.status_code, response["Location"]) == (303, page(name))
        assert response.cookies[COOKIE]["path"] == page(name)

    def test_a_new_secret_key_leaves_the_form_open(
        self, name: str, account: Account, settings: Any
    ) -> None:
        browser = Browser()
        browser.open(link_to(name, account)[0])
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-" + "y" * 50
        assert succeed(browser, name).status_code == 303

    def test_it_has_a_url_name(self, name: str) -> None:
        assert reverse(f"django_account:{name}") == page(name)


class TestMagicURL:
    def test_signs_in(self, account: Account, logins: list[User]) -> None:
        browser = Browser()
        assert b"Sign in to demo" in browser.open(link_to(MAGIC, account)[0]).content
        response = browser.press(MAGIC)
        assert (response.status_code, response["Location"]) == (303, "/")
        session = Session.objects.get()
        assert (session.account, session.provider) == (account, "magic-url")
        assert logins == [account.user]
        account.refresh_from_db()
        assert account.email_verified
        api = ApiClient()
        api.http.cookies = browser.http.cookies
        assert api.get("/account").json()["$id"] == account.public_id

    @pytest.mark.django_db(transaction=True)
    def test_the_link_of_a_message_sent_without_a_url(self, guest: ApiClient) -> None:
        body = {"userId": "unique()", "email": "new@example.org"}
        assert guest.post("/account/tokens/magic-url", body).status_code == 201
        browser = Browser()
        assert browser.open(mailed_link()).status_code == 200
        assert browser.press(MAGIC).status_code == 303
        assert Session.objects.get().account.email == "new@example.org"

    def test_both_cookies_are_set_and_the_link_s_is_gone(self, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(MAGIC, account)[0])
        before = browser.http.cookies["csrftoken"].value
        response = browser.press(MAGIC)
        assert response.cookies["a_session_demo"]["httponly"]
        assert response.cookies["a_session_demo_legacy"]["httponly"]
        assert response.cookies[COOKIE]["max-age"] == 0
        assert response.cookies["csrftoken"].value != before
        assert "X-Fallback-Cookies" not in response

    def test_the_device_is_known_from_then_on(
        self, account: Account, project: Callable[..., None]
    ) -> None:
        """And the session's cookie is the last, as everywhere."""
        project(RATE_LIMITS_ENABLED=True)
        browser = Browser()
        browser.open(link_to("magic-url", account)[0])
        response = browser.press("magic-url")
        assert list(response.cookies)[:1] == ["a_device_demo"]
        assert "a_session_demo" in list(response.cookies)[1:]

    def test_the_session_knows_the_browser(self, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(MAGIC, account)[0])
        browser.press(MAGIC)
        session = Session.objects.get()
        assert (session.ip, session.user_agent) == ("127.0.0.1", "UNKNOWN")

    @pytest.mark.parametrize(
        ("setting", "location", "origin"),
        [
            ("/shop/", "/shop/", ""),
            ("django_account:recovery", "/v1/pages/recovery", ""),
            ("https://app.example.com/in?x=1", None, " https://app.example.com"),
        ],
    )
    def test_where_it_leads(
        self,
        account: Account,
        project: Callable[..., None],
        setting: str,
        location: str | None,
        origin: str,
    ) -> None:
        project(SIGNED_IN_URL=setting)
        browser = Browser()
        policy = browser.open(link_to(MAGIC, account)[0])["Content-Security-Policy"]
        assert f"form-action 'self'{origin};" in policy
        assert browser.press(MAGIC)["Location"] == (location or setting)

    def test_somebody_is_signed_in_already(self, ada: ApiClient, logins: list[User]) -> None:
        browser = Browser()
        browser.http.cookies = ada.http.cookies
        url, _ = link_to(MAGIC, Account.objects.get())
        response = browser.open(url)
        assert response.status_code == 200
        html = response.content.decode()
        assert "<h1>You are signed in already</h1>" in html
        assert Markup(html).all("a", href="/")
        assert not Markup(html).all("form")
        # A form opened before, in another tab, is still there.
        browser.http.cookies["csrftoken"] = Browser().open(url).cookies["csrftoken"].value
        response = browser.press(MAGIC)
        assert response.status_code == 409
        assert b"<h1>You are signed in already</h1>" in response.content
        assert "a_session_demo" not in response.cookies
        assert (Session.objects.count(), Token.objects.count(), logins) == (1, 1, [])
        assert ada.get("/account").status_code == 200

    def test_a_dead_session_s_cookie_is_in_nobody_s_way(self, ada: ApiClient) -> None:
        Session.objects.all().delete()
        browser = Browser()
        browser.http.cookies = ada.http.cookies
        browser.open(link_to(MAGIC, Account.objects.get())[0])
        assert browser.press(MAGIC).status_code == 303
        assert Session.objects.count() == 1

    def test_the_switch_of_the_method_does_not_stop_a_sent_link(
        self, account: Account, project: Callable[..., None]
    ) -> None:
        project(AUTH_METHODS={"magic-url": False})
        browser = Browser()
        browser.open(link_to(MAGIC, account)[0])
        assert browser.press(MAGIC).status_code == 303

    def test_a_code_cannot_be_guessed_here(self, account: Account) -> None:
        token = issue_token(account=account, kind=Token.Kind.EMAIL_CODE, address="ada@example.org")
        browser = Browser()
        browser.open(link_to(MAGIC, account, secret=token.secret)[0])
        assert_problem(browser.get(page(MAGIC)), text=NO_LINK)
        assert Token.objects.get().tries == 0

    def test_a_receiver_that_fails_breaks_nothing(self, account: Account) -> None:
        def fail(**kwargs: Any) -> None:
            raise RuntimeError

        user_logged_in.connect(fail)
        try:
            browser = Browser()
            browser.open(link_to(MAGIC, account)[0])
            assert browser.press(MAGIC).status_code == 303
        finally:
            user_logged_in.disconnect(fail)


class TestRecovery:
    def fill(self, browser: Browser, password: str, again: str | None = None) -> Any:
        again = password if again is None else again
        return browser.press(RECOVERY, {"password": password, "password_again": again})

    @pytest.fixture
    def browser(self, account: Account) -> Browser:
        """Somebody who sees the form."""
        browser = Browser()
        assert browser.open(link_to(RECOVERY, account)[0]).status_code == 200
        return browser

    def test_sets_the_password(self, browser: Browser, guest: ApiClient) -> None:
        response = self.fill(browser, NEW_PASSWORD)
        assert (response.status_code, response["Location"]) == (303, page(RECOVERY))
        for _ in range(2):  # the page can be loaded again
            done = browser.get(page(RECOVERY))
            assert done.status_code == 200
            assert b"<h1>Your password is changed</h1>" in done.content
            assert b"signed out" in done.content
        assert guest.sign_in(password=NEW_PASSWORD)
        assert Account.objects.get().email_verified

    def test_signs_nobody_in(self, browser: Browser) -> None:
        response = self.fill(browser, NEW_PASSWORD)
        assert "a_session_demo" not in response.cookies
        assert not Session.objects.exists()

    def test_ends_the_sessions(self, browser: Browser, guest: ApiClient) -> None:
        guest.sign_in()
        self.fill(browser, NEW_PASSWORD)
        assert not Session.objects.exists()

    def test_leaves_the_sessions(
        self, browser: Browser, guest: ApiClient, project: Callable[..., None]
    ) -> None:
        project(INVALIDATE_SESSIONS=False)
        guest.sign_in()
        self.fill(browser, NEW_PASSWORD)
        assert Session.objects.count() == 1
        assert b"signed out" not in browser.get(page(RECOVERY)).content

    def test_the_fields_are_for_password_managers(self, browser: Browser) -> None:
        markup = Markup(browser.get(page(RECOVERY)).content.decode())
        for name in ("password", "password_again"):
            (field,) = markup.all("input", name=name)
            assert (field["type"], field["autocomplete"]) == ("password", "new-password")
            assert "required" in field
            assert "value" not in field

    def refused(self, response: HttpResponse, field: str, message: str) -> None:
        """Check that a field is marked as wrong, and that the message belongs to it."""
        html = response.content.decode()
        assert (response.status_code, Token.objects.count()) == (400, 1)
        markup = Markup(html)
        (invalid,) = markup.all("input", **{"aria-invalid": "true"})
        assert invalid["name"] == field
        assert "autofocus" in invalid
        assert f"{field}-error" in (invalid["aria-describedby"] or "").split()
        assert markup.all("div", role="alert", id=f"{field}-error")
        assert message in html
        assert "<title>Error: " in html
        assert NEW_PASSWORD not in html

    @pytest.mark.parametrize(
        ("password", "message"),
        [
            ("", "Type a new password."),
            ("short", "The password does not keep the rules above."),
            ("x" * 257, "The password is too long."),
            ("x" * 100_000, "The password is too long."),
            ("battery\x00staple", "The password contains a character that cannot be used."),
        ],
    )
    def test_a_password_that_nobody_can_have(
        self, browser: Browser, guest: ApiClient, password: str, message: str
    ) -> None:
        self.refused(self.fill(browser, password), "password", message)
        assert guest.sign_in()
        assert self.fill(browser, NEW_PASSWORD).status_code == 303

    def test_two_passwords(self, browser: Browser) -> None:
        for again in ("", "battery stable"):
            response = self.fill(browser, NEW_PASSWORD, again)
            self.refused(response, "password_again", "The two passwords are not the same.")
        assert self.fill(browser, NEW_PASSWORD).status_code == 303

    def test_no_fields(self, browser: Browser) -> None:
        self.refused(browser.press(RECOVERY), "password", "Type a new password.")

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"password=%FF%FE%00&password_again=%ED%A0%80", "application/x-www-form-urlencoded"),
            (b"password=x&password=y", "application/x-www-form-urlencoded; charset=base64"),
            (b'{"password": []}', "application/json"),
            (b"--x", "multipart/form-data; boundary=x"),
            (b"--x", "multipart/form-data"),
            (b"password=1" + b"&a" * 1001, "application/x-www-form-urlencoded"),
        ],
        ids=range(6),
    )
    def test_garbage_from_our_own_page(
        self, browser: Browser, body: bytes, content_type: str
    ) -> None:
        headers = {"X-CSRFToken": browser.http.cookies["csrftoken"].value}
        response = browser.http.generic("POST", page(RECOVERY), body, content_type, headers=headers)
        assert response.status_code == 400
        assert b"<!doctype html>" in response.content
        assert self.fill(browser, NEW_PASSWORD).status_code == 303

    def test_used_before(
        self, browser: Browser, guest: ApiClient, project: Callable[..., None]
    ) -> None:
        project(PASSWORD_HISTORY=3)
        account = Account.objects.get()
        account.password_history = [account.user.password]
        account.save()
        self.refused(self.fill(browser, PASSWORD), "password", "was used recently")
        assert self.fill(browser, NEW_PASSWORD).status_code == 303

    def test_personal_data(self, browser: Browser, project: Callable[..., None]) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        self.refused(self.fill(browser, "ada@example.org!"), "password", "Leave your name")
        assert self.fill(browser, NEW_PASSWORD).status_code == 303

    def test_the_site_s_validators_speak_the_reader_s_language(
        self, browser: Browser, settings: Any
    ) -> None:
        package = "django.contrib.auth.password_validation"
        settings.AUTH_PASSWORD_VALIDATORS = [
            {"NAME": f"{package}.NumericPasswordValidator"},
            {"NAME": f"{package}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
        ]
        with translation.override("de"):
            html = browser.get(page(RECOVERY)).content.decode()
            response = self.fill(browser, "1234567890")
        assert "mindestens 12 Zeichen" in html
        assert "<li>At least 8 characters.</li>" not in html
        assert "komplett aus Ziffern" in response.content.decode()
        assert (response.status_code, Token.objects.count()) == (400, 1)
        assert self.fill(browser, NEW_PASSWORD).status_code == 303

    def test_shows_the_rules(self, browser: Browser, project: Callable[..., None]) -> None:
        strength = {"min": 10, "upper": True, "lower": True, "digit": True, "symbol": True}
        project(PASSWORD_STRENGTH=strength, PASSWORD_DICTIONARY=True)
        html = browser.get(page(RECOVERY)).content.decode()
        (field,) = Markup(html).all("input", name="password")
        assert field["aria-describedby"] == "password-rules"
        assert re.findall(r"<li>(.*)</li>", html) == [
            "At least 10 characters.",
            "An upper-case letter, A–Z.",  # noqa: RUF001
            "A lower-case letter, a–z.",  # noqa: RUF001
            "A digit.",
            "A symbol, such as ! or ?.",
            "Not one of the most common passwords.",
        ]
        self.refused(self.fill(browser, NEW_PASSWORD), "password", "does not keep the rules above")
        assert self.fill(browser, "Battery staple 1!").status_code == 303

    def test_a_wrong_link_is_no_oracle_of_passwords(
        self, account: Account, project: Callable[..., None]
    ) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        browser = Browser()
        browser.open(link_to(RECOVERY, account, secret="0" * 256)[0])
        assert_problem(self.fill(browser, "ada@example.org!"))

    def test_a_password_of_other_scripts(self, browser: Browser, guest: ApiClient) -> None:
        assert self.fill(browser, " pässwörd 密码 ").status_code == 303
        assert guest.sign_in(password=" pässwörd 密码 ")

    def test_it_dies_with_a_new_password(self, browser: Browser, ada_again: ApiClient) -> None:
        body = {"password": NEW_PASSWORD, "oldPassword": PASSWORD}
        assert ada_again.patch("/account/password", body).status_code == 200
        assert_problem(self.fill(browser, "horse battery"))

    @pytest.fixture
    def ada_again(self, guest: ApiClient) -> ApiClient:
        """Ada, who has remembered her password."""
        guest.sign_in()
        return guest


class TestVerification:
    def test_verifies_the_address(self, account: Account) -> None:
        browser = Browser()
        html = browser.open(link_to(VERIFICATION, account)[0]).content.decode()
        assert "<h1>Confirm your address</h1>" in html
        response = browser.press(VERIFICATION)
        assert (response.status_code, response["Location"]) == (303, page(VERIFICATION))
        for _ in range(2):  # the page can be loaded again
            done = browser.get(page(VERIFICATION))
            assert done.status_code == 200
            assert b"<h1>Your address is confirmed</h1>" in done.content
        account.refresh_from_db()
        assert account.email_verified

    @pytest.mark.django_db(transaction=True)
    def test_the_link_of_a_message(self, ada: ApiClient) -> None:
        body = {"url": f"http://localhost{page(VERIFICATION)}"}
        assert ada.post("/account/verifications/email", body).status_code == 201
        browser = Browser()
        assert browser.open(mailed_link()).status_code == 200
        assert browser.press(VERIFICATION).status_code == 303
        assert ada.get("/account").json()["emailVerification"]

    def test_nobody_need_be_signed_in_nor_the_right_one(
        self, account: Account, guest: ApiClient
    ) -> None:
        guest.sign_up("bob@example.org")
        guest.sign_in("bob@example.org")
        browser = Browser()
        browser.http.cookies = guest.http.cookies
        browser.open(link_to(VERIFICATION, account)[0])
        assert browser.press(VERIFICATION).status_code == 303
        assert [each.email_verified for each in Account.objects.order_by("pk")] == [True, False]

    def test_the_address_has_changed_since(self, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(VERIFICATION, account)[0])
        Account.objects.update(email="ada@example.com")
        assert_problem(browser.press(VERIFICATION))
        assert not Account.objects.get().email_verified

    def test_done_is_seen_by_nobody_else(self, account: Account) -> None:
        browser = Browser()
        browser.open(link_to(VERIFICATION, account)[0])
        browser.press(VERIFICATION)
        assert_problem(Browser().get(page(VERIFICATION)), text=NO_LINK)
        assert_problem(browser.press(VERIFICATION), text=NO_LINK)
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert_problem(browser.get(page(VERIFICATION)), text=NO_LINK)
