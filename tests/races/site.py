"""The example site with several workers on a database of its own, and callers all at once."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.client import PASSWORD

ROOT = Path(__file__).resolve().parents[2]

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")

WORKERS, THREADS = 2, 16

# Two cores, shared with whatever else the machine does.
TIMEOUT = 180


class Person:
    """Somebody with a session credential, or a guest."""

    def __init__(self, site: Site, credential: str = "") -> None:
        self.site = site
        self.headers = {"X-Appwrite-Project": "demo"}
        if credential:
            self.headers["X-Appwrite-Session"] = credential

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Send a request over a connection of its own."""
        url = f"http://127.0.0.1:{self.site.port}/v1{path}"
        return requests.request(method, url, json=body, headers=self.headers, timeout=TIMEOUT)

    def sign_up(self, email: str, **body: Any) -> requests.Response:
        given = {"userId": "unique()", "email": email, "password": PASSWORD, **body}
        return self.call("POST", "/account", given)

    def sign_in(self, email: str, password: str = PASSWORD) -> requests.Response:
        return self.call("POST", "/account/sessions/email", {"email": email, "password": password})

    def signed_in(self, email: str, password: str = PASSWORD) -> Person:
        """The same person with a new session."""
        response = self.sign_in(email, password)
        assert response.status_code == 201, response.text
        return Person(self.site, credential(response))


def credential(response: requests.Response) -> str:
    """The session credential that a sign-in answered with."""
    value: str = json.loads(response.headers["X-Fallback-Cookies"])["a_session_demo"]
    return value


class Site:
    """gunicorn with the example site.

    Args:
        database: its URL; the database is empty.
        cache: its URL.
        account_settings: for DJANGO_ACCOUNT.
    """

    port: int

    def __init__(
        self, database: str, *, cache: str = "locmemcache://", **account_settings: Any
    ) -> None:
        self.database = database
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "example_project.settings",
            "DATABASE_URL": database,
            "CACHE_URL": cache,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DEBUG": "0",
            "ALLOWED_HOSTS": "127.0.0.1",
            "ACCOUNT_SETTINGS": json.dumps({"RATE_LIMITS_ENABLED": False, **account_settings}),
        }

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run a management command; what it printed."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        if self.database.startswith("sqlite"):
            import sqlite3

            connection = sqlite3.connect(urlsplit(self.database).path, timeout=30)
            try:
                return connection.execute(statement).fetchall()
            finally:
                connection.close()
        import psycopg

        with psycopg.connect(self.database) as postgres:
            return postgres.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]

    @contextmanager
    def running(self) -> Iterator[Site]:
        """Migrate, and serve on a free port while the context lasts."""
        self.manage("migrate", "--verbosity", "0")
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
            self.port = listening.getsockname()[1]
            # gunicorn inherits the socket, so that nobody else can take the port in between.
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "example_project.wsgi"),
                    *("--bind", f"fd://{listening.fileno()}", "--worker-class", "gthread"),
                    *("--workers", str(WORKERS), "--threads", str(THREADS)),
                    *("--timeout", str(TIMEOUT), "--log-level", "warning"),
                ],
                cwd=ROOT,
                env=self.environment,
                pass_fds=[listening.fileno()],
            )
        try:
            assert self.guest.call("GET", "/ping").text == "Pong!"
            # Each worker imports and compiles at its first requests; a race begins warm.
            self.together([partial(self.guest.call, "GET", "/ping")] * WORKERS * THREADS)
            yield self
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()

    @property
    def guest(self) -> Person:
        return Person(self)

    def person(self, email: str, **body: Any) -> Person:
        """Somebody new, signed up and signed in."""
        response = self.guest.sign_up(email, **body)
        assert response.status_code == 201, response.text
        return self.guest.signed_in(email)

    def together(self, calls: Sequence[Callable[[], requests.Response]]) -> list[requests.Response]:
        """Make calls at the same moment; their answers, in order. None may be a server error."""
        answers: list[requests.Response | Exception] = [RuntimeError("no answer")] * len(calls)
        start = Barrier(len(calls))

        def make(place: int) -> None:
            start.wait()
            try:
                answers[place] = calls[place]()
            except requests.RequestException as error:
                answers[place] = error

        threads = [Thread(target=make, args=(place,)) for place in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = []
        for answer in answers:
            assert isinstance(answer, requests.Response), answer
            assert answer.status_code < 500, answer.text
            done.append(answer)
        return done


def statuses(answers: Sequence[requests.Response]) -> dict[int, int]:
    """How often each status was answered."""
    counts: dict[int, int] = {}
    for answer in answers:
        counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
    return counts


def types(answers: Sequence[requests.Response]) -> set[str]:
    """The error types among answers."""
    return {answer.json()["type"] for answer in answers if answer.status_code >= 400}
