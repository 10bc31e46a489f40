"""The guard against SMS pumping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import redis
import time_machine
from django.core.cache import cache, caches
from django.core.exceptions import ImproperlyConfigured

from django_account.notifications.sms import SMSRefused
from django_account.notifications.sms.guard import check

TO = "+4915112345678"
OTHER = "+4915100000000"
REDIS = "redis://127.0.0.1:6379/0"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def refused(number: str = TO) -> str:
    """Why the guard refuses a number."""
    with pytest.raises(SMSRefused) as caught:
        check(number)
    assert number not in str(caught.value)
    return caught.value.reason


class TestAllowedPrefixes:
    def test_without_prefixes_every_number_may_be_sent_to(self) -> None:
        check(TO)
        check("+18765550100")

    def test_a_number_needs_one_of_the_prefixes(self, project: Callable[..., None]) -> None:
        project(SMS_ALLOWED_PREFIXES=["+49", "+1555"])
        check(TO)
        check("+15550001111")
        assert refused("+18765550100") == "SMS_ALLOWED_PREFIXES"
        assert refused("+4") == "SMS_ALLOWED_PREFIXES"
        assert refused("0049151123456") == "SMS_ALLOWED_PREFIXES"

    def test_what_is_refused_is_not_counted(self, project: Callable[..., None]) -> None:
        project(SMS_ALLOWED_PREFIXES=["+49"], SMS_DAILY_LIMIT=1)
        for _ in range(5):
            refused("+18765550100")
        check(TO)

    @pytest.mark.parametrize("wrong", ["+49", [""], ["49"], ["+"], ["+4 9"], [49]])
    def test_prefixes_that_are_none_are_an_error(
        self, project: Callable[..., None], wrong: Any
    ) -> None:
        project(SMS_ALLOWED_PREFIXES=wrong)
        with pytest.raises(ImproperlyConfigured, match="SMS_ALLOWED_PREFIXES"):
            check(TO)


class TestDailyLimits:
    def test_without_limits_nothing_is_counted(self) -> None:
        for _ in range(50):
            check(TO)

    def test_the_site_has_a_limit(self, project: Callable[..., None]) -> None:
        project(SMS_DAILY_LIMIT=3)
        for number in (TO, OTHER, TO):
            check(number)
        assert refused() == "SMS_DAILY_LIMIT"
        assert refused(OTHER) == "SMS_DAILY_LIMIT"

    def test_a_number_has_a_limit_of_its_own(self, project: Callable[..., None]) -> None:
        project(SMS_DAILY_LIMIT_PER_NUMBER=2)
        check(TO)
        check(TO)
        assert refused() == "SMS_DAILY_LIMIT_PER_NUMBER"
        check(OTHER)

    def test_one_number_cannot_use_up_the_sites_day(self, project: Callable[..., None]) -> None:
        project(SMS_DAILY_LIMIT=5, SMS_DAILY_LIMIT_PER_NUMBER=2)
        check(TO)
        check(TO)
        for _ in range(20):
            assert refused() == "SMS_DAILY_LIMIT_PER_NUMBER"
        check(OTHER)

    def test_a_day_begins_at_midnight_utc(self, project: Callable[..., None]) -> None:
        project(SMS_DAILY_LIMIT=1)
        with time_machine.travel(NOON, tick=False) as clock:
            check(TO)
            clock.move_to(NOON + timedelta(hours=11, minutes=59, seconds=59))
            assert refused() == "SMS_DAILY_LIMIT"
            clock.move_to(NOON + timedelta(hours=12))
            check(TO)
            assert refused() == "SMS_DAILY_LIMIT"

    def test_projects_count_apart(self, project: Callable[..., None]) -> None:
        project(SMS_DAILY_LIMIT=1)
        check(TO)
        project(SMS_DAILY_LIMIT=1, PROJECT_ID="another")
        check(TO)

    def test_the_cache_learns_no_number(
        self, project: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys: list[str] = []
        project(SMS_DAILY_LIMIT_PER_NUMBER=2)
        add = cache.add

        def recording_add(key: str, *args: Any, **kwargs: Any) -> bool:
            keys.append(key)
            return bool(add(key, *args, **kwargs))

        monkeypatch.setattr(caches["default"], "add", recording_add)
        check(TO)
        assert len(keys) == 1
        assert TO[1:] not in keys[0]

    def test_a_counter_that_the_cache_dropped_is_made_again(
        self, project: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project(SMS_DAILY_LIMIT=1)
        add, calls = cache.add, []

        def forgetful_add(key: str, *args: Any, **kwargs: Any) -> bool:
            calls.append(key)
            return True if len(calls) == 1 else bool(add(key, *args, **kwargs))

        monkeypatch.setattr(caches["default"], "add", forgetful_add)
        check(TO)
        assert len(calls) == 2
        assert refused() == "SMS_DAILY_LIMIT"

    def test_a_cache_that_keeps_nothing_is_an_error(
        self, project: Callable[..., None], settings: Any
    ) -> None:
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        check(TO)
        project(SMS_DAILY_LIMIT=1)
        with pytest.raises(ImproperlyConfigured, match="SMS_DAILY_LIMIT"):
            check(TO)


class TestInParallel:
    """Fifty at once, a cap of ten: ten get through."""

    def admitted(self, numbers: list[str]) -> int:
        together = threading.Barrier(len(numbers))

        def attempt(number: str) -> bool:
            together.wait(10)
            try:
                check(number)
            except SMSRefused:
                return False
            return True

        with ThreadPoolExecutor(len(numbers)) as pool:
            return sum(pool.map(attempt, numbers))

    def use_redis(self, settings: Any, missing: Callable[[str], None]) -> None:
        try:
            redis.Redis.from_url(REDIS, socket_connect_timeout=1).ping()
        except redis.RedisError:
            missing("Redis")
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": REDIS,
                "KEY_PREFIX": f"tests-{uuid4()}",
            }
        }

    @pytest.fixture(params=["memory", "redis"])
    def shared_cache(
        self, request: pytest.FixtureRequest, settings: Any, missing: Callable[[str], None]
    ) -> None:
        if request.param == "redis":
            self.use_redis(settings, missing)
        else:
            settings.CACHES = {
                "default": {
                    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                    "LOCATION": str(uuid4()),
                }
            }

    @pytest.mark.usefixtures("shared_cache")
    def test_the_sites_limit_is_exact(self, project: Callable[..., None]) -> None:
        project(SMS_DAILY_LIMIT=10)
        assert self.admitted([f"+49151{number:08}" for number in range(50)]) == 10

    @pytest.mark.usefixtures("shared_cache")
    def test_a_numbers_limit_is_exact(self, project: Callable[..., None]) -> None:
        project(SMS_DAILY_LIMIT_PER_NUMBER=10, SMS_DAILY_LIMIT=30)
        assert self.admitted([TO] * 50) == 10
        assert self.admitted([OTHER] * 50) == 10
