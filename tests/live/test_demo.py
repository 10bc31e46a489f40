"""The demo page, as `manage.py demo` serves it: every flow, by clicks in Chromium."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import randrange
from typing import Any

import pyotp
import pytest
import requests

from tests.live.people import fresh_email
from tests.live.server import ROOT, START_TIMEOUT, free_port
from tests.live.window import Window

pytestmark = pytest.mark.live

# Seconds for the provider to notice that the server is gone.
STOP_TIMEOUT = 15

PASSWORD = "correct horse"
CANARY = "<img src=x onerror=alert(1)>"

PHONE = {"width": 360, "height": 800}
DESKTOP = {"width": 1280, "height": 900}


@dataclass(frozen=True)
class Language:
    """How the page reads in a language, and the subject of a mail."""

    code: str
    direction: str
    done: str
    mail: str


ENGLISH = Language("en", "ltr", "Done.", "Login")
GERMAN = Language("de", "ltr", "Erledigt.", "Anmeldung")
ARABIC = Language("ar", "rtl", "تم.", "تسجيل الدخول")


@dataclass
class Demo:
    """The running demo: its address, its provider's, and what the command printed."""

    url: str
    provider: str
    printed: str


def environment(directory: Path) -> dict[str, str]:
    """The demo's: a database of its own, and nothing else set but that nobody is limited."""
    unset = ("CACHE_URL", "EMAIL_URL", "SMS_URL", "ALLOWED_HOSTS", "SECRET_KEY")
    return {
        **os.environ,
        **dict.fromkeys(unset, ""),
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "DATABASE_URL": f"sqlite:///{directory}/db.sqlite3",
        "DEBUG": "1",
        "ACCOUNT_SETTINGS": json.dumps({"RATE_LIMITS_ENABLED": False}),
    }


def answers(url: str) -> bool:
    """Whether anybody answers there, and soon enough."""
    with suppress(requests.RequestException):
        return bool(requests.get(url, timeout=5).status_code)
    return False


