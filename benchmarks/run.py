"""Measure the account API beside a bare DRF view: ``python benchmarks/run.py``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
# In place of this directory, whose "site" would hide Python's.
sys.path[0] = str(ROOT)

from benchmarks import data, load, plans, server  # noqa: E402

PARTS = ("plans", "look", "sign-in", "argon2")

DEFAULT_URL = "postgres://postgres@127.0.0.1:5432/postgres"


@dataclass(frozen=True)
class Sample:
    """One run of one view.

    Attributes:
        load: what the client saw.
        cpu: processor time of a request, in seconds, server and PostgreSQL together; None where
            the system does not tell.
    """

    load: load.Load
    cpu: float | None

    @property
    def cost(self) -> float:
        """The time a busy server spends on a request, in seconds."""
        return 1 / self.load.rate


def say(message: str) -> None:
    """Tell what is going on."""
    print(message, file=sys.stderr, flush=True)


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="of each run (default: 3)")
    parser.add_argument("--rounds", type=int, default=10, help="of runs in turn (default: 10)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here, too")
    parser.add_argument(
        "--database",
        default=os.environ.get("DATABASE_URL", DEFAULT_URL),
        metavar="URL",
        help=f"a PostgreSQL server; a database is made there and dropped (default: {DEFAULT_URL})",
    )
    parser.add_argument("--accounts", type=int, default=20_000, help="people (default: 20000)")
    parser.add_argument(
        "--sessions",
        type=int,
        default=10,
        help="of each person; with 10, the limit, each sign-in ends one (default: 10)",
    )
    parser.add_argument("--connections", type=int, default=16, help="of the client (default: 16)")
    parser.add_argument("--workers", type=int, default=2, help="of the server (default: 2)")
    parser.add_argument("--threads", type=int, default=4, help="of each worker (default: 4)")
    parser.add_argument(
        "--only",
        choices=PARTS,
        nargs="+",
        default=PARTS,
        help="query plans; GET /v1/account; a sign-in with a hash that costs nothing; a real one",
    )
    return parser.parse_args()


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Make a database of our own at a PostgreSQL server, and drop it in the end.

    Yields:
        its URL.
    """
    import psycopg

    parts = urlsplit(url)
    name = f"account_benchmark_{os.getpid()}"
    with psycopg.connect(url.replace("postgres://", "postgresql://", 1), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield parts._replace(path=f"/{name}").geturl()
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def prepare(url: str, accounts: int, sessions: int) -> None:
    """Set Django up in this process, migrate and fill."""
    import django
    from django.core.management import call_command

    os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.site.settings"
    os.environ["BENCH_HASHER"] = "free"
    django.setup()
    say("migrating ...")
    call_command("migrate", verbosity=0)
    for done in data.fill(accounts, sessions):
        say(f"filling: {done} of {accounts} accounts")


def use_hasher(name: str) -> None:
    """Make one of HASHERS the first, here and in servers to come, and rehash the passwords."""
    from django.conf import settings
    from django.test.utils import override_settings

    os.environ["BENCH_HASHER"] = name
    with override_settings(PASSWORD_HASHERS=[settings.HASHERS[name]]):
        data.set_password()
    settle()


def settle() -> None:
    """Have PostgreSQL do its chores now, not in the middle of a run."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def backends() -> list[int]:
    """PostgreSQL's processes that serve our database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in cursor.fetchall()]


def measure(
    views: list[str], files: dict[str, Path], port: int, arguments: argparse.Namespace
) -> list[dict[str, Sample]]:
    """Run views in turn: A B C, A B C, ...; whatever else the machine does hits all alike.

    Returns:
        a sample of each view for each round.
    """
    address = (server.HOST, port)
    rounds = []
    environment = {"DATABASE_URL": os.environ["DATABASE_URL"]}
    with server.running(port, arguments.workers, arguments.threads, environment) as pid:
        for view in views:
            request = files[view].read_bytes().partition(b"\0")[0]
            status, body = load.answer(address, request)
            if status >= 400:
                raise RuntimeError(f"{view}: {status} {body.decode()}")
            say(f"warming up: {view} ({len(body)} bytes)")
            load.run(address, files[view], 2, arguments.connections, 1)
        for number in range(arguments.rounds):
            samples = {view: sample(view, files[view], address, pid, arguments) for view in views}
            rates = ", ".join(f"{view} {each.load.rate:.0f}/s" for view, each in samples.items())
            say(f"round {number + 1} of {arguments.rounds}: {rates}")
            rounds.append(samples)
    return rounds


def sample(
    view: str, file: Path, address: tuple[str, int], pid: int, arguments: argparse.Namespace
) -> Sample:
    """Run one view once."""
    offset = random.randrange(arguments.accounts)
    before = server.cpu_seconds(pid, backends())
    seen = load.run(address, file, arguments.seconds, arguments.connections, offset)
    server.rest(pid, backends())
    after = server.cpu_seconds(pid, backends())
    if before is None or after is None:
        return Sample(seen, None)
    return Sample(seen, (sum(after) - sum(before)) / seen.requests)


def middle(values: list[float]) -> float:
    """The median, to a sensible precision."""
    return round(statistics.median(values), 4)


def summarize(rounds: list[dict[str, Sample]]) -> dict[str, dict[str, float | None]]:
    """The medians of each view, and its ratios to the bare view of the same round."""
    summary: dict[str, dict[str, float | None]] = {}
    for view in rounds[0]:
        samples = [each[view] for each in rounds]
        pairs = [(each[view], each["bare"]) for each in rounds]
        cpus = [each.cpu for each in samples if each.cpu]
        cpu_ratios = [mine.cpu / bare.cpu for mine, bare in pairs if mine.cpu and bare.cpu]
        summary[view] = {
            "requests_per_second": middle([each.load.rate for each in samples]),
            "ratio": middle([mine.load.rate / bare.load.rate for mine, bare in pairs]),
            "p50_ms": middle([each.load.p50 * 1000 for each in samples]),
            "p95_ms": middle([each.load.p95 * 1000 for each in samples]),
            "cpu_ms": middle([cpu * 1000 for cpu in cpus]) if cpus else None,
            "cpu_times_bare": middle(cpu_ratios) if cpu_ratios else None,
        }
    return summary


def without_hash(rounds: list[dict[str, Sample]]) -> dict[str, float | None]:
    """Take the hash out of a sign-in: what is left, in times of the bare view.

    The hash is what a view that does nothing else takes longer than one that does nothing at all;
    without such views it is free.
    """
    hashes, rests, cpu_hashes, cpu_rests = [], [], [], []
    for each in rounds:
        sign_in, bare = each["sign-in"], each["bare"]
        only_hash, nothing = each.get("hash"), each.get("constant")
        hashing = only_hash.cost - nothing.cost if only_hash and nothing else 0
        hashes.append(hashing)
        rests.append((sign_in.cost - hashing) / bare.cost)
        if sign_in.cpu and bare.cpu:
            hashing = (only_hash.cpu or 0) - (nothing.cpu or 0) if only_hash and nothing else 0
            cpu_hashes.append(hashing)
            cpu_rests.append((sign_in.cpu - hashing) / bare.cpu)
    return {
        "hash_ms": middle([each * 1000 for each in hashes]),
        "rest_times_bare": middle(rests),
        "hash_cpu_ms": middle([each * 1000 for each in cpu_hashes]) if cpu_hashes else None,
        "rest_cpu_times_bare": middle(cpu_rests) if cpu_rests else None,
    }


def in_words(rest: dict[str, float | None]) -> str:
    """What :func:`without_hash` found."""
    text = f"Without its hash a sign-in takes {rest['rest_times_bare']:.2f} x the bare view"
    if rest["rest_cpu_times_bare"] is not None:
        text += f" (processor time: {rest['rest_cpu_times_bare']:.2f} x)"
    if rest["hash_ms"]:
        text += f"; the hash {rest['hash_ms']:.1f} ms of the busy server"
        if rest["hash_cpu_ms"] is not None:
            text += f" (processor time: {rest['hash_cpu_ms']:.1f} ms)"
    return text + "."


def table(summary: dict[str, dict[str, float | None]]) -> str:
    """The figures for people."""
    columns = {
        "requests_per_second": ("req/s", ".0f"),
        "ratio": ("x bare", ".2f"),
        "p50_ms": ("p50 ms", ".2f"),
        "p95_ms": ("p95 ms", ".2f"),
        "cpu_ms": ("CPU ms", ".3f"),
        "cpu_times_bare": ("CPU x bare", ".2f"),
    }
    lines = ["| view | " + " | ".join(title for title, _ in columns.values()) + " |"]
    lines.append("|---|" + "--:|" * len(columns))
    for view, figures in summary.items():
        cells = [
            "" if (value := figures[key]) is None else format(value, form)
            for key, (_, form) in columns.items()
        ]
        lines.append(f"| {view} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def print_plans(found: dict[str, list[dict[str, str]]]) -> None:
    """The statements of each endpoint with their plans."""
    for endpoint, statements in found.items():
        print(f"\n### {endpoint}\n")
        for each in statements:
            text = each["statement"]
            print(text if len(text) <= 300 else f"{text[:120]} ... {text[-170:]}")
            print("".join(f"    {line}\n" for line in each["plan"].splitlines()))
    whole = plans.scans(found)
    verdict = f"whole tables are read by: {'; '.join(whole)}" if whole else "all use indexes"
    print(f"Query plans: {verdict}.\n")


def report(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure, print, and return all figures."""
    port = server.free_port()
    results: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "server": server.server_name(),
        "load": load.generator(),
        "python": platform.python_version(),
        "options": {name: str(value) for name, value in vars(arguments).items() if name != "json"},
    }
    with (
        own_database(arguments.database) as url,
        tempfile.TemporaryDirectory() as directory,
    ):
        prepare(url, arguments.accounts, arguments.sessions)
        files = data.write_requests(Path(directory), arguments.accounts, f"{server.HOST}:{port}")
        if "plans" in arguments.only:
            results["plans"] = plans.collect(0)
            print_plans(results["plans"])
        if "look" in arguments.only:
            rounds = measure(["account", "bare", "constant"], files, port, arguments)
            results["look"] = summarize(rounds)
            print(f"\n## GET /v1/account\n\n{table(results['look'])}\n")
        if "sign-in" in arguments.only:
            use_hasher("free")
            rounds = measure(["sign-in", "bare"], files, port, arguments)
            results["sign_in"] = summarize(rounds)
            results["sign_in_without_hash"] = rest = without_hash(rounds)
            print(f"\n## Sign-in, free hash\n\n{table(results['sign_in'])}\n\n{in_words(rest)}\n")
        if "argon2" in arguments.only:
            use_hasher("argon2")
            # Hashes are slow: with fewer at once, fewer are cut off at the end of a run.
            arguments.connections = min(arguments.connections, 2 * arguments.workers)
            rounds = measure(["sign-in", "bare", "hash", "constant"], files, port, arguments)
            results["argon2"] = summarize(rounds)
            results["argon2_without_hash"] = rest = without_hash(rounds)
            print(f"\n## Sign-in, Argon2id\n\n{table(results['argon2'])}\n\n{in_words(rest)}\n")
        from django.db import connection

        connection.close()
        connection.close_pool()
    return results


def main() -> None:
    """The command."""
    arguments = options()
    begin = time.monotonic()
    results = report(arguments)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    say(f"done in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
