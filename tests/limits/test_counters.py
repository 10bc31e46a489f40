"""Counting, whatever the cache does."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from django_account.administration.services import reset_limits
from django_account.limits import counters
from django_account.limits.counters import BACK_OFF, aligning_value
from django_account.notifications.sms import SMSRefused
from django_account.notifications.sms.guard import check
from tests.client import ApiClient
from tests.limits.backends import FailingCache

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)

WRONG = {"email": "ada@example.org", "password": "wrong horse"}


@pytest.fixture(autouse=True)
def limited(project: Callable[..., None], settings: Any, db: None) -> Iterator[None]:
    project(RATE_LIMITS_ENABLED=True)
    backend = f"{FailingCache.__module__}.FailingCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(uuid4())}}
    yield
    works()


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def fails(error: Exception | None = None) -> None:
    FailingCache.error = error or ConnectionError("redis://:hunter2@cache is gone")
    FailingCache.asked = 0


def swallows_errors() -> None:
    """As django-redis does on request, and Memcached's libraries do."""
    FailingCache.swallows = True
    FailingCache.asked = 0


def works() -> None:
    FailingCache.error, FailingCache.swallows, FailingCache.asked = None, False, 0


def later() -> None:
    """The cache may be asked again: time.monotonic() is nobody's to set."""
    counters._site._retry_at -= BACK_OFF


def statuses(client: ApiClient, times: int, path: str, body: dict[str, Any]) -> list[int]:
    return [client.post(path, body).status_code for _ in range(times)]


class TestWindows:
    @pytest.mark.parametrize("window", [1, 2, 7, 60, 3600, 86_400])
    def test_are_aligned(self, window: int) -> None:
        assert zlib.crc32(aligning_value(window).encode()) % window == window - 1


