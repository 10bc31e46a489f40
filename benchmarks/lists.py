"""How long a page of a list of a million people takes, wherever it is, and a search in them.

    .venv/bin/python benchmarks/lists.py

It makes a PostgreSQL database of its own and drops it in the end. It fails when a page by cursor
takes 1.5 times as long as the first, or a search does without an index.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
# In place of this directory, whose "site" would hide Python's.
sys.path[0] = str(ROOT)

from benchmarks.run import DEFAULT_URL, own_database, say  # noqa: E402

WORST_RATIO = 1.5

# Names, addresses, dates and flags as various as people's are; a third was never active.
FILL = """
INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email,
                       is_staff, is_active, date_joined)
SELECT n, '!', false, 'u' || n, '', '', '', n % 10000 = 7, n % 50 <> 0, now()
FROM generate_series(1, {n}) n;
INSERT INTO django_account_account (id, public_id, user_id, name, email, email_verified, phone,
    phone_verified, labels, prefs, mfa_enabled, totp_verified, impersonator,
    password_changed_at, imported_hash, password_history, password_reset_required, registered_at,
    accessed_at, created_at, updated_at)
SELECT n, substr(md5(n::text), 1, 20), n,
    initcap(substr(md5((n % 5000)::text), 1, 6)) || ' ' ||
    initcap(substr(md5((n * 7)::text), 1, 9)),
    substr(md5((n * 3)::text), 1, 10) || '.' || n || '@mail' || n % 97 || '.example.com', n % 3 = 0,
    CASE WHEN n % 4 = 0 THEN '+1' || (4150000000 + n) END, false,
    CASE WHEN n % 1000 = 0 THEN '["vip"]' ELSE '[]' END::jsonb, '{{}}', false, false,
    n % 100000 = 0, now(), '', '[]', false, now() - n * interval '1 minute',
    CASE WHEN n % 3 <> 0 THEN now() - (n * 7919::bigint % {n}) * interval '1 second' END,
    now() - ({n} - n) * interval '1 second', now()
FROM generate_series(1, {n}) n;
INSERT INTO django_account_target (public_id, account_id, provider_type, identifier, name, expired,
                                   created_at, updated_at)
SELECT 't' || id, id, 'email', email, '', false, now(), now() FROM django_account_account;
ANALYZE auth_user; ANALYZE django_account_account; ANALYZE django_account_target;
"""

Query = dict[str, Any]

ORDERS: dict[str, list[Query]] = {
    "creation": [],
    "name": [{"method": "orderAsc", "attribute": "name"}],
    "name, descending": [{"method": "orderDesc", "attribute": "name"}],
    "email": [{"method": "orderAsc", "attribute": "email"}],
    "registration": [{"method": "orderDesc", "attribute": "registration"}],
    "accessedAt, those that have one": [
        {"method": "isNotNull", "attribute": "accessedAt"},
        {"method": "orderDesc", "attribute": "accessedAt"},
    ],
    "emailVerification": [{"method": "orderAsc", "attribute": "emailVerification"}],
    "verified, by name": [
        {"method": "equal", "attribute": "emailVerification", "values": [True]},
        {"method": "orderAsc", "attribute": "name"},
    ],
}

SEARCHES = {
    "a whole address": "{email}",
    "a part of an address": "{part}",
    "a name": "{name}",
    "an id": "{id}",
    "nobody": "qqqqqqqqqq",
}


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=25, help="of each page (default: 25)")
    parser.add_argument(
        "--database", default=os.environ.get("DATABASE_URL", DEFAULT_URL), metavar="URL"
    )
    given = parser.parse_args()
    with own_database(given.database) as url:
        os.environ["DATABASE_URL"] = url
        try:
            problems = measure(given.accounts, given.rounds)
        finally:
            from django.db import connections

            connections.close_all()
    for problem in problems:
        print(f"PROBLEM: {problem}")
    sys.exit(bool(problems))


def measure(accounts: int, rounds: int) -> list[str]:
    """Fill the database, ask, and say what is too slow."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
    os.environ.setdefault("ALLOWED_HOSTS", "*")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    say(f"{accounts:,} people …")
    with connection.cursor() as cursor:
        for statement in FILL.format(n=accounts).split(";"):
            if statement.strip():
                cursor.execute(statement)
    return [*measure_pages(accounts, rounds), *measure_searches(accounts)]