@pytest.fixture(scope="module")
def demo(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """``manage.py demo`` in a process of its own."""
    directory, port = tmp_path_factory.mktemp("demo"), free_port()
    command = [sys.executable, str(ROOT / "manage.py"), "demo"]
    url, log = f"http://localhost:{port}", directory / "log"
    with log.open("w") as written:
        process = subprocess.Popen(
            [*command, str(port)],
            cwd=ROOT,
            env=environment(directory),
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        printed = log.read_text()
        found = re.search(r"OpenID +(\S+)", printed)
        assert found, printed
        yield Demo(url, found[1], printed)
    finally:
        process.kill()
        process.wait(30)
    # It was killed, and could not tell the provider, which notices.
    deadline = time.monotonic() + STOP_TIMEOUT
    while answers(f"{found[1]}/.well-known/openid-configuration"):
        assert time.monotonic() < deadline, "the OpenID provider outlives the server"
        time.sleep(0.1)


def answer_of(text: str) -> dict[str, Any]:
    """The JSON that an action shows, below the words "The answer"."""
    document: dict[str, Any] = json.loads(text[text.index("{") :])
    return document


class Visitor:
    """Somebody on the demo page, who reads what it tells."""

    def __init__(self, window: Window, demo: Demo, language: Language) -> None:
        self.window = window
        self.demo = demo
        self.language = language
        self.email = fresh_email()
        self.phone = f"+4915{randrange(10**8, 10**9)}"

    def open(self, topic: str) -> None:
        """Open a topic by the navigation."""
        self.window.wait_for(f'#topics a[href="#{topic}"]')
        self.window.click(f'#topics a[href="#{topic}"]')
        self.window.wait_for(f"#topic section#{topic}")

    def act(self, call: str, nth: int = 0, **values: str) -> str:
        """Fill in the nth form that makes a call and send it; the answer, as far as it is text."""
        form = self.form(call, nth)
        self.window.fill(form, **values)
        self.window.click(f"{form} >> form > button")
        return self.told(call, nth)

    def told(self, call: str, nth: int = 0) -> str:
        """Wait until a call is done; the answer."""
        form = self.form(call, nth)
        self.window.wait_for(f"{form} >> .told:is(.good, .bad)")
        told = self.window.text(f"{form} >> .told")
        assert told == self.language.done, told
        return self.window.text(f"{form} >> .answer")

    def refused(self, call: str, **values: str) -> str:
        """Fill in the form of a call and send it; why it was refused."""
        form = self.form(call)
        self.window.fill(form, **values)
        self.window.click(f"{form} >> form > button")
        self.window.wait_for(f"{form} >> .told.bad")
        return self.window.text(f"{form} >> .told")

    def form(self, call: str, nth: int = 0) -> str:
        return f'#topic .action[data-call="{call}"] >> nth={nth}'

    def who(self, text: str) -> None:
        """Wait until the page says who is signed in."""
        self.window.wait_for(f"#who:has-text({json.dumps(text, ensure_ascii=False)})")

    def is_nobody(self) -> None:
        """Wait until the page says that nobody is signed in."""
        self.window.wait_for("#who:not(:has(#sign-out))")

    def leave(self) -> None:
        """Sign out."""
        self.window.click("#sign-out")
        self.is_nobody()
        self.window.wait_for("#topic section#sign-in")

    def mail(self, recipient: str, subject: str = "") -> str:
        """Wait for a message at the top of the inbox; the selector of it."""
        newest = "#messages article >> nth=0"
        self.window.wait_for(
            f"#messages article:first-of-type:has-text({json.dumps(recipient, ensure_ascii=False)})"
            f":has-text({json.dumps(subject, ensure_ascii=False)})"
        )
        return newest

    def follow_link(self, recipient: str, subject: str = "") -> None:
        """Click on the link in the newest message."""
        self.window.click(f"{self.mail(recipient, subject)} >> a.button")
        self.window.wait_for("#topic section")

    def take_code(self, recipient: str, subject: str = "") -> None:
        """Click on the code in the newest message, which puts it into the form."""
        self.window.click(f"{self.mail(recipient, subject)} >> [data-code]")

    def sign_up(self, **values: str) -> None:
        self.open("sign-up")
        self.act("create", email=self.email, password=PASSWORD, **values)

    def sign_in(self) -> None:
        self.open("sign-in")
        self.act("createEmailPasswordSession", email=self.email, password=PASSWORD)

    def sign_in_halfway(self) -> None:
        """Sign in, up to the second factor."""
        self.open("sign-in")
        form = self.form("createEmailPasswordSession")
        self.window.fill(form, email=self.email, password=PASSWORD)
        self.window.click(f"{form} >> button")
        self.window.wait_for("#topic section#second-factor")

    def consent(self, email: str) -> None:
        """Sign in at the demo provider."""
        self.window.wait_for("input[name=verified]")
        self.window.fill("form", email=email, name=f"{CANARY} of the provider")
        self.window.click("button >> nth=0")
        self.window.wait_for("#topic section")


@pytest.fixture(params=[GERMAN, ARABIC], ids=lambda language: language.code)
def visitor(request: pytest.FixtureRequest, demo: Demo, window: Window) -> Iterator[Visitor]:
    """Somebody new on the page, in each language that it is translated to."""
    with a_visit(window, demo, request.param) as visitor:
        yield visitor


@contextmanager
def a_visit(window: Window, demo: Demo, language: Language, **options: Any) -> Iterator[Visitor]:
    """Somebody new on the page. No script may fail, no policy be broken, no markup run."""
    with window.opened(**{"locale": language.code, "viewport": DESKTOP, **options}):
        window.go(demo.url)
        window.wait_for("#topic section#sign-up")
        yield Visitor(window, demo, language)
        assert window.errors() == []


def test_the_page_is_in_the_visitors_language(visitor: Visitor) -> None:
    root = visitor.window.do("evaluate", "[document.documentElement.lang, document.dir]")
    assert root == [visitor.language.code, visitor.language.direction]


def test_password_profile_and_sessions(visitor: Visitor) -> None:
    window = visitor.window
    visitor.sign_up(name=CANARY)
    visitor.open("sign-in")
    refusal = visitor.refused(
        "createEmailPasswordSession", email=visitor.email, password="wrong horse"
    )
    assert "user_invalid_credentials" in refusal
    visitor.sign_in()
    visitor.who(CANARY)

    visitor.open("profile")
    assert visitor.email in visitor.told("get")
    new = fresh_email()
    visitor.act("updateEmail", email=new, password=PASSWORD)
    visitor.email = new
    visitor.act("updatePhone", phone=visitor.phone, password=PASSWORD)
    visitor.act("updatePassword", oldPassword=PASSWORD, password="another horse")
    visitor.act("updatePassword", oldPassword="another horse", password=PASSWORD)
    visitor.act("updateName", name=f"Ada {CANARY}")
    visitor.who(f"Ada {CANARY}")

    visitor.open("verification")
    visitor.act("createEmailVerification")
    visitor.follow_link(visitor.email)
    visitor.act("updateEmailVerification")
    visitor.act("createPhoneVerification")
    visitor.take_code(visitor.phone)
    visitor.act("updatePhoneVerification")
    visitor.open("profile")
    account = answer_of(visitor.told("get"))
    assert (account["emailVerification"], account["phoneVerification"]) == (True, True)

    visitor.open("preferences")
    assert visitor.told("getPrefs")
    visitor.act("updatePrefs", prefs=json.dumps({CANARY: CANARY}))
    assert answer_of(visitor.act("getPrefs")) == {CANARY: CANARY}

    with window.opened(locale=visitor.language.code, userAgent=f"{CANARY} Firefox/140.0"):
        window.go(visitor.demo.url)
        window.wait_for("#topic section")
        visitor.sign_in()
        visitor.who("Ada")
    visitor.open("sessions")
    visitor.told("listSessions")
    sessions = '#topic .action[data-call="listSessions"] .rows li'
    assert window.count(sessions) == 2
    visitor.act("updateSession")
    assert "eyJ" in visitor.act("createJWT")
    visitor.act("listSessions", nth=1)
    visitor.act("listSessions")
    assert window.count(sessions) == 1
    window.click(f"{sessions} button")
    visitor.is_nobody()


def test_second_factors(visitor: Visitor) -> None:
    window = visitor.window
    visitor.sign_up()
    visitor.sign_in()
    visitor.open("profile")
    visitor.act("updatePhone", phone=visitor.phone, password=PASSWORD)
    visitor.open("verification")
    visitor.act("createPhoneVerification")
    visitor.take_code(visitor.phone)
    visitor.act("updatePhoneVerification")
    visitor.act("createEmailVerification")
    visitor.follow_link(visitor.email)
    visitor.act("updateEmailVerification")

    visitor.open("mfa")
    visitor.act("createMFAAuthenticator")
    app = pyotp.TOTP(window.text(".answer code"))
    window.wait_for("svg.qr path")
    now = time.time()
    # Each code is good for one use, and those of the neighbouring half minutes count too.
    visitor.act("updateMFAAuthenticator", otp=app.at(now - 30))
    codes = visitor.act("createMFARecoveryCodes").split()[-6:]
    visitor.act("updateMFA")
    visitor.leave()

    def prove(factor: str, otp: str | None) -> None:
        visitor.sign_in_halfway()
        window.do("selectOption", "[name=factor]", factor)
        visitor.act("createMFAChallenge")
        if otp is None:
            visitor.take_code({"email": visitor.email, "phone": visitor.phone}[factor])
        else:
            window.fill("#topic", otp=otp)
        visitor.act("updateMFAChallenge")
        visitor.who(visitor.email)

    visitor.sign_in_halfway()
    window.do("selectOption", "[name=factor]", "recoverycode")
    visitor.act("createMFAChallenge")
    assert "user_invalid_token" in visitor.refused("updateMFAChallenge", otp="nonsense")
    visitor.leave()
    for factor, otp in (
        ("totp", app.at(now)),
        ("email", None),
        ("phone", None),
        ("recoverycode", codes[0]),
    ):
        prove(factor, otp)
        visitor.leave()
    prove("totp", app.at(now + 30))
    visitor.open("mfa")
    assert visitor.act("getMFARecoveryCodes").split()[-5:] == codes[1:]
    assert set(visitor.act("updateMFARecoveryCodes").split()[-6:]).isdisjoint(codes)
    visitor.act("listMFAFactors")
    visitor.act("deleteMFAAuthenticator")
    visitor.act("updateMFA", nth=1)
    visitor.leave()
    visitor.sign_in()
    visitor.who(visitor.email)


def test_anonymous_people_become_full_ones(visitor: Visitor) -> None:
    visitor.open("anonymous")
    anonymous = answer_of(visitor.act("createAnonymousSession"))
    visitor.act("updateEmail", email=visitor.email, password=PASSWORD)
    visitor.who(visitor.email)
    visitor.leave()

    visitor.open("anonymous")
    anonymous = answer_of(visitor.act("createAnonymousSession"))
    visitor.window.click(f"{visitor.form('createOAuth2Session')} >> button")
    email = fresh_email()
    visitor.consent(email)
    account = answer_of(visitor.told("get"))
    assert (account["$id"], account["email"]) == (anonymous["userId"], email)


def test_links_and_codes(visitor: Visitor) -> None:
    visitor.open("magic-url")
    visitor.act("createMagicURLToken", email=visitor.email)
    visitor.follow_link(visitor.email, visitor.language.mail)
    assert "secret" not in visitor.window.do("url")
    visitor.act("createSession")
    visitor.who(visitor.email)
    visitor.leave()

    visitor.open("email-code")
    phrase = answer_of(visitor.act("createEmailToken", email=visitor.email))["phrase"]
    visitor.mail(visitor.email, phrase)
    visitor.take_code(visitor.email)
    visitor.act("createSession")
    visitor.who(visitor.email)
    visitor.leave()

    visitor.open("sms-code")
    visitor.act("createPhoneToken", phone=visitor.phone)
    visitor.take_code(visitor.phone)
    visitor.act("createSession")
    visitor.who(visitor.phone)
    visitor.leave()

    visitor.open("recovery")
    visitor.act("createRecovery", email=visitor.email)
    visitor.follow_link(visitor.email)
    visitor.act("updateRecovery", password=PASSWORD)
    visitor.open("sign-in")
    visitor.sign_in()
    visitor.who(visitor.email)


def test_provider(visitor: Visitor) -> None:
    window = visitor.window
    visitor.open("oauth2")
    window.click(f"{visitor.form('createOAuth2Session')} >> button")
    window.wait_for("input[name=verified]")
    window.click("[name=cancel]")
    window.wait_for("#topic .told.bad")
    assert "user_oauth2_provider_error" in window.text("#topic .told.bad")

    window.click(f"{visitor.form('createOAuth2Token')} >> button")
    visitor.consent(visitor.email)
    assert answer_of(visitor.act("createSession"))["provider"] == "oidc"
    visitor.who(CANARY)
    visitor.leave()

    visitor.open("oauth2")
    window.click(f"{visitor.form('createOAuth2Session')} >> button")
    visitor.consent(visitor.email)
    assert visitor.email in visitor.told("listIdentities")
    visitor.open("profile")
    visitor.act("updatePassword", password=PASSWORD)
    visitor.open("identities")
    visitor.told("listIdentities")
    visitor.act("deleteIdentity")
    visitor.act("listIdentities")
    assert window.count("#topic .rows li") == 0
    visitor.open("logs")
    assert "session.create" in visitor.told("listLogs")


def test_closing(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.sign_in()
    visitor.who(visitor.email)
    visitor.open("closing")
    visitor.window.do("check", f"{visitor.form('updateStatus')} >> [name=sure]")
    visitor.act("updateStatus")
    visitor.is_nobody()
    visitor.open("sign-in")
    refusal = visitor.refused("createEmailPasswordSession", email=visitor.email, password=PASSWORD)
    assert "user_blocked" in refusal

    visitor.email = fresh_email()
    visitor.sign_up()
    visitor.sign_in()
    visitor.who(visitor.email)
    visitor.open("closing")
    visitor.window.do("check", f"{visitor.form('call')} >> [name=sure]")
    visitor.act("call")
    visitor.is_nobody()
    visitor.sign_up()


def test_everybody_can_use_it(demo: Demo, window: Window, tmp_path: Path) -> None:
    """Wide and narrow, by day and by night, in each state: nothing keeps anybody out."""
    wrong = []
    ways = {
        ENGLISH: [(DESKTOP, "light"), (PHONE, "dark")],
        ARABIC: [(PHONE, "light"), (DESKTOP, "dark")],
    }

    def look(state: str) -> None:
        for size, scheme in ways[language]:
            window.do("setViewportSize", size)
            window.do("emulateMedia", {"colorScheme": scheme})
            name = f"{language.code}-{state}-{size['width']}-{scheme}"
            path = str(tmp_path / f"{name}.png")
            window.do("screenshot", {"path": path, "fullPage": True})
            wrong.extend(f"{name}: {problem}" for problem in window.problems())
            if (overflow := window.overflow()) > 0:
                wrong.append(f"{name}: {overflow} px too wide")

    for language in ways:
        with a_visit(window, demo, language) as visitor:
            look("guest")
            visitor.sign_up(name=CANARY * 3)
            visitor.open("sign-in")
            visitor.refused("createEmailPasswordSession", email=visitor.email, password="wrong")
            look("refused")
            visitor.sign_in()
            visitor.open("sessions")
            visitor.told("listSessions")
            look("list")
            visitor.open("verification")
            visitor.act("createEmailVerification")
            visitor.mail(visitor.email)
            visitor.open("mfa")
            visitor.act("createMFAAuthenticator")
            visitor.act("createMFARecoveryCodes")
            look("mfa")
            window.go(f"{demo.url}/inbox/")
            window.click("details:not([open]) summary >> nth=0")
            window.wait_for("iframe")
            look("inbox")
            window.go(f"{demo.url}/#oauth2")
            window.click(f"{visitor.form('createOAuth2Session')} >> button")
            window.wait_for("input[name=verified]")
            look("provider")
    assert not wrong, "\n".join(wrong)


def test_the_inbox_shows_markup_as_text(demo: Demo, window: Window) -> None:
    with a_visit(window, demo, ENGLISH, userAgent=f"{CANARY} Firefox/140.0") as visitor:
        visitor.sign_up(name=CANARY)
        visitor.sign_in()
        visitor.open("verification")
        visitor.act("createEmailVerification")
        newest = visitor.mail(visitor.email)
        window.click(f"{newest} >> summary")
        assert CANARY in window.text(f"{newest} >> pre")
        window.go(f"{demo.url}/inbox/")
        assert CANARY in window.text(f"{newest} >> pre")
        window.click(f"{newest} >> details:not([open]) >> summary")
        address = window.do("getAttribute", f"{newest} >> iframe", "src")
        window.go(f"{demo.url}{address}")
        assert CANARY in window.text("body")
        assert window.count("img[src=x]") == 0


def test_by_keyboard_alone(demo: Demo, window: Window) -> None:
    with a_visit(window, demo, ENGLISH) as visitor:

        def type_into(name: str, text: str) -> None:
            for _ in range(30):
                window.press("Tab")
                if window.do("evaluate", "document.activeElement.name") == name:
                    return window.type(text)
            raise AssertionError(f"Tab does not lead to {name}")

        type_into("email", visitor.email)
        type_into("password", PASSWORD)
        window.press("Enter")
        visitor.told("create")
        window.do("focus", '#topics a[href="#sign-in"]')
        window.press("Enter")
        window.wait_for("#topic section#sign-in")
        type_into("email", visitor.email)
        type_into("password", "wrong horse")
        window.press("Enter")
        window.wait_for("#topic .told.bad")
        # Back where the mistake can be mended.
        assert window.do("evaluate", "document.activeElement.name") == "email"


def test_the_numerical_address(demo: Demo, window: Window) -> None:
    numerical = Demo(demo.url.replace("localhost", "127.0.0.1"), demo.provider, demo.printed)
    with a_visit(window, numerical, ENGLISH) as visitor:
        visitor.open("magic-url")
        visitor.act("createMagicURLToken", email=visitor.email)
        visitor.follow_link(visitor.email)
        assert window.do("url").startswith(numerical.url)
        visitor.act("createSession")
        visitor.leave()
        visitor.open("oauth2")
        window.click(f"{visitor.form('createOAuth2Session')} >> button")
        visitor.consent(visitor.email)
        visitor.who(CANARY)


def test_it_prints_every_address_and_no_secret(demo: Demo) -> None:
    for address in (f"{demo.url}/", f"{demo.url}/inbox/", f"{demo.url}/v1", f"{demo.url}/admin/"):
        assert f"{address} " in demo.printed or f"{address}\n" in demo.printed
    assert re.search(r"Project +demo ", demo.printed)
    assert re.search(r"Admin .*admin / \S{16} ", demo.printed)