class TestCacheGone:
    @pytest.mark.parametrize("break_it", [fails, swallows_errors])
    def test_sensitive_limits_count_in_the_database(
        self, guest: ApiClient, clock: Any, break_it: Callable[[], None]
    ) -> None:
        break_it()
        answers = [guest.post("/account/sessions/email", WRONG) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]
        left = [int(answer["X-RateLimit-Remaining"]) for answer in answers]
        assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
        reset_at = {int(answer["X-RateLimit-Reset"]) for answer in answers}
        assert reset_at == {int(NOON.timestamp()) + 3600}
        clock.shift(3600)
        assert guest.post("/account/sessions/email", WRONG).status_code == 401

    def test_second_factors_count_in_the_database(self, clock: Any, ada: ApiClient) -> None:
        fails()
        body = {"challengeId": "x", "otp": "123456"}
        answers = [ada.put("/account/mfa/challenges", body) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]

    def test_sign_ins_by_providers_count_in_the_database_with_anonymous_ones(
        self, guest: ApiClient, clock: Any
    ) -> None:
        fails()
        start = "/account/sessions/oauth2/github"
        paths = [start, f"{start}/redirect?state=x", "/account/tokens/oauth2/github"]
        answers = [guest.get(paths[count % 3]).status_code for count in range(50)]
        assert 429 not in answers
        assert guest.get(start).status_code == 429
        assert guest.post("/account/sessions/anonymous").status_code == 429

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/account/jwts"),
            ("PATCH", "/account/sessions/nobody"),
            ("DELETE", "/account/sessions/nobody"),
        ],
    )
    def test_the_others_pass(self, ada: ApiClient, method: str, path: str) -> None:
        fails()
        for _ in range(110):
            response = ada.call(method, path, {})
            assert response.status_code in (201, 404)
            assert "X-RateLimit-Limit" not in response

    def test_a_success_resets_in_the_database(self, ada: ApiClient, clock: Any) -> None:
        fails()
        for _ in range(2):
            assert statuses(ApiClient(), 9, "/account/sessions/email", WRONG) == [401] * 9
            ApiClient().sign_in()
        assert statuses(ApiClient(), 11, "/account/sessions/email", WRONG) == [401] * 10 + [429]

    @pytest.mark.parametrize("name", ["add", "incr", "get_many"])
    def test_in_the_middle_of_a_request(
        self, guest: ApiClient, clock: Any, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        assert guest.post("/account/sessions/email", WRONG).status_code == 401

        def fail(*args: Any, **kwargs: Any) -> Any:
            raise ConnectionResetError

        monkeypatch.setattr(FailingCache, name, fail)
        found = statuses(guest, 11, "/account/sessions/email", WRONG)
        assert found == [401] * 10 + [429]

    def test_while_a_success_is_noted(
        self, ada: ApiClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> Any:
            raise ConnectionResetError

        monkeypatch.setattr(FailingCache, "set_many", fail)
        ApiClient().sign_in()

    def test_is_not_asked_again_for_a_while(self, guest: ApiClient, clock: Any) -> None:
        fails()
        for _ in range(20):
            guest.post("/account/sessions/email", WRONG)
        assert FailingCache.asked == 1
        later()
        for _ in range(20):
            guest.post("/account/sessions/email", WRONG)
        assert FailingCache.asked == 2

    def test_is_asked_again_by_one_for_all(
        self, clock: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A cache that hangs holds one request, and not all that come meanwhile."""
        fails()
        assert counters.count_up("key", 10) == 1
        later()
        inside, leave = Barrier(2), Barrier(2)

        def hang(*args: Any, **kwargs: Any) -> Any:
            FailingCache.asked += 1
            inside.wait(10)
            leave.wait(10)
            raise TimeoutError

        monkeypatch.setattr(FailingCache, "add", hang)
        asked = FailingCache.asked
        probe = Thread(target=self.probe)
        probe.start()
        inside.wait(10)
        assert counters.count_up("key", 10) == 2
        leave.wait(10)
        probe.join(10)
        assert FailingCache.asked == asked + 1

    def probe(self) -> None:
        with pytest.raises(counters.CacheGone):
            counters._site.count_up("key", 10)

    def test_is_used_again_when_it_is_back(
        self, guest: ApiClient, clock: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            guest.post("/account/sessions/email", WRONG)
        fails()
        with caplog.at_level(logging.WARNING, "django_account.limits"):
            assert statuses(guest, 11, "/account/sessions/email", WRONG)[-1] == 429
            works()
            assert guest.post("/account/sessions/email", WRONG).status_code == 429
            later()
            response = guest.post("/account/sessions/email", WRONG)
        assert (response.status_code, response["X-RateLimit-Remaining"]) == (401, "6")
        texts = [record.getMessage() for record in caplog.records if "cache" in record.msg]
        assert ["fails" in texts[0], "works again" in texts[1]] == [True, True]
        assert "hunter2" not in caplog.text

    def test_staff_reset_in_the_database(self, guest: ApiClient, clock: Any) -> None:
        fails()
        assert statuses(guest, 11, "/account/sessions/email", WRONG)[-1] == 429
        assert reset_limits(emails=["ADA@example.org"]) is False
        assert guest.post("/account/sessions/email", WRONG).status_code == 401

    def test_sms_are_counted_in_the_database(self, project: Callable[..., None]) -> None:
        project(SMS_DAILY_LIMIT=2)
        fails()
        for _ in range(2):
            check("+15551234567")
        with pytest.raises(SMSRefused, match="SMS_DAILY_LIMIT"):
            check("+15551234567")

    def test_no_request_of_any_kind_fails(self, ada: ApiClient) -> None:
        fails(RuntimeError("anything"))
        for method, path in [
            ("POST", "/account"),
            ("POST", "/account/sessions/anonymous"),
            ("POST", "/account/tokens/email"),
            ("POST", "/account/sessions/token"),
            ("POST", "/account/recovery"),
            ("PUT", "/account/recovery"),
            ("PUT", "/account/verifications/phone"),
        ]:
            assert ApiClient().call(method, path, {}).status_code in (201, 400)
        for method, path in [("PATCH", "/account/password"), ("POST", "/account/jwts")]:
            assert ada.call(method, path, {}).status_code in (201, 400)


def test_a_counter_that_is_lost_is_made_again(
    guest: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache that is short of memory has not failed."""
    guest.post("/account/sessions/email", WRONG)
    incr, lost = FailingCache.incr, []

    def lose(self: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        if not lost:
            lost.append(key)
            self.delete(key)
        return incr(self, key, *args, **kwargs)

    monkeypatch.setattr(FailingCache, "incr", lose)
    left = [guest.post("/account/sessions/email", WRONG)["X-RateLimit-Remaining"] for _ in range(2)]
    assert left == ["9", "8"]
    assert lost
    assert not counters._site.is_gone


def test_a_cache_that_is_no_cache(guest: ApiClient, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "no.such.Cache"}}
    assert statuses(guest, 11, "/account/sessions/email", WRONG) == [401] * 10 + [429]


def test_a_cache_that_keeps_nothing_limits_nothing(guest: ApiClient, settings: Any) -> None:
    """As the system check says."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert statuses(guest, 12, "/account/sessions/email", WRONG) == [401] * 12
