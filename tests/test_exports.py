"""Everything we hold on one person, and nothing that works."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.audit.models import LogEntry
from django_account.exports import export_account
from tests.administration.people import EMAIL, NAME, PHONE, somebody

pytestmark = pytest.mark.django_db(transaction=True)


def exported(account: Account) -> dict[str, Any]:
    document: dict[str, Any] = json.loads("".join(export_account(account)))
    return document


@contextmanager
def receiver(answer: Any) -> Iterator[None]:
    """A site with something of its own to say."""

    def tell(**kwargs: Any) -> Any:
        return answer

    signals.personal_data_requested.connect(tell)
    yield
    signals.personal_data_requested.disconnect(tell)


class TestExportAccount:
    def test_no_secret(self) -> None:
        account, planted = somebody()
        text = "".join(export_account(account))
        assert {name for name, secret in planted.items() if secret in text} == set()

    def test_everything_else(self) -> None:
        account, _ = somebody()
        found = exported(account)
        assert found["version"] == 1
        assert found["account"]["$id"] == account.public_id
        assert (found["account"]["email"], found["account"]["phone"]) == (EMAIL, PHONE)
        assert found["account"]["prefs"] == {"colour": "teal"}
        assert found["user"]["id"] == str(account.user.pk)
        (session,) = found["sessions"]
        assert (session["provider"], session["ip"]) == ("github", "192.0.2.1")
        assert session["userAgent"].startswith("curl/8.0")
        kinds = [target["providerType"] for target in found["targets"]]
        assert sorted(kinds) == ["email", "push", "sms"]
        assert found["identities"][0]["providerEmail"] == "ada@github.test"
        assert len(found["authenticators"]) == len(found["recoveryCodes"]) == 1
        assert [token["kind"] for token in found["tokens"]] == ["recovery", "email-code"]
        assert found["challenges"][0]["factor"] == "custom"
        assert found["deliveries"][0]["recipient"] == EMAIL
        assert {entry["event"] for entry in found["logs"]} >= {"session.create", "user.create"}
        assert NAME in {entry["userName"] for entry in found["logs"]}

    def test_the_shape_of_its_version(self) -> None:
        """Whoever reads it relies on these; more of them is a new version."""
        account, _ = somebody()
        found = exported(account)
        lists = {
            name: sorted(rows[0]) for name, rows in found.items() if isinstance(rows, list) and rows
        }
        shape = Path(__file__).parent / "administration" / "export.json"
        assert {
            "document": list(found),
            "account": sorted(found["account"]),
            "user": sorted(found["user"]),
            **lists,
        } == json.loads(shape.read_text())

    def test_somebody_of_whom_there_is_nothing(self) -> None:
        found = exported(create_account())
        assert found["sessions"] == found["deliveries"] == []
        assert len(found["logs"]) == 1

    def test_nothing_of_anybody_else(self) -> None:
        somebody()
        other = create_account(email="eve@example.org", name="Eve")
        text = "".join(export_account(other))
        assert "Eve" in text
        for trace in (EMAIL, PHONE, NAME, "ada@github.test"):
            assert trace not in text

    def test_the_log_is_read_as_it_is_written(self) -> None:
        account, _ = somebody()
        before = len(exported(account)["logs"])
        rows = [
            LogEntry(
                event="user.update", account_pk=account.pk, user_id=account.public_id, user_type="x"
            )
            for _ in range(1200)
        ]
        LogEntry.objects.bulk_create(rows)
        pieces = export_account(account)
        longest = max(map(len, pieces))
        assert longest < 2000
        assert len(exported(account)["logs"]) == before + 1200

    def test_the_site_has_its_say(self) -> None:
        with receiver({"orders": [{"number": 7}]}), receiver(None):
            assert exported(create_account())["site"] == {"orders": [{"number": 7}]}

    @pytest.mark.parametrize("answer", [["orders"], {"orders": object()}])
    def test_a_site_that_says_what_is_no_json(self, answer: Any) -> None:
        """An error, before the first piece."""
        with receiver(answer), pytest.raises(TypeError):
            next(export_account(create_account()))


class TestCommand:
    def test_to_standard_output(self) -> None:
        account, _ = somebody()
        out = StringIO()
        call_command("exportaccount", account.public_id, stdout=out)
        assert json.loads(out.getvalue())["account"]["email"] == EMAIL

    def test_to_a_file_for_nobody_else(self, tmp_path: Path) -> None:
        account, _ = somebody()
        path = tmp_path / "ada.json"
        call_command("exportaccount", account.public_id, str(path))
        assert json.loads(path.read_text())["account"]["email"] == EMAIL
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_overwrites_nothing(self, tmp_path: Path) -> None:
        account, _ = somebody()
        path = tmp_path / "ada.json"
        path.write_text("mine")
        with pytest.raises(CommandError, match=r"ada\.json"):
            call_command("exportaccount", account.public_id, str(path))
        assert path.read_text() == "mine"

    def test_nobody(self) -> None:
        with pytest.raises(CommandError, match="no such account"):
            call_command("exportaccount", "nobody")