def asker() -> Callable[[str, list[Query]], tuple[float, dict[str, Any]]]:
    """A function that asks for the list and tells how long it took, and the answer."""
    from django.test import Client

    from django_account.api_keys.services import create_api_key

    key = create_api_key(name="benchmark", scopes=["users.read"]).secret
    client = Client(headers={"X-Appwrite-Project": "demo", "X-Appwrite-Key": key})

    def ask(search: str, queries: list[Query]) -> tuple[float, dict[str, Any]]:
        pairs = [(f"queries[{n}]", json.dumps(query)) for n, query in enumerate(queries)]
        if search:
            pairs.append(("search", search))
        path = f"/v1/users?{urlencode(pairs)}"
        begun = time.perf_counter()
        response = client.get(path)
        took = time.perf_counter() - begun
        if response.status_code != 200:
            raise RuntimeError(response.content.decode())
        return took, response.json()

    return ask


def measure_pages(accounts: int, rounds: int) -> list[str]:
    """The first page and pages further on, by turns, in every order."""
    from django_account.accounts.models import Account

    ask, problems = asker(), []
    depths = (0, 0.1, 0.5, 0.9, 0.999)
    print(
        f"{'order':34}" + "".join(f"{depth:>12.1%}" for depth in depths) + "   ms, and worst/first"
    )
    for label, order in ORDERS.items():
        pages = [order]
        for depth in depths[1:]:
            pages.append([*order, {"method": "cursorAfter", "values": [at(order, depth)]}])
        times: list[list[float]] = [[] for _ in pages]
        for _ in range(rounds):
            for number, queries in enumerate(pages):
                times[number].append(ask("", queries)[0])
        best = [1000 * statistics.median(each) for each in times]
        ratio = max(best[1:]) / best[0]
        print(f"{label:34}" + "".join(f"{each:12.2f}" for each in best) + f"   {ratio:.2f}")
        if ratio >= WORST_RATIO:
            problems.append(f"by {label} a later page takes {ratio:.2f} times the first")
    assert Account.objects.count() == accounts
    return problems


def at(order: list[Query], depth: float) -> str:
    """The id of the person at a depth of a list."""
    from django_account.accounts.models import Account
    from django_account.api.queries import QueriesParam
    from django_account.api.serializers.user import USERS

    queries = QueriesParam(USERS).run_validation([json.dumps(query) for query in order])
    left = Account.objects.filter(queries.filters)
    queries.offset, queries.limit = int(left.count() * depth), 1
    return queries.answer(Account.objects.all(), count=False)[0][0].public_id


def measure_searches(accounts: int) -> list[str]:
    """Searches, and whether each runs on an index, where the table is too large to be read."""
    from django_account.accounts.models import Account
    from django_account.accounts.search import SEARCHED, search_condition

    ask, problems = asker(), []
    person = Account.objects.get(pk=Account.objects.count() // 2)
    words = {
        "email": person.email,
        "part": (person.email or "")[:12],
        "name": person.name,
        "id": person.public_id,
    }
    for label, text in SEARCHES.items():
        search = text.format(**words)
        taken = [ask(search, [])[0] for _ in range(5)]
        total = ask(search, [])[1]["total"]
        plan = (
            Account.objects.filter(search_condition(search, SEARCHED))
            .order_by()
            .values_list("pk")[:5000]
        )
        on_index = "account_search_" in plan.explain()
        print(f"search for {label:24}{1000 * statistics.median(taken):10.2f} ms, {total} found")
        if not on_index and accounts >= 200_000:
            problems.append(f"a search for {label} does without an index")
    return problems


if __name__ == "__main__":
    main()
