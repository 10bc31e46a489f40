"""``manage.py oauth2providers``: the providers, what each needs, and which are on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_account.exceptions import ProviderDisabled
from django_account.identities.providers.registry import (
    PROVIDERS,
    Provider,
    callback_path,
    read_config,
)


class Command(BaseCommand):
    """Lists them all, or those asked for with where to register and which callback URL."""

    help = "List the OAuth2 providers, what each needs in OAUTH2_PROVIDERS, and which are on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", nargs="*", choices=[*PROVIDERS, []], metavar="PROVIDER")

    def handle(self, *args: Any, **options: Any) -> None:
        if chosen := options["provider"]:
            for key in chosen:
                self.describe(PROVIDERS[key])
            return
        width = max(map(len, PROVIDERS))
        for provider in PROVIDERS.values():
            self.stdout.write(
                f"{provider.key:<{width}}  {self.state(provider):<4} {self.needs(provider)}"
            )

    def describe(self, provider: Provider) -> None:
        """All about one provider."""
        lines = {
            "state": self.state(provider),
            "needs": self.needs(provider),
            "takes": ", ".join(sorted(provider.known_keys - set(self.needs(provider).split(", ")))),
            "asks for": " ".join(provider.scopes) or "no scopes",
            "callback": f"https://<your host>{callback_path(provider)}",
            "register at": provider.console,
            "note": provider.note,
        }
        self.stdout.write(f"{provider.name} ({provider.key})")
        for name, value in lines.items():
            if value:
                self.stdout.write(f"  {name:<12} {value}")

    def state(self, provider: Provider) -> str:
        """Whether people can sign in with it."""
        try:
            read_config(provider)
        except ProviderDisabled:
            return "off"
        return "on"

    def needs(self, provider: Provider) -> str:
        """The keys that it cannot do without."""
        return ", ".join(need.replace("|", " or ") for need in provider.missing({}))
