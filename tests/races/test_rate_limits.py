"""Rate limits under load: exact wherever they are counted, and there while the cache is not."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from statistics import median
from threading import Event, Thread
from typing import Any

import pytest
import redis
import requests

from tests.races.conftest import empty_postgres, empty_sqlite
from tests.races.site import Person, Site, statuses

CALLERS = 200

# So that no window ends while a test runs.
A_DAY = {"window": 86_400}

SETTINGS: dict[str, Any] = {
    "RATE_LIMITS_ENABLED": True,
    "RATE_LIMITS": {
        "create_email_password_session": A_DAY,
        "create_email_token": A_DAY,
        "create_jwt": {**A_DAY, "limit": 5},
    },
}


class RedisServer:
    """A Redis of the test's own, which may be stopped."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port: int = listening.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = [
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--loglevel",
            "warning",
        ]
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), *options])
        client = redis.Redis(port=self.port)
        deadline = time.monotonic() + 30
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def redis_server(missing: Callable[[str], None]) -> Iterator[RedisServer]:
    if not shutil.which("redis-server"):
        missing("redis-server")
    server = RedisServer()
    yield server
    server.stop()


@pytest.fixture(
    scope="module",
    params=[
        "redis",
        "database on SQLite",
        pytest.param("database on PostgreSQL", marks=pytest.mark.postgres),
    ],
)
def limited(
    request: pytest.FixtureRequest,
    missing: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A site that counts in one of the stores that several workers share."""
    cache = "database://"
    if request.param == "redis":
        cache = request.getfixturevalue("redis_server").url
    with ExitStack() as stack:
        database: Any = (
            empty_postgres(missing)
            if "PostgreSQL" in request.param
            else empty_sqlite(tmp_path_factory.mktemp("limits"))
        )
        site = Site(stack.enter_context(database), cache=cache, **SETTINGS)
        yield stack.enter_context(site.running())


def left(answers: list[requests.Response]) -> list[int]:
    """How many requests each answer says are left, the most first."""
    return sorted(
        (int(answer.headers["X-RateLimit-Remaining"]) for answer in answers), reverse=True
    )


class TestInParallel:
    def test_two_hundred_ask_and_ten_pass(self, limited: Site) -> None:
        body = {"email": "nobody@example.org", "password": "wrong horse"}
        call = partial(limited.guest.call, "POST", "/account/sessions/email", body)
        answers = limited.together([call] * CALLERS)
        assert statuses(answers) == {401: 10, 429: CALLERS - 10}
        admitted = [answer for answer in answers if answer.status_code == 401]
        assert left(admitted) == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]

    def test_two_limits_on_one_route(self, limited: Site) -> None:
        """One address from one IP address: both buckets hold ten, and ten pass."""
        body = {"userId": "_", "email": "nobody@example.org"}
        call = partial(limited.guest.call, "POST", "/account/tokens/email", body)
        assert statuses(limited.together([call] * 40)) == {400: 10, 429: 30}

    def test_a_success_resets_while_others_fail(self, limited: Site) -> None:
        """However they interleave, the limit holds again after the last success."""
        person = limited.person("ada@example.org")
        right = partial(person.site.guest.sign_in, "ada@example.org")
        wrong = partial(person.site.guest.sign_in, "ada@example.org", "wrong horse")
        answers = limited.together([right, *[wrong] * 12, right])
        assert set(statuses(answers)) <= {201, 401, 429}
        # As many as are left, and no more.
        after = statuses([wrong() for _ in range(12)])
        assert after.get(401, 0) <= 10
        assert after[429] >= 2


class Load:
    """Callers that go on until they are told to stop."""

    def __init__(self, site: Site, person: Person) -> None:
        self.answers: list[tuple[str, requests.Response]] = []
        self.errors: list[Exception] = []
        self._over = Event()
        body = {"email": "stranger@example.org", "password": "wrong horse"}
        calls = {
            "sensitive": partial(site.guest.call, "POST", "/account/sessions/email", body),
            "other": partial(person.call, "POST", "/account/jwts", {}),
            "unlimited": partial(person.call, "GET", "/account"),
        }
        self._threads = [
            Thread(target=self._go_on, args=(name, call)) for name, call in calls.items()
        ]

    def _go_on(self, name: str, call: Callable[[], requests.Response]) -> None:
        while not self._over.is_set():
            try:
                self.answers.append((name, call()))
            except requests.RequestException as error:
                self.errors.append(error)
            time.sleep(0.02)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, name: str, status: int, *, since: int = 0) -> None:
        """Wait until a kind of call is answered by a status.

        Args:
            since: how many answers there were when that could first happen.
        """
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = [answer.status_code for each, answer in self.answers[since:] if each == name]
            if status in found:
                return
            time.sleep(0.05)
        raise AssertionError(f"{name}: {found}, and not {status}")


class TestRedisStoppedAndStarted:
    @pytest.mark.parametrize("limited", ["redis"], indirect=True)
    def test_under_load(self, limited: Site, redis_server: RedisServer) -> None:
        person = limited.person("grace@example.org")
        with Load(limited, person) as load:
            load.wait_for("sensitive", 429)
            load.wait_for("other", 429)
            stopped = len(load.answers)
            redis_server.stop()
            # The database counts from nothing, up to the same limit.
            load.wait_for("sensitive", 401, since=stopped)
            load.wait_for("other", 201, since=stopped)
            settled = len(load.answers)
            load.wait_for("sensitive", 429, since=settled)
            time.sleep(1)
            started = len(load.answers)
            redis_server.start()
            # And Redis again, which has forgotten.
            load.wait_for("sensitive", 401, since=started)
            load.wait_for("other", 429, since=started)
        assert not load.errors
        assert max(answer.status_code for _, answer in load.answers) < 500
        # No request waits for a cache that is not there.
        while_down = [answer.elapsed.total_seconds() for _, answer in load.answers[settled:started]]
        assert median(while_down) < 1
        admitted = [
            answer
            for name, answer in load.answers
            if (name, answer.status_code) == ("sensitive", 401)
        ]
        # Ten in Redis, ten in the database, ten in Redis again.
        assert len(admitted) <= 30
