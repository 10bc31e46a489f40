"""Measure the admin at a million people and ten million log entries.

    .venv/bin/python benchmarks/admin.py

It fills a PostgreSQL database of its own (some 8 GB, dropped at the end), opens each page with
Django's test client, and prints how many statements it takes, how long, and the plans. It fails
when a page reads the whole of a big table. With ``--sqlite`` the same is in a SQLite file.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# In place of this directory, whose "site" would hide Python's.
sys.path[0] = str(ROOT)

from benchmarks.lists import FILL as PEOPLE  # noqa: E402
from benchmarks.log import timed  # noqa: E402
from benchmarks.run import DEFAULT_URL, own_database, say  # noqa: E402

# Who reads more than this part of all people's rows one by one reads a whole table.
TOO_MANY = 0.05

# Of every ten people seven are signed in, three have an identity, and one has had a message.
REST = """
INSERT INTO django_account_session (public_id, account_id, secret_digest, provider, provider_uid,
    factors, ip, user_agent, client, country_code, expires_at, created_at, updated_at,
    sealed_access_token, sealed_refresh_token)
SELECT 's' || n, n, md5(n::text) || md5((n + 1)::text), 'email', '', '["password"]', '192.0.2.1',
    '', '{{}}', 'de', now() + n * interval '30 seconds' - interval '30 days', now(), now(), '', ''
FROM generate_series(1, {n}) n WHERE n % 10 < 7;
INSERT INTO django_account_identity (public_id, account_id, provider, provider_uid, provider_email,
    email_verified, created_at, updated_at, sealed_access_token, sealed_refresh_token)
SELECT 'i' || n, n, (ARRAY['github', 'google', 'apple'])[n % 3 + 1], n::text, '', false, now(),
    now(), repeat('x', 400), repeat('x', 400)
FROM generate_series(1, {n}) n WHERE n % 10 < 3;
INSERT INTO django_account_delivery (account_id, kind, channel, recipient, state, tries, error,
    payload, next_try_at, expires_at, created_at, updated_at)
SELECT n, 'otp-session', 'email', 'person.' || n || '@example.com',
    CASE WHEN n % 10000 = 0 THEN 'failed' ELSE 'sent' END, 1, '', '', now(), now(),
    now() - ({n} - n) * interval '2 seconds', now()
FROM generate_series(1, {n}) n WHERE n % 10 = 0;
UPDATE django_account_account SET mfa_enabled = true WHERE id % 20 = 0;
"""

# All within the 90 days that the overview goes back.
LOG = """
INSERT INTO django_account_logentry (event, error, provider, at, account_pk, user_id, user_email,
    user_phone, user_name, user_type, mode, key_name, actor_id, reason, session_id, ip, user_agent,
    client, country_code)
SELECT CASE WHEN n % 10 = 0 THEN 'user.update' ELSE 'session.create' END,
    CASE WHEN n % 20 = 1 THEN (ARRAY['user_invalid_credentials', 'user_blocked'])[n % 2 + 1]
        ELSE '' END,
    CASE WHEN n % 10 = 0 OR n % 20 = 1 THEN ''
        ELSE (ARRAY['email', 'github', 'google', 'magic-url', 'token'])[n % 5 + 1] END,
    now() - ({entries} - n) * interval '90 days' / {entries}, n % {n} + 1,
    substr(md5((n % {n} + 1)::text), 1, 20), '', '', '', 'user', 'default', '', '', '',
    '', '10.0.' || n % 250 || '.1', '', '[]', 'de'
FROM generate_series({first}::bigint, {last}) n;
"""

# The same, in the words of SQLite.
SQLITE_LOG = """
WITH RECURSIVE numbers(n) AS (
    SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}
)
INSERT INTO django_account_logentry (event, error, provider, at, account_pk, user_id, user_email,
    user_phone, user_name, user_type, mode, key_name, actor_id, reason, session_id, ip, user_agent,
    client, country_code)
