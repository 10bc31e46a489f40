"""The one string that stands for a session on the wire (core.md §4.1)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

import pytest

from django_account.sessions.credentials import Credential, decode_credential, encode_credential


def encoded(payload: object) -> str:
    """Base64 of JSON, whatever it holds."""
    return b64encode(json.dumps(payload).encode()).decode()


class TestEncode:
    def test_is_base64_of_an_object_with_id_and_secret(self) -> None:
        value = encode_credential("ada", "abc123")
        assert json.loads(b64decode(value, validate=True)) == {"id": "ada", "secret": "abc123"}

    def test_comes_back(self) -> None:
        for account_id in ("a", "ab", "abc", "a.b-c_d"):
            value = encode_credential(account_id, "f" * 256)
            assert decode_credential(value) == Credential(account_id, "f" * 256)


class TestDecode:
    def test_as_upstream_writes_it(self) -> None:
        value = b64encode(b'{"id":"6630c1a5b2f4e07d91ac","secret":"00ff"}').decode()
        assert decode_credential(value) == ("6630c1a5b2f4e07d91ac", "00ff")

    def test_more_members_are_ignored(self) -> None:
        value = encoded({"extra": [1], "secret": "s", "id": "ada"})
        assert decode_credential(value) == ("ada", "s")

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "x",
            "deleted",
            "!!!!",
            "ä" * 8,
            encode_credential("ada", "s") + "xx",
            encode_credential("ada", "s")[:-2],
            " " + encode_credential("ada", "s"),
            encode_credential("ada", "s").replace("=", "") + "-_",
            b64encode(b"not json").decode(),
            b64encode(b"\xff\xfe\x00").decode(),
            b64encode(b"\x80" * 30).decode(),
            b64encode(b'{"id":"ada","secret":"s"').decode(),
            b64encode(b"[" * 100_000).decode(),
            b64encode(b'{"id":' + b"9" * 10_000 + b',"secret":"s"}').decode(),
        ],
        ids=range(15),
    )
    def test_garbled(self, value: str) -> None:
        assert decode_credential(value) is None

    @pytest.mark.parametrize(
        "payload",
        [
            None,
            True,
            1,
            "ada",
            [],
            ["id", "secret"],
            {},
            {"id": "ada"},
            {"secret": "s"},
            {"id": "", "secret": "s"},
            {"id": "ada", "secret": ""},
            {"id": 1, "secret": "s"},
            {"id": "ada", "secret": None},
            {"id": ["ada"], "secret": "s"},
            {"id": {"$ne": ""}, "secret": "s"},
            {"id": "ada", "secret": "\ud800"},
            {"id": "ädä", "secret": "s"},
        ],
    )
    def test_of_another_shape(self, payload: object) -> None:
        assert decode_credential(encoded(payload)) is None
