"""Mail servers that are down, slow or die half-way: no request minds, and no message is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.live.server import ROOT, Server
from tests.live.sink import MailSink, eventually

pytestmark = pytest.mark.live

# Seconds: a fraction of what a slow mail server takes. A request itself takes a fraction of this,
# even on a busy machine.
FAST = 5


class Site:
    """A site, its mail server, and its delivery log."""

    def __init__(self, directory: Path) -> None:
        self.sink = MailSink()
        self.server = Server(directory)
        self.server.environment["EMAIL_URL"] = self.sink.url

    def clean(self) -> None:
        """Empty the log, and have the mail server behave."""
        self.execute("DELETE FROM django_account_delivery")
        self.sink.behave()
        self.sink.mails.clear()
        self.sink.stalled.clear()
        self.sink.go_on.clear()

    def ask(self) -> tuple[str, float]:
        """Ask for a code at a new address; the address, and how long the answer took."""
        email = f"{uuid4().hex}@example.org"
        begin = monotonic()
        response = self.server.call(
            "POST", "/account/tokens/email", {"userId": "unique()", "email": email}
        )
        took = monotonic() - begin
        assert response.status_code == 201, response.text
        return email, took

    def execute(self, statement: str, *values: str) -> list[tuple[object, ...]]:
        """Ask the site's database."""
        path = urlsplit(self.server.environment["DATABASE_URL"]).path
        connection = sqlite3.connect(path, timeout=30)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def log(self, email: str) -> tuple[str, int, str, bool]:
        """State, tries and error of a delivery, and whether it still has its payload."""
        ((state, tries, error, payload),) = self.execute(
            "SELECT state, tries, error, payload FROM django_account_delivery WHERE recipient = ?",
            email,
        )
        return str(state), int(str(tries)), str(error), bool(payload)

    def later(self) -> None:
        """Let the waits and leases of all deliveries run out."""
        self.execute(
            "UPDATE django_account_delivery SET next_try_at = '2020-01-01' WHERE state = 'waiting'"
        )

    def until_tried(self, email: str) -> None:
        """Wait until a first try has failed."""
        eventually(lambda: self.log(email)[2])

    def worker(self) -> subprocess.Popen[bytes]:
        """``manage.py deliver`` in a process that a test may kill."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "deliver"],
            cwd=ROOT,
            env=self.server.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all tests; its mail server answers only where a test says so."""
    site = Site(tmp_path_factory.mktemp("running"))
    with site.server.running():
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    """The running site, with an empty log and a mail server that behaves."""
    running.clean()
    return running


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """One site that nobody serves."""
    site = Site(tmp_path_factory.mktemp("idle"))
    site.server.manage("migrate", "--verbosity", "0")
    return site


@pytest.fixture
def idle(migrated: Site) -> Site:
    """The site that nobody serves: no thread of its own takes what a test's worker is to send."""
    migrated.clean()
    return migrated


@contextmanager
def stalling(site: Site, step: str) -> Iterator[None]:
    """A mail server that stops at some step, for 30 seconds or as long as the context lasts."""
    with site.sink.running():
        site.sink.stalls_at = step
        try:
            yield
        finally:
            site.sink.behave()


class TestHealthy:
    def test_the_message_arrives(self, site: Site) -> None:
        with site.sink.running():
            email, took = site.ask()
            received = site.sink.to(email)
        assert took < FAST
        assert len(received.code) == 6
        assert received.code in received.html
        assert received.subject
        eventually(lambda: site.log(email)[0] == "sent")
        assert site.log(email) == ("sent", 1, "", False)
        assert len(site.sink.all_to(email)) == 1

    def test_many_at_once(self, site: Site) -> None:
        with site.sink.running(), ThreadPoolExecutor(8) as pool:
            emails = [email for email, _ in pool.map(lambda _: site.ask(), range(24))]
            for email in emails:
                site.sink.to(email)
            eventually(lambda: {site.log(email)[0] for email in emails} == {"sent"})
        assert {len(site.sink.all_to(email)) for email in emails} == {1}


class TestDown:
    def test_requests_answer_and_the_message_waits(self, site: Site) -> None:
        email, took = site.ask()
        assert took < FAST
        site.until_tried(email)
        state, tries, error, kept = site.log(email)
        assert (state, tries, kept) == ("waiting", 1, True)
        assert "refused" in error.lower()

    def test_goes_out_when_it_is_back(self, site: Site) -> None:
        emails = [site.ask()[0] for _ in range(3)]
        for email in emails:
            site.until_tried(email)
        site.later()
        with site.sink.running():
            site.server.manage("deliver")
            for email in emails:
                site.sink.to(email)
        for email in emails:
            eventually(lambda email=email: site.log(email)[0] == "sent")  # type: ignore[misc]
            assert not site.log(email)[3]
            assert len(site.sink.all_to(email)) == 1

    def test_the_site_tries_again_by_itself(self, site: Site) -> None:
        email, _ = site.ask()
        site.until_tried(email)
        with site.sink.running():
            assert site.sink.to(email).code
            eventually(lambda: site.log(email)[0] == "sent")
        assert site.log(email)[1] >= 2

    def test_what_is_left_goes_out_with_the_next_message(self, site: Site) -> None:
        left, _ = site.ask()
        site.until_tried(left)
        site.later()
        with site.sink.running():
            site.ask()
            assert site.sink.to(left).code


