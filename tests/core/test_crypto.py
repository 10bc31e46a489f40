"""Secrets and what is stored of them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from django_account.core.crypto import derive_keys, digest, generate_secret


class TestGenerateSecret:
    def test_is_256_hex_digits(self) -> None:
        assert re.fullmatch(r"[0-9a-f]{256}", generate_secret())

    @pytest.mark.parametrize("length", [2, 64, 128])
    def test_is_as_long_as_asked(self, length: int) -> None:
        assert re.fullmatch(rf"[0-9a-f]{{{length}}}", generate_secret(length))

    def test_never_repeats(self) -> None:
        assert len({generate_secret(32) for _ in range(1000)}) == 1000


class TestDigest:
    def test_is_sha256_in_hex(self) -> None:
        assert digest("abc") == hashlib.sha256(b"abc").hexdigest()
        assert len(digest("")) == 64

    def test_differs_for_each_secret(self) -> None:
        assert digest("a") != digest("b")


class TestDeriveKeys:
    def test_one_key_of_32_bytes_without_fallbacks(self, settings: Any) -> None:
        settings.SECRET_KEY_FALLBACKS = []
        (key,) = derive_keys("jwt")
        assert len(key) == 32

    def test_is_stable(self) -> None:
        assert list(derive_keys("jwt")) == list(derive_keys("jwt"))

    def test_purposes_have_different_keys(self) -> None:
        assert next(derive_keys("jwt")) != next(derive_keys("mail"))

    def test_is_not_the_site_key(self, settings: Any) -> None:
        assert next(derive_keys("jwt")) not in settings.SECRET_KEY.encode()

    def test_old_key_stays_usable_after_a_rotation(self, settings: Any) -> None:
        settings.SECRET_KEY_FALLBACKS = []
        old = next(derive_keys("jwt"))
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-" + "y" * 50
        first, second = derive_keys("jwt")
        assert second == old
        assert first != old

    def test_bytes_for_a_key(self, settings: Any) -> None:
        settings.SECRET_KEY = b"bytes"
        as_bytes = next(derive_keys("jwt"))
        settings.SECRET_KEY = "bytes"
        assert next(derive_keys("jwt")) == as_bytes
