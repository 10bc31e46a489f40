"""``manage.py demo``: the example site, ready to use."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand

from example_project import npm, openid


class Command(BaseCommand):
    """Safe to run again: the data stay, and so does the password of an admin who has signed in."""

    help = "Migrate, fetch the Web SDK, make an admin, print the addresses, run the server."

    ADMIN = "admin"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", nargs="?", default="8000", help="port, or address:port")
        parser.add_argument("--no-server", action="store_true", help="only set up")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        self.fetch_packages()
        password = self.ensure_admin()
        if options["no_server"]:
            self.print_addresses(options["address"], password, None)
            return
        with openid.running(site_port=options["address"].rpartition(":")[2]) as issuer:
            self.print_addresses(options["address"], password, issuer)
            call_command("runserver", options["address"], use_reloader=False)

    def fetch_packages(self) -> None:
        """Have npm fetch what the page needs, unless it is there. The site runs without, too."""
        if npm.is_ready():
            return
        self.say("Fetching the Web SDK and a demo OpenID provider from npm …")
        try:
            npm.fetch()
        except npm.NotFetched as error:
            self.say(f"The API and the admin work, but the demo page is incomplete. {error}")

    def print_addresses(self, address: str, password: str | None, issuer: str | None) -> None:
        """Say where everything is, and the admin's login."""
        host, _, port = address.rpartition(":")
        base = f"http://{host or 'localhost'}:{port}"
        login = (
            f"{self.ADMIN} / {password} (until you change it)"
            if password
            else f"{self.ADMIN}, with the password of before (new one: manage.py changepassword)"
        )
        self.say(
            f"\n  Demo page    {base}/\n"
            + (f"  Inbox        {base}/inbox/   (mails and SMS)\n" if settings.DEBUG else "")
            + f"  Account API  {base}/v1   (setEndpoint)\n"
            f"  Project      {settings.DJANGO_ACCOUNT['PROJECT_ID']}   (setProject)\n"
            f"  Admin        {base}/admin/   {login}\n"
            + (f"  OpenID       {issuer}   (provider oidc, sign in as anybody)\n" if issuer else "")
        )

    def say(self, text: str) -> None:
        """Print at once, whatever reads it."""
        self.stdout.write(text)
        self.stdout.flush()

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
