"""What is sent to a person is nowhere else: a canary test over all flows that send something."""

from __future__ import annotations

import hashlib
import logging
import re
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import django
import pytest
import time_machine
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client

from django_account import signals
from django_account.accounts.models import Account
from django_account.core.messages import Message
from django_account.mfa.models import Challenge
from django_account.notifications.models import Delivery
from django_account.notifications.outbox import deliver_due, send_again
from django_account.notifications.sms.locmem import SMSBackend
from django_account.sessions.jwt import create_jwt
from django_account.sessions.models import Session
from django_account.tokens.models import Token
from tests.client import PASSWORD, ApiClient
from tests.live.sink import Received
from tests.security.secrets import betrayed, every_table
from tests.security.test_logs import written

pytestmark = pytest.mark.django_db(transaction=True)

URL = "http://localhost/in"
PHONE = "+14155550100"
KINDS = {
    "magic-session",
    "otp-session",
    "phone-session",
    "recovery",
    "recovery-otp",
    "verification",
    "verification-otp",
    "phone-verification",
    "mfa-challenge",
}


@dataclass(frozen=True)
class Canary:
    """The secret of one message."""

    message: Message

    @property
    def secret(self) -> str:
        return Received("", self.message.link).secret if self.message.link else self.message.code

    def found_in(self, data: bytes) -> bool:
        """Whether it is there: as it is, disguised, or as a hash that anybody can try out."""
        clear = re.escape(self.secret.encode())
        if re.search(rb"(?<![0-9A-Za-z])%s(?![0-9A-Za-z])" % clear, data):
            return True
        secrets = [self.secret]
        if self.message.code:
            # A plain hash of six digits is the six digits.
            public = self.public_id
            for text in (self.secret, f"{public}:{self.secret}", public + self.secret):
                secrets += [
                    hashlib.new(name, text.encode()).hexdigest()
                    for name in ("md5", "sha1", "sha256", "sha512")
                ]
        return bool(betrayed(secrets, data))

    @property
    def public_id(self) -> str:
        """The id of the token or challenge, which salts its digest."""
        if self.message.kind == "mfa-challenge":
            challenge = Challenge.objects.filter(address=self.message.recipient).first()
            return challenge.public_id if challenge else ""
        token = Token.objects.filter(address=self.message.recipient).order_by("-pk").first()
        return token.public_id if token else ""