SELECT CASE WHEN n % 10 = 0 THEN 'user.update' ELSE 'session.create' END,
    CASE n % 40 WHEN 1 THEN 'user_blocked' WHEN 21 THEN 'user_invalid_credentials' ELSE '' END,
    CASE WHEN n % 10 = 0 OR n % 20 = 1 THEN '' ELSE
        CASE n % 5 WHEN 0 THEN 'email' WHEN 1 THEN 'github' WHEN 2 THEN 'google'
            WHEN 3 THEN 'magic-url' ELSE 'token' END END,
    strftime('%Y-%m-%d %H:%M:%f', 'now',
        printf('-%f seconds', ({entries} - n) * 7776000.0 / {entries})), n % {n} + 1,
    substr(md5(CAST(n % {n} + 1 AS TEXT)), 1, 20), '', '', '', 'user', 'default', '', '', '',
    '', '10.0.' || n % 250 || '.1', '', '[]', 'de'
FROM numbers
"""

STEP = 1_000_000

INDEXES = {
    "postgresql": """
        SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'django_account_%'
        AND indexname NOT IN (SELECT conname FROM pg_constraint)
    """,
    "sqlite": """
        SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''
        AND tbl_name LIKE 'django_account_%'
    """,
}


@contextmanager
def without_indexes() -> Iterator[None]:
    """Filling an index row by row takes much longer than building it: our tables' indexes go and
    come back, but for those of their constraints."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET synchronous_commit = off; SET maintenance_work_mem = '512MB'")
        cursor.execute(INDEXES[connection.vendor])
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for number, (name, definition) in enumerate(indexes, 1):
            say(f"index {number} of {len(indexes)}: {name} …")
            cursor.execute(definition)


def fill_postgres(accounts: int, entries: int) -> None:
    """Fill an empty database."""
    from django.db import connection

    with connection.cursor() as cursor:
        with without_indexes():
            for statement in (PEOPLE + REST).format(n=accounts).split(";"):
                if statement.strip():
                    say(f"{accounts:,} people: {' '.join(statement.split())[:60]} …")
                    cursor.execute(statement)
            for first in range(1, entries + 1, STEP):
                last = min(first + STEP - 1, entries)
                say(f"{last:,} of {entries:,} log entries …")
                cursor.execute(LOG.format(n=accounts, entries=entries, first=first, last=last))
        say("VACUUM ANALYZE …")
        cursor.execute("VACUUM ANALYZE")


def fill_sqlite(accounts: int, entries: int) -> None:
    """The same people, as far as SQLite is asked about them, and the same log."""
    from django.db import connection

    with without_indexes():
        fill_people(accounts)
        with connection.cursor() as cursor:
            for first in range(1, entries + 1, STEP):
                last = min(first + STEP - 1, entries)
                say(f"{last:,} of {entries:,} log entries …")
                cursor.execute(
                    SQLITE_LOG.format(n=accounts, entries=entries, first=first, last=last)
                )


def fill_people(accounts: int) -> None:
    """By the ORM."""
    from hashlib import md5

    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from django_account.accounts.models import Account
    from django_account.sessions.models import Session

    now, users = timezone.now(), get_user_model()
    batch = 20_000
    for first in range(1, accounts + 1, batch):
        numbers = range(first, min(first + batch, accounts + 1))
        digests = {n: md5(str(n).encode()).hexdigest() for n in numbers}
        users.objects.bulk_create(
            users(
                pk=n,
                username=f"u{n}",
                password="!",
                is_active=n % 50 != 0,
                is_staff=n % 10_000 == 7,
            )
            for n in numbers
        )
        Account.objects.bulk_create(
            Account(
                pk=n,
                public_id=digests[n][:20],
                user_id=n,
                name=f"{digests[n][:6]} {digests[n][6:15]}".title(),
                email=f"{digests[n][10:20]}.{n}@mail{n % 97}.example.com",
                email_verified=n % 3 == 0,
                phone=f"+1{4150000000 + n}" if n % 4 == 0 else None,
                labels=["vip"] if n % 1000 == 0 else [],
                mfa_enabled=n % 20 == 0,
                accessed_at=now - timedelta(seconds=n * 7919 % accounts) if n % 3 else None,
                created_at=now - timedelta(seconds=accounts - n),
            )
            for n in numbers
        )
        Session.objects.bulk_create(
            Session(
                public_id=f"s{n}",
                account_id=n,
                secret_digest=digests[n] * 2,
                provider="email",
                expires_at=now + timedelta(days=n % 365 - 30),
            )
            for n in numbers
            if n % 10 < 7
        )
        if numbers.stop % 100_000 <= batch:
            say(f"{numbers.stop - 1:,} people …")


