"""Make the group of those who look at people and change nothing."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand, CommandError, CommandParser

VIEWED = ("account", "logentry", "delivery")


class Command(BaseCommand):
    """Call it as often as you like: what else the group has been given stays."""

    help = (
        "Make a group that sees accounts, their activity and their messages in the admin, and "
        "changes nothing. Put your support staff into it, and give it the acts they need."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", default="Account support", help="what the group is called")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = [f"view_{model}" for model in VIEWED]
        permissions = Permission.objects.filter(
            content_type__app_label="django_account", codename__in=wanted
        )
        if len(permissions) < len(wanted):
            raise CommandError("The permissions are missing. Run manage.py migrate first.")
        group, is_new = Group.objects.get_or_create(name=options["name"])
        group.permissions.add(*permissions)
        state = "made" if is_new else "is there"
        self.stdout.write(f'The group "{group.name}" {state}: it may {", ".join(wanted)}.')
