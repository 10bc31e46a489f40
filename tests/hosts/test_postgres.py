"""A site on PostgreSQL passes the tests that mean it alone, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.hosts.test_hosts import run_apart
from tests.races.conftest import empty_postgres


@pytest.mark.postgres
def test_postgres(missing: Callable[[str], None]) -> None:
    with empty_postgres(missing) as url:
        done = run_apart("tests.settings", ["tests/hosts/postgres/checks.py"], DATABASE_URL=url)
    assert done.returncode == 0, done.stdout
