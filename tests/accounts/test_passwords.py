"""Passwords: verifying them, and the rules for new ones (core.md §6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, make_password

from django_account.accounts.hashers import Argon2idHasher
from django_account.accounts.models import Account
from django_account.accounts.passwords import (
    assign_password,
    broken_rule,
    require_acceptable,
    require_password,
    verify_password,
)
from django_account.accounts.services import create_account
from django_account.exceptions import (
    InvalidArgument,
    InvalidCredentials,
    PasswordPersonalData,
    PasswordRecentlyUsed,
)
from tests.client import PASSWORD

User = get_user_model()

ALL_ON = {"min": 10, "upper": True, "lower": True, "digit": True, "symbol": True}


def accept(password: str, **given: Any) -> None:
    """Hold a password against the rules for nobody in particular."""
    require_acceptable(password, **{"user": User(), "personal_data": [], **given})


class TestLength:
    @pytest.mark.parametrize(
        "password",
        [
            "12345678",
            "x" * 256,
            "ää" * 2,
            "\N{GRINNING FACE}" * 2,
            "\N{GRINNING FACE}" * 64,
            " " * 8,
        ],
        ids=["8", "256", "8 bytes of 4 letters", "8 bytes", "256 bytes", "blanks"],
    )
    def test_counts_bytes(self, password: str) -> None:
        assert broken_rule(password) is None

    @pytest.mark.parametrize(
        "password",
        ["", "1234567", "x" * 257, "ä" * 3, "ä" * 129, "\N{GRINNING FACE}" * 65],
        ids=["empty", "7", "257", "6 bytes", "258 bytes", "260 bytes"],
    )
    def test_too_short_or_too_long(self, password: str) -> None:
        rule = broken_rule(password)
        assert rule == "Password must be between 8 and 256 characters long."

    def test_longer_minimum(self, project: Callable[..., None]) -> None:
        project(PASSWORD_STRENGTH={"min": 12})
        assert broken_rule("x" * 12) is None
        rule = broken_rule("x" * 11)
        assert rule is not None
        assert "between 12 and 256" in rule

    def test_minimum_is_never_under_eight(self, project: Callable[..., None]) -> None:
        project(PASSWORD_STRENGTH={"min": 4})
        assert broken_rule("1234567") is not None


class TestStrength:
    @pytest.mark.parametrize(
        ("rule", "weak", "strong"),
        [
            ("upper", "correct horse", "correct Horse"),
            ("upper", "CORRECT horse".lower() + "Ä", "correct horseA"),
            ("lower", "CORRECT HORSE", "CORRECT hORSE"),
            ("lower", "CORRECT HORSEß", "CORRECT HORSEs"),
            ("digit", "correct horse", "correct horse1"),
            ("symbol", "correct horse 1", "correct-horse"),
            ("symbol", "correcthorseä", "correcthorse€"),
            ("symbol", "correct\thorse", "correct_horse"),
        ],
    )
    def test_one_class(
        self, project: Callable[..., None], rule: str, weak: str, strong: str
    ) -> None:
        assert broken_rule(weak) is None
        project(PASSWORD_STRENGTH={rule: True})
        assert broken_rule(weak) is not None
        assert broken_rule(strong) is None

    def test_all_classes(self, project: Callable[..., None]) -> None:
        project(PASSWORD_STRENGTH=ALL_ON)
        assert broken_rule("Correct-h0rse") is None
        for weak in (
            "Correct-h0",
            "correct-h0rse",
            "CORRECT-H0RSE",
            "Correct-horse",
            "Correcth0rse",
        ):
            assert (broken_rule(weak) is None) is (weak == "Correct-h0")

    def test_message_lists_what_is_needed(self, project: Callable[..., None]) -> None:
        project(PASSWORD_STRENGTH=ALL_ON)
        rule = broken_rule("correct horse") or ""
        assert "between 10 and 256" in rule
        for label in ("upper-case", "lower-case", "digit", "symbol"):
            assert label in rule


class TestDictionary:
    def test_common_password(self, project: Callable[..., None]) -> None:
        assert broken_rule("password123") is None
        project(PASSWORD_DICTIONARY=True)
        rule = broken_rule("password123")
        assert rule is not None
        assert "common" in rule

    @pytest.mark.parametrize("password", ["Password123", "password1234x", " password123"])
    def test_membership_is_exact(self, project: Callable[..., None], password: str) -> None:
        project(PASSWORD_DICTIONARY=True)
        assert broken_rule(password) is None

    def test_refusal_names_the_parameter(self, project: Callable[..., None]) -> None:
        project(PASSWORD_DICTIONARY=True)
        with pytest.raises(InvalidArgument, match=r"^Invalid `password` param: "):
            accept("password123")
        with pytest.raises(InvalidArgument, match=r"^Invalid `secret` param: "):
            accept("password123", parameter="secret")


class TestPersonalData:
    DATA = ("ada-id-1", "ada@example.org", "ada", "Lovelace", "+14155550100", "14155550100", "")

    @pytest.mark.parametrize(
        "password",
        [
            "my ada-id-1 key",
            "ADA@EXAMPLE.ORG",
            "xxADAxxx",
            "the lovelace",
            "call +14155550100",
            "call 14155550100",
        ],
        ids=["id", "email", "local part", "name", "phone", "phone without +"],
    )
    def test_found_in_any_case(self, project: Callable[..., None], password: str) -> None:
        accept(password, personal_data=self.DATA)
        project(PASSWORD_PERSONAL_DATA=True)
        with pytest.raises(PasswordPersonalData):
            accept(password, personal_data=self.DATA)

    def test_empty_values_are_skipped(self, project: Callable[..., None]) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        accept(PASSWORD, personal_data=["", ""])

    @pytest.mark.django_db
    @pytest.mark.parametrize("password", ["grace1234", "1234GRACE-ID", "Hopper 1234"])
    def test_of_a_new_account(self, project: Callable[..., None], password: str) -> None:
        project(PASSWORD_PERSONAL_DATA=True)
        with pytest.raises(PasswordPersonalData):
            create_account(
                account_id="grace-id", email="grace@example.org", name="Hopper", password=password
            )
        assert not Account.objects.exists()


class TestSiteValidators:
    VALIDATORS = "django.contrib.auth.password_validation."

    @pytest.mark.parametrize(
        ("validator", "password"),
        [
            ("NumericPasswordValidator", "1928374650"),
            ("CommonPasswordValidator", "Password123"),
        ],
    )
    def test_refusal(self, settings: Any, validator: str, password: str) -> None:
        accept(password)
        settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": self.VALIDATORS + validator}]
        with pytest.raises(InvalidArgument, match=r"^Invalid `password` param: "):
            accept(password)

    def test_they_know_whose_password_it_is(self, settings: Any) -> None:
        settings.AUTH_PASSWORD_VALIDATORS = [
            {"NAME": self.VALIDATORS + "UserAttributeSimilarityValidator"}
        ]
        accept("ada.lovelace", user=User(email="grace@example.org"))
        with pytest.raises(InvalidArgument):
            accept("ada.lovelace", user=User(email="ada.lovelace@example.org"))

    def test_message_is_english_on_a_german_site(self, settings: Any) -> None:
        settings.LANGUAGE_CODE = "de"
        settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": self.VALIDATORS + "NumericPasswordValidator"}]
        with pytest.raises(InvalidArgument, match="entirely numeric"):
            accept("1928374650")

    def test_several_refusals_in_one_message(self, settings: Any) -> None:
        settings.AUTH_PASSWORD_VALIDATORS = [
            {"NAME": self.VALIDATORS + "NumericPasswordValidator"},
            {"NAME": self.VALIDATORS + "CommonPasswordValidator"},
        ]
        with pytest.raises(InvalidArgument, match=r"numeric\..*common|common\..*numeric"):
            accept("1234567890")

    @pytest.mark.django_db
    def test_at_sign_up(self, settings: Any) -> None:
        settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": self.VALIDATORS + "NumericPasswordValidator"}]
        with pytest.raises(InvalidArgument):
            create_account(email="ada@example.org", password="1928374650")
        assert not User.objects.exists()

    @pytest.mark.django_db
    def test_not_at_sign_in(self, settings: Any) -> None:
        account = create_account(email="ada@example.org", password="1928374650")
        settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": self.VALIDATORS + "NumericPasswordValidator"}]
        require_password(account, "1928374650")


class TestHistory:
    def test_remembered_password(self, project: Callable[..., None]) -> None:
        history = [make_password("first horse"), make_password("second horse")]
        accept("first horse", history=history)
        project(PASSWORD_HISTORY=2)
        for old in ("first horse", "second horse"):
            with pytest.raises(PasswordRecentlyUsed):
                accept(old, history=history)
        accept("third horse", history=history)
        # The site wants fewer now.
        project(PASSWORD_HISTORY=1)
        accept("first horse", history=history)
        with pytest.raises(PasswordRecentlyUsed):
            accept("second horse", history=history)

    def test_assigning_keeps_the_newest(self, project: Callable[..., None]) -> None:
        project(PASSWORD_HISTORY=3)
        account = Account(user=User())
        for number in range(5):
            assign_password(account, f"horse number {number}")
        assert len(account.password_history) == 3
        for number, kept in enumerate(account.password_history, start=2):
            assert check_password(f"horse number {number}", kept)

    def test_off_leaves_it_untouched(self) -> None:
        account = Account(user=User(), password_history=["old"])
        assign_password(account, PASSWORD)
        assert account.password_history == ["old"]

    @pytest.mark.parametrize("size", [0, 1, 20])
    def test_size(self, project: Callable[..., None], size: int) -> None:
        project(PASSWORD_HISTORY=size)
        account = Account(user=User())
        for number in range(22):
            assign_password(account, f"horse number {number}")
        assert len(account.password_history) == size

    @pytest.mark.django_db
    def test_sign_up_begins_it(self, project: Callable[..., None]) -> None:
        project(PASSWORD_HISTORY=3)
        account = create_account(email="ada@example.org", password=PASSWORD)
        account.refresh_from_db()
        assert account.password_history == [account.user.password]


class TestAssignPassword:
    def test_clears_the_forced_reset(self) -> None:
        account = Account(user=User(), password_reset_required=True)
        assign_password(account, PASSWORD)
        assert account.password_reset_required is False
        assert account.password_changed_at is not None
        assert account.user.check_password(PASSWORD)

    def test_saves_nothing(self) -> None:
        # No database mark: a query would fail the test.
        assign_password(Account(user=User()), PASSWORD)


@pytest.mark.django_db
class TestRequirePassword:
    def test_right(self) -> None:
        require_password(create_account(password=PASSWORD), PASSWORD)

    @pytest.mark.parametrize("password", ["wrong horse", ""])
    def test_wrong(self, password: str) -> None:
        with pytest.raises(InvalidCredentials):
            require_password(create_account(password=PASSWORD), password)

    def test_account_without_one_confirms_anything(self) -> None:
        require_password(create_account(), "whatever it is")

    def test_nobody_verifies_nothing(self) -> None:
        assert verify_password(None, PASSWORD) is False


class TestArgon2idHasher:
    HASHER = ["django_account.accounts.hashers.Argon2idHasher"]

    def test_owasp_parameters(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = self.HASHER
        assert make_password(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")

    def test_verifies_what_it_made(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = self.HASHER
        encoded = make_password(PASSWORD)
        assert check_password(PASSWORD, encoded)
        assert not check_password("wrong horse", encoded)

    def test_takes_over_hashes_of_djangos(self, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
        djangos = make_password(PASSWORD)
        settings.PASSWORD_HASHERS = self.HASHER
        assert check_password(PASSWORD, djangos)
        assert Argon2idHasher().must_update(djangos)
