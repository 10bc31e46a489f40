"""What a thief of the database does not get: any password, session, key or JWT."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from tests.security.secrets import betrayed, every_table

HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django_account.accounts.hashers.Argon2idHasher",
]


@pytest.mark.parametrize("hasher", HASHERS, ids=["cheap hash", "real hash"])
def test_no_secret_in_any_table(flows: Callable[[], list[str]], settings: Any, hasher: str) -> None:
    settings.PASSWORD_HASHERS = [hasher]
    secrets = flows()
    assert len(secrets) > 15
    dump = every_table()
    assert b"grace@example.org" in dump
    assert betrayed(secrets, dump) == []


def test_what_is_stored_opens_nothing(flows: Callable[[], list[str]]) -> None:
    """No stored value is itself accepted as a session, a key or a password."""
    from tests.client import ApiClient

    flows()
    hexes = set(re.findall(rb"[0-9a-f]{32,}", every_table()))
    assert len(hexes) > 4
    for value in {found.decode() for found in hexes}:
        assert ApiClient(session=value).get("/account").status_code == 401
        assert ApiClient(key=f"standard_{value}").get("/account").status_code == 401
        body = {"email": "grace@example.org", "password": value[:256]}
        assert ApiClient().post("/account/sessions/email", body).status_code == 401


class TestTheSearchItself:
    """It would find a secret, were it there."""

    SECRET = "9f8e7d6c" * 8
    TEXT = "quartz! lemon-Tree 42"

    @pytest.mark.parametrize("shift", range(3))
    @pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
    @pytest.mark.parametrize("secret", [TEXT, SECRET, "Übergang?? >> zebra"])
    def test_base64_at_any_alignment(
        self, secret: str, encode: Callable[[bytes], bytes], shift: int
    ) -> None:
        data = encode(b"x" * shift + secret.encode() + b"yz")
        assert betrayed([secret], b"..." + data + b"...")

    @pytest.mark.parametrize(
        "write",
        [
            str.encode,
            lambda secret: secret.encode().hex().encode(),
            lambda secret: secret.encode().hex().upper().encode(),
            lambda secret: secret[::-1].encode(),
            lambda secret: secret.encode("utf-16-le"),
        ],
        ids=["clear", "hex", "HEX", "reversed", "wide"],
    )
    @pytest.mark.parametrize("secret", [TEXT, SECRET])
    def test_other_forms(self, secret: str, write: Callable[[str], bytes]) -> None:
        assert betrayed([secret], b"ab" + write(secret) + b"cd")

    def test_bytes_behind_hex_digits(self) -> None:
        assert betrayed([self.SECRET], b"ab" + bytes.fromhex(self.SECRET) + b"cd")
        assert betrayed([self.SECRET], b64encode(b"a" + bytes.fromhex(self.SECRET)))

    def test_nothing_there(self) -> None:
        assert not betrayed([self.SECRET, self.TEXT], b"lorem ipsum " * 1000)

    @pytest.mark.django_db
    def test_every_column_is_looked_at(self) -> None:
        create_account()
        Account.objects.update(prefs={"deep": [self.TEXT]})
        assert betrayed([self.TEXT], every_table())
