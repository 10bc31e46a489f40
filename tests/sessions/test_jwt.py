"""Short JWTs that stand for a session (core.md §4.6)."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest

from django_account.accounts.models import Account
from django_account.core.clients import ClientInfo
from django_account.core.crypto import derive_keys
from django_account.exceptions import InvalidJWT
from django_account.sessions.jwt import create_jwt, read_jwt
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from tests.sessions.conftest import MOMENT

EXP = int(MOMENT.timestamp()) + 900


@pytest.fixture
def session(account: Account, clock: Any) -> Session:
    return create_session(
        account=account, provider="email", factors=["password"], client=ClientInfo()
    ).session


def signed(claims: dict[str, Any], key: bytes | None = None, algorithm: str = "HS256") -> str:
    """A JWT of the site's own key, whatever it claims."""
    return jwt.encode(claims, key or next(derive_keys("jwt")), algorithm=algorithm)


class TestCreate:
    def test_header_and_claims(self, session: Session) -> None:
        header, claims, _ = (
            base64.urlsafe_b64decode(part + "==") for part in create_jwt(session).split(".")
        )
        assert json.loads(header) == {"typ": "JWT", "alg": "HS256"}
        assert json.loads(claims) == {
            "userId": "ada",
            "sessionId": session.public_id,
            "exp": EXP,
        }

    def test_duration(self, session: Session) -> None:
        token = create_jwt(session, timedelta(seconds=5))
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["exp"] == int(MOMENT.timestamp()) + 5

    def test_is_not_signed_with_the_sites_own_key(self, session: Session, settings: Any) -> None:
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(create_jwt(session), settings.SECRET_KEY, algorithms=["HS256"])


class TestRead:
    def test_whom_it_stands_for(self, session: Session) -> None:
        assert read_jwt(create_jwt(session)) == ("ada", session.public_id)

    def test_good_until_the_second_before(self, session: Session, clock: Any) -> None:
        token = create_jwt(session, timedelta(seconds=5))
        clock.shift(4)
        read_jwt(token)

    def test_expired_when_now_is_exp(self, session: Session, clock: Any) -> None:
        token = create_jwt(session, timedelta(seconds=5))
        clock.shift(5)
        with pytest.raises(InvalidJWT, match=r"^Failed to verify JWT\. .*Expired"):
            read_jwt(token)

    def test_survives_the_rotation_of_the_sites_key(self, session: Session, settings: Any) -> None:
        token = create_jwt(session)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-" + "y" * 50
        assert read_jwt(token).account_id == "ada"

    def test_dies_with_the_sites_key(self, session: Session, settings: Any) -> None:
        token = create_jwt(session)
        settings.SECRET_KEY = "another-key-" + "y" * 50
        settings.SECRET_KEY_FALLBACKS = []
        with pytest.raises(InvalidJWT, match="ignature"):
            read_jwt(token)

    def test_expired_of_an_old_key(self, session: Session, settings: Any, clock: Any) -> None:
        token = create_jwt(session)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-" + "y" * 50
        clock.shift(901)
        with pytest.raises(InvalidJWT, match="Expired"):
            read_jwt(token)

    @pytest.mark.parametrize(
        "token",
        [
            "x",
            "a.b",
            "a.b.c",
            "a.b.c.d",
            "..",
            "ä.ö.ü",
            "\ud7ff",
            "e30.e30.e30",
            "bnVsbA.bnVsbA.bnVsbA",
            "eyJhbGciOiJIUzI1NiJ9." + "A" * 50_000 + ".x",
            "." * 10_000,
        ],
        ids=range(11),
    )
    def test_no_jwt(self, token: str) -> None:
        with pytest.raises(InvalidJWT, match=r"^Failed to verify JWT\. "):
            read_jwt(token)

    @pytest.mark.parametrize("part", [0, 1, 2])
    def test_tampered(self, session: Session, part: int) -> None:
        parts = create_jwt(session).split(".")
        middle = len(parts[part]) // 2
        other = "A" if parts[part][middle] != "A" else "B"
        parts[part] = parts[part][:middle] + other + parts[part][middle + 1 :]
        with pytest.raises(InvalidJWT):
            read_jwt(".".join(parts))

    def test_unsigned(self, clock: Any) -> None:
        claims = {"userId": "ada", "sessionId": "s", "exp": EXP}
        with pytest.raises(InvalidJWT):
            read_jwt(jwt.encode(claims, "", algorithm="none"))

    def test_other_algorithm_of_the_same_key(self, clock: Any) -> None:
        claims = {"userId": "ada", "sessionId": "s", "exp": EXP}
        with pytest.raises(InvalidJWT):
            read_jwt(signed(claims, algorithm="HS512"))

    def test_key_of_another_purpose(self, clock: Any) -> None:
        claims = {"userId": "ada", "sessionId": "s", "exp": EXP}
        with pytest.raises(InvalidJWT):
            read_jwt(signed(claims, key=next(derive_keys("mail"))))

    @pytest.mark.parametrize(
        "claims",
        [
            {"userId": "ada", "sessionId": "s"},
            {"userId": "ada", "sessionId": "s", "exp": "soon"},
            {"userId": "ada", "sessionId": "s", "exp": None},
            {"userId": ["ada"], "sessionId": "s", "exp": EXP},
            {"userId": "ada", "sessionId": 1, "exp": EXP},
            {"userId": {"x": 1}, "sessionId": None, "exp": EXP},
        ],
        ids=["no exp", "exp text", "exp null", "user list", "session number", "user object"],
    )
    def test_unusable_claims(self, clock: Any, claims: dict[str, Any]) -> None:
        with pytest.raises(InvalidJWT):
            read_jwt(signed(claims))

    def test_without_ids_it_stands_for_nobody(self, clock: Any) -> None:
        assert read_jwt(signed({"exp": EXP})) == ("", "")
