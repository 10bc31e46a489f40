"""The cache in the database: a cache like any other, and one that counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command

from django_account.limits.models import CacheEntry
from tests.limits.conftest import STORES

NOW = datetime(2030, 1, 1, tzinfo=UTC)

VALUES = [
    0,
    -1,
    2**63 - 1,
    -(2**63),
    2**80,
    True,
    1.5,
    "",
    "text",
    b"\x00\xff",
    None,
    [1, {"a": (2,)}],
    NOW,
]

KEYS = ["key", "", "k" * 1000, "clé", "with blanks\x00and controls", "Key"]


# Django's own backend in memory first: it shows that the expectations are those of a cache.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::django.core.cache.CacheKeyWarning"),
    pytest.mark.parametrize("store", [STORES[0], *STORES[2:]], indirect=True),
    pytest.mark.usefixtures("store"),
]


class TestValues:
    @pytest.mark.parametrize("value", VALUES, ids=repr)
    def test_comes_back_as_it_was(self, value: Any) -> None:
        cache.set("key", value)
        for found in (cache.get("key", "none"), cache.get_many(["key", "other"])["key"]):
            assert (found, type(found)) == (value, type(value))

    def test_another_replaces_it_whatever_it_is(self) -> None:
        for value in (*VALUES, *reversed(VALUES)):
            cache.set("key", value)
            assert cache.get("key", "none") == value

    def test_keys_of_any_kind_are_different_ones(self) -> None:
        cache.set_many({key: number for number, key in enumerate(KEYS)})
        assert cache.get_many(KEYS) == {key: number for number, key in enumerate(KEYS)}

    def test_versions_are_different_ones(self) -> None:
        cache.set("key", 1, version=1)
        cache.set("key", 2, version=2)
        cache.delete("key", version=1)
        assert (cache.get("key", version=1), cache.get("key", version=2)) == (None, 2)

    def test_nothing(self) -> None:
        assert cache.get("key") is None
        assert cache.get("key", 5) == 5
        assert cache.get_many([]) == cache.get_many(["key"]) == {}
        assert "key" not in cache
        assert cache.delete("key") is False
        assert cache.touch("key") is False
        assert cache.set_many({}) == []
        cache.delete_many([])

    def test_deleted(self) -> None:
        cache.set_many({"a": 1, "b": 2, "c": 3, "d": 4})
        assert cache.delete("a") is True
        cache.delete_many(["b", "c"])
        assert cache.get_many("abcd") == {"d": 4}
        cache.clear()
        assert "d" not in cache


class TestTime:
    @pytest.mark.parametrize("value", [1, "text"])
    def test_ends(self, value: Any) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            cache.set("set", value, 10)
            cache.add("added", value, 10)
            cache.set("touched", value, 10)
            cache.set("kept", value, None)
            clock.shift(9.999)
            assert len(cache.get_many(["set", "added", "touched", "kept"])) == 4
            assert cache.touch("touched", 10) is True
            clock.shift(0.002)
            assert set(cache.get_many(["set", "added", "touched", "kept"])) == {"touched", "kept"}
            assert "set" not in cache
            clock.shift(timedelta(days=3650))
            assert set(cache.get_many(["touched", "kept"])) == {"kept"}

    @pytest.mark.parametrize("timeout", [0, -1])
    def test_that_is_over_already(self, timeout: int) -> None:
        cache.set("key", 1, timeout)
        assert cache.add("key", 2, timeout) is True
        assert cache.get("key") is None

    def test_of_a_number_is_not_changed_by_adding(self) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            cache.set("key", 1, 10)
            clock.shift(9)
            cache.incr("key")
            clock.shift(1.001)
            with pytest.raises(ValueError, match="key"):
                cache.incr("key")


class TestAdd:
    def test_only_where_there_is_nothing(self) -> None:
        assert cache.add("key", 1) is True
        assert cache.add("key", "text") is False
        assert cache.get("key") == 1

    def test_where_something_was(self) -> None:
        with time_machine.travel(NOW, tick=False) as clock:
            cache.set("key", "text", 10)
            clock.shift(10.001)
            assert cache.add("key", 7, 10) is True
            assert cache.incr("key") == 8


class TestIncr:
    def test_adds(self) -> None:
        cache.set("key", 1)
        assert [cache.incr("key"), cache.incr("key", 40), cache.decr("key", 2)] == [2, 42, 40]
        assert cache.get("key") == 40

    def test_nothing(self) -> None:
        with pytest.raises(ValueError, match="key"):
            cache.incr("key")

    def test_something_else_than_a_whole_number(self, store: str) -> None:
        for value in (1.5, "text", True, 2**80) if store != "memory" else ():
            cache.set("key", value)
            with pytest.raises(ValueError, match="whole number"):
                cache.incr("key")
            assert cache.get("key") == value

    def test_of_another_version(self) -> None:
        cache.set("key", 1, version=2)
        assert cache.incr("key", version=2) == 2


def test_expired_entries_are_cleared(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    if store == "memory":
        # Forgets by itself.
        return
    with time_machine.travel(NOW, tick=False):
        cache.set_many({"a": 1, "b": 2}, 10)
        cache.set("c", 3, 100)
    with time_machine.travel(NOW + timedelta(seconds=11), tick=False):
        call_command("clearaccounts")
        assert cache.get("c") == 3
    assert "2 expired cache entries deleted." in capsys.readouterr().out
    assert CacheEntry.objects.count() == 1