class TestSlow:
    @pytest.mark.parametrize("step", ["connect", "MAIL", "content", "accepted"])
    def test_requests_do_not_wait(self, site: Site, step: str) -> None:
        with stalling(site, step):
            email, took = site.ask()
            assert took < FAST
            assert site.sink.stalled.wait(30)
            assert site.log(email)[0] == "waiting"
            site.sink.behave()
            site.sink.to(email)
            eventually(lambda: site.log(email)[0] == "sent")
        assert len(site.sink.all_to(email)) == 1

    def test_more_of_them_than_threads_that_send(self, site: Site) -> None:
        with stalling(site, "MAIL"):
            asked = [site.ask() for _ in range(10)]
            assert max(took for _, took in asked) < FAST
            assert site.server.call("GET", "/ping").text == "Pong!"
            site.sink.behave()
            for email, _ in asked:
                site.sink.to(email)
            eventually(lambda: {site.log(email)[0] for email, _ in asked} == {"sent"})
        assert {len(site.sink.all_to(email)) for email, _ in asked} == {1}

    def test_another_process_keeps_off_what_is_being_sent(self, site: Site) -> None:
        with stalling(site, "accepted"):
            email, _ = site.ask()
            assert site.sink.stalled.wait(30)
            assert "0 messages tried." in site.server.manage("deliver")
            site.sink.behave()
            eventually(lambda: site.log(email)[0] == "sent")
        assert len(site.sink.all_to(email)) == 1


class TestKilled:
    @pytest.mark.parametrize("step", ["connect", "MAIL", "content"])
    def test_before_it_took_the_message(self, site: Site, step: str) -> None:
        with site.sink.running():
            site.sink.dies_at = step
            email, took = site.ask()
            assert took < FAST
            site.until_tried(email)
        assert site.log(email)[0] == "waiting"
        site.sink.behave()
        site.later()
        with site.sink.running():
            site.server.manage("deliver")
            site.sink.to(email)
            eventually(lambda: site.log(email)[0] == "sent")
        assert len(site.sink.all_to(email)) == 1

    def test_after_it_took_the_message(self, site: Site) -> None:
        """Nobody can know that it did: one duplicate, rather than none at all."""
        with site.sink.running():
            site.sink.dies_at = "accepted"
            email, took = site.ask()
            assert took < FAST
            site.until_tried(email)
        site.sink.behave()
        site.later()
        with site.sink.running():
            site.server.manage("deliver")
            site.sink.to(email, 2)
            eventually(lambda: site.log(email)[0] == "sent")
        first, second = site.sink.all_to(email)
        assert first.code == second.code

    def test_mid_send_with_a_closed_port(self, site: Site) -> None:
        with site.sink.running():
            site.sink.stalls_at = "content"
            email, _ = site.ask()
            assert site.sink.stalled.wait(30)
        site.sink.behave()
        site.until_tried(email)
        site.later()
        with site.sink.running():
            site.server.manage("deliver")
            site.sink.to(email)
            eventually(lambda: site.log(email)[0] == "sent")
        assert 1 <= len(site.sink.all_to(email)) <= 2


class TestWorkers:
    def left_behind(self, idle: Site, number: int = 1) -> list[str]:
        """Messages that wait, and that the process that asked for them has not tried."""
        emails = [f"{uuid4().hex}@example.org" for _ in range(number)]
        script = (
            "from django.db import transaction\n"
            "from unittest.mock import patch\n"
            "from django_account.core.clients import ClientInfo\n"
            "from django_account.selfservice.passwordless import Requester, create_email_token\n"
            "with patch('django_account.notifications.receivers.hand_over'):\n"
            f"    for email in {emails!r}:\n"
            "        create_email_token(account_id='unique()', email=email, phrase=False,\n"
            "            requester=Requester(client=ClientInfo(), locale='en'))\n"
        )
        idle.server.manage("shell", "-c", script)
        assert {idle.log(email)[:2] for email in emails} == {("waiting", 0)}
        return emails

    def test_kill_between_sending_and_marking(self, idle: Site) -> None:
        """``kill -9``: the message goes out at least once, and once more at most."""
        (email,) = self.left_behind(idle)
        with idle.sink.running():
            idle.sink.stalls_at = "accepted"
            worker = idle.worker()
            try:
                assert idle.sink.stalled.wait(60)
            finally:
                worker.kill()
                worker.wait()
            assert len(idle.sink.all_to(email)) == 1
            idle.sink.behave()
            assert "0 messages tried." in idle.server.manage("deliver"), "its lease still runs"
            idle.later()
            assert "1 messages tried." in idle.server.manage("deliver")
        assert len(idle.sink.all_to(email)) == 2
        assert idle.log(email) == ("sent", 2, "", False)

    def test_kill_before_sending(self, idle: Site) -> None:
        (email,) = self.left_behind(idle)
        with idle.sink.running():
            idle.sink.stalls_at = "MAIL"
            worker = idle.worker()
            try:
                assert idle.sink.stalled.wait(60)
            finally:
                worker.kill()
                worker.wait()
            idle.sink.behave()
            idle.later()
            idle.server.manage("deliver")
        assert len(idle.sink.all_to(email)) == 1
        assert idle.log(email) == ("sent", 2, "", False)

    def test_several_side_by_side(self, idle: Site) -> None:
        emails = self.left_behind(idle, 30)
        with idle.sink.running():
            workers = [idle.worker() for _ in range(3)]
            assert [worker.wait(120) for worker in workers] == [0, 0, 0]
        assert {len(idle.sink.all_to(email)) for email in emails} == {1}
        assert {idle.log(email) for email in emails} == {("sent", 1, "", False)}


def test_the_log_of_a_site_without_mail_holds_no_code(site: Site) -> None:
    """What waits is encrypted: neither the code nor the address's message is to be read."""
    email, _ = site.ask()
    site.until_tried(email)
    ((payload,),) = site.execute(
        "SELECT payload FROM django_account_delivery WHERE recipient = ?", email
    )
    site.later()
    with site.sink.running():
        site.server.manage("deliver")
        code = site.sink.to(email).code
    assert code not in str(payload)
    assert email not in str(payload)
