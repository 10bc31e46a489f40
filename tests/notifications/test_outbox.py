"""The outbox: each message is claimed, sent and marked, whatever fails on the way."""

from __future__ import annotations

import io
import logging
import smtplib
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from html import escape
from threading import Event
from threading import enumerate as threads
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from django_account import signals
from django_account.accounts.services import create_account
from django_account.core.clients import ClientInfo
from django_account.core.crypto import encrypt
from django_account.core.messages import Message
from django_account.notifications import sms
from django_account.notifications.models import Delivery
from django_account.notifications.outbox import deliver, deliver_due, next_wait, send_again
from django_account.notifications.tasks import Alarm
from django_account.selfservice.passwordless import Requester, create_email_token
from django_account.tokens.models import Token
from tests.client import ApiClient
from tests.live.sink import eventually
from tests.notifications.mails import CODE, LINK, message

pytestmark = pytest.mark.django_db(transaction=True)

State = Delivery.State
SECRET = "0a1b2c3d4e5f6789" * 4


class Mailer:
    """The site's mailer, which does as it is told; counts what it accepted."""

    def __init__(self) -> None:
        self.accepted = 0
        self.error: BaseException | None = None
        self.before: Callable[[], object] | None = None
        self.after: BaseException | None = None

    def send(self, emails: list[Any]) -> int:
        if self.before is not None:
            self.before()
        if self.error is not None:
            raise self.error
        self.accepted += len(emails)
        if self.after is not None:
            raise self.after
        return len(emails)


@pytest.fixture
def mailer(monkeypatch: pytest.MonkeyPatch) -> Mailer:
    """The mailer that the site sends through."""
    mailer = Mailer()
    monkeypatch.setattr(EmailBackend, "send_messages", lambda _, emails: mailer.send(emails))
    return mailer


