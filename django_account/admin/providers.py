"""The OAuth2 providers in the admin: which are on, what each lacks, what to register there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_account.admin.pages import PageAdmin
from django_account.audit.tallies import PATIENCE, Tally, last_sign_ins, roll_up
from django_account.conf import conf
from django_account.identities.models import Identity, OAuth2Provider
from django_account.identities.providers.registry import PROVIDERS, Provider, callback_path

# The keys of OAUTH2_PROVIDERS whose values are shown. Of every other one only that it is set: one
# that somebody adds to the registry is a secret until it is named here.
SHOWN: Final = (
    "client_id",
    "tenant",
    "domain",
    "endpoint",
    "issuer",
    "realm",
    "authorization_server_id",
    "team_id",
    "key_id",
    "api_version",
    "authorization_url",
    "token_url",
    "user_info_url",
    "jwks_url",
    "token_auth_method",
    "max_age",
    "prompt",
    "native",
    "native_client_ids",
)

# Keys that have lines of their own.
APART: Final = ("enabled", "scopes")


@dataclass(frozen=True, slots=True)
class ProviderState:
    """What staff see of a provider.

    Attributes:
        provider: the registry's.
        state: "on", "off" or "incomplete".
        settings: what OAUTH2_PROVIDERS says of it by key, without any secret.
        missing: the keys that it lacks.
        unknown: keys that it does not know.
        callback: the address to register at the provider.
        scopes: what people are asked for.
        identities: how many people's accounts there are known.
        last_sign_in: the hour of it; None: in none that is remembered.
    """

    provider: Provider
    state: str
    settings: Mapping[str, Any]
    missing: list[str]
    unknown: list[str]
    callback: str
    scopes: list[str]
    identities: int
    last_sign_in: datetime | None

    @property
    def state_name(self) -> Promise:
        return STATES[self.state]

    @property
    def note(self) -> SafeString:
        """The registry's note, in English; its Markdown is of code and of names."""
        text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(self.provider.note))
        text = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
        return mark_safe(text)  # noqa: S308, escaped above


STATES: Final = {"on": _("On"), "off": _("Switched off"), "incomplete": _("Incomplete")}


def shown(key: str, value: Any) -> str:
    """The value of a key for staff's eyes.

    An address may have been given a name and password, or a key as a parameter.
    """
    if key not in SHOWN:
        return gettext("set") if value else gettext("empty")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    text = str(value)
    scheme, separator, rest = text.rpartition("://")
    return scheme + separator + rest.partition("?")[0].rpartition("@")[2]


def state_of(provider: Provider, config: Mapping[str, Any]) -> str:
    """Whether people can sign in with a provider that OAUTH2_PROVIDERS names."""
    if not config.get("enabled", True):
        return "off"
    return "incomplete" if provider.missing(config) else "on"


@admin.register(OAuth2Provider)
class ProvidersAdmin(PageAdmin):
    """Read-only: providers are set up in the site's settings."""

    template = "admin/django_account/oauth2provider/providers.html"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        roll_up(since=timezone.now() - Tally.KEPT, seconds=PATIENCE)
        last = last_sign_ins()
        identities = dict(
            # Of no column, so that an index alone will do.
            Identity.objects.order_by().values_list("provider").annotate(number=Count("*"))
        )
        configured = conf.oauth2_providers

        def describe(provider: Provider, config: Mapping[str, Any]) -> ProviderState:
            scopes = (*provider.scopes, *config.get("scopes", ())) if provider.sends_scopes else ()
            return ProviderState(
                provider=provider,
                state=state_of(provider, config),
                settings={
                    key: shown(key, value)
                    for key, value in config.items()
                    if key in provider.known_keys and key not in APART
                },
                missing=[need.replace("|", " / ") for need in provider.missing(config)],
                unknown=sorted(set(map(str, config)) - provider.known_keys),
                callback=request.build_absolute_uri(callback_path(provider)),
                scopes=list(dict.fromkeys(scopes)),
                identities=identities.get(provider.key, 0),
                last_sign_in=last.get(provider.key),
            )

        known = [key for key in PROVIDERS if key in configured]
        return {
            "title": gettext("OAuth2 providers"),
            "states": [describe(PROVIDERS[key], configured[key]) for key in known],
            "others": [
                (PROVIDERS[key], identities.get(key, 0)) for key in PROVIDERS if key not in known
            ],
            # Settings that mean nothing, and identities of providers that are no more.
            "strangers": sorted(set(map(str, configured)) - PROVIDERS.keys()),
        }
