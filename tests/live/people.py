"""People with accounts, and how the apps of each SDK sign them up and in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.client import PASSWORD
from tests.live.sdks import Client


def fresh_email() -> str:
    """An address that nobody has."""
    return f"{uuid4().hex}@example.org"


@dataclass
class Person:
    """Somebody with an account, at one client of an SDK."""

    client: Client
    email: str = ""
    password: str = PASSWORD
    account: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)

    def call(self, method: str, **params: Any) -> Any:
        """Call a method of the person's ``Account`` service."""
        return self.client.call(method, **params)


@dataclass
class Sdk:
    """One SDK: makes clients, and signs people up and in the way its apps do."""

    name: str
    client: Callable[[], Client]
    api_key: str

    @property
    def runs_on_a_server(self) -> bool:
        """Whether its apps read the session's secret with an API key, as they have no cookies."""
        return self.name.startswith(("python", "node"))

    def with_key(self) -> Client:
        """A client of a server."""
        client = self.client()
        client.set("setKey", self.api_key)
        return client

    def with_session(self, secret: str) -> Client:
        """A client that presents a session's secret."""
        client = self.client()
        client.set("setSession", secret)
        return client

    def sign_up(self, **params: Any) -> Person:
        """Somebody new, not signed in."""
        client = self.client()
        email = fresh_email()
        account = client.call(
            "create", userId=client.unique_id(), email=email, password=PASSWORD, **params
        )
        return Person(client, email=email, account=account)

    def sign_in(self, person: Person) -> Person:
        """The same person, signed in at a client of their own."""
        return self._signed_in(
            person, "createEmailPasswordSession", email=person.email, password=person.password
        )

    def sign_in_anonymously(self) -> Person:
        """Somebody with nothing but a session."""
        return self._signed_in(Person(self.client()), "createAnonymousSession")

    def _signed_in(self, person: Person, method: str, **params: Any) -> Person:
        if self.runs_on_a_server:
            session = self.with_key().call(method, **params)
            client = self.with_session(session["secret"])
        else:
            client = self.client()
            session = client.call(method, **params)
        return Person(client, person.email, person.password, person.account, session)
