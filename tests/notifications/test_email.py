"""E-mails: what is in them, whom they reach, and how a site changes them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.headerregistry import AddressHeader
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.template import TemplateDoesNotExist
from django.utils import timezone

from django_account.core.clients import ClientInfo
from django_account.core.messages import Message
from django_account.notifications.email import Undeliverable, send
from django_account.notifications.rendering import Mail, render_email, sms_text
from tests.notifications.mails import CODE, CODES, KINDS, LINK, LINKS, message

Project = Callable[..., None]
Override = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def named_project(project: Project) -> None:
    project(PROJECT_NAME="Shop")


@pytest.fixture
def override(tmp_path: Path, settings: Any) -> Override:
    """Put a template of the site's own before ours."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]

    def write(name: str, source: str) -> None:
        path = tmp_path / "django_account" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)

    return write


def sent(**values: Any) -> EmailMultiAlternatives:
    """Send one; what the mailer got."""
    send(message(**values))
    (email,) = mail.outbox
    assert isinstance(email, EmailMultiAlternatives)
    return email


def codes_in(text: str) -> list[str]:
    return re.findall(r"\b\d{6}\b", text)


class TestSending:
    def test_text_and_html_and_no_answer_expected(self) -> None:
        parsed = sent().message()
        assert parsed["To"] == "Ada <ada@example.org>"
        assert parsed["Subject"] == "OTP for Shop Login"
        assert parsed["Auto-Submitted"] == "auto-generated"
        parts = [part.get_content_type() for part in parsed.walk()]
        assert parts == ["multipart/alternative", "text/plain", "text/html"]

    def test_from_the_sites_default_address(self, settings: Any) -> None:
        settings.DEFAULT_FROM_EMAIL = "Shop <shop@example.com>"
        assert sent().from_email == "Shop <shop@example.com>"

    def test_from_the_sender_of_the_setting(self, project: Project) -> None:
        project(EMAIL_SENDER="Accounts <accounts@example.com>")
        assert sent().message()["From"] == "Accounts <accounts@example.com>"

    @pytest.mark.parametrize("recipient", ["x@users.invalid", "X@Users.Invalid"])
    def test_never_to_a_placeholder(self, recipient: str) -> None:
        with pytest.raises(Undeliverable) as caught:
            send(message(recipient=recipient))
        assert not caught.value.retryable
        assert not mail.outbox

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("", ""),
            ("Ada Lovelace", "Ada Lovelace"),
            ("Adélaïde Ünäl 李", "Adélaïde Ünäl 李"),
            ('Ada "the" King', 'Ada "the" King'),
            ("King, Ada; <x@y>", "King, Ada; <x@y>"),
            ("back\\slash", "back\\slash"),
            ("Ada\r\nBcc: eve@evil.example", ""),
            ("Ada\r\n Bcc: eve", "Ada Bcc: eve"),
            ("a\u202egnp\x00.exe", "agnp .exe"),
            ("Ada\u2066\u202e", "Ada"),
            ("x" * 300, "x" * 64),
            ("=?utf-8?q?Eve?=", None),
        ],
    )
    def test_any_name_is_one_name_and_nothing_else(self, name: str, shown: str | None) -> None:
        parsed = sent(name=name).message()
        (address,) = _addresses(parsed["To"])
        assert address.addr_spec == "ada@example.org"
        assert shown in (None, address.display_name)
        assert parsed["Bcc"] is None
        assert "\nBcc" not in parsed.as_string()

    @pytest.mark.parametrize(
        "name", ["Win at evil.example", "https://evil", "www.evil", "http:// x", "a@evil.example"]
    )
    def test_a_name_that_would_be_a_link_is_left_out(self, name: str) -> None:
        email = sent(name=name)
        assert email.to == ["ada@example.org"]
        assert str(email.body).startswith("Hello,\n")
        assert "evil" not in email.body + email.alternatives[0][0]


def _addresses(header: Any) -> list[Any]:
    """A To header's addresses; before Django 6.0 it is a plain string."""
    if hasattr(header, "addresses"):
        return list(header.addresses)
    from email import message_from_string, policy

    parsed = message_from_string(f"To: {header}\n\n", policy=policy.default)["To"]
    assert isinstance(parsed, AddressHeader)
    return list(parsed.addresses)


