"""Choosing a backend, and those that send nothing: console, file, memory, dummy."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_account.notifications import sms
from django_account.notifications.sms import BaseSMSBackend, SMSError, SMSMessage, SMSRefused
from example_project.settings import sms as sms_settings
from tests.cases.sms import BODY, CODE, TO

BACKENDS = "django_account.notifications.sms"
MESSAGE = SMSMessage(TO, BODY, CODE)
AWKWARD = 'line\nbreak \u2028 "quote" \\ رمز 🔐'


class Recording(BaseSMSBackend):
    """A site's own backend."""

    required = ("token",)
    defaults = {"colour": "red"}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.events: list[str] = []

    def open(self) -> bool:
        self.events.append("open")
        return True

    def close(self) -> None:
        self.events.append("close")

    def deliver(self, message: SMSMessage) -> None:
        if message.body == "bad":
            raise self.error(message, "no", retryable=True)
        self.events.append(message.body)


def recording(**options: Any) -> Recording:
    connection = sms.get_connection(f"{__name__}.Recording", **options)
    assert isinstance(connection, Recording)
    return connection


class TestGetConnection:
    def test_the_site_chooses_backend_and_options(self, project: Callable[..., None]) -> None:
        project(SMS_BACKEND=f"{__name__}.Recording", SMS_OPTIONS={"token": "t"})
        connection = sms.get_connection()
        assert isinstance(connection, Recording)
        assert connection.options == {"token": "t", "colour": "red"}

    def test_options_are_laid_over_the_sites(self, project: Callable[..., None]) -> None:
        project(SMS_BACKEND=f"{__name__}.Recording", SMS_OPTIONS={"token": "t", "colour": "blue"})
        assert sms.get_connection(token="u").options == {"token": "u", "colour": "blue"}

    def test_a_backend_named_here_gets_none_of_the_sites_options(
        self, project: Callable[..., None]
    ) -> None:
        project(SMS_BACKEND=f"{__name__}.Recording", SMS_OPTIONS={"token": "t"})
        assert sms.get_connection(f"{BACKENDS}.locmem.SMSBackend").options == {}

    def test_the_console_is_the_default(self, settings: Any) -> None:
        settings.DJANGO_ACCOUNT = {}
        assert type(sms.get_connection()).__module__ == f"{BACKENDS}.console"
        assert sms.is_configured()

    @pytest.mark.parametrize(
        ("path", "named"),
        [("", "SMS_BACKEND"), ("no.such.Backend", "no.such.Backend"), ("nodots", "nodots")],
    )
    def test_a_backend_that_is_none_is_named(
        self, project: Callable[..., None], path: str, named: str
    ) -> None:
        project(SMS_BACKEND=path)
        with pytest.raises(ImproperlyConfigured, match=named):
            sms.get_connection()

    def test_a_missing_option_is_named(self) -> None:
        with pytest.raises(ImproperlyConfigured) as caught:
            recording(colour="blue")
        assert str(caught.value) == (
            f'Set DJANGO_ACCOUNT["SMS_OPTIONS"]["token"], which {__name__}.Recording needs.'
        )

    @pytest.mark.parametrize(
        ("path", "configured"),
        [
            ("", False),
            (f"{BACKENDS}.dummy.SMSBackend", False),
            (f"{BACKENDS}.console.SMSBackend", True),
            (f"{BACKENDS}.twilio.SMSBackend", True),
        ],
    )
    def test_dummy_and_none_are_no_sms(
        self, project: Callable[..., None], path: str, configured: bool
    ) -> None:
        project(SMS_BACKEND=path)
        assert sms.is_configured() is configured


class TestBaseBackend:
    def test_a_connection_is_opened_and_closed_around_its_block(self) -> None:
        with recording(token="t") as connection:
            assert connection.send_messages([SMSMessage(TO, "a"), SMSMessage(TO, "b")]) == 2
        assert connection.events == ["open", "a", "b", "close"]

    def test_an_error_ends_the_sending_and_closes(self) -> None:
        connection = recording(token="t")
        messages = [SMSMessage(TO, body) for body in ("a", "bad", "b")]
        with pytest.raises(SMSError, match="no") as caught, connection:
            connection.send_messages(messages)
        assert caught.value.retryable
        assert connection.events == ["open", "a", "close"]

    def test_a_backend_without_deliver_says_so(self) -> None:
        with pytest.raises(NotImplementedError, match="deliver"):
            BaseSMSBackend().send_messages([MESSAGE])

    def test_a_connection_is_none_unless_the_backend_keeps_one(self) -> None:
        assert sms.get_connection(f"{BACKENDS}.dummy.SMSBackend").open() is None


class TestSMSMessage:
    def test_it_shows_neither_number_nor_text(self) -> None:
        for shown in (repr(MESSAGE), str(MESSAGE), f"{[MESSAGE]}"):
            assert "<SMSMessage to +49…78>" in shown
            assert CODE not in shown
            assert TO not in shown

    @pytest.mark.parametrize(
        ("body", "is_gsm"),
        [("Grüße, €5 [1]", True), ("", True), ("ç", False), ("код", False), ("🔐", False)],
    )
    def test_it_knows_whether_it_needs_unicode(self, body: str, is_gsm: bool) -> None:
        assert SMSMessage(TO, body).is_gsm is is_gsm

    def test_a_refusal_is_a_final_error(self) -> None:
        error = SMSRefused(TO, "SMS_DAILY_LIMIT")
        assert isinstance(error, SMSError)
        assert not error.retryable
        assert str(error) == "SMS_DAILY_LIMIT refused an SMS to +49…78"


