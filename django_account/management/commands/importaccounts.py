"""``manage.py importaccounts``: people from another system, with their passwords."""

from __future__ import annotations

import csv
import json
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user, mark_verified
from django_account.administration.imports import Existing, import_record, tidy
from django_account.administration.shapes import SHAPES, Record, recognize
from django_account.exceptions import AccountError

# A column of a CSV file may hold a whole preferences object.
csv.field_size_limit(2**20)


class Command(BaseCommand):
    """Safe to run again, and after it was stopped: who is there is left alone, or updated."""

    help = (
        "Import people from a JSON Lines, JSON or CSV file: the exports of Appwrite, Supabase, "
        "Auth0 and Firebase, or of exportaccounts; or from django-allauth's tables in this site's "
        "database. Passwords are imported as hashes and renewed at the first sign-in."
    )

    BATCH = 500

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", help="*.jsonl, *.json or *.csv")
        parser.add_argument(
            "--allauth",
            action="store_true",
            help="rather than a file: adopt the site's users, with allauth's verified addresses",
        )
        parser.add_argument(
            "--shape", choices=SHAPES, help="whose export it is; recognized when left out"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and do nothing"
        )
        parser.add_argument(
            "--update", action="store_true", help="change accounts that are there and differ"
        )
        parser.add_argument(
            "--skip", type=int, default=0, metavar="N", help="the first N rows were imported before"
        )
        parser.add_argument("--signer-key", help="Firebase: base64_signer_key")
        parser.add_argument("--salt-separator", help="Firebase: base64_salt_separator")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["file"]) == options["allauth"]:
            raise CommandError("Name a file, or say --allauth.")
        self.outcomes: Counter[str] = Counter()
        if options["allauth"]:
            self.import_allauth(dry_run=options["dry_run"])
        else:
            self.import_file(Path(options["file"]), options)
        would, count = "would be " if options["dry_run"] else "", self.outcomes
        self.stdout.write(
            f"{count['created']} {would}created, {count['updated']} {would}updated, "
            f"{count['unchanged']} there already, {count['different']} there and different "
            f"(--update changes them), {count['refused']} refused."
        )
        if count["refused"]:
            raise CommandError("Some rows were refused; mend them and run it again.")

    # --- files ---

    def import_file(self, path: Path, options: dict[str, Any]) -> None:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        progress = Progress(self.stderr, path.stat().st_size)
        rows = enumerate(self.rows(path, progress), start=1)
        wanted = islice(rows, options["skip"], None)
        while batch := list(islice(wanted, self.BATCH)):
            self.import_batch(batch, options)
            progress.show(batch[-1][0])
        progress.end()

    def import_batch(self, batch: Iterable[tuple[int, Any]], options: dict[str, Any]) -> None:
        """Import some rows; of each all or nothing."""
        read: list[tuple[int, Record]] = []
        for number, row in batch:
            try:
                if not isinstance(row, dict):
                    raise CommandError("It is no object.")
                shape = SHAPES[options["shape"] or recognize(row)]
                read.append((number, tidy(shape(row, options))))
            except (AccountError, CommandError, ArithmeticError, ValueError, TypeError) as error:
                self.refuse(number, error)
        existing = Existing(record for _, record in read)
        for number, record in read:
            try:
                outcome = import_record(
                    record, existing, update=options["update"], dry_run=options["dry_run"]
                )
            except AccountError as error:
                self.refuse(number, error)
                continue
            self.outcomes[outcome.did] += 1
            whom = record.account_id or record.email
            if outcome.did == "created" and options["dry_run"]:
                self.stdout.write(f"row {number}: + {whom}")
            for name, (old, new) in outcome.changes.items():
                self.stdout.write(f"row {number}: {whom}: {name}: {old!r} -> {new!r}")

    def refuse(self, number: int, error: Exception) -> None:
        self.outcomes["refused"] += 1
        self.stdout.write(f"row {number}: refused: {error}")

    def rows(self, path: Path, progress: Progress) -> Iterator[Any]:
        """The rows of a file. JSON Lines and CSV are read as they come, JSON as a whole."""
        with path.open("rb") as file:
            # A byte order mark, as spreadsheets write it, is not part of the first row.
            # What is no UTF-8 becomes what no row may hold.
            lines = (
                line.decode("utf-8-sig", "surrogateescape") for line in progress.counting(file)
            )
            if path.suffix == ".csv":
                yield from self.columns(lines)
            elif path.suffix == ".json":
                yield from self.whole("".join(lines))
            else:
                for line in lines:
                    if line.strip():
                        yield self.parsed(line)

    def columns(self, lines: Iterator[str]) -> Iterator[Any]:
        try:
            yield from csv.DictReader(lines)
        except csv.Error as error:
            # Where the next row begins, nobody knows then.
            raise CommandError(f"This is no CSV file to its end: {error}.") from None

    def whole(self, text: str) -> list[Any]:
        """The people of a JSON document: a list, or an object with one."""
        document = self.parsed(text)
        if isinstance(document, dict):
            document = document.get("users")
        if not isinstance(document, list):
            raise CommandError("A JSON file holds a list of people, or an object with `users`.")
        return document

    def parsed(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            # One broken row is refused like any other.
            return None

    # --- django-allauth ---

    def import_allauth(self, *, dry_run: bool) -> None:
        """Adopt the site's users; an address that allauth has verified is verified."""
        if "account_emailaddress" not in connection.introspection.table_names():
            raise CommandError("This database has no table of django-allauth's.")
        quote = connection.ops.quote_name
        table, owner, email, verified = map(
            quote, ("account_emailaddress", "user_id", "email", "verified")
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {owner}, {email} FROM {table} WHERE {verified}")  # noqa: S608
            proven = {(plain(pk), address.lower()) for pk, address in cursor.fetchall()}
        for user in users.without_account().order_by("pk").iterator(chunk_size=self.BATCH):
            try:
                with transaction.atomic():
                    adopt_user(user)
                    transaction.set_rollback(dry_run)
            except AccountError as error:
                self.outcomes["refused"] += 1
                self.stdout.write(f"user {user.pk}: refused: {error}")
                continue
            self.outcomes["created"] += 1
            if dry_run:
                self.stdout.write(f"user {user.pk}: + {users.read_email(user) or '(no address)'}")
        # Also of those who were adopted before, by signing in or by a run that was stopped.
        unproven = Account.objects.filter(email_verified=False, email__isnull=False)
        for account in unproven.order_by("pk").iterator(chunk_size=self.BATCH):
            if (plain(account.user_id), account.email) in proven:
                self.stdout.write(f"{account.public_id}: {account.email} is verified")
                self.outcomes["updated"] += 1
                if not dry_run:
                    mark_verified(account, "email", account.email or "")


def plain(pk: Any) -> str:
    """A primary key as text; UUIDs come without hyphens from some databases."""
    return str(pk).replace("-", "")


class Progress:
    """How far a file has been read, on a terminal.

    Args:
        size: of the file, in bytes.
    """

    WIDTH = 30

    def __init__(self, stream: Any, size: int) -> None:
        self.stream, self.size, self.read = stream, size, 0
        self.begun = time.monotonic()
        self.shown = False

    def counting(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines, counted."""
        for line in lines:
            self.read += len(line)
            yield line

    def show(self, rows: int) -> None:
        """Draw the bar anew."""
        if not sys.stderr.isatty():
            return
        share = self.read / self.size if self.size else 1
        bar = "#" * round(share * self.WIDTH)
        pace = rows / max(time.monotonic() - self.begun, 0.001)
        text = f"\r[{bar:<{self.WIDTH}}] {share:4.0%} {rows} rows, {pace:.0f} a second"
        self.stream.write(text, str, ending="")
        self.shown = True

    def end(self) -> None:
        """Leave the line."""
        if self.shown:
            self.stream.write("", str)
