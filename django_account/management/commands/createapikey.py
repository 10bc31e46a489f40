"""``manage.py createapikey``: make an API key and print its secret, once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from django_account.api_keys.models import GRANTABLE_SCOPES
from django_account.api_keys.services import create_api_key, create_ephemeral_key
from django_account.exceptions import InvalidArgument


def moment(value: str) -> datetime:
    """An ISO 8601 moment; without an offset in the site's time zone.

    Raises:
        ValueError: it is none, as argparse expects of a type.
    """
    parsed = parse_datetime(value)
    if parsed is None:
        raise ValueError(value)
    return parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)


class Command(BaseCommand):
    """The secret stands alone on the last line of the output, so that a script can take it."""

    help = "Create an API key. Its secret is printed once, alone on the last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument(
            "--scopes",
            required=True,
            nargs="+",
            choices=GRANTABLE_SCOPES,
            metavar="SCOPE",
            help=f"what it may do: {', '.join(GRANTABLE_SCOPES)}",
        )
        parser.add_argument(
            "--expires", type=moment, metavar="MOMENT", help="ISO 8601; left out: never"
        )
        parser.add_argument(
            "--ephemeral",
            type=int,
            metavar="SECONDS",
            help="a key for a short job, which is stored nowhere and works for up to an hour",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["ephemeral"] is not None:
                self.stdout.write(
                    create_ephemeral_key(
                        name=options["name"],
                        scopes=options["scopes"],
                        duration=timedelta(seconds=options["ephemeral"]),
                    )
                )
                return
            issued = create_api_key(
                name=options["name"], scopes=options["scopes"], expires_at=options["expires"]
            )
        except InvalidArgument as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"API key {issued.api_key.name!r}: keep its secret, it is not shown again."
        )
        self.stdout.write(issued.secret)
