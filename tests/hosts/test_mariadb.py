"""A site on MariaDB passes the same tests, in a process of its own.

MariaDB folds case, pads with blanks, returns no rows from what it writes and rolls no table back.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.hosts.test_hosts import CORE, assert_passed, run_apart

SERVER = os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306")

# Accounts, sessions, identities, tokens, second factors, lists, limits, the log: what is written
# and compared. How requests are read and answers put does not depend on the database.
PATHS = [
    *CORE,
    *("tests/accounts", "tests/audit", "tests/identities/test_services.py", "tests/mfa"),
    *("tests/selfservice", "tests/sessions", "tests/targets", "tests/tokens"),
    *("tests/core/test_compiled.py", "tests/limits/test_cache.py", "tests/test_migrations.py"),
    *("tests/api/account/test_logs.py", "tests/api/account/test_tokens.py"),
    *("tests/api/test_lookups.py", "tests/api/users/test_identities.py"),
    *("tests/api/users/test_list.py", "tests/api/users/test_users.py"),
]


@pytest.fixture
def empty_mariadb(missing: Callable[[str], None]) -> Iterator[str]:
    """The URL of a database that the tests make; it is gone afterwards."""
    server = urlsplit(SERVER)
    try:
        import MySQLdb

        admin = MySQLdb.connect(
            host=server.hostname,
            port=server.port or 3306,
            user=server.username,
            password=server.password or "",
            connect_timeout=5,
        )
    except ImportError:
        missing("MariaDB (pip install '.[mysql]')")
        raise
    except MySQLdb.OperationalError:
        missing("MariaDB")
        raise
    name = f"hosts_{secrets.token_hex(8)}"
    try:
        yield f"{SERVER}/{name}"
    finally:
        # Django has dropped it, unless its tests were stopped.
        admin.cursor().execute(f"DROP DATABASE IF EXISTS test_{name}")
        admin.close()


def test_mariadb(empty_mariadb: str) -> None:
    assert_passed(run_apart("tests.settings", PATHS, DATABASE_URL=empty_mariadb))
