"""E-mail addresses: normal form (core.md §6) and metadata (users.md §5)."""

from __future__ import annotations

import pytest

from django_account.core.emails import MAX_LENGTH, facts, normalize

LONGEST_LOCAL = "a" * 64


class TestNormalize:
    @pytest.mark.parametrize(
        ("typed", "stored"),
        [
            ("ada@example.org", "ada@example.org"),
            ("ADA@Example.ORG", "ada@example.org"),
            ("  ada@example.org\n", "ada@example.org"),
            ("a.b+c_d-e@sub.example.co.uk", "a.b+c_d-e@sub.example.co.uk"),
            ("o'brien@example.org", "o'brien@example.org"),
            (f"{LONGEST_LOCAL}@example.org", f"{LONGEST_LOCAL}@example.org"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ],
    )
    def test_good_address(self, typed: str, stored: str) -> None:
        assert normalize(typed) == stored

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            " ",
            "ada",
            "@example.org",
            "ada@",
            "ada@localhost",
            "ada@example",
            "ada@@example.org",
            "ada@bob@example.org",
            '"a@b"@example.org',
            "a da@example.org",
            "ada@exam ple.org",
            "ada@example..org",
            ".ada@example.org",
            "ada.@example.org",
            "ada@-example.org",
            "ada@example.org\x00",
            "ada\n@example.org",
            "ada@example.org\nbcc:eve@example.org",
            "ädä@example.org",
            "ada@bücher.example",
        ],
    )
    def test_no_address(self, typed: str) -> None:
        with pytest.raises(ValueError, match="not an e-mail address"):
            normalize(typed)

    def test_local_part_over_64_characters(self) -> None:
        with pytest.raises(ValueError, match="not an e-mail address"):
            normalize(f"{LONGEST_LOCAL}a@example.org")

    def test_longer_than_a_column(self) -> None:
        domain = ".".join(["d" * 60] * 4) + ".org"
        fits = "a" * (MAX_LENGTH - len(domain) - 1) + "@" + domain
        assert len(fits) == MAX_LENGTH
        assert normalize(fits) == fits
        with pytest.raises(ValueError, match="not an e-mail address"):
            normalize("a" + fits)

    @pytest.mark.parametrize(
        "typed",
        [
            # Its lower case is the ASCII letter k: another person's address.
            "\N{KELVIN SIGN}ate@example.org",
            "kate@\N{KELVIN SIGN}ant.example",
        ],
    )
    def test_letter_that_becomes_ascii_in_lower_case(self, typed: str) -> None:
        with pytest.raises(ValueError, match="not an e-mail address"):
            normalize(typed)

    def test_is_idempotent(self) -> None:
        once = normalize(" Ada+Lists@Example.ORG ")
        assert normalize(once) == once


class TestCanonicalForm:
    @pytest.mark.parametrize(
        ("email", "canonical"),
        [
            # Gmail: cut at the first +, no dots, one domain.
            ("ada@gmail.com", "ada@gmail.com"),
            ("a.d.a@gmail.com", "ada@gmail.com"),
            ("ada+news@gmail.com", "ada@gmail.com"),
            ("a.da+x+y@googlemail.com", "ada@gmail.com"),
            ("+ada@gmail.com", "+ada@gmail.com"),
            # Outlook and family: cut at +; dots stay.
            ("ada.l+news@outlook.com", "ada.l@outlook.com"),
            ("ada@hotmail.com", "ada@outlook.com"),
            ("ada@live.com", "ada@outlook.com"),
            ("ada@hotmail.co.uk", "ada@outlook.com"),
            ("ada@outlook.de", "ada@outlook.com"),
            ("ada@live.nl", "ada@outlook.com"),
            ("ada@msn.com", "ada@outlook.com"),
            ("ada@passport.com", "ada@outlook.com"),
            # Yahoo: what follows the last hyphen goes.
            ("ada-news@yahoo.com", "ada@yahoo.com"),
            ("ada-b-news@yahoo.co.uk", "ada-b@yahoo.com"),
            ("ada.l@yahoo.ca", "ada.l@yahoo.com"),
            ("ada@yahoo.de", "ada@yahoo.com"),
            ("ada@yahoo.fr", "ada@yahoo.com"),
            ("ada@yahoo.in", "ada@yahoo.com"),
            ("ada@yahoo.it", "ada@yahoo.com"),
            ("ada@ymail.com", "ada@yahoo.com"),
            ("ada-x@rocketmail.com", "ada@yahoo.com"),
            ("ada+x@yahoo.com", "ada+x@yahoo.com"),
            # iCloud: cut at +.
            ("ada+x@icloud.com", "ada@icloud.com"),
            ("ada@me.com", "ada@icloud.com"),
            ("a.da+x@mac.com", "a.da@icloud.com"),
            # Proton, Fastmail, Walla: the domain only.
            ("ada+x@protonmail.com", "ada+x@protonmail.com"),
            ("ada@proton.me", "ada@protonmail.com"),
            ("ada@pm.me", "ada@protonmail.com"),
            ("ada+x@fastmail.com", "ada+x@fastmail.com"),
            ("ada@fastmail.fm", "ada@fastmail.com"),
            ("ada@walla.com", "ada@walla.co.il"),
            ("ada@walla.co.il", "ada@walla.co.il"),
            # Everybody else, Yandex included: unchanged.
            ("a.da+x-y@yandex.ru", "a.da+x-y@yandex.ru"),
            ("a.da+x-y@example.org", "a.da+x-y@example.org"),
            ("ada@notgmail.com", "ada@notgmail.com"),
            ("ada@mail.gmail.com", "ada@mail.gmail.com"),
        ],
    )
    def test_by_domain_family(self, email: str, canonical: str) -> None:
        assert facts(email).canonical == canonical
        assert facts(email).is_canonical is (email == canonical)

    def test_is_a_fixed_point(self) -> None:
        for email in ("a.b+c@googlemail.com", "a+b@live.com", "a-b@ymail.com", "a@pm.me"):
            assert facts(facts(email).canonical).is_canonical


class TestKindOfDomain:
    def test_corporate(self) -> None:
        found = facts("fan@manchester-united.co.uk")
        assert not found.is_free
        assert not found.is_disposable
        assert found.is_corporate
        assert found.is_canonical

    @pytest.mark.parametrize("domain", ["gmail.com", "yahoo.com", "outlook.com", "proton.me"])
    def test_free(self, domain: str) -> None:
        found = facts(f"ada@{domain}")
        assert (found.is_free, found.is_disposable, found.is_corporate) == (True, False, False)

    @pytest.mark.parametrize("domain", ["mailinator.com", "guerrillamail.com", "yopmail.com"])
    def test_disposable_wins_over_free(self, domain: str) -> None:
        found = facts(f"ada@{domain}")
        assert (found.is_free, found.is_disposable, found.is_corporate) == (False, True, False)
