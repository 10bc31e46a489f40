"""Hashes made elsewhere: they verify, they cost no more than they may, they are renewed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, identify_hasher

from django_account.accounts.hashers import (
    FOREIGN_HASHERS,
    KINDS,
    SHA_VERSIONS,
    Argon2idHasher,
    describe,
)
from django_account.accounts.models import Account
from django_account.accounts.services import authenticate, create_account
from django_account.exceptions import FeatureUnsupported, InvalidArgument, InvalidCredentials
from tests.accounts.vectors import SHA_OF_ABC, VECTORS, Vector
from tests.security.hashers import CountingHasher

each_vector = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)


@pytest.fixture(autouse=True)
def hashers(settings: Any) -> None:
    """As the README says."""
    settings.PASSWORD_HASHERS = [
        "django_account.accounts.hashers.Argon2idHasher",
        *FOREIGN_HASHERS,
    ]


def taken(vector: Vector) -> str:
    return KINDS[vector.kind].take(vector.hashed, vector.options)


class TestVectors:
    @each_vector
    def test_verifies(self, vector: Vector) -> None:
        assert check_password(vector.password, taken(vector))
        assert not check_password(vector.password + "x", taken(vector))

    @pytest.mark.parametrize(("version", "hashed"), SHA_OF_ABC.items(), ids=SHA_OF_ABC)
    def test_sha(self, version: str, hashed: str) -> None:
        encoded = KINDS["sha"].take(hashed.upper(), {"version": version})
        assert check_password("abc", encoded)
        assert not check_password("abd", encoded)

    def test_every_member_of_the_sha_family(self) -> None:
        assert set(SHA_OF_ABC) == set(SHA_VERSIONS)

    @each_vector
    def test_described_as_it_came(self, vector: Vector) -> None:
        hashed, kind, options = describe(taken(vector))
        assert (hashed, kind) == (vector.hashed, vector.kind)
        assert options.items() >= vector.options.items()
        assert options.get("type", "sha") == vector.kind

    def test_bcrypt_reads_72_bytes(self) -> None:
        import bcrypt

        hashed = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
        assert check_password("x" * 72 + "y", KINDS["bcrypt"].take(hashed, {}))

    def test_phpass_may_hold_bcrypt(self) -> None:
        vector = VECTORS["bcrypt 2a"]
        assert check_password(vector.password, KINDS["phpass"].take(vector.hashed, {}))


class TestHostile:
    """Whoever imports chooses the parameters."""

    SCRYPT = {"salt": "s", "costCpu": 16, "costMemory": 1, "costParallel": 1, "length": 64}

    @pytest.mark.parametrize(
        ("kind", "hashed", "options"),
        [
            ("bcrypt", "$2b$16$" + "a" * 53, {}),
            ("phpass", "$P$Q" + "a" * 30, {}),
            ("phpass", "$2y$31$" + "a" * 53, {}),
            ("argon2", "$argon2id$v=19$m=2097152,t=1,p=1$c29tZXNhbHQ$c29tZWhhc2g", {}),
            ("argon2", "$argon2id$v=19$m=65536,t=4000000000,p=1$c29tZXNhbHQ$c29tZWhhc2g", {}),
            ("argon2", "$argon2d$v=19$m=8192,t=1,p=255$c29tZXNhbHQ$c29tZWhhc2g", {}),
            ("scrypt", "0" * 64, {**SCRYPT, "costCpu": 2**24}),
            ("scrypt", "0" * 64, {**SCRYPT, "costCpu": 2**30, "costMemory": 2**30}),
            ("scrypt", "0" * 64, {**SCRYPT, "costParallel": 2**20}),
            ("scrypt", "0" * 64, {**SCRYPT, "length": 2**31 - 1}),
            ("scrypt", "0" * 64, {**SCRYPT, "costCpu": 3}),
            ("scrypt", "0" * 64, {**SCRYPT, "costMemory": 0}),
            ("scrypt", "0" * 64, {**SCRYPT, "length": 15}),
            ("sha", "0" * 64, {"version": "shake_128"}),
            ("scryptMod", "0" * 64, {"salt": "?", "saltSeparator": "Bw==", "signerKey": "Bw=="}),
        ],
    )
    def test_too_costly_or_impossible(self, kind: str, hashed: str, options: Any) -> None:
        with pytest.raises(InvalidArgument):
            KINDS[kind].take(hashed, options)

    def test_bounds_hold_for_what_is_stored_already(self) -> None:
        begun = time.perf_counter()
        assert not check_password("x", "foreign_bcrypt$$2b$31$" + "a" * 53)
        assert not check_password("x", "foreign_scrypt$cw$1073741824$8$1$64$00")
        assert time.perf_counter() - begun < 2

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_is_no_hash_verifies_nothing(self, kind: str) -> None:
        options = {
            "sha": {"version": "sha1"},
            "scrypt": self.SCRYPT,
            "scryptMod": {"salt": "c2FsdA==", "saltSeparator": "Bw==", "signerKey": "Bw=="},
        }.get(kind, {})
        for hashed in ("no hash at all", "$", "$$$$$$$$", "\N{SNOWMAN}" * 8, "$2b$03$" + "." * 53):
            encoded = KINDS[kind].take(hashed, options)
            assert not check_password("no hash at all", encoded)
            assert describe(encoded)[:2] == (hashed, kind)

    def test_makes_none(self) -> None:
        for path in FOREIGN_HASHERS:
            hasher = identify_hasher(f"{path_algorithm(path)}$x")
            with pytest.raises(NotImplementedError):
                hasher.encode("password", "salt")


def path_algorithm(path: str) -> str:
    from django.utils.module_loading import import_string

    return str(import_string(path).algorithm)


@pytest.mark.django_db
class TestRenewal:
    @each_vector
    def test_import_sign_in_renewed_sign_in_again(self, vector: Vector) -> None:
        create_account(email="a@example.org", imported_hash=taken(vector), by_server=True)
        with pytest.raises(InvalidCredentials):
            authenticate(email="a@example.org", password=vector.password + "x")
        for _ in range(2):
            account = authenticate(email="a@example.org", password=vector.password)
            account.refresh_from_db()
            assert account.imported_hash == ""
            renewed = account.user.password
            assert renewed.startswith("argon2$argon2id$")
            assert not Argon2idHasher().must_update(renewed)

    def test_too_long_for_the_column_is_kept_with_the_account(self) -> None:
        vector = VECTORS["scryptMod"]
        account = create_account(account_id="a", imported_hash=taken(vector), by_server=True)
        assert account.user.password == "foreign$a"
        assert account.imported_hash == taken(vector)

    def test_by_the_sites_own_sign_in(self) -> None:
        vector = VECTORS["scryptMod"]
        create_account(account_id="a", imported_hash=taken(vector), by_server=True)
        user = get_user_model().objects.get()
        assert user.check_password(vector.password)
        assert user.check_password(vector.password)
        assert Account.objects.get().imported_hash == ""

    def test_new_password_forgets_it(self) -> None:
        create_account(account_id="a", imported_hash=taken(VECTORS["scryptMod"]), by_server=True)
        user = get_user_model().objects.get()
        user.set_password("another horse")
        user.save()
        assert Account.objects.get().imported_hash == ""

    def test_site_that_cannot_verify_it(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["django_account.accounts.hashers.Argon2idHasher"]
        with pytest.raises(FeatureUnsupported):
            create_account(imported_hash=taken(VECTORS["md5"]), by_server=True)
        assert not Account.objects.exists()


@pytest.mark.django_db
def test_a_cheap_hash_costs_a_stranger_what_nobody_costs(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.security.hashers.CountingHasher", *FOREIGN_HASHERS]
    create_account(email="a@example.org", imported_hash=taken(VECTORS["md5"]), by_server=True)
    for email in ("a@example.org", "nobody@example.org"):
        before = CountingHasher.work
        with pytest.raises(InvalidCredentials):
            authenticate(email=email, password="wrong horse!")
        assert CountingHasher.work - before == 1
