"""``manage.py demo``: the example site, ready to use."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Safe to run again: the data stay, and so does the password of an admin who has signed in."""

    help = "Migrate, make an admin with a one-time password, print the addresses, run the server."

    ADMIN = "admin"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", nargs="?", default="8000", help="port, or address:port")
        parser.add_argument("--no-server", action="store_true", help="only set up")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        password = self.ensure_admin()
        host, _, port = options["address"].rpartition(":")
        base = f"http://{host or 'localhost'}:{port}"
        login = (
            f"{self.ADMIN} / {password} (until you change it)"
            if password
            else f"{self.ADMIN}, with the password of before (new one: manage.py changepassword)"
        )
        self.stdout.write(
            f"\n  Start page   {base}/\n"
            f"  Account API  {base}/v1   (setEndpoint)\n"
            f"  Project      {settings.DJANGO_ACCOUNT['PROJECT_ID']}   (setProject)\n"
            f"  Admin        {base}/admin/   {login}\n"
        )
        self.stdout.flush()
        if not options["no_server"]:
            call_command("runserver", options["address"], use_reloader=False)

    def ensure_admin(self) -> str | None:
        """Make the admin, or give one who never signed in a new password.

        Returns:
            the password; None when the admin has signed in before and keeps theirs.
        """
        users = get_user_model()._default_manager
        admin = users.filter(username=self.ADMIN).first()
        if admin is not None and admin.last_login is not None:
            return None
        password = secrets.token_urlsafe(12)
        if admin is None:
            users.create_superuser(self.ADMIN, "admin@example.com", password)
        else:
            admin.set_password(password)
            admin.save()
        return password
