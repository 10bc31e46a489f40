"""Sites of other shapes pass the same tests, each in a process of its own.

``AUTH_USER_MODEL`` and most of what hosts set is fixed for a process.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

METHODS = ["tests/api/account/test_account.py", "tests/api/account/test_sessions.py"]
CORE = ["tests/hosts/core_suite", *METHODS]
ORDER_OF_CHECKS = ["tests/api/test_pipeline.py", "tests/api/test_errors.py"]
READING = ["tests/api/test_parameters.py", "tests/api/test_documents.py"]

# The one statement that reads the host's user with the session.
LOOKUPS = ["tests/api/test_lookups.py"]

# Lists of people and of their sessions, whose values and ids the host shapes.
SERVERS = ["tests/api/users/test_list.py", "tests/api/users/test_users.py"]
# What is written to the columns of the host's own users.
ACTS = ["tests/administration/test_anonymisation.py", "tests/test_exports.py"]
# What hangs on the user's key, on the clock, and on counts that outlive a refusal.
SECOND_FACTORS = ["tests/api/account/test_mfa.py"]

# What staff do to people, by the addresses and permissions that any theme has.
ADMIN = ["tests/admin/test_accounts_acts.py", "tests/admin/test_accounts_permissions.py"]

# Each passes core_suite and the methods; besides, what it could change.
HOSTS: dict[str, list[str]] = {
    # User models.
    "stock": LOOKUPS,
    "email_user": [*LOOKUPS, *ACTS],
    "uuid_user": [*LOOKUPS, *SECOND_FACTORS, *SERVERS, *ACTS],
    "required_field_user": [*LOOKUPS, *ACTS],
    "phone_user": [*LOOKUPS, *ACTS],
    # Habits.
    "hostile_rest": [*READING, *ORDER_OF_CHECKS],
    "atomic_requests": [*ORDER_OF_CHECKS, *SECOND_FACTORS],
    "naive_time": ["tests/api/test_cookies.py", *SECOND_FACTORS, *SERVERS],
    "login_required": ORDER_OF_CHECKS,
    "german": ORDER_OF_CHECKS,
    # Its admin in another theme.
    "unfold": ADMIN,
}

# What the smallest of them runs is more than this.
LEAST = 300


def run(host: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a host."""
    module = "tests.settings" if host == "stock" else f"tests.hosts.{host}.settings"
    own = Path("tests", "hosts", host, "checks.py")
    paths = [*CORE, *HOSTS[host]]
    if (ROOT / own).exists():
        paths.append(str(own))
    if host == "naive_time":
        paths += ["-p", "tests.hosts.naive_time.clock"]
    return run_apart(module, paths)


def run_apart(
    module: str, arguments: list[str], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process of its own, with other settings than ours.

    Args:
        module: the settings. Unless the environment says otherwise the database is in memory.
        arguments: paths, and options of pytest.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "COV_")) and name not in ("DATABASE_URL", "CACHE_URL")
    }
    command = [sys.executable, "-m", "pytest", "-q", f"--ds={module}", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env={**inherited, "DJANGO_SETTINGS_MODULE": module, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1800,
    )


Runs = dict[str, "Future[subprocess.CompletedProcess[str]]"]


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    """The runs that have been asked for, two at a time."""
    wanted = [item for item in request.session.items if item.path == Path(__file__)]
    with ThreadPoolExecutor(2) as pool:
        # A worker of xdist does not know which tests are its own: it runs them one by one.
        started: Runs = {}
        if "PYTEST_XDIST_WORKER" not in os.environ:
            for item in wanted:
                host = item.callspec.params["host"]  # type: ignore[attr-defined]
                started[host] = pool.submit(run, host)
        yield started
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("host", HOSTS)
def test_host(runs: Runs, host: str) -> None:
    assert_passed(runs[host].result() if host in runs else run(host))


def assert_passed(done: subprocess.CompletedProcess[str]) -> None:
    """Check that a run was no failure, and no run of nothing."""
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout
    assert passed is not None, done.stdout
    assert int(passed[1]) > LEAST, done.stdout