def pages() -> dict[str, str]:
    """The pages that are opened, by what they are."""
    from django_account.accounts.models import Account

    person = Account.objects.filter(phone__isnull=False, name__gt="C").order_by("name").first()
    if person is None:
        raise RuntimeError("nobody is there")
    email = person.email or ""
    people = "/admin/django_account/account/"
    found = {
        "people: the first page": people,
        "people: a page far down": f"{people}?p=50",
        "people: by name": f"{people}?o=1",
        "people: by last request": f"{people}?o=-6",
        "search: an id": f"{people}?q={person.public_id}",
        "search: an address": f"{people}?q={email}",
        "search: a part of one": f"{people}?q={email[:12]}",
        "search: a number": f"{people}?q=%2B{(person.phone or '')[1:]}",
        "search: a name": f"{people}?q={person.name.replace(' ', '+')}",
        "search: a label": f"{people}?q=label:vip",
        "search: nobody": f"{people}?q=qqqqqqqqqq",
    }
    for name, query in filters():
        found[f"filter: {name}"] = f"{people}?{query}"
    for query in ("status=blocked", "kind=staff"):
        found[f"filter: {query}, by name"] = f"{people}?{query}&o=1"
        found[f"filter: {query}, by last request"] = f"{people}?{query}&o=-6"
    found["one account"] = f"{people}{person.pk}/change/"
    for range_ in ("24h", "30d", "90d"):
        found[f"overview: {range_}"] = f"/admin/django_account/tally/?range={range_}"
    return found | {
        "OAuth2 providers": "/admin/django_account/oauth2provider/",
        "deliveries: the first page": "/admin/django_account/delivery/",
        "deliveries: failed": "/admin/django_account/delivery/?state__exact=failed",
        "deliveries: a kind that never was": "/admin/django_account/delivery/?kind=recovery",
        "deliveries: an address": "/admin/django_account/delivery/?q=person.500@example.com",
        "log: the first page": "/admin/django_account/logentry/",
        "log: failures": "/admin/django_account/logentry/?outcome=failed",
        "log: an account id": f"/admin/django_account/logentry/?q={person.public_id}",
    }


def filters() -> Iterator[tuple[str, str]]:
    """Each choice of the list of people: its name and its query."""
    from django.contrib import admin
    from django.test import RequestFactory

    from django_account.accounts.models import Account

    model_admin = admin.site._registry[Account]
    request = RequestFactory().get("/")
    for each in model_admin.get_list_filter(request):
        if isinstance(each, type) and issubclass(each, admin.SimpleListFilter):
            chooser = each(request, {}, Account, model_admin)
            for word, _label in chooser.lookups(request, model_admin):
                yield f"{each.parameter_name} {word}", f"{each.parameter_name}={word}"


@contextmanager
def recorded() -> Iterator[list[tuple[str, Any]]]:
    """The statements that are run meanwhile."""
    from django.db import connection

    statements: list[tuple[str, Any]] = []

    def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        yield statements


