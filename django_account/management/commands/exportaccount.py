"""``manage.py exportaccount``: everything we hold on one person."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_account.accounts.services import get_account
from django_account.exceptions import UserNotFound
from django_account.exports import export_account


class Command(BaseCommand):
    """Writes as it reads, so that a log of any length fits."""

    help = "Export what is held on one person as JSON (docs/admin.md); no secret is part of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the account's public id ($id)")
        parser.add_argument("file", nargs="?", help="a new file; standard output when left out")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            pieces = export_account(get_account(options["id"]))
        except UserNotFound as error:
            raise CommandError(error.message) from None
        if not options["file"]:
            for piece in pieces:
                self.stdout.write(piece, ending="")
            return
        try:
            # One person's data are for nobody else's eyes.
            opened = os.open(Path(options["file"]), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from None
        with open(opened, "w", encoding="utf-8") as file:
            file.writelines(pieces)
