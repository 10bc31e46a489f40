"""Measure the activity log at ten million entries: ``python benchmarks/log.py``.

It fills a PostgreSQL database of its own (some 7 GB, dropped at the end), first with a thousandth
of the entries and then with all of them, and prints how long each question takes then and now, and
by which plan. It fails when a question reads the whole table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# In place of this directory, whose "site" would hide Python's.
sys.path[0] = str(ROOT)

from benchmarks.data import PASSWORD, USER_AGENT  # noqa: E402
from benchmarks.run import DEFAULT_URL, own_database, say  # noqa: E402

# Entries of an ordinary person, and of one whose account is used by a script.
ORDINARY, BUSY = 50, 100_000

FILL = """
INSERT INTO django_account_logentry (event, error, at, account_pk, user_id, user_email, user_phone,
    user_name, user_type, mode, key_name, session_id, ip, user_agent, client, country_code,
    provider, actor_id, reason)
SELECT CASE WHEN n %% 1000 = 0 THEN 'user.create' WHEN n %% 10 = 0 THEN 'user.update'
        ELSE 'session.create' END,
    CASE WHEN n %% 20 = 1 THEN 'user_invalid_credentials' ELSE '' END,
    now() - (%(count)s - n) * interval '3 seconds',
    1000000 + person, 'person-' || person, 'person.' || person || '@mail.example.com', '',
    'Person ' || person, 'user', 'default', '', md5(n::text)::char(20),
    '10.' || n %% 250 || '.' || n / 250 %% 250 || '.' || n / 62500 %% 250,
    %(agent)s, %(client)s, 'de', '', '', ''
FROM (
    SELECT n, n %% 200000 AS person FROM generate_series(%(first)s::bigint, %(count)s) AS n
) AS numbers
"""

# The same for one account, all through the time of the others.
OF_ONE = """
INSERT INTO django_account_logentry (event, error, at, account_pk, user_id, user_email, user_phone,
    user_name, user_type, mode, key_name, session_id, ip, user_agent, client, country_code,
    provider, actor_id, reason)
SELECT 'session.create', '', now(), %(pk)s, %(id)s, %(email)s, '', 'Ada', 'user', 'default', '', '',
    '192.0.2.1', %(agent)s, %(client)s, 'de', '', '', ''
FROM generate_series(1, %(count)s)
"""


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000, help="(default: 10000000)")
    parser.add_argument("--rounds", type=int, default=30, help="of each question (default: 30)")
    parser.add_argument(
        "--database",
        default=os.environ.get("DATABASE_URL", DEFAULT_URL),
        metavar="URL",
        help=f"a PostgreSQL server; a database is made there and dropped (default: {DEFAULT_URL})",
    )
    return parser.parse_args()


def fill(first: int, count: int, people: list[Any]) -> None:
    """Make the log ``count`` entries long, of which ``first - 1`` are there."""
    from django.db import connection

    from django_account.audit.models import LogEntry
    from django_account.core.clients import parse_user_agent

    say(f"Filling up to {count:,} entries …")
    client = {
        "agent": USER_AGENT,
        "client": connection.ops.adapt_json_value(parse_user_agent(USER_AGENT).as_list(), None),
    }
    indexes = LogEntry._meta.indexes
    with connection.cursor() as cursor:
        # Filling an index entry by entry takes longer than building it.
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.remove_index(LogEntry, index)
        cursor.execute(FILL, {"first": first, "count": count, **client})
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.add_index(LogEntry, index)
        for account, entries in people:
            values = {"pk": account.pk, "id": account.public_id, "email": account.email}
            cursor.execute(OF_ONE, {**values, "count": entries, **client})
        cursor.execute("VACUUM (ANALYZE) django_account_logentry")


def questions(ada: Any, busy: Any) -> dict[str, Callable[[], Any]]:
    """What is asked of the log, by name."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from django_account.audit.models import LogEntry

    boss = get_user_model().objects.create_superuser("boss", "boss@example.org", "x")
    staff = Client()
    staff.force_login(boss)
    page = "/admin/django_account/logentry/"

    def answer(client: Client, path: str) -> Callable[[], None]:
        def ask() -> None:
            response = client.get(path)
            if response.status_code != 200:
                raise RuntimeError(f"{path}: {response.status_code}")

        return ask

    def write() -> None:
        LogEntry(event="user.update", user_type="user", user_id="x", ip="192.0.2.7").save()

    return {
        "list: 25 of 50": answer(ada, "/v1/account/logs"),
        "list: 25 of 100 000": answer(busy, "/v1/account/logs"),
        "list: 25 behind 50 000": answer(
            busy, '/v1/account/logs?queries[0]={"method":"offset","values":[50000]}&total=false'
        ),
        "admin: first page": answer(staff, page),
        "admin: by account id": answer(staff, f"{page}?q=person-77"),
        "admin: by e-mail": answer(staff, f"{page}?q=person.77@mail.example.com"),
        "admin: by IP address": answer(staff, f"{page}?q=10.7.7.7"),
        "admin: failures": answer(staff, f"{page}?outcome=failed"),
        "admin: a rare event": answer(staff, f"{page}?event=user.create"),
        "admin: an event that never was": answer(staff, f"{page}?event=identity.delete"),
        "write": write,
    }


