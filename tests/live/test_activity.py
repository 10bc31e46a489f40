"""What happened to an account, as the SDKs show it; and the e-mail that tells of a new session."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.live.people import Person, Sdk
from tests.live.sdks import JavaScriptClient, refused, sdks
from tests.live.server import Server
from tests.live.sink import MailSink

pytestmark = pytest.mark.live

KEYS = re.findall(
    r"\w+",
    """
    event userId userEmail userName mode userType ip time osCode osName osVersion clientType
    clientCode clientName clientVersion clientEngine clientEngineVersion deviceName deviceBrand
    deviceModel countryCode countryName
    """,
)

# The Python SDK has no such method any more.
everywhere = sdks("web", "node", "chromium", "web-positional", "node-positional")


@pytest.fixture(scope="module")
def post() -> Iterator[MailSink]:
    """A mail server."""
    mail = MailSink()
    with mail.running():
        yield mail


@pytest.fixture(scope="module")
def server(post: MailSink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example site with alerts switched on."""
    server = Server(tmp_path_factory.mktemp("activity"))
    given = json.loads(server.environment["ACCOUNT_SETTINGS"])
    server.environment |= {
        "EMAIL_URL": post.url,
        "ACCOUNT_SETTINGS": json.dumps({**given, "SESSION_ALERTS": True}),
    }
    with server.running():
        yield server


@pytest.fixture(scope="module")
def api_key(server: Server) -> str:
    """A key of this site that may create sessions."""
    output = server.manage("createapikey", "--name", "live", "--scopes", "sessions.write")
    return output.splitlines()[-1]


def queries(person: Person, **values: int) -> list[str]:
    """``[Query.limit(5), …]`` of the person's SDK."""
    client = person.client
    assert isinstance(client, JavaScriptClient)
    return [client.query(method, value) for method, value in values.items()]


@everywhere
class TestListLogs:
    """account.listLogs"""

    def test_newest_first(self, ada: Person) -> None:
        ada.call("updateName", name="Countess")
        listed = ada.call("listLogs")
        assert listed["total"] == 3
        assert [log["event"] for log in listed["logs"]] == [
            "user.update",
            "session.create",
            "user.create",
        ]
        times = [datetime.fromisoformat(log["time"]) for log in listed["logs"]]
        assert times == sorted(times, reverse=True)

    def test_an_entry(self, sdk: Sdk, ada: Person) -> None:
        entry = ada.call("listLogs")["logs"][0]
        assert list(entry) == KEYS
        assert all(isinstance(value, str) for value in entry.values())
        assert (entry["userId"], entry["userEmail"]) == (ada.account["$id"], ada.email)
        assert (entry["mode"], entry["ip"]) == ("default", "127.0.0.1")
        assert entry["userType"] == ("keyProject" if sdk.runs_on_a_server else "user")
        assert {key: value for key, value in ada.session.items() if key in KEYS[8:]} == {
            key: entry[key] for key in KEYS[8:]
        }

    def test_limit_and_offset(self, ada: Person) -> None:
        for number in range(4):
            ada.call("updateName", name=f"Ada {number}")
        everything = ada.call("listLogs")["logs"]
        page = ada.call("listLogs", queries=queries(ada, limit=2))
        assert (page["total"], page["logs"]) == (6, everything[:2])
        page = ada.call("listLogs", queries=queries(ada, limit=2, offset=3))
        assert (page["total"], page["logs"]) == (6, everything[3:5])
        page = ada.call("listLogs", queries=queries(ada, offset=4))
        assert page["logs"] == everything[4:]

    def test_without_total(self, ada: Person) -> None:
        listed = ada.call("listLogs", queries=[], total=False)
        assert (listed["total"], len(listed["logs"])) == (0, 2)

    def test_other_queries(self, ada: Person) -> None:
        client: Any = ada.client
        for query in (client.query("orderDesc", "time"), client.query("equal", "event", ["x"])):
            with refused(400, "general_argument_invalid"):
                ada.call("listLogs", queries=[query])

    def test_failures_are_shown_to_whom_they_were_aimed_at(self, sdk: Sdk, ada: Person) -> None:
        with refused(401, "user_invalid_credentials"):
            sdk.client().call("createEmailPasswordSession", email=ada.email, password="wrong horse")
        entry = ada.call("listLogs")["logs"][0]
        assert (entry["event"], entry["userType"]) == ("session.create.failed", "guest")

    def test_names_of_countries_follow_the_locale(self, ada: Person) -> None:
        ada.client.set("setLocale", "de")
        assert ada.call("listLogs")["logs"][0]["countryName"] == "Unbekannt"

    def test_guest(self, sdk: Sdk) -> None:
        with refused(401, "general_unauthorized_scope"):
            sdk.client().call("listLogs")


@sdks("web", "node")
class TestSessionAlert:
    def test_comes_with_the_second_session(self, sdk: Sdk, ada: Person, post: MailSink) -> None:
        assert post.all_to(ada.email) == []
        sdk.sign_in(ada)
        message = post.to(ada.email)
        assert message.subject == "Security alert: new session on demo"
        assert "127.0.0.1" in message.text
        sdk.sign_in(ada)
        assert post.to(ada.email, 2).subject == message.subject
