"""``manage.py adoptusers``: accounts for the users that existed before."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count
from django.db.models.functions import Lower

from django_account.accounts import users
from django_account.accounts.services import adopt_user
from django_account.exceptions import UserAlreadyExists


class Command(BaseCommand):
    """Safe to run again: a user that has an account keeps it."""

    help = (
        "Make accounts for users that existed before the app was installed. Addresses that several "
        "users share, and users without one, are reported and left alone."
    )

    PROGRESS = 1000

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="report what would be done, and do nothing"
        )
        parser.add_argument(
            "--without-email",
            action="store_true",
            help="also adopt users without a usable address; they cannot sign in by e-mail",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        shared = self.shared_addresses()
        outcomes: Counter[str] = Counter()
        pending = users.without_account().order_by("pk")
        total = pending.count()
        for number, user in enumerate(pending.iterator(chunk_size=self.PROGRESS), start=1):
            outcomes[self.adopt(user, shared, options)] += 1
            if number % self.PROGRESS == 0:
                self.stderr.write(f"{number} of {total} users …")
        verb = "would be adopted" if options["dry_run"] else "adopted"
        self.stdout.write(f"{outcomes['adopted']} {verb}.")
        self.stdout.write(f"{outcomes['blank']} without a usable e-mail address, left alone.")
        self.stdout.write(f"{outcomes['collision']} with an address of somebody else, left alone.")

    def adopt(self, user: Any, shared: set[str], options: dict[str, Any]) -> str:
        """Adopt one user, or say why not.

        Returns:
            "adopted", "blank" or "collision".
        """
        email = users.read_email(user)
        if email is None and not options["without_email"]:
            self.stdout.write(f"user {user.pk}: no usable e-mail address")
            return "blank"
        if email in shared:
            self.stdout.write(f"user {user.pk}: {email} belongs to several users")
            return "collision"
        if options["dry_run"]:
            return "adopted"
        try:
            adopt_user(user)
        except UserAlreadyExists:
            self.stdout.write(f"user {user.pk}: {email} belongs to another account")
            return "collision"
        return "adopted"

    def shared_addresses(self) -> set[str]:
        """The addresses in lower case that more than one user has, with or without an account."""
        field = users.email_field()
        if field is None:
            return set()
        counted = (
            users.user_model()
            ._default_manager.annotate(folded=Lower(field.name))
            # Neither empty nor null.
            .filter(folded__gt="")
            .values("folded")
            .annotate(people=Count("pk"))
            .filter(people__gt=1)
        )
        return set(counted.values_list("folded", flat=True))