def timed(ask: Callable[[], Any], rounds: int) -> float:
    """The median time of a question, in milliseconds."""
    ask()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


@contextmanager
def recorded() -> Iterator[list[tuple[str, Any]]]:
    """The statements on the log that are run meanwhile."""
    from django.db import connection

    statements: list[tuple[str, Any]] = []

    def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "logentry" in sql and sql.startswith("SELECT"):
            statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        yield statements


def plans(ask: Callable[[], Any]) -> list[str]:
    """How PostgreSQL finds the answer."""
    from django.db import connection

    with recorded() as statements:
        ask()
    found = []
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(f"EXPLAIN (COSTS OFF) {sql}", params)
            found.append("\n".join(line for (line,) in cursor.fetchall()))
    return found


def sign_ins(rounds: int) -> dict[str, float]:
    """What a sign-in takes with the log and without, by turns, in milliseconds."""
    import json

    from django.test import Client

    from django_account import signals
    from django_account.audit import receivers

    body = json.dumps({"email": "ada@example.org", "password": PASSWORD})

    def sign_in() -> None:
        response = Client().post(
            "/v1/account/sessions/email", body, content_type="application/json"
        )
        if response.status_code != 201:
            raise RuntimeError(response.content.decode())

    times: dict[str, list[float]] = {"with": [], "without": []}
    uid = "django_account.audit.acted"
    for _ in range(rounds * 5):
        times["with"].append(timed_once(sign_in))
        signals.acted.disconnect(dispatch_uid=uid)
        times["without"].append(timed_once(sign_in))
        signals.acted.connect(receivers.acted, dispatch_uid=uid)
    return {name: statistics.median(each) for name, each in times.items()}


def timed_once(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def purge() -> float:
    """How long one batch of the retention takes, in milliseconds."""
    from datetime import timedelta

    from django.conf import settings

    from django_account.audit.models import LogEntry
    from django_account.management.commands.clearaccounts import Command

    settings.DJANGO_ACCOUNT["LOG_RETENTION"] = timedelta(seconds=1)
    started = time.perf_counter()
    batch = list(LogEntry.objects.old().values_list("pk", flat=True)[: Command.BATCH])
    LogEntry.objects.filter(pk__in=batch).purge()
    return (time.perf_counter() - started) * 1000


def person(email: str) -> tuple[Any, Any]:
    """An account, and a client that is signed in to it."""
    from django.test import Client

    from django_account.accounts.services import create_account
    from django_account.core.clients import ClientInfo
    from django_account.sessions.services import create_session

    account = create_account(email=email, password=PASSWORD, name="Ada")
    issued = create_session(
        account=account, provider="email", factors=["password"], client=ClientInfo()
    )
    return account, Client(headers={"X-Appwrite-Session": issued.credential})


def measure(entries: int, rounds: int) -> list[str]:
    """Fill and ask; the questions that read the whole table."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
    os.environ.setdefault("BENCH_HASHER", "free")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    (ada, ada_client), (busy, busy_client) = person("ada@example.org"), person("busy@example.org")
    asked = questions(ada_client, busy_client)
    few = entries // 1000
    fill(1, few, [(ada, ORDINARY), (busy, BUSY)])
    before = {name: timed(ask, rounds) for name, ask in asked.items()}
    fill(few + 1, entries, [])
    print(f"{'':32} {few:>12,} {entries:>12,}  times")
    for name, ask in asked.items():
        now = timed(ask, rounds)
        print(f"{name:32} {before[name]:9.2f} ms {now:9.2f} ms {now / before[name]:6.1f}")
    scanning, shown = [], []
    for name, ask in asked.items():
        for plan in plans(ask):
            shown.append(f"{name}\n{plan}")
            if "Seq Scan" in plan:
                scanning.append(name)
    for name, took in sign_ins(rounds).items():
        print(f"{f'sign-in {name} the log':32} {'':12} {took:9.2f} ms")
    print(f"{'purge of 5000':32} {'':12} {purge():9.2f} ms")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_size_pretty(pg_table_size(c)), pg_size_pretty(pg_indexes_size(c)) "
            "FROM (SELECT 'django_account_logentry'::regclass AS c) AS log"
        )
        print("table {}, indexes {}".format(*cursor.fetchone()))
    print("", *shown, sep="\n\n")
    return scanning


def main() -> None:
    """Measure; exit with 1 when a question reads the whole table."""
    given = options()
    with own_database(given.database) as url:
        os.environ["DATABASE_URL"] = url
        try:
            scanning = measure(given.entries, given.rounds)
        finally:
            from django.db import connections

            connections.close_all()
    if scanning:
        say(f"Reads the whole table: {', '.join(scanning)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
