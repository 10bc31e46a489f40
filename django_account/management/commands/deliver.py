"""``manage.py deliver``: send what waits."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from django_account.notifications.outbox import deliver_due


class Command(BaseCommand):
    """What a process that died left behind, and what waits for another try.

    Several may run side by side: of each message one of them gets hold.
    """

    help = "Send the messages that are due. Run it every minute, or once with --forever."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on until stopped")
        parser.add_argument(
            "--interval", type=float, default=5, metavar="SECONDS", help="between looks (5)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tried = self.round()
        while options["forever"]:
            time.sleep(options["interval"])
            tried = self.round()
        self.stdout.write(f"{tried} messages tried.")

    def round(self) -> int:
        tried = 0
        while batch := deliver_due():
            tried += batch
            self.stderr.write(f"{tried} messages tried so far …")
        return tried
