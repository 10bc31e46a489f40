"""What holds for the whole code: style, types, layers, migrations, the API's description."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

COMMANDS = {
    "style": ["-m", "ruff", "check", "."],
    "format": ["-m", "ruff", "format", "--check", "."],
    "types": ["-m", "mypy"],
    "layers": ["-c", "from importlinter.cli import lint_imports_command as run; run()"],
    "migrations": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "schema": ["-m", "django", "spectacular", "--validate", "--fail-on-warn", "--file", os.devnull],
}


# To the example site as good as unset: container files leave variables so.
EMPTY = dict.fromkeys(("DATABASE_URL", "CACHE_URL", "EMAIL_URL", "SMS_URL"), "")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_code(command: list[str]) -> None:
    settings = "tests.settings" if "spectacular" in command else "example_project.settings"
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **EMPTY, "DJANGO_SETTINGS_MODULE": settings, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_names_every_setting() -> None:
    from django_account.conf import AccountSettings

    readme = (ROOT / "README.md").read_text()
    later = {
        "MOCK_NUMBERS",
        "SMS_BACKEND",
        "SMS_OPTIONS",
    }
    missing = {name for name in AccountSettings.names() if f"`{name}`" not in readme} - later
    assert not missing