def explained(statements: list[tuple[str, Any]]) -> list[tuple[str, str, int]]:
    """How the database finds the answers.

    Returns:
        each SELECT, its plan, and how many rows it read one by one.
    """
    from django.db import connection

    on_postgres = connection.vendor == "postgresql"
    how = "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF)" if on_postgres else "EXPLAIN QUERY PLAN"
    found = []
    with connection.cursor() as cursor:
        for sql, params in statements:
            if sql.startswith("SELECT"):
                cursor.execute(f"{how} {sql}", params)
                plan = "\n".join(str(line[-1]) for line in cursor.fetchall())
                found.append((sql, plan, rows_scanned(plan)))
    return found


def rows_scanned(plan: str) -> int:
    """The rows that sequential scans of a plan have read. One that ends early, because enough was
    found at once, is as good as an index."""
    read, loops, in_scan = 0, 1, False
    for line in plan.splitlines():
        if node := re.search(r"(\w[\w ]*?)(?: using| on|  \().*rows=(\d+) loops=(\d+)\)", line):
            in_scan, loops = "Seq Scan" in node[1], int(node[3])
            read += int(node[2]) * loops if in_scan else 0
        elif in_scan and (removed := re.search(r"Rows Removed by Filter: (\d+)", line)):
            read += int(removed[1]) * loops
    return read


def measure(accounts: int, entries: int, rounds: int, fill: Callable[[int, int], None]) -> bool:
    """Fill, open, print; whether a page reads the whole of a big table."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
    os.environ.setdefault("ALLOWED_HOSTS", "*")
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from django.utils import timezone

    from django_account.audit.tallies import Tally, roll_up

    call_command("migrate", verbosity=0)
    begun = time.perf_counter()
    fill(accounts, entries)
    say(f"filled in {time.perf_counter() - begun:.0f} s")
    staff = Client()
    staff.force_login(
        get_user_model().objects.create_superuser("boss", "boss@example.org", "x", pk=2_000_000_000)
    )

    def opening(path: str) -> Callable[[], None]:
        def ask() -> None:
            response = staff.get(path)
            if response.status_code != 200:
                raise RuntimeError(f"{path}: {response.status_code}")

        return ask

    first = opening("/admin/django_account/tally/?range=90d")
    print(f"the overview's first look, nothing counted: {timed_once(first):.0f} ms")
    begun = time.perf_counter()
    roll_up(since=timezone.now() - Tally.KEPT)
    print(f"counting the rest of 90 days: {time.perf_counter() - begun:.1f} s")
    print(f"tallies: {Tally.objects.count():,}")
    scanning, shown = [], []
    print(f"{'page':40} {'statements':>10} {'median':>12}")
    for name, path in pages().items():
        ask = opening(path)
        with recorded() as statements:
            ask()
        print(f"{name:40} {len(statements):10} {timed(ask, rounds):9.1f} ms", flush=True)
        for sql, plan, rows in explained(statements):
            shown.append(f"{name}\n{sql[:300]}\n{plan}")
            if rows > TOO_MANY * accounts:
                scanning.append(f"{name}: {rows:,} rows\n{sql}\n{plan}")
    print("", *shown, sep="\n\n")
    for each in scanning:
        say(f"PROBLEM: reads a whole table: {each}\n")
    return bool(scanning)


def timed_once(act: Callable[[], Any]) -> float:
    """How long something takes, in milliseconds."""
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def main() -> None:
    """Measure; exit with 1 when a page reads the whole of a big table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=10_000_000, help="of the log")
    parser.add_argument("--rounds", type=int, default=7, help="of each page (default: 7)")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument(
        "--database", default=os.environ.get("DATABASE_URL", DEFAULT_URL), metavar="URL"
    )
    given = parser.parse_args()
    if given.sqlite:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["DATABASE_URL"] = f"sqlite:///{folder}/db.sqlite3"
            measure(given.accounts, given.entries, given.rounds, fill_sqlite)
        return
    with own_database(given.database) as url:
        os.environ["DATABASE_URL"] = url
        try:
            is_scanning = measure(given.accounts, given.entries, given.rounds, fill_postgres)
        finally:
            from django.db import connections

            connections.close_all()
    sys.exit(is_scanning)


if __name__ == "__main__":
    main()
