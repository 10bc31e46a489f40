"""The benchmarks run: on so few rows that nothing is measured, so that they do not rot unseen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.races.conftest import empty_postgres

ROOT = Path(__file__).resolve().parents[1]

FEW = [
    # The list is opened at its 50th page.
    ["admin.py", "--accounts", "2600", "--entries", "100", "--rounds", "1"],
    ["log.py", "--entries", "100", "--rounds", "1"],
    ["lists.py", "--accounts", "200", "--rounds", "1"],
]


@pytest.mark.postgres
@pytest.mark.parametrize("arguments", FEW, ids=lambda arguments: arguments[0])
def test_benchmark_runs(arguments: list[str], missing: Callable[[str], None]) -> None:
    with empty_postgres(missing) as url:
        done = subprocess.run(
            [sys.executable, str(ROOT / "benchmarks" / arguments[0]), *arguments[1:]],
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
    assert "Traceback" not in done.stdout, done.stdout
    # It may find fault: of few rows a plan reads all, and a page takes twice as long as another.
    assert done.returncode in (0, 1), done.stdout