class TestConsole:
    def test_it_writes_to_stdout(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert sms.get_connection(f"{BACKENDS}.console.SMSBackend").send_messages([MESSAGE]) == 1
        out, err = capsys.readouterr()
        assert out == f"SMS to {TO}\n{BODY}\n{'-' * 79}\n"
        assert not err

    def test_it_writes_to_another_stream(self) -> None:
        stream = io.StringIO()
        connection = sms.get_connection(f"{BACKENDS}.console.SMSBackend", stream=stream)
        connection.send_messages([SMSMessage(TO, AWKWARD)])
        assert AWKWARD in stream.getvalue()


class TestMemory:
    def test_it_keeps_what_it_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sms, "outbox", [])
        connection = sms.get_connection(f"{BACKENDS}.locmem.SMSBackend")
        assert connection.send_messages([MESSAGE, SMSMessage(TO, "b")]) == 2
        assert sms.outbox == [MESSAGE, SMSMessage(TO, "b")]


class TestDummy:
    def test_it_counts_and_drops(self, capsys: pytest.CaptureFixture[str]) -> None:
        connection = sms.get_connection(f"{BACKENDS}.dummy.SMSBackend")
        assert connection.send_messages([MESSAGE, MESSAGE]) == 2
        assert capsys.readouterr() == ("", "")
        assert not sms.outbox


class TestFile:
    def backend(self, path: Path | str) -> BaseSMSBackend:
        return sms.get_connection(f"{BACKENDS}.file.SMSBackend", path=path)

    def test_each_message_is_one_line_of_json(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "folder" / "sms.jsonl"
        self.backend(path).send_messages([MESSAGE, SMSMessage("+15550001111", AWKWARD)])
        self.backend(str(path)).send_messages([SMSMessage(TO, "third")])
        lines = path.read_text().splitlines()
        assert [json.loads(line) for line in lines] == [
            {"to": TO, "body": BODY},
            {"to": "+15550001111", "body": AWKWARD},
            {"to": TO, "body": "third"},
        ]

    def test_nobody_else_may_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "folder" / "sms.jsonl"
        self.backend(path).send_messages([MESSAGE])
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_lines_of_parallel_writers_never_mix(self, tmp_path: Path) -> None:
        path = tmp_path / "sms.jsonl"

        def write(number: int) -> None:
            self.backend(path).send_messages([SMSMessage(TO, f"{number} " + "x" * 20_000)] * 10)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(write, range(16)))
        bodies = [json.loads(line)["body"] for line in path.read_text().splitlines()]
        assert len(bodies) == 160
        assert {body.split()[0] for body in bodies} == {str(number) for number in range(16)}

    @pytest.mark.parametrize("name", ["", "taken/sms.jsonl"])
    def test_a_file_that_cannot_be_written_is_retryable(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "taken").touch()
        with pytest.raises(SMSError, match="cannot write") as caught:
            self.backend(tmp_path / name).send_messages([MESSAGE])
        assert caught.value.retryable
        assert caught.value.__context__ is None
        assert CODE not in str(caught.value)
        assert TO not in str(caught.value)


class TestSmsUrl:
    """``SMS_URL`` of the example site."""

    def connection(self, url: str, project: Callable[..., None]) -> BaseSMSBackend:
        project(**sms_settings(url))
        return sms.get_connection()

    def test_console(self, project: Callable[..., None]) -> None:
        assert self.connection("console://", project).name == "console"

    def test_file(self, project: Callable[..., None], tmp_path: Path) -> None:
        connection = self.connection(f"file://{tmp_path}/sms.jsonl", project)
        connection.send_messages([MESSAGE])
        line = (tmp_path / "sms.jsonl").read_text()
        assert json.loads(line) == {"to": TO, "body": BODY}

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8001/sms", "https://h.example/in?x=1"])
    def test_webhook(self, project: Callable[..., None], url: str) -> None:
        connection = self.connection(url, project)
        assert connection.name == "http"
        assert connection.options["endpoint"] == url

    def test_twilio(self, project: Callable[..., None]) -> None:
        connection = self.connection("twilio://AC1:to%2Fken@/+15550001111", project)
        assert connection.name == "twilio"
        given = {name: connection.options[name] for name in ("account_sid", "auth_token", "sender")}
        assert given == {"account_sid": "AC1", "auth_token": "to/ken", "sender": "+15550001111"}


def test_the_documentation_names_every_backend_and_option() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "sms.md").read_text()
    modules = [path.stem for path in Path(sms.__path__[0]).glob("*.py")]
    for module in modules:
        backend = getattr(import_module(f"{BACKENDS}.{module}"), "SMSBackend", None)
        if backend is None:
            continue
        row = next(line for line in docs.splitlines() if line.startswith(f"| `{module}` |"))
        for option in {*backend.required, *backend.defaults} - {"timeout", "endpoint"}:
            assert f"`{option}`" in row
