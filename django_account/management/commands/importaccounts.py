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
from django.db import transaction

from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user, mark_verified
from django_account.administration import allauth
from django_account.administration.imports import Existing, import_record, tidy
from django_account.administration.shapes import SHAPES, Record, recognize
from django_account.exceptions import AccountError, UserAlreadyExists
from django_account.identities.services import import_identity

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
            help="rather than a file: adopt the site's users, with allauth's verified addresses "
            "and sign-ins by providers",
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
        """Adopt the site's users, with what allauth knows of them."""
        tables = allauth.Tables()
        if not tables.holds_people:
            raise CommandError("This database has no table of django-allauth's.")
        self.apps = tables.apps()
        self.links: Counter[str] = Counter()
        self.left: Counter[tuple[str, str]] = Counter()
        # Whose a dry run would have made an address or an identity: the database does not know.
        self.foretold: dict[tuple[str, str], Any] = {}
        for batch in self.everybody():
            found = tables.belongings(batch)
            for user in batch:
                self.import_user(user, found[allauth.plain(user.pk)], dry_run=dry_run)
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{self.links['linked']} sign-ins by providers {would}linked, "
            f"{self.links['there']} there already."
        )
        for (provider, why), rows in sorted(self.left.items()):
            self.stdout.write(
                f"left: {provider}: {rows} rows ({why}); people sign in by e-mail, or link it again"
            )

    def everybody(self) -> Iterator[list[Any]]:
        """The site's users, some at a time."""
        people = users.with_or_without_account().order_by("pk")
        batch = list(people[: self.BATCH])
        while batch:
            yield batch
            batch = list(people.filter(pk__gt=batch[-1].pk)[: self.BATCH])

    def import_user(self, user: Any, belongings: allauth.Belongings, *, dry_run: bool) -> None:
        """Adopt a user, and take over what is theirs; also of those who were adopted before, by
        signing in or by a run that was stopped."""
        account = getattr(user, "django_account", None)
        is_new = account is None
        try:
            with transaction.atomic():
                if account is None:
                    account = adopt_user(user)
                    if dry_run:
                        self.foretell("email", account.email, user.pk)
                        self.foretell("phone", account.phone, user.pk)
                email = account.email or ""
                verifies = not account.email_verified and email in belongings.addresses
                if verifies:
                    mark_verified(account, "email", email)
                told = [
                    self.link(account, sign_in, belongings, dry_run=dry_run)
                    for sign_in in belongings.sign_ins
                ]
                transaction.set_rollback(dry_run)
        except AccountError as error:
            self.outcomes["refused"] += 1
            self.stdout.write(f"user {user.pk}: refused: {error}")
            return
        self.outcomes["created"] += is_new
        self.outcomes["updated"] += verifies
        if is_new and dry_run:
            self.stdout.write(f"user {user.pk}: + {email or '(no address)'}")
        if verifies:
            self.stdout.write(f"user {user.pk}: {email} is verified")
        for line in filter(None, told):
            self.stdout.write(f"user {user.pk}: {line}")

    def link(
        self,
        account: Account,
        sign_in: allauth.SignIn,
        belongings: allauth.Belongings,
        *,
        dry_run: bool,
    ) -> str:
        """Take over a sign-in by a provider.

        Returns:
            what there is to say about it.
        """
        try:
            taken = allauth.take_over(sign_in, belongings.addresses, self.apps)
        except allauth.Left as left:
            self.left[sign_in.provider, str(left)] += 1
            return ""
        try:
            is_new = import_identity(
                account=account, provider=taken.provider, uid=taken.uid, email=taken.email
            )
            if dry_run:
                self.foretell(taken.provider, taken.uid, account.user_id)
        except AccountError as error:
            self.outcomes["refused"] += 1
            return f"refused: {sign_in.provider} {sign_in.uid}: {error}"
        self.links["linked" if is_new else "there"] += 1
        return (
            f"+ {taken.provider} {taken.uid} {taken.email}".rstrip() if is_new and dry_run else ""
        )

    def foretell(self, kind: str, value: str | None, owner: Any) -> None:
        """Note whose something would become.

        Raises:
            UserAlreadyExists: it would be somebody else's by then.
        """
        if value and self.foretold.setdefault((kind, value), owner) != owner:
            raise UserAlreadyExists


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