@pytest.fixture(autouse=True)
def whole_second() -> Iterator[None]:
    """Microseconds are six digits too."""
    with time_machine.travel(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def canaries() -> Iterator[list[Canary]]:
    """Of every message that is asked for."""
    found: list[Canary] = []

    def listen(message: Message, **given: Any) -> None:
        found.append(Canary(message))

    signals.message_requested.connect(listen)
    yield found
    signals.message_requested.disconnect(listen)


@pytest.fixture
def indignant(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Servers that refuse every message and quote it whole: ``indignant(True)``."""
    refuses = [False]
    original, original_sms = EmailBackend.send_messages, SMSBackend.deliver

    def send(self: Any, emails: Any) -> int:
        if refuses[0]:
            raise smtplib.SMTPDataError(554, f"spam: {emails[0].body}".encode())
        return original(self, emails)

    def deliver(self: Any, message: Any) -> None:
        if refuses[0]:
            raise OSError(f"spam: {message.body}")
        original_sms(self, message)

    def set_to(value: bool) -> None:
        refuses[0] = value

    monkeypatch.setattr(EmailBackend, "send_messages", send)
    monkeypatch.setattr(SMSBackend, "deliver", deliver)
    return set_to


def ask_for_everything() -> ApiClient:
    """Every flow that sends a message; who asked."""
    guest, ada = ApiClient(), ApiClient()
    ada.sign_up(name="Ada")
    ada.sign_in()
    phone = {"phone": PHONE, "password": PASSWORD}
    assert ada.patch("/account/phone", phone).status_code == 200
    new = {"userId": "unique()"}
    for client, path, body in [
        (guest, "/account/tokens/magic-url", {**new, "email": "eve@example.org", "url": URL}),
        (guest, "/account/tokens/email", {**new, "email": "bob@example.org", "phrase": True}),
        (guest, "/account/tokens/phone", {**new, "phone": "+14155550101"}),
        (guest, "/account/recovery", {"email": "ada@example.org", "url": URL}),
        (guest, "/account/recovery/otp", {"email": "ada@example.org"}),
        (ada, "/account/verifications/email", {"url": URL}),
        (ada, "/account/verifications/email/otp", {}),
        (ada, "/account/verifications/phone", {}),
    ]:
        response = client.post(path, body)
        assert response.status_code == 201, response.content
        assert response.json()["secret"] == ""
    Account.objects.filter(email="ada@example.org").update(email_verified=True)
    response = ada.post("/account/mfa/challenges", {"factor": "email"})
    assert response.status_code == 201, response.content
    return ada


def redeem_everything(canaries: list[Canary]) -> None:
    """Wrong first, then right, then once more."""
    ways = {
        "magic-session": ("POST", "/account/sessions/token", {}),
        "otp-session": ("POST", "/account/sessions/token", {}),
        "phone-session": ("PUT", "/account/sessions/phone", {}),
        "recovery": ("PUT", "/account/recovery", {"password": "battery staple"}),
        "verification": ("PUT", "/account/verifications/email", {}),
        "verification-otp": ("PUT", "/account/verifications/email/otp", {}),
        "phone-verification": ("PUT", "/account/verifications/phone", {}),
    }
    for canary in canaries:
        if canary.message.kind == "mfa-challenge":
            answer_challenge(canary)
        if canary.message.kind not in ways:
            continue
        method, path, also = ways[canary.message.kind]
        token = Token.objects.filter(
            address=canary.message.recipient, expires_at=canary.message.expires_at
        ).first()
        account_id = token.account.public_id if token else "nobody"
        for secret in ("000000x", canary.secret, canary.secret):
            body = {"userId": account_id, "secret": secret, **also}
            assert ApiClient().call(method, path, body).status_code < 500


def answer_challenge(canary: Canary) -> None:
    """Wrong first, then right, then once more, in the session that asked."""
    session = Session.objects.filter(account__email="ada@example.org").first()
    if session is None:
        return
    jwt = ApiClient(jwt=create_jwt(session))
    for otp in ("000000x", canary.secret, canary.secret):
        body = {"challengeId": canary.public_id or "none", "otp": otp}
        assert jwt.put("/account/mfa/challenges", body).status_code < 500


def admin_pages(client: Client) -> bytes:
    """Every page of the delivery log."""
    urls = ["/admin/", "/admin/django_account/delivery/"]
    for delivery in Delivery.objects.all():
        urls += [f"{urls[1]}{delivery.pk}/{page}/" for page in ("change", "history")]
    pages = [client.get(url) for url in urls]
    assert {page.status_code for page in pages} == {200}
    return b"\n".join(page.content for page in pages)


def all_of(canaries: list[Canary]) -> None:
    assert {canary.message.kind for canary in canaries} == KINDS
    assert all(len(canary.secret) in {6, 64, 256} for canary in canaries)


@pytest.mark.parametrize("refused", [False, True], ids=["sent", "refused"])
def test_no_secret_in_any_table(
    canaries: list[Canary], indignant: Callable[[bool], None], refused: bool
) -> None:
    indignant(refused)
    ask_for_everything()
    all_of(canaries)
    states = set(Delivery.objects.values_list("state", flat=True))
    assert states == ({"waiting"} if refused else {"sent"})
    dump = every_table()
    assert b"bob@example.org" in dump
    assert [canary for canary in canaries if canary.found_in(dump)] == []
    redeem_everything(canaries)
    dump = every_table()
    assert [canary for canary in canaries if canary.found_in(dump)] == []


def test_what_is_sent_leaves_nothing_behind(canaries: list[Canary]) -> None:
    ask_for_everything()
    assert set(Delivery.objects.values_list("payload", flat=True)) == {""}


def test_no_secret_in_any_log_record(
    canaries: list[Canary],
    indignant: Callable[[bool], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At DEBUG, the statements of the database included, with servers that quote what they get."""
    for logger in ("", "django", "django.db.backends", "django_account"):
        caplog.set_level(logging.DEBUG, logger)
    connection.force_debug_cursor = True
    try:
        indignant(True)
        ask_for_everything()
        for delivery in Delivery.objects.all():
            Delivery.objects.filter(pk=delivery.pk).update(state="failed")
            assert send_again(Delivery.objects.get(pk=delivery.pk))
        indignant(False)
        assert deliver_due() == len(KINDS)
        redeem_everything(canaries)
    finally:
        connection.force_debug_cursor = False
    all_of(canaries)
    log = written(caplog)
    assert {"django.db.backends", "django_account.notifications"} <= {
        record.name for record in caplog.records
    }
    assert b"spam: " in log
    assert [canary for canary in canaries if canary.found_in(log)] == []


def test_no_secret_in_the_delivery_log_and_its_pages(
    canaries: list[Canary], indignant: Callable[[bool], None], admin_client: Client
) -> None:
    indignant(True)
    ask_for_everything()
    all_of(canaries)
    errors = list(Delivery.objects.values_list("error", flat=True))
    assert len(errors) == len(KINDS)
    assert all("spam: " in error for error in errors)
    Delivery.objects.filter(channel="email").update(state="failed")
    pages = admin_pages(admin_client)
    assert b"bob@example.org" in pages
    assert b"spam: " in pages
    heap = pages + "\n".join(errors).encode()
    assert [canary for canary in canaries if canary.found_in(heap)] == []
    assert all(payload.encode() not in pages for payload in payloads())


def payloads() -> list[str]:
    """The encrypted messages."""
    found = list(Delivery.objects.values_list("payload", flat=True))
    assert all(found)
    return found


def test_no_secret_in_a_task(canaries: list[Canary], settings: Any) -> None:
    """A queue gets the number of a delivery, and nothing else."""
    if django.VERSION >= (6, 0):
        from django.tasks import default_task_backend

        dummy = "django.tasks.backends.dummy.DummyBackend"
    else:
        from django_tasks import default_task_backend

        dummy = "django_tasks.backends.dummy.DummyBackend"
    settings.TASKS = {"default": {"BACKEND": dummy, "QUEUES": []}}
    ask_for_everything()
    all_of(canaries)
    results = default_task_backend.results
    numbers = set(Delivery.objects.values_list("pk", flat=True))
    assert {tuple(result.args) for result in results} == {(number,) for number in numbers}
    assert all(not result.kwargs for result in results)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"waiting"}
    heap = repr([vars_of(result) for result in results]).encode()
    assert [canary for canary in canaries if canary.found_in(heap)] == []


def vars_of(result: Any) -> Any:
    """Whatever a task result holds."""
    return {name: repr(getattr(result, name, "")) for name in ("args", "kwargs", "task", "id")}


def test_no_secret_in_a_repr(canaries: list[Canary]) -> None:
    """What an error tracker shows of local variables."""
    ask_for_everything()
    shown = [repr(canary.message) for canary in canaries]
    shown += [repr(thing) + str(thing) for thing in (*Token.objects.all(), *Delivery.objects.all())]
    heap = "\n".join(shown).encode()
    assert [canary.message for canary in canaries if canary.found_in(heap)] == []


def test_the_search_would_find_one(canaries: list[Canary]) -> None:
    """In clear, and as a hash that is undone by trying a million codes."""
    ask_for_everything()
    for canary in canaries:
        secret = canary.secret
        assert canary.found_in(f"code={secret}, ".encode())
        assert canary.found_in(b"..." + secret.encode().hex().encode())
        if canary.message.code:
            assert canary.found_in(hashlib.sha256(secret.encode()).hexdigest().encode())
        assert not canary.found_in(b"lorem ipsum " * 100)
