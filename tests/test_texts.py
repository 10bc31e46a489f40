"""Texts that are marked where they stand and translated where they are shown."""

from __future__ import annotations

import subprocess
import sys


def test_a_sites_settings_may_import_what_is_marked() -> None:
    """The settings name FOREIGN_HASHERS: nothing behind them reads settings that are half there."""
    code = (
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'nowhere'; "
        "import django_account.accounts.hashers, django_account.exceptions, "
        "django_account.core.labels, django_account.core.json_values"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