class TestEveryKind:
    @pytest.mark.parametrize(
        ("kind", "subject"),
        [
            ("verification", "Account Verification for Shop"),
            ("verification-otp", "Account Verification for Shop"),
            ("magic-session", "Shop Login"),
            ("otp-session", "OTP for Shop Login"),
            ("recovery", "Password Reset for Shop"),
            ("recovery-otp", "Password Reset for Shop"),
            ("mfa-challenge", "Verification Code for Shop"),
            ("session-alert", "Security alert: new session on Shop"),
        ],
    )
    def test_subject(self, kind: str, subject: str) -> None:
        assert render_email(message(kind)).subject == subject

    @pytest.mark.parametrize("kind", LINKS)
    def test_link_is_whole_in_both_parts(self, kind: str) -> None:
        rendered = render_email(message(kind))
        assert LINK in rendered.text.splitlines()
        links = re.findall(r'href="([^"]*)"', rendered.html)
        assert [unescape(link) for link in links] == [LINK, LINK]
        assert "&amp;secret=" in links[0]

    @pytest.mark.parametrize("kind", CODES)
    def test_code_is_the_only_run_of_six_digits(self, kind: str) -> None:
        rendered = render_email(message(kind))
        assert codes_in(rendered.text) == [CODE]
        assert codes_in(rendered.html) == [CODE]
        assert "http" not in rendered.text

    @pytest.mark.parametrize("kind", KINDS)
    def test_no_phrase_unless_there_is_one(self, kind: str) -> None:
        rendered = render_email(message(kind))
        assert "security phrase" not in (rendered.text + rendered.html).lower()

    @pytest.mark.parametrize("kind", KINDS[:-1])
    def test_the_phrase(self, kind: str) -> None:
        rendered = render_email(message(kind, phrase="Golden fox"))
        assert "Security phrase: Golden fox" in rendered.text
        assert "Security phrase: Golden fox" in rendered.html

    @pytest.mark.parametrize("kind", KINDS)
    def test_html_loads_nothing_and_is_escaped(self, kind: str, project: Project) -> None:
        project(PROJECT_NAME="Fish & <b>Chips</b>")
        html = render_email(message(kind, name="<i>Ada</i>")).html
        assert "Hello &lt;i&gt;Ada&lt;/i&gt;," in html
        assert "Fish &amp; &lt;b&gt;Chips" in html
        assert "<b>" not in html
        assert not re.search(r"<(img|link|script|iframe)|url\(|@import|src=", html)

    @pytest.mark.parametrize("kind", KINDS)
    def test_text_and_subject_are_not_escaped(self, kind: str, project: Project) -> None:
        project(PROJECT_NAME="Fish & 'Chips'")
        rendered = render_email(message(kind, name='Ada "the" <K>'))
        assert rendered.text.startswith('Hello Ada "the" <K>,\n')
        assert "Fish & 'Chips'" in rendered.subject
        assert "Fish & 'Chips'" in rendered.text

    @pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mfa-removed"])
    def test_an_unknown_client_has_unknown_parts(self, kind: str) -> None:
        rendered = render_email(message(kind, client=ClientInfo()))
        assert "UNKNOWN" in rendered.text
        assert "UNKNOWN" in rendered.html

    def test_no_client_where_staff_have_removed_a_factor(self) -> None:
        rendered = render_email(message("mfa-removed", client=ClientInfo()))
        assert "Requested from" not in rendered.text + rendered.html
        assert "Requested from: " in render_email(message("mfa-removed")).text

    def test_a_kind_without_texts_is_an_error(self) -> None:
        with pytest.raises(TemplateDoesNotExist, match="email/none/subject"):
            render_email(message("none"))


class TestVariables:
    @pytest.mark.parametrize(
        ("lifetime", "words"),
        [
            (timedelta(hours=1), "1 hour"),
            (timedelta(minutes=15), "15 minutes"),
            (timedelta(days=7), "7 days"),
            (timedelta(days=1), "1 day"),
            (timedelta(minutes=1), "1 minute"),
            (timedelta(seconds=10), "1 minute"),
            (timedelta(seconds=90), "2 minutes"),
            (timedelta(minutes=90), "90 minutes"),
            (timedelta(minutes=200), "3 hours"),
            (timedelta(hours=36), "36 hours"),
            (timedelta(hours=100), "4 days"),
        ],
    )
    @pytest.mark.parametrize("drift", [-0.2, 0, 0.2])
    def test_expiry_is_the_real_one(self, lifetime: timedelta, words: str, drift: float) -> None:
        now = timezone.now()
        expires_at = now + lifetime + timedelta(seconds=drift)
        rendered = render_email(message(requested_at=now, expires_at=expires_at))
        assert f"This code expires in {words} and works only once." in rendered.text
        assert f"This code expires in {words} and works only once." in rendered.html

    def test_a_late_mail_promises_what_is_left(self) -> None:
        asked_at = timezone.now() - timedelta(minutes=10)
        rendered = render_email(message("recovery", requested_at=asked_at))
        assert "expires in 50 minutes" in rendered.text

    def test_a_site_without_time_zones(self, settings: Any) -> None:
        settings.USE_TZ = False
        settings.TIME_ZONE = "America/New_York"
        asked_at = datetime(2026, 3, 4, 23, 12)
        rendered = render_email(message("session-alert", requested_at=asked_at))
        assert "Time: March 5, 2026, 04:12 UTC" in rendered.text

    def test_who_asked(self) -> None:
        text = render_email(message()).text
        assert "Requested from: Mobile Safari, iOS, Apple iPhone\n" in text

    @pytest.mark.parametrize(
        "agent", ["evil.example/1.0 CFNetwork/1240 Darwin/20", "get rich at evil.example"]
    )
    @pytest.mark.parametrize("kind", ["otp-session", "session-alert"])
    def test_a_client_cannot_advertise(self, agent: str, kind: str) -> None:
        rendered = render_email(message(kind, client=ClientInfo("203.0.113.9", agent)))
        assert "evil.example" not in rendered.text + rendered.html

    def test_a_client_of_another_kind(self) -> None:
        text = render_email(message(client=ClientInfo("", "Node.js/22"))).text
        assert "Requested from: Node.js, UNKNOWN, UNKNOWN\n" in text

    def test_session_alert(self) -> None:
        asked_at = datetime(2026, 3, 4, 5, 12, tzinfo=UTC)
        rendered = render_email(
            message("session-alert", country="Germany", requested_at=asked_at, locale="en")
        )
        assert (
            "Device: Mobile Safari, iOS\n"
            "IP address: 203.0.113.9\n"
            "Country: Germany\n"
            "Time: March 4, 2026, 05:12 UTC\n"
        ) in rendered.text
        for value in ("Mobile Safari", "203.0.113.9", "Germany", "March 4, 2026", "05:12 UTC"):
            assert f"<bdi>{value}</bdi>" in rendered.html

    def test_session_alert_from_an_app_of_unknown_make(self) -> None:
        agent = ClientInfo("2001:db8::1", "Orchard on Ada's watch")
        text = render_email(message("session-alert", client=agent)).text
        assert "Device: Orchard on Ada's watch\nIP address: 2001:db8::1\nCountry: Unknown\n" in text

    def test_a_message_survives_being_stored(self) -> None:
        given = message("session-alert", country="Germany", phrase="Golden fox")
        assert Message.from_dict(json.loads(json.dumps(given.as_dict()))) == given