@pytest.fixture
def clock() -> Iterator[Any]:
    """The time, which stands still until it is shifted."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def waiting(given: Message | None = None, **values: Any) -> Delivery:
    """A delivery that nobody has tried."""
    given = given or message()
    delivery = Delivery(
        kind=given.kind,
        channel=given.channel,
        recipient=given.recipient,
        expires_at=given.expires_at,
        **values,
    )
    delivery.seal(given)
    delivery.save()
    return delivery


def text_message(recipient: str = "+14155550100") -> Message:
    return message("mfa-challenge", channel="sms", recipient=recipient)


def now(delivery: Delivery) -> Delivery:
    """The delivery as it is in the database."""
    return Delivery.objects.get(pk=delivery.pk)


class TestSent:
    def test_marks_and_forgets(self, mailer: Mailer) -> None:
        delivery = waiting()
        assert deliver(delivery.pk) is None
        found = now(delivery)
        assert (found.state, found.tries, found.error) == (State.SENT, 1, "")
        assert found.payload == ""
        assert mailer.accepted == 1

    def test_once(self, mailer: Mailer) -> None:
        delivery = waiting()
        deliver(delivery.pk)
        assert deliver(delivery.pk) is None
        assert mailer.accepted == 1
        assert now(delivery).tries == 1

    def test_what_arrives(self) -> None:
        deliver(waiting().pk)
        (email,) = mail.outbox
        assert email.to == ["Ada <ada@example.org>"]
        assert CODE in email.body

    def test_sms(self) -> None:
        sms.outbox.clear()
        delivery = waiting(text_message())
        assert deliver(delivery.pk) is None
        (text,) = sms.outbox
        assert text.to == "+14155550100"
        assert CODE in text.body
        assert (now(delivery).state, now(delivery).payload) == (State.SENT, "")

    def test_unknown_id(self, mailer: Mailer) -> None:
        assert deliver(4711) is None
        assert mailer.accepted == 0

    def test_deleted_account(self, mailer: Mailer) -> None:
        account = create_account(email="ada@example.org")
        delivery = waiting(account=account)
        account.delete()
        assert deliver(delivery.pk) is None
        assert mailer.accepted == 0


class TestClaim:
    def test_of_two_one_sends(self, mailer: Mailer) -> None:
        delivery = waiting()
        inside: list[object] = []

        def meanwhile() -> None:
            mailer.before = None
            inside.append(deliver(delivery.pk))
            inside.append(deliver_due())

        mailer.before = meanwhile
        deliver(delivery.pk)
        assert inside == [None, 0]
        assert mailer.accepted == 1
        assert now(delivery).tries == 1

    def test_two_messages_do_not_wait_for_each_other(self, mailer: Mailer) -> None:
        first, second = waiting(), waiting()

        def meanwhile() -> None:
            mailer.before = None
            deliver(second.pk)
            assert now(second).state == State.SENT
            assert now(first).state == State.WAITING

        mailer.before = meanwhile
        deliver(first.pk)
        assert mailer.accepted == 2

    def test_no_transaction_is_open_while_a_server_takes_its_time(self, mailer: Mailer) -> None:
        seen: list[bool] = []
        mailer.before = lambda: seen.append(transaction.get_connection().in_atomic_block)
        deliver(waiting().pk)
        assert seen == [False]

    @pytest.mark.parametrize("death", [SystemExit(), KeyboardInterrupt()])
    def test_death_between_sending_and_marking(
        self, mailer: Mailer, clock: Any, death: BaseException
    ) -> None:
        """It is sent at least once, and not before the lease has run out."""
        delivery = waiting()
        mailer.after = death
        with pytest.raises(type(death)):
            deliver(delivery.pk)
        mailer.after = None
        assert mailer.accepted == 1
        clock.shift(Delivery.LEASE - timedelta(seconds=1))
        assert deliver(delivery.pk) is None
        assert deliver_due() == 0
        assert mailer.accepted == 1
        clock.shift(timedelta(seconds=1))
        assert deliver_due() == 1
        assert mailer.accepted == 2
        found = now(delivery)
        assert (found.state, found.tries, found.payload) == (State.SENT, 2, "")

    def test_death_before_sending(self, mailer: Mailer, clock: Any) -> None:
        delivery = waiting()
        mailer.error = SystemExit()
        with pytest.raises(SystemExit):
            deliver(delivery.pk)
        mailer.error = None
        clock.shift(Delivery.LEASE)
        deliver_due()
        assert mailer.accepted == 1
        assert now(delivery).state == State.SENT


class TestFailure:
    def test_back_off(self, mailer: Mailer, clock: Any) -> None:
        delivery = waiting(message("verification"))
        mailer.error = ConnectionRefusedError("refused")
        for tries, wait in enumerate(Delivery.BACKOFF, start=1):
            assert deliver(delivery.pk) == wait
            found = now(delivery)
            assert (found.state, found.tries) == (State.WAITING, tries)
            assert found.next_try_at == timezone.now() + timedelta(seconds=wait)
            assert "ConnectionRefusedError: refused" in found.error
            clock.shift(timedelta(seconds=wait - 1))
            assert deliver(delivery.pk) is None
            assert now(delivery).tries == tries, "too early"
            clock.shift(timedelta(seconds=1))
        assert deliver(delivery.pk) is None
        found = now(delivery)
        assert (found.state, found.tries) == (State.FAILED, len(Delivery.BACKOFF) + 1)
        assert found.payload == delivery.payload
        assert "refused" in found.error
        assert found.can_be_sent_again

    def test_success_later(self, mailer: Mailer, clock: Any) -> None:
        delivery = waiting()
        mailer.error = TimeoutError("slow")
        deliver(delivery.pk)
        mailer.error = None
        clock.shift(timedelta(seconds=Delivery.BACKOFF[0]))
        assert deliver(delivery.pk) is None
        found = now(delivery)
        assert (found.state, found.tries, found.error, found.payload) == (State.SENT, 2, "", "")

    def test_expired(self, mailer: Mailer, clock: Any) -> None:
        delivery = waiting()
        clock.shift(timedelta(minutes=15))
        assert deliver(delivery.pk) is None
        found = now(delivery)
        assert (found.state, found.payload) == (State.FAILED, "")
        assert "expired" in found.error
        assert mailer.accepted == 0
        assert not send_again(found)

    @pytest.mark.parametrize(("kind", "tries"), [("otp-session", 5), ("recovery", 7)])
    def test_no_try_is_waited_for_that_comes_too_late(
        self, mailer: Mailer, clock: Any, kind: str, tries: int
    ) -> None:
        delivery = waiting(message(kind))
        mailer.error = OSError("down")
        while wait := deliver(delivery.pk):
            clock.shift(timedelta(seconds=wait))
        found = now(delivery)
        assert (found.state, found.tries, found.error) == (State.FAILED, tries, "OSError: down")
        assert found.can_be_sent_again
        clock.move_to(found.expires_at)
        assert not now(delivery).can_be_sent_again

    @pytest.mark.parametrize(
        ("text", "purpose"),
        [
            ("nonsense", "delivery"),
            ("[]", "delivery"),
            ("{}", "delivery"),
            ('{"from": "a version to come"}', "delivery"),
            ("{}", "something else"),
            ("", ""),
            ("nonsense", ""),
        ],
    )
    def test_payload_that_cannot_be_read(self, mailer: Mailer, text: str, purpose: str) -> None:
        """It fails, and holds up nothing behind it."""
        payload = encrypt(text, purpose) if purpose else text
        broken, good = waiting(), waiting()
        Delivery.objects.filter(pk=broken.pk).update(
            payload=payload, next_try_at=timezone.now() - timedelta(hours=1)
        )
        assert deliver_due() == 2
        assert now(broken).state == State.FAILED
        assert now(broken).error
        assert now(good).state == State.SENT
        assert mailer.accepted == 1

    def test_placeholder_address_is_final(self, mailer: Mailer) -> None:
        from django_account.accounts.users import PLACEHOLDER_DOMAIN

        delivery = waiting(message(recipient=f"x@{PLACEHOLDER_DOMAIN}"))
        assert deliver(delivery.pk) is None
        assert (now(delivery).state, now(delivery).tries) == (State.FAILED, 1)
        assert mailer.accepted == 0

    @pytest.mark.parametrize(("code", "state"), [(550, State.FAILED), (450, State.WAITING)])
    def test_an_address_that_the_mail_server_refuses_for_good_is_final(
        self, mailer: Mailer, code: int, state: str
    ) -> None:
        mailer.error = smtplib.SMTPRecipientsRefused({"ada@example.org": (code, b"no such user")})
        delivery = waiting()
        deliver(delivery.pk)
        assert (now(delivery).state, now(delivery).tries) == (state, 1)
        assert "no such user" in now(delivery).error

    def test_sms_that_the_guard_refuses_is_final(self, project: Callable[..., None]) -> None:
        sms.outbox.clear()
        project(SMS_ALLOWED_PREFIXES=["+49"])
        delivery = waiting(text_message())
        assert deliver(delivery.pk) is None
        found = now(delivery)
        assert (found.state, found.tries) == (State.FAILED, 1)
        assert "SMS_ALLOWED_PREFIXES" in found.error
        assert sms.outbox == []
        assert deliver_due() == 0

    def test_sms_beyond_the_daily_cap(self, project: Callable[..., None]) -> None:
        sms.outbox.clear()
        project(SMS_DAILY_LIMIT_PER_NUMBER=2)
        deliveries = [waiting(text_message()) for _ in range(4)]
        assert deliver_due() == 4
        states = [now(delivery).state for delivery in deliveries]
        assert (states.count(State.SENT), states.count(State.FAILED)) == (2, 2)
        assert len(sms.outbox) == 2

    def test_tries_that_fail_do_not_use_the_cap_up(
        self, project: Callable[..., None], monkeypatch: pytest.MonkeyPatch, clock: Any
    ) -> None:
        project(SMS_DAILY_LIMIT_PER_NUMBER=2, SMS_DAILY_LIMIT=2)
        delivery = waiting(text_message())
        with monkeypatch.context() as patch:
            patch.setattr(
                "django_account.notifications.sms.locmem.SMSBackend.deliver",
                Mock(side_effect=sms.SMSError("down", retryable=True)),
            )
            for wait in Delivery.BACKOFF[:3]:
                assert deliver(delivery.pk) == wait
                clock.shift(timedelta(seconds=wait))
        assert deliver(delivery.pk) is None
        assert now(delivery).state == State.SENT
        for state in (State.SENT, State.FAILED):
            other = waiting(text_message())
            deliver(other.pk)
            assert now(other).state == state


class TestErrorText:
    """What a mail server says of a message goes to the log, without what the message carried."""

    @pytest.mark.parametrize(
        ("make", "secret", "quoted"),
        [
            (message, CODE, CODE),
            (message, CODE, f"code {CODE}."),
            (text_message, CODE, f"code {CODE}."),
            (partial(message, "magic-session"), SECRET, LINK),
            (partial(message, "magic-session"), SECRET, escape(LINK)),
            (partial(message, "magic-session"), SECRET, SECRET),
            (partial(message, "magic-session"), SECRET, f"={SECRET}&"),
        ],
        ids=[
            *("code", "code in a sentence", "code of an SMS"),
            *("link", "link in HTML", "secret", "part of the link"),
        ],
    )
    def test_no_secret(
        self,
        mailer: Mailer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        make: Callable[[], Message],
        secret: str,
        quoted: str,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        error = smtplib.SMTPDataError(554, f"rejected as spam: {quoted}".encode())
        mailer.error = error

        def fail(*_: Any) -> None:
            raise error

        monkeypatch.setattr("django_account.notifications.sms.locmem.SMSBackend.deliver", fail)
        delivery = waiting(make())
        assert deliver(delivery.pk) == Delivery.BACKOFF[0]
        assert "rejected as spam" in now(delivery).error
        assert secret not in now(delivery).error
        assert "rejected as spam" in caplog.text
        assert secret not in caplog.text

    def test_fits_the_column(self, mailer: Mailer) -> None:
        mailer.error = OSError("x" * 5000)
        delivery = waiting()
        deliver(delivery.pk)
        assert len(now(delivery).error) == 500


class TestSendAgain:
    def test_failed_and_alive(self, mailer: Mailer) -> None:
        delivery = waiting(state=State.FAILED, tries=5, error="down")
        assert send_again(delivery)
        found = now(delivery)
        assert (found.state, found.tries, found.error) == (State.WAITING, 0, "")
        assert deliver(delivery.pk) is None
        assert now(delivery).state == State.SENT
        assert mailer.accepted == 1

    def test_twice(self) -> None:
        delivery = waiting(state=State.FAILED)
        assert send_again(delivery)
        assert not send_again(delivery), "somebody else was faster"

    @pytest.mark.parametrize("state", [State.WAITING, State.SENT])
    def test_not_failed(self, state: str) -> None:
        delivery = waiting(state=state)
        assert not send_again(delivery)
        assert now(delivery).state == state

    def test_expired(self, clock: Any) -> None:
        delivery = waiting(state=State.FAILED)
        clock.shift(timedelta(minutes=15))
        assert not send_again(delivery)
        assert now(delivery).state == State.FAILED

    def test_forgotten(self) -> None:
        delivery = waiting(state=State.FAILED)
        delivery.payload = ""
        delivery.save()
        assert not send_again(delivery)

    def test_gets_all_tries_anew(self, mailer: Mailer) -> None:
        delivery = waiting(state=State.FAILED, tries=5)
        send_again(delivery)
        mailer.error = OSError("still down")
        assert deliver(delivery.pk) == Delivery.BACKOFF[0]


class TestNextWait:
    def test_nothing_waits(self, mailer: Mailer) -> None:
        waiting(state=State.SENT)
        waiting(state=State.FAILED)
        assert next_wait() is None

    def test_the_first_of_those_that_wait(self, mailer: Mailer, clock: Any) -> None:
        for seconds in (30, 5, 120):
            waiting(next_try_at=timezone.now() + timedelta(seconds=seconds))
        assert next_wait() == 5


class TestAlarm:
    def test_one_thread_waits_for_the_earliest(self) -> None:
        rung = Event()
        alarm = Alarm(rung.set)
        others = set(threads())
        for wait in (60, 600, 60, 50, 3600):
            alarm.set(wait)
        eventually(lambda: len(set(threads()) - others) == 1)
        alarm.set(0.01)
        assert rung.wait(10)
        eventually(lambda: set(threads()) <= others)

    def test_it_can_be_set_again(self) -> None:
        rung = Event()
        alarm = Alarm(rung.set)
        for _ in range(2):
            alarm.set(0.01)
            assert rung.wait(10)
            rung.clear()


class TestCommand:
    def test_sends_what_is_due(self, mailer: Mailer) -> None:
        due = [waiting() for _ in range(3)]
        later = waiting(next_try_at=timezone.now() + timedelta(minutes=1))
        sent = waiting(state=State.SENT)
        failed = waiting(state=State.FAILED)
        out = io.StringIO()
        call_command("deliver", stdout=out, stderr=io.StringIO())
        assert out.getvalue() == "3 messages tried.\n"
        assert {now(delivery).state for delivery in due} == {State.SENT}
        assert now(later).state == State.WAITING
        assert (now(sent).tries, now(failed).tries) == (0, 0)
        assert mailer.accepted == 3

    def test_nothing_to_do(self, mailer: Mailer) -> None:
        out = io.StringIO()
        call_command("deliver", stdout=out, stderr=io.StringIO())
        assert out.getvalue() == "0 messages tried.\n"

    def test_more_than_a_batch(self, mailer: Mailer) -> None:
        for _ in range(103):
            waiting()
        call_command("deliver", stdout=io.StringIO(), stderr=io.StringIO())
        assert mailer.accepted == 103

    def test_ends_with_a_mail_server_that_is_down(self, mailer: Mailer) -> None:
        mailer.error = OSError("down")
        deliveries = [waiting() for _ in range(3)]
        call_command("deliver", stdout=io.StringIO(), stderr=io.StringIO())
        assert [now(delivery).tries for delivery in deliveries] == [1, 1, 1]


class TestRequest:
    """Between the request and the outbox: the same transaction, and no error on the way back."""

    BODY = {"userId": "unique()", "email": "ada@example.org"}

    def test_sends(self, guest: ApiClient) -> None:
        assert guest.post("/account/tokens/email", self.BODY).status_code == 201
        assert len(mail.outbox) == 1
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.payload, delivery.tries) == (State.SENT, "", 1)
        assert (delivery.kind, delivery.channel) == ("otp-session", "email")
        assert delivery.recipient == "ada@example.org"
        assert delivery.account is not None
        assert delivery.expires_at == Token.objects.get().expires_at

    def test_after_the_commit(self, mailer: Mailer) -> None:
        with transaction.atomic():
            self.ask()
            assert Delivery.objects.get().state == State.WAITING
            assert mailer.accepted == 0
        assert Delivery.objects.get().state == State.SENT
        assert mailer.accepted == 1

    def test_rollback_leaves_nothing(self, mailer: Mailer) -> None:
        with transaction.atomic():
            self.ask()
            assert Delivery.objects.count() == 1
            transaction.set_rollback(True)
        assert not Delivery.objects.exists()
        assert not Token.objects.exists()
        assert mailer.accepted == 0

    @pytest.mark.parametrize(
        "error", [OSError("down"), smtplib.SMTPException("no"), RuntimeError("a bug")]
    )
    def test_broken_mailer(self, guest: ApiClient, mailer: Mailer, error: Exception) -> None:
        mailer.error = error
        response = guest.post("/account/tokens/email", self.BODY)
        assert response.status_code == 201
        delivery = Delivery.objects.get()
        assert (delivery.state, delivery.tries) == (State.WAITING, 1)
        assert delivery.unseal().recipient == "ada@example.org"

    def test_receiver_that_raises(self, guest: ApiClient, mailer: Mailer) -> None:
        def host(**given: Any) -> None:
            raise RuntimeError("the host's own")

        signals.message_requested.connect(host)
        try:
            response = guest.post("/account/tokens/email", self.BODY)
        finally:
            signals.message_requested.disconnect(host)
        assert response.status_code == 201
        assert mailer.accepted == 1
        assert Delivery.objects.get().state == State.SENT

    def ask(self) -> None:
        create_email_token(
            account_id="unique()",
            email="ada@example.org",
            phrase=False,
            requester=Requester(client=ClientInfo(), locale="en"),
        )
