"""The development inbox: what gets in, how much of it stays, and how it is shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from django_account.notifications.sms import SMSMessage
from example_project.inbox import EmailBackend, SMSBackend
from example_project.models import CAPACITY, Message

pytestmark = pytest.mark.django_db

CANARY = "<img src=x onerror=alert(1)>"
LINK = "http://localhost:8000/?topic=magic-url&secret=123456&userId=abc"


@pytest.fixture
def debug(settings: Any) -> None:
    settings.DEBUG = True


def send_mail(text: str = "Hello", html: str = "<p>Hello") -> None:
    mail = EmailMultiAlternatives("Subject", text, "us@example.org", ["Ada <ada@example.org>"])
    mail.attach_alternative(html, "text/html")
    EmailBackend().send_messages([mail])


@pytest.mark.usefixtures("debug")
class TestWhatGetsIn:
    def test_a_mail_goes_to_the_console_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        send_mail()
        [message] = Message.objects.all()
        assert (message.channel, message.recipient) == ("email", "ada@example.org")
        assert (message.subject, message.text, message.html) == ("Subject", "Hello", "<p>Hello")
        assert "Subject: Subject" in capsys.readouterr().out

    def test_an_sms_goes_to_the_console_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        SMSBackend().send_messages([SMSMessage("+15551234567", "123456")])
        [message] = Message.objects.all()
        assert (message.channel, message.recipient) == ("sms", "+15551234567")
        assert message.codes == ["123456"]
        assert "+15551234567" in capsys.readouterr().out

    def test_the_oldest_ones_go(self) -> None:
        for number in range(CAPACITY + 3):
            Message.objects.keep(channel="sms", recipient="+15551234567", text=str(number))
        kept = [message.text for message in Message.objects.all()]
        assert kept == [str(number) for number in range(CAPACITY + 2, 2, -1)]


def test_nothing_gets_in_without_debug(capsys: pytest.CaptureFixture[str]) -> None:
    send_mail()
    SMSBackend().send_messages([SMSMessage("+15551234567", "123456")])
    assert not Message.objects.exists()
    assert "ada@example.org" in capsys.readouterr().out


def test_links_and_codes_are_told_apart() -> None:
    message = Message(text=f"Open {LINK}\n\n654321\n\n1234567, 12:34:56")
    assert message.links == [LINK]
    assert message.codes == ["654321"]


@pytest.mark.usefixtures("debug")
class TestHowItIsShown:
    def test_markup_is_text(self, client: Client) -> None:
        send_mail(text=f"{CANARY} {LINK}")
        for path in ("/inbox/", "/inbox/latest/"):
            body = client.get(path).content.decode()
            assert CANARY not in body
            assert "&lt;img src=x" in body
            assert f'href="{LINK.replace("&", "&amp;")}"' in body

    def test_a_mails_own_markup_runs_no_script_and_loads_nothing(self, client: Client) -> None:
        send_mail(html=f"<p>{CANARY}")
        response = client.get(f"/inbox/{Message.objects.get().pk}/")
        policy = response["Content-Security-Policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
        assert not [each for each in policy if each.startswith("script-src")]

    def test_the_newest_first(self, client: Client) -> None:
        send_mail(text="older one")
        send_mail(text="newer one")
        body = client.get("/inbox/").content.decode()
        assert body.index("newer one") < body.index("older one")


@pytest.mark.parametrize("path", ["/inbox/", "/inbox/latest/", "/inbox/1/"])
def test_there_is_none_without_debug(client: Client, path: str) -> None:
    Message.objects.create(pk=1, channel="email", recipient="ada@example.org", text="Hello")
    assert client.get(path).status_code == 404
