"""People with the hashes of other systems (users.md §4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.accounts.vectors import VECTORS, Vector
from tests.api.rows import unchanged
from tests.client import ApiClient, assert_error

PATHS = {"scryptMod": "scrypt-modified"}

# hashOptions on the wire, and the parameter that each comes from.
PARAMETERS = {
    "version": "passwordVersion",
    "salt": "passwordSalt",
    "costCpu": "passwordCpu",
    "costMemory": "passwordMemory",
    "costParallel": "passwordParallel",
    "length": "passwordLength",
    "saltSeparator": "passwordSaltSeparator",
    "signerKey": "passwordSignerKey",
}


def path_of(vector: Vector) -> str:
    return f"/users/{PATHS.get(vector.kind, vector.kind)}"


def body_of(vector: Vector) -> dict[str, Any]:
    parameters = {PARAMETERS[name]: value for name, value in vector.options.items()}
    address = {"userId": "eve", "email": "EVE@example.org", "name": "Eve"}
    return {**address, "password": vector.hashed, **parameters}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_import_sign_in_renewed_sign_in_again(site: ApiClient, vector: Vector) -> None:
    response = site.post(path_of(vector), body_of(vector))
    assert response.status_code == 201, response.content
    user = response.json()
    assert (user["password"], user["hash"]) == (vector.hashed, vector.kind)
    assert user["hashOptions"].items() >= vector.options.items()
    assert (user["email"], user["name"]) == ("eve@example.org", "Eve")
    assert user["passwordUpdate"]
    wrong = {"email": "eve@example.org", "password": vector.password + "x" * 8}
    response = ApiClient().post("/account/sessions/email", wrong)
    assert_error(response, 401, "user_invalid_credentials")
    if len(vector.password) < 8:
        return
    for _ in range(2):
        ApiClient().sign_in("eve@example.org", vector.password)
        # The tests' preferred hasher is a cheap one.
        assert site.get("/users/eve").json()["hash"] == "django_md5"
        assert site.get("/users/eve").json()["password"].startswith("md5$")


@pytest.mark.parametrize("kind", ["argon2", "bcrypt", "md5", "phpass", "sha"])
class TestRefused:
    @pytest.mark.parametrize("missing", ["userId", "email", "password"])
    def test_missing(self, site: ApiClient, kind: str, missing: str) -> None:
        body = {"userId": "eve", "email": "e@example.org", "password": "x" * 32}
        del body[missing]
        message = assert_error(site.post(f"/users/{kind}", body), 400, "general_argument_invalid")[
            "message"
        ]
        assert message == f'Param "{missing}" is not optional.'

    @pytest.mark.parametrize("hashed", ["x" * 7, "x" * 257, "\N{SNOWMAN}" * 100, 5])
    def test_length(self, site: ApiClient, kind: str, hashed: Any) -> None:
        body = {"userId": "eve", "email": "e@example.org", "password": hashed}
        assert_error(site.post(f"/users/{kind}", body), 400, "general_argument_invalid")

    def test_taken(self, site: ApiClient, person: Any, kind: str) -> None:
        body = {"userId": "unique()", "email": "eve@example.org", "password": "x" * 32}
        with unchanged():
            response = site.post(f"/users/{kind}", body)
        assert_error(response, 409, "user_already_exists")


class TestParameters:
    @pytest.mark.parametrize("version", ["", None, "SHA256"])
    def test_sha_version_defaults_and_any_case(self, site: ApiClient, version: Any) -> None:
        body = {"userId": "eve", "email": "e@example.org", "password": "0" * 64}
        user = site.post("/users/sha", {**body, "passwordVersion": version}).json()
        assert user["hashOptions"] == {"version": "sha256"}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("passwordCpu", 3),
            ("passwordCpu", 2**40),
            ("passwordCpu", 2**30),
            ("passwordMemory", 0),
            ("passwordParallel", "x"),
            ("passwordLength", 15),
            ("passwordSalt", ""),
            ("passwordSalt", "x" * 129),
        ],
    )
    def test_scrypt(self, site: ApiClient, name: str, value: Any) -> None:
        body = {**body_of(VECTORS["scrypt"]), name: value}
        with unchanged():
            response = site.post("/users/scrypt", body)
        assert f"`{name}`" in assert_error(response, 400, "general_argument_invalid")["message"]

    @pytest.mark.parametrize("name", ["passwordCpu", "passwordMemory", "passwordParallel"])
    def test_scrypt_that_costs_too_much(self, site: ApiClient, name: str) -> None:
        with unchanged():
            response = site.post("/users/scrypt", {**body_of(VECTORS["scrypt"]), name: 2**20})
        message = assert_error(response, 400, "general_argument_invalid")["message"]
        assert "cost more" in message

    def test_numerals(self, site: ApiClient) -> None:
        body = {**body_of(VECTORS["scrypt"]), "passwordCpu": "1024", "passwordMemory": "8"}
        assert site.post("/users/scrypt", body).json()["hashOptions"]["costCpu"] == 1024

    @pytest.mark.parametrize("name", ["passwordSalt", "passwordSaltSeparator", "passwordSignerKey"])
    def test_base64(self, site: ApiClient, name: str) -> None:
        response = site.post("/users/scrypt-modified", {**body_of(VECTORS["scryptMod"]), name: "?"})
        assert f"`{name}`" in assert_error(response, 400, "general_argument_invalid")["message"]

    @pytest.mark.parametrize(
        ("kind", "hashed"),
        [
            ("bcrypt", "$2b$31$" + "a" * 53),
            ("phpass", "$P$U" + "a" * 30),
            ("phpass", "$2y$31$" + "a" * 53),
            ("argon2", "$argon2id$v=19$m=2097152,t=1,p=1$c29tZXNhbHQ$c29tZWhhc2g"),
            ("argon2", "$argon2id$v=19$m=65536,t=4000000000,p=1$c29tZXNhbHQ$c29tZWhhc2g"),
        ],
    )
    def test_costly_hash(self, site: ApiClient, kind: str, hashed: str) -> None:
        body = {"userId": "e", "email": "e@example.org", "password": hashed}
        with unchanged():
            assert_error(site.post(f"/users/{kind}", body), 400, "general_argument_invalid")

    def test_site_that_cannot_verify_it(self, site: ApiClient, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        response = site.post("/users/md5", body_of(VECTORS["md5"]))
        message = assert_error(response, 400, "general_feature_unsupported")["message"]
        assert "PASSWORD_HASHERS" in message
