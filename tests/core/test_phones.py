"""Phone numbers: the vectors of core.md §6."""

from __future__ import annotations

import pytest

from django_account.core.phones import is_phone


@pytest.mark.parametrize(
    "value",
    [
        "+1415555",
        "+16308520394",
        "+5511552563253",
        "+919367788755111",
        "+4915112345678",
        "+35312345678",
    ],
)
def test_number(value: str) -> None:
    assert is_phone(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "+",
        "+1",
        "+141555",
        "8989829304",
        "786-307-3615",
        "+16308A520397",
        "+0415553452342",
        "+14 155 5524564",
        "+1415555245634543",
        "+8020000000",
        "++14155552456",
        "+14155552456\n",
        " +14155552456",
        "+\u0661\u0664\u0661\u0665\u0665\u0665\u0662",
        "0014155552456",
    ],
)
def test_no_number(value: str) -> None:
    assert not is_phone(value)
