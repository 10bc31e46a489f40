"""What a reader of the logs does not get, and what an error tracker is not sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.views.debug import ExceptionReporter

from django_account.accounts.services import create_account
from django_account.api_keys.services import create_api_key
from django_account.core.clients import ClientInfo
from django_account.sessions.credentials import decode_credential
from django_account.sessions.services import create_session
from tests.client import ApiClient
from tests.security.secrets import betrayed

PASSWORD = "quartz! lemon-Tree 42"


def written(caplog: pytest.LogCaptureFixture) -> bytes:
    """Everything that the log records hold."""
    formatter = logging.Formatter("%(message)s")
    lines = []
    for record in caplog.records:
        lines.append(formatter.format(record))
        lines += [f"{name}={value!r}" for name, value in vars(record).items()]
    return "\n".join(lines).encode()


def test_no_secret_in_any_record(
    flows: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, of every logger, the statements of the database included."""
    for logger in ("", "django", "django.db.backends", "django_account"):
        caplog.set_level(logging.DEBUG, logger)
    connection.force_debug_cursor = True
    try:
        secrets = flows()
    finally:
        connection.force_debug_cursor = False
    log = written(caplog)
    assert {"django.db.backends", "django.request"} <= {record.name for record in caplog.records}
    assert b"grace@example.org" in log
    assert betrayed(secrets, log) == []


class TestUnexpectedError:
    """An error of the host's own code, in a request that carries every kind of secret."""

    @pytest.fixture
    def fail(self, db: None, project: Callable[..., None]) -> Callable[[], list[str]]:
        """Fail; the secrets that the request held."""
        return lambda: self.request_that_fails(project)

    def request_that_fails(self, project: Callable[..., None]) -> list[str]:
        account = create_account(email="ada@example.org", password=PASSWORD)
        issued = create_session(
            account=account, provider="email", factors=["password"], client=ClientInfo()
        )

        def mistake(**given: Any) -> dict[str, Any]:
            raise RuntimeError("the host's own mistake")

        project(NEW_USER_FIELDS=mistake)
        client = ApiClient(
            session=issued.credential,
            headers={"X-Fallback-Cookies": f'{{"a_session_demo":"{issued.credential}"}}'},
        )
        client.http.cookies["a_session_demo"] = issued.credential
        form = f"userId=eve&email=eve@example.org&password={PASSWORD}".encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = client.call("POST", "/account", form, **headers)
        assert response.status_code == 500
        assert b"mistake" not in response.content
        assert betrayed([PASSWORD, issued.secret], response.content) == []
        return [PASSWORD, issued.credential, issued.secret]

    def test_log_records(
        self, fail: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
    ) -> None:
        secrets = fail()
        log = written(caplog)
        assert b"the host's own mistake" in log
        assert betrayed(secrets, log) == []

    def test_report_that_django_mails_to_admins(
        self, fail: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
    ) -> None:
        secrets = fail()
        (record,) = [record for record in caplog.records if record.exc_info]
        assert record.exc_info
        reporter = ExceptionReporter(record.request, *record.exc_info, is_email=True)  # type: ignore[attr-defined]
        report = reporter.get_traceback_text()
        assert "the host's own mistake" in report
        assert betrayed(secrets, report.encode()) == []


@pytest.mark.django_db
class TestReprs:
    def test_issued_session(self) -> None:
        account = create_account(email="ada@example.org", password=PASSWORD)
        issued = create_session(
            account=account, provider="email", factors=["password"], client=ClientInfo()
        )
        shown = repr(issued) + str(issued) + repr(issued.session) + repr(account)
        assert betrayed([issued.secret, issued.credential, PASSWORD], shown.encode()) == []
        assert issued.session.secret_digest not in shown

    def test_issued_api_key(self) -> None:
        issued = create_api_key(name="web", scopes=[])
        shown = repr(issued) + str(issued) + repr(issued.api_key)
        assert betrayed([issued.secret], shown.encode()) == []
        assert issued.api_key.secret_digest not in shown

    def test_credential(self) -> None:
        account = create_account()
        issued = create_session(
            account=account, provider="anonymous", factors=["anonymous"], client=ClientInfo()
        )
        credential = decode_credential(issued.credential)
        assert credential is not None
        assert credential.secret == issued.secret
        assert betrayed([issued.secret], repr(credential).encode()) == []

    def test_client_info(self) -> None:
        assert repr(ClientInfo("::1", "x/1.0")) == "ClientInfo(ip='::1', user_agent='x/1.0')"
