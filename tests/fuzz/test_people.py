"""People sign up, in and out and change things in any order; a plain model says what follows."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.client import ApiClient, assert_error
from tests.fuzz.strategies import EXAMPLES

LIMIT = 3
DURATION = timedelta(days=10)
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

EMAILS = [
    "ada@example.org",
    "ADA@Example.org",
    "bob@example.org",
    "Bob@example.org",
    "c@example.org",
]
PASSWORDS = ["correct horse", "battery staple", "quartz lemon"]

emails = st.sampled_from(EMAILS)
passwords = st.sampled_from(PASSWORDS)


@dataclass(eq=False)
class Person:
    """What is known of an account."""

    id: str
    email: str = ""
    password: str = ""
    is_blocked: bool = False
    sessions: list[Session] = field(default_factory=list)


@dataclass(eq=False)
class Session:
    """What is known of a session; ``client`` holds its credential."""

    client: ApiClient
    person: Person
    id: str
    expires: datetime


class People(RuleBasedStateMachine):
    """The API beside a model of it."""

    sessions = Bundle("sessions")

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.travel = time_machine.travel(START, tick=False)
        self.clock = self.travel.start()
        self.people: list[Person] = []
        self.known: list[Session] = []
        self.ids = (f"person-{number}" for number in itertools.count())

    def teardown(self) -> None:
        self.travel.stop()
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # --- the model ---

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def owner(self, email: str) -> Person | None:
        found = [person for person in self.people if person.email == email.lower()]
        assert len(found) <= 1
        return found[0] if found else None

    def is_live(self, session: Session) -> bool:
        return session in session.person.sessions and session.expires > self.now

    def add(self, client: ApiClient, person: Person, document: dict[str, Any]) -> Session:
        """Note a new session; the oldest beyond the limit is gone."""
        # As a header, which no answer takes away: like somebody who kept the credential.
        client = ApiClient(session=client.credential)
        session = Session(client, person, document["$id"], self.now + DURATION)
        person.sessions = [*person.sessions, session][-LIMIT:]
        self.known.append(session)
        return session

    def refused(self, session: Session, response: Any) -> bool:
        """Whether the state of the session forbids a request; checks that it was refused."""
        if not self.is_live(session):
            assert_error(response, 401, "general_unauthorized_scope")
            return True
        if session.person.is_blocked:
            assert_error(response, 403, "user_blocked")
            return True
        return False

    # --- what people do ---

    @rule(email=emails, password=passwords)
    def sign_up(self, email: str, password: str) -> None:
        account_id = next(self.ids)
        body = {"userId": account_id, "email": email, "password": password}
        response = ApiClient().post("/account", body)
        if self.owner(email):
            assert_error(response, 409, "user_already_exists")
            return
        assert response.status_code == 201, response.content
        assert response.json()["email"] == email.lower()
        self.people.append(Person(account_id, email.lower(), password))

    @rule(target=sessions, email=emails, password=passwords)
    def sign_in(self, email: str, password: str) -> Any:
        client = ApiClient()
        response = client.post("/account/sessions/email", {"email": email, "password": password})
        person = self.owner(email)
        if person is None or person.password != password:
            assert_error(response, 401, "user_invalid_credentials")
            return multiple()
        if person.is_blocked:
            assert_error(response, 403, "user_blocked")
            return multiple()
        assert response.status_code == 201, response.content
        assert response.json()["userId"] == person.id
        return self.add(client, person, response.json())

    @rule(target=sessions)
    def sign_in_as_nobody(self) -> Any:
        client = ApiClient()
        response = client.post("/account/sessions/anonymous")
        assert response.status_code == 201, response.content
        person = Person(response.json()["userId"])
        self.people.append(person)
        return self.add(client, person, response.json())

    @rule(session=sessions)
    def extend(self, session: Session) -> None:
        response = session.client.patch("/account/sessions/current")
        if not self.refused(session, response):
            assert response.status_code == 200, response.content
            session.expires = self.now + DURATION

    @rule(session=sessions, other=sessions)
    def end(self, session: Session, other: Session) -> None:
        """End a session, the own one or another, perhaps somebody else's."""
        response = session.client.delete(f"/account/sessions/{other.id}")
        if self.refused(session, response):
            return
        if other.person is not session.person or not self.is_live(other):
            assert_error(response, 404, "user_session_not_found")
            return
        assert response.status_code == 204, response.content
        session.person.sessions.remove(other)

    @rule(session=sessions, current=st.booleans())
    def end_all(self, session: Session, current: bool) -> None:
        response = session.client.delete("/account/sessions", {"current": current})
        if not self.refused(session, response):
            assert response.status_code == 204, response.content
            session.person.sessions = [] if current else [session]

    @rule(session=sessions, old=passwords, new=passwords)
    def change_password(self, session: Session, old: str, new: str) -> None:
        body = {"password": new, "oldPassword": old}
        response = session.client.patch("/account/password", body)
        if self.refused(session, response):
            return
        person = session.person
        if person.password and person.password != old:
            assert_error(response, 401, "user_invalid_credentials")
            return
        assert response.status_code == 200, response.content
        person.password = new
        person.sessions = [session]

    @rule(session=sessions, email=emails, password=passwords)
    def change_email(self, session: Session, email: str, password: str) -> None:
        body = {"email": email, "password": password}
        response = session.client.patch("/account/email", body)
        if self.refused(session, response):
            return
        person = session.person
        if person.password and person.password != password:
            assert_error(response, 401, "user_invalid_credentials")
        elif self.owner(email):
            assert_error(response, 409, "user_target_already_exists")
        else:
            assert response.status_code == 200, response.content
            person.email = email.lower()
            person.password = password

    @rule(session=sessions)
    def block_oneself(self, session: Session) -> None:
        response = session.client.patch("/account/status")
        if not self.refused(session, response):
            assert response.status_code == 200, response.content
            session.person.is_blocked = True

    @rule(session=consumes(sessions))
    def delete_account(self, session: Session) -> None:
        response = session.client.delete("/account")
        if not self.refused(session, response):
            assert response.status_code == 204, response.content
            session.person.sessions = []
            self.people.remove(session.person)

    @precondition(lambda self: self.known)
    @rule(days=st.sampled_from([1, 4, 10]))
    def wait(self, days: int) -> None:
        self.clock.shift(timedelta(days=days))

    # --- what always holds ---

    @invariant()
    def sessions_are_as_the_model_says(self) -> None:
        for session in self.known:
            person = session.person
            response = session.client.get("/account/sessions")
            if self.refused(session, response):
                continue
            live = [each for each in person.sessions if each.expires > self.now]
            assert response.status_code == 200, response.content
            listed = response.json()["sessions"]
            assert [each["$id"] for each in listed] == [each.id for each in live]
            assert [each["$id"] for each in listed if each["current"]] == [session.id]

    @invariant()
    def accounts_are_as_the_model_says(self) -> None:
        for person in self.people:
            for session in person.sessions[-1:]:
                response = session.client.get("/account")
                if not self.refused(session, response):
                    account = response.json()
                    assert (account["$id"], account["email"]) == (person.id, person.email)
                    assert bool(account["passwordUpdate"]) == bool(person.password)
                    identifiers = [target["identifier"] for target in account["targets"]]
                    assert identifiers == [person.email] * bool(person.email)


@pytest.mark.django_db
def test_people_in_any_order(settings_of_site: None) -> None:
    run_state_machine_as_test(
        People,
        settings=settings(
            max_examples=EXAMPLES or 20,
            stateful_step_count=25,
            derandomize=not EXAMPLES,
            deadline=None,
        ),
    )


@pytest.fixture
def settings_of_site(project: Any) -> None:
    project(SESSION_LIMIT=LIMIT, SESSION_DURATION=DURATION)