class TestOverriding:
    def test_one_file(self, override: Override) -> None:
        override("email/recovery/subject.txt", "{{ project }}:\n a new password\n")
        assert render_email(message("recovery")).subject == "Shop: a new password"
        assert render_email(message("recovery")).text.startswith("Hello Ada,")

    def test_one_block_of_all_mails(self, override: Override) -> None:
        base = Path("django_account/templates/django_account/email/base.html").read_text()
        override("email/base.html", base.replace("{% block header %}", "{% block header %}The "))
        for kind in KINDS:
            assert "\nThe Shop\n" in render_email(message(kind)).html

    def test_one_block_of_one_mail(self, override: Override) -> None:
        override(
            "email/magic-session/body.html",
            '{% extends "django_account/email/link.html" %}{% block button %}Come in{% endblock %}',
        )
        assert ">Come in</a>" in render_email(message("magic-session")).html

    def test_one_language(self, override: Override) -> None:
        override("email/recovery/subject.de.txt", "Neues Passwort")
        override("email/recovery/subject.pt-br.txt", "Senha nova")
        subjects = {
            locale: render_email(message("recovery", locale=locale)).subject
            for locale in ("de", "de-at", "pt-br", "pt", "en")
        }
        assert subjects == {
            "de": "Neues Passwort",
            "de-at": "Neues Passwort",
            "pt-br": "Senha nova",
            "pt": "Redefinição de senha para Shop",
            "en": "Password Reset for Shop",
        }

    def test_every_variable_of_the_contract_is_there(self, override: Override) -> None:
        variables = {
            "direction": "ltr",
            "user": "Ada",
            "project": "Shop",
            "redirect": "",
            "otp": CODE,
            "phrase": "Golden fox",
            "agentDevice": "Apple iPhone",
            "agentClient": "Mobile Safari",
            "agentOs": "iOS",
            "heading": "OTP for Shop Login",
            "team": "",
            "date": "March 4, 2026",
            "year": "2026",
            "time": "05:12",
            "device": "Mobile Safari",
            "ipAddress": "203.0.113.9",
            "country": "Unknown",
            "expires_in": "15 minutes",
            "language": "en",
        }
        source = "\n".join(f"{name}={{{{ {name} }}}}" for name in variables)
        override("email/otp-session/body.txt", source)
        at = datetime(2026, 3, 4, 5, 12, tzinfo=UTC)
        with time_machine.travel(at, tick=False):
            lines = render_email(message(phrase="Golden fox")).text.splitlines()
        assert dict(line.split("=") for line in lines) == variables

    @pytest.mark.parametrize(
        "templates",
        [[], [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]],
        ids=["none", "not for apps"],
    )
    def test_a_site_without_templates_sends_ours(self, settings: Any, templates: Any) -> None:
        settings.TEMPLATES = templates
        assert isinstance(render_email(message("recovery")), Mail)
        assert sms_text(message()) == CODE


class TestSMS:
    @pytest.mark.parametrize("locale", ["en", "ar", "zh-hans"])
    def test_just_the_code(self, locale: str) -> None:
        sms = message("phone-session", channel="sms", recipient="+4915112345678", code=CODE)
        assert sms_text(sms) == CODE

    def test_the_sites_own_words(self, override: Override, project: Project) -> None:
        project(PROJECT_NAME="Fish & Chips")
        override("sms/verification.txt", "{{ otp }} is your {{ project }} code.\n")
        sms = message("phone-session", channel="sms", code=CODE)
        assert sms_text(sms) == f"{CODE} is your Fish & Chips code."
