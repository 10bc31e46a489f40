"""What holds when everybody comes at once: several workers, real databases."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from tests.client import PASSWORD
from tests.races.site import Person, Site, credential, statuses, types


def new_email() -> str:
    return f"somebody.{uuid4().hex}@example.org"


def site_users(site: Site, count: int, prefix: str = "") -> list[str]:
    """People of the site that have no account yet; their addresses."""
    emails = [prefix + new_email() for _ in range(count)]
    site.manage(
        "shell",
        "-c",
        "from django.contrib.auth import get_user_model as model\n"
        f"for email in {emails!r}:\n"
        f"    model().objects.create_user(email, email, {PASSWORD!r})",
    )
    return emails


class TestSignUp:
    def test_one_address_in_different_case(self, site: Site) -> None:
        email = new_email()
        spellings = [
            "".join(
                letter.upper() if place < 5 and number >> place & 1 else letter
                for place, letter in enumerate(email)
            )
            for number in range(32)
        ]
        assert len(set(spellings)) == 32
        answers = site.together([partial(site.guest.sign_up, spelling) for spelling in spellings])
        assert statuses(answers) == {201: 1, 409: 31}
        assert types(answers) == {"user_already_exists"}
        (created,) = [answer for answer in answers if answer.status_code == 201]
        signed_in = site.guest.signed_in(email)
        assert signed_in.call("GET", "/account").json()["$id"] == created.json()["$id"]

    def test_one_id(self, site: Site) -> None:
        account_id = uuid4().hex
        answers = site.together(
            [partial(site.guest.sign_up, new_email(), userId=account_id) for _ in range(16)]
        )
        assert statuses(answers) == {201: 1, 409: 15}
        assert types(answers) == {"user_already_exists"}

    def test_different_people_do_not_hinder_each_other(self, site: Site) -> None:
        answers = site.together([partial(site.guest.sign_up, new_email()) for _ in range(32)])
        assert statuses(answers) == {201: 32}
        assert len({answer.json()["$id"] for answer in answers}) == 32


class TestUsersLimit:
    def test_holds(self, run_site: Callable[..., Any]) -> None:
        with run_site(USERS_LIMIT=5) as site:
            # No hash to wait for: they really come at once.
            anonymous = partial(site.guest.call, "POST", "/account/sessions/anonymous")
            answers = site.together([anonymous] * 20)
            assert statuses(answers) == {201: 5, 400: 15}, "an empty project"
            assert types(answers) == {"user_count_exceeded"}

            for answer in [answer for answer in answers if answer.status_code == 201][:3]:
                person = Person(site, credential(answer))
                assert person.call("DELETE", "/account").status_code == 204
            sign_ups = [partial(site.guest.sign_up, new_email()) for _ in range(10)]
            answers = site.together([*sign_ups, *[anonymous] * 10])
            assert statuses(answers) == {201: 3, 400: 17}, "a project with some accounts"


class TestSignIn:
    def test_session_limit(self, site: Site) -> None:
        email = new_email()
        site.person(email)
        answers = site.together([partial(site.guest.sign_in, email)] * 30)
        assert statuses(answers) == {201: 30}
        people = [Person(site, credential(answer)) for answer in answers]
        looks = [person.call("GET", "/account/sessions") for person in people]
        alive = [look.json() for look in looks if look.status_code == 200]
        assert len(alive) == 10, "each of the ten is one of the thirty"
        assert all(look["total"] == 10 for look in alive)
        assert statuses(looks) == {200: 10, 401: 20}

    def test_wrong_passwords_among_right_ones(self, site: Site) -> None:
        email = new_email()
        site.person(email)
        answers = site.together(
            [
                partial(site.guest.sign_in, email, password)
                for password in (PASSWORD, "wrong horse") * 8
            ]
        )
        assert [answer.status_code for answer in answers] == [201, 401] * 8

    def test_first_sign_in_of_a_site_user(self, site: Site) -> None:
        for email in site_users(site, 3):
            answers = site.together([partial(site.guest.sign_in, email)] * 16)
            assert statuses(answers) == {201: 16}
            assert len({answer.json()["userId"] for answer in answers}) == 1
            newest = site.guest.signed_in(email)
            account = newest.call("GET", "/account").json()
            assert account["email"] == email
            assert [target["identifier"] for target in account["targets"]] == [email]

    def test_look_alike_of_a_site_users_address(self, site: Site) -> None:
        """To PostgreSQL, a dotless i is an i in another case."""
        for email in site_users(site, 1, "\N{LATIN SMALL LETTER DOTLESS I}-"):
            look_alike = f"i{email[1:]}"
            assert site.guest.sign_in(look_alike).status_code == 401
            assert site.guest.sign_up(look_alike, password="another horse").status_code == 201
            assert site.guest.sign_in(look_alike).status_code == 401

    def test_sign_up_with_the_address_of_a_site_user_who_signs_in(self, site: Site) -> None:
        for email in site_users(site, 3):
            ups = [partial(site.guest.sign_up, email, password="another horse")] * 8
            answers = site.together([*ups, *[partial(site.guest.sign_in, email)] * 8])
            assert statuses(answers[:8]) == {409: 8}
            assert statuses(answers[8:]) == {201: 8}


class TestChanges:
    def test_one_address_for_twenty_people(self, site: Site) -> None:
        people = [site.person(new_email()) for _ in range(20)]
        wanted = new_email()
        body = {"password": PASSWORD}
        answers = site.together(
            [
                partial(person.call, "PATCH", "/account/email", {"email": email, **body})
                for person, email in zip(people, [wanted, wanted.upper()] * 10, strict=True)
            ]
        )
        assert statuses(answers) == {200: 1, 409: 19}
        assert types(answers) == {"user_target_already_exists"}
        (changed,) = [answer.json() for answer in answers if answer.status_code == 200]
        found = [person.call("GET", "/account").json() for person in people]
        owners = [account for account in found if account["email"] == wanted]
        assert [account["$id"] for account in owners] == [changed["$id"]]
        for account in found:
            assert [target["identifier"] for target in account["targets"]] == [account["email"]]

    def test_one_phone_for_several_people(self, site: Site) -> None:
        people = [site.person(new_email()) for _ in range(8)]
        phone = f"+1415{uuid4().int % 10**7:07}"
        body = {"phone": phone, "password": PASSWORD}
        answers = site.together(
            [
                lambda person=person: person.call("PATCH", "/account/phone", body)
                for person in people
            ]
        )
        assert statuses(answers) == {200: 1, 409: 7}

    def test_sign_up_and_change_to_one_address(self, site: Site) -> None:
        for _ in range(3):
            people = [site.person(new_email()) for _ in range(4)]
            wanted = new_email()
            body = {"email": wanted, "password": PASSWORD}
            answers = site.together(
                [
                    *[
                        lambda person=person, body=body: person.call(
                            "PATCH", "/account/email", body
                        )
                        for person in people
                    ],
                    *[partial(site.guest.sign_up, wanted)] * 4,
                ]
            )
            won = [answer for answer in answers if answer.status_code < 300]
            assert len(won) == 1, statuses(answers)
            assert set(statuses(answers)) <= {200, 201, 409}

    def test_one_persons_different_properties(self, site: Site) -> None:
        person = site.person(new_email())
        phone = f"+1415{uuid4().int % 10**7:07}"
        answers = site.together(
            [
                partial(person.call, "PATCH", "/account/name", {"name": "Ada"}),
                partial(person.call, "PATCH", "/account/prefs", {"prefs": {"theme": "dark"}}),
                partial(
                    person.call,
                    "PATCH",
                    "/account/phone",
                    {"phone": phone, "password": PASSWORD},
                ),
            ]
        )
        assert statuses(answers) == {200: 3}
        account = person.call("GET", "/account").json()
        assert (account["name"], account["prefs"]) == ("Ada", {"theme": "dark"})
        assert account["phone"] == phone

    def test_one_password_many_times(self, site: Site) -> None:
        email = new_email()
        site.person(email)
        people = [site.guest.signed_in(email) for _ in range(6)]
        passwords = [f"horse number {number}" for number in range(6)]
        answers = site.together(
            [
                partial(
                    person.call,
                    "PATCH",
                    "/account/password",
                    {"password": password, "oldPassword": PASSWORD},
                )
                for person, password in zip(people, passwords, strict=True)
            ]
        )
        assert set(statuses(answers)) <= {200, 401}
        works = [
            password
            for password in (PASSWORD, *passwords)
            if site.guest.sign_in(email, password).status_code == 201
        ]
        assert len(works) == 1
        assert answers[passwords.index(works[0])].status_code == 200

    def test_email_there_and_back(self, site: Site) -> None:
        """The same person changes their address from several devices: the account stays whole."""
        email = new_email()
        person = site.person(email)
        wanted = [new_email() for _ in range(8)]
        answers = site.together(
            [
                partial(
                    person.call,
                    "PATCH",
                    "/account/email",
                    {"email": email, "password": PASSWORD},
                )
                for email in wanted
            ]
        )
        assert set(statuses(answers)) <= {200, 409}
        account = person.call("GET", "/account").json()
        assert account["email"] in wanted
        assert [target["identifier"] for target in account["targets"]] == [account["email"]]
        others = [other for other in (email, *wanted) if other != account["email"]]
        again = site.together([partial(site.guest.sign_up, other) for other in others])
        assert statuses(again) == {201: len(others)}, "addresses that nobody has are free"


class TestSessions:
    def test_end_of_one_session_by_another(self, site: Site) -> None:
        for _ in range(3):
            email = new_email()
            person = site.person(email)
            ended = site.guest.sign_in(email).json()["$id"]
            path = f"/account/sessions/{ended}"
            answers = site.together([partial(person.call, "DELETE", path)] * 12)
            assert statuses(answers) == {204: 1, 404: 11}
            assert types(answers) == {"user_session_not_found"}

    def test_end_of_the_own_session(self, site: Site) -> None:
        for _ in range(3):
            person = site.person(new_email())
            answers = site.together(
                [partial(person.call, "DELETE", "/account/sessions/current")] * 12
            )
            counts = statuses(answers)
            assert counts[204] == 1
            assert set(counts) <= {204, 401, 404}

    def test_end_of_all_sessions(self, site: Site) -> None:
        email = new_email()
        site.person(email)
        people = [site.guest.signed_in(email) for _ in range(9)]
        answers = site.together(
            [partial(person.call, "DELETE", "/account/sessions") for person in people]
        )
        assert set(statuses(answers)) <= {204, 401}
        assert {person.call("GET", "/account").status_code for person in people} == {401}

    def test_extension_while_it_ends(self, site: Site) -> None:
        for _ in range(4):
            email = new_email()
            person = site.person(email)
            other = site.guest.sign_in(email).json()["$id"]
            path = f"/account/sessions/{other}"
            answers = site.together(
                [partial(person.call, method, path) for method in ("PATCH", "DELETE") * 4]
            )
            assert set(statuses(answers)) <= {200, 204, 404}
            assert person.call("GET", path).status_code == 404


class TestDeletedAccount:
    # More of them for a longer search: RACES_ROUNDS=100.
    ROUNDS = int(os.environ.get("RACES_ROUNDS", "10"))

    def test_while_signing_in(self, site: Site) -> None:
        for _ in range(self.ROUNDS):
            email = new_email()
            person = site.person(email)
            signing_in = [partial(site.guest.sign_in, email)] * 7
            deletion, *answers = site.together(
                [partial(person.call, "DELETE", "/account"), *signing_in]
            )
            assert deletion.status_code == 204
            assert set(statuses(answers)) <= {201, 401, 403}
            for answer in answers:
                if answer.status_code == 201:
                    session = Person(site, credential(answer))
                    assert session.call("GET", "/account").status_code == 401
            assert site.guest.sign_in(email).status_code == 401
            assert site.guest.sign_up(email).status_code == 201, "nothing of it remains"

    def test_twice(self, site: Site) -> None:
        for _ in range(self.ROUNDS):
            person = site.person(new_email())
            answers = site.together([partial(person.call, "DELETE", "/account")] * 6)
            assert set(statuses(answers)) <= {204, 401, 404}

    def test_while_changing_it(self, site: Site) -> None:
        for _ in range(self.ROUNDS):
            person = site.person(new_email())
            phone = f"+1415{uuid4().int % 10**7:07}"
            changes: list[tuple[str, str, dict[str, Any]]] = [
                ("PATCH", "/account/name", {"name": "Ada"}),
                ("PATCH", "/account/prefs", {"prefs": {"a": 1}}),
                ("PATCH", "/account/email", {"email": new_email(), "password": PASSWORD}),
                ("PATCH", "/account/phone", {"phone": phone, "password": PASSWORD}),
                ("PATCH", "/account/password", {"password": "new horse", "oldPassword": PASSWORD}),
                ("PATCH", "/account/sessions/current", {}),
                ("PATCH", "/account/status", {}),
                ("DELETE", "/account/sessions", {}),
                ("POST", "/account/jwts", {}),
                ("GET", "/account", {}),
            ]
            deletion, *answers = site.together(
                [
                    partial(person.call, "DELETE", "/account"),
                    *[partial(person.call, *change) for change in changes],
                ]
            )
            assert deletion.status_code in {204, 401, 403}
            assert set(statuses(answers)) <= {200, 201, 204, 401, 403, 404, 409}
