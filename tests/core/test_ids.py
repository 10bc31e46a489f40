"""Public ids (core.md §3.3 and §6)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from django_account.core.ids import UNIQUE, is_valid_id, unique_id


class TestUniqueId:
    def test_has_twenty_lower_case_hex_digits(self) -> None:
        assert re.fullmatch(r"[0-9a-f]{20}", unique_id())

    def test_may_be_chosen_by_a_client(self) -> None:
        assert is_valid_id(unique_id())

    def test_two_of_the_same_microsecond_differ(self) -> None:
        with time_machine.travel(datetime(2026, 3, 4, tzinfo=UTC), tick=False):
            assert len({unique_id() for _ in range(100)}) == 100

    def test_sorts_by_age(self) -> None:
        moment = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
        ids = []
        for microseconds in (0, 1, 999, 910_999, 911_000, 5_000_000):
            with time_machine.travel(moment + timedelta(microseconds=microseconds), tick=False):
                ids.append(unique_id()[:13])
        assert ids == sorted(set(ids))

    def test_time_part_holds_seconds_and_microseconds(self) -> None:
        moment = datetime(2026, 3, 4, 5, 6, 7, 89_001, tzinfo=UTC)
        with time_machine.travel(moment, tick=False):
            made = unique_id()
        assert int(made[:8], 16) == int(moment.timestamp())
        assert int(made[8:13], 16) == 89_001

    def test_its_request_word_is_no_id(self) -> None:
        assert not is_valid_id(UNIQUE)


class TestIsValidId:
    @pytest.mark.parametrize(
        "value",
        ["a", "Z", "0", "ada", "Ada.L-ovelace_1", "a" * 36, "0-.._", "current"],
    )
    def test_allowed(self, value: str) -> None:
        assert is_valid_id(value)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "a" * 37,
            "_a",
            "-a",
            ".a",
            "a b",
            " a",
            "a\n",
            "a\x00",
            "wrongId$",
            "a/b",
            "ä",
            "a\u0661",
            "unique(",
        ],
    )
    def test_refused(self, value: str) -> None:
        assert not is_valid_id(value)
