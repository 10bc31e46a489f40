"""``manage.py exportaccounts``: everybody, as importaccounts and Appwrite read them."""

from __future__ import annotations

import csv
import json
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from django_account.accounts.models import Account
from django_account.administration.shapes import to_appwrite


class Command(BaseCommand):
    """Reads as it writes, so that any number of people fits."""

    help = "Export all accounts as JSON Lines or CSV, in the shape of Appwrite's Users API."

    CHUNK = 2000

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", help="standard output when left out")
        parser.add_argument("--format", choices=["jsonl", "csv"], default="jsonl")
        parser.add_argument(
            "--passwords",
            action="store_true",
            help="with the hashes of passwords, so that people need no new ones where they move",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.with_user().order_by("pk").iterator(chunk_size=self.CHUNK)
        passwords = options["passwords"]
        if passwords:
            self.stderr.write(
                "The export holds the hashes of passwords, at which whoever reads it can guess: "
                "encrypt it on its way, and delete it when it is imported."
            )
        rows = (to_appwrite(account, passwords=passwords) for account in accounts)
        with ExitStack() as stack:
            file: Any = sys.stdout
            if options["file"]:
                path = Path(options["file"])
                # People's addresses and hashes are for nobody else's eyes.
                path.touch(mode=0o600)
                if path.is_file():
                    # It may have been there, for all to read.
                    path.chmod(0o600)
                file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            if options["format"] == "csv":
                self.write_csv(file, rows, passwords=passwords)
            else:
                for row in rows:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def write_csv(self, file: Any, rows: Any, *, passwords: bool) -> None:
        """Lists and objects are JSON in their columns."""
        columns = [
            *("$id", "name", "email", "phone", "status", "emailVerification", "phoneVerification"),
            *("labels", "prefs", "registration", "passwordUpdate"),
            *(["password", "hash", "hashOptions"] if passwords else []),
        ]
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            for name in ("labels", "prefs", "hashOptions"):
                if name in row:
                    row[name] = json.dumps(row[name], ensure_ascii=False)
            writer.writerow(row)
