"""What django-allauth keeps in this site's database: proven addresses, and sign-ins by providers.

Its tables are read as they are, without its package, and its tokens not at all. A sign-in is taken
over only when it is sure that the provider will tell us the very same id for the same person: a
wrong one would open somebody's account to a stranger. So a row is also held to the answer that
allauth has kept of the provider (``extra_data``), and what is told apart by its server (a GitLab,
an Okta, any OpenID provider) to the server that OAUTH2_PROVIDERS names.

Left alone are those whose id is another value here, or may be: ``linkedin_oauth2``, ``zoho``,
``paypal``, ``windowslive``; ``bitly``, whose names find new owners; and all that we do not speak
to, such as ``amazon_cognito``, ``saml`` and ``telegram``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from django_account.accounts import users
from django_account.core import emails
from django_account.exceptions import ProviderDisabled
from django_account.identities.providers.registry import (
    PROVIDERS,
    backend_settings,
    read,
    read_config,
)

ADDRESSES = "account_emailaddress"
SIGN_INS = "socialaccount_socialaccount"
APPS = "socialaccount_socialapp"

Kept = Mapping[str, Any]


class Left(Exception):
    """A sign-in cannot be taken over for sure. Its text says why."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A row of allauth's: a person's account at a provider.

    Attributes:
        provider, uid: as allauth has them.
        kept: what the provider answered about the person.
    """

    provider: str
    uid: str
    kept: Kept


@dataclass(frozen=True, slots=True)
class App:
    """The site at a provider, as allauth was set up.

    Attributes:
        provider: allauth's word for the kind of provider.
        name: what its people's rows name as their provider.
    """

    provider: str
    name: str
    client_id: str
    settings: Mapping[str, Any]


@dataclass(slots=True)
class Belongings:
    """What allauth knows of one person.

    Attributes:
        addresses: that the person has proven, in normal form.
    """

    addresses: set[str] = field(default_factory=set)
    sign_ins: list[SignIn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TakenOver:
    """A sign-in as we know it.

    Attributes:
        email: the provider's, where allauth knows that the person has proven it.
    """

    provider: str
    uid: str
    email: str


# --- its tables ---


class Tables:
    """Allauth's tables in this database, as far as they are there."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            names = set(connection.introspection.table_names(cursor))
            self.columns = {
                table: {
                    column.name
                    for column in connection.introspection.get_table_description(cursor, table)
                }
                for table in {ADDRESSES, SIGN_INS, APPS} & names
            }

    @property
    def holds_people(self) -> bool:
        """Whether there is anything to import."""
        return ADDRESSES in self.columns or SIGN_INS in self.columns

    def belongings(self, people: Iterable[users.SiteUser]) -> dict[str, Belongings]:
        """What allauth knows of some users of the site, by :func:`plain` primary key."""
        found: dict[str, Belongings] = defaultdict(Belongings)
        pks = [user.pk for user in people]
        for pk, address, verified in self._of(ADDRESSES, pks, "user_id", "email", "verified"):
            if verified and (normal := _normal(address)):
                found[plain(pk)].addresses.add(normal)
        for pk, provider, uid, kept in self._of(
            SIGN_INS, pks, "user_id", "provider", "uid", "extra_data"
        ):
            found[plain(pk)].sign_ins.append(SignIn(provider, uid, _document(kept)))
        return found

    def apps(self) -> list[App]:
        """The site at its providers: by allauth's table, and by its settings."""
        found = [
            App(provider, name or provider, client_id, _document(more))
            for provider, name, client_id, more in self._apps_of_table()
        ]
        for provider, config in _settings().items():
            for app in config.get("APPS") or filter(None, [config.get("APP")]):
                name = app.get("provider_id") or provider
                found.append(
                    App(provider, name, app.get("client_id", ""), app.get("settings") or {})
                )
        return found

    def _apps_of_table(self) -> list[Any]:
        if APPS not in self.columns:
            return []
        # Older ones have no providers of providers.
        names = ("provider", "provider_id", "client_id", "settings")
        there = [name for name in names if name in self.columns[APPS]]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {_listed(there)} FROM {_quoted(APPS)}")  # noqa: S608
            rows = [dict(zip(there, row, strict=True)) for row in cursor.fetchall()]
        return [[row.get(name, "") for name in names] for row in rows]

    def _of(self, table: str, pks: list[Any], *columns: str) -> list[tuple[Any, ...]]:
        """A table's rows of some users."""
        if table not in self.columns or not pks:
            return []
        key = users.user_model()._meta.pk
        values = [key.get_db_prep_value(pk, connection) for pk in pks]
        marks = ", ".join(["%s"] * len(values))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {_listed(columns)} FROM {_quoted(table)} "  # noqa: S608
                f"WHERE {_quoted('user_id')} IN ({marks}) ORDER BY {_quoted('id')}",
                values,
            )
            return list(cursor.fetchall())


def plain(pk: Any) -> str:
    """A primary key as text; UUIDs come without hyphens from some databases."""
    return str(pk).replace("-", "")


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(map(_quoted, columns))


def _document(value: Any) -> Kept:
    """A JSON column's object; databases hand it out as text or as what it is."""
    if isinstance(value, str | bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    return value if isinstance(value, Mapping) else {}


def _normal(address: Any) -> str | None:
    try:
        return emails.normalize(address) if isinstance(address, str) else None
    except ValueError:
        return None


def _settings() -> dict[str, Any]:
    """Allauth's settings, by provider, where the site still has them."""
    return getattr(settings, "SOCIALACCOUNT_PROVIDERS", None) or {}


# --- its providers, and ours ---


Check = Callable[[SignIn, list[App]], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """How allauth's rows of a provider become identities of ours.

    Attributes:
        key: our provider's.
        same: where the kept answer has allauth's id, which is ours too; or what finds ours in a
            row whose own is another value.
        check: raises Left where the row may be of another server or app than ours.
    """

    key: str
    same: tuple[str, ...] | Callable[[SignIn], Any]
    check: Check = lambda sign_in, apps: None


def _ours(key: str) -> dict[str, Any]:
    """What our provider's backend is set up with.

    Raises:
        Left: it is not set up.
    """
    try:
        return backend_settings(PROVIDERS[key], read_config(PROVIDERS[key]))
    except ProviderDisabled:
        raise Left(f"set {key!r} up in OAUTH2_PROVIDERS first") from None


def _notion_person(sign_in: SignIn) -> Any:
    """The person, out of an id made of the workspace and the person."""
    person = read(sign_in.kept, "owner.user.id")
    return person if sign_in.uid.startswith(f"user-{person}_workspace-") else None


def _slack_person(sign_in: SignIn) -> Any:
    """The subject, out of an id made of the workspace and the person."""
    person = sign_in.kept.get("sub")
    return person if sign_in.uid.endswith(f"_{person}") else None


def _bitbucket_person(sign_in: SignIn) -> Any:
    """The person at Bitbucket; allauth's is the Atlassian account."""
    return sign_in.kept.get("uuid") if sign_in.kept.get("account_id") == sign_in.uid else None


def _okta_person(sign_in: SignIn) -> Any:
    """The subject; which field was allauth's id, the site chose. Okta's own ids begin so."""
    person = str(sign_in.kept.get("sub"))
    return person if person.startswith("00u") else None


def _kept_begins(name: str, beginning: Callable[[], str]) -> Check:
    """A check that a field of the kept answer is an address at the server we speak to."""

    def check(sign_in: SignIn, apps: list[App]) -> None:
        if not str(sign_in.kept.get(name)).startswith(beginning()):
            raise Left(f"extra_data does not show by {name!r} that it is the same server")

    return check


def _same_host(key: str, setting: str) -> Check:
    """A check that allauth's setting names the host we speak to."""

    def check(sign_in: SignIn, apps: list[App]) -> None:
        theirs = _settings().get(key, {}).get(setting) or ""
        if not theirs or _host(theirs) != _host(_ours(key)["OIDC_ENDPOINT"]):
            raise Left(
                f"{setting} of SOCIALACCOUNT_PROVIDERS is not the domain of OAUTH2_PROVIDERS"
            )

    return check


def _same_app(key: str) -> Check:
    """A check that the site is the same app there: every app has its own ids."""

    def check(sign_in: SignIn, apps: list[App]) -> None:
        client_id = _ours(key)["CONFIG"]["client_id"]
        if {app.client_id for app in apps} != {client_id}:
            raise Left("ids differ between apps: OAUTH2_PROVIDERS needs allauth's client_id")

    return check


def _host(address: str) -> str | None:
    return urlsplit(address if "://" in address else f"https://{address}").hostname


_RULES = {
    "amazon": Rule("amazon", ("user_id",)),
    "apple": Rule("apple", ("sub",)),
    "auth0": Rule("auth0", ("sub",), _same_host("auth0", "AUTH0_URL")),
    "bitbucket_oauth2": Rule("bitbucket", _bitbucket_person),
    "box": Rule("box", ("id",)),
    "discord": Rule("discord", ("id",)),
    "disqus": Rule("disqus", ("id",)),
    "dropbox": Rule("dropbox", ("account_id",)),
    "facebook": Rule("facebook", ("id",)),
    "figma": Rule("figma", ("id",)),
    # A GitHub Enterprise server counts its people from 1 too.
    "github": Rule("github", ("id",), _kept_begins("url", lambda: "https://api.github.com/")),
    "gitlab": Rule(
        "gitlab", ("id",), _kept_begins("web_url", lambda: _ours("gitlab")["API_URL"] + "/")
    ),
    "google": Rule("google", ("sub", "id")),
    "kakao": Rule("kakao", ("id",), _same_app("kakao")),
    "microsoft": Rule("microsoft", ("id",)),
    "notion": Rule("notion", _notion_person),
    "okta": Rule("okta", _okta_person, _same_host("okta", "OKTA_BASE_URL")),
    # A sandbox has copies of people, with their ids.
    "salesforce": Rule(
        "salesforce",
        ("user_id",),
        _kept_begins("sub", lambda: "https://login.salesforce.com/id/"),
    ),
    "slack": Rule("slack", _slack_person),
    "spotify": Rule("spotify", ("id",)),
    "stripe": Rule("stripe", ("id",)),
    "tiktok": Rule("tiktok", ("open_id",)),
    "twitch": Rule("twitch", ("id",)),
    "twitter": Rule("x", ("id",)),
    "twitter_oauth2": Rule("x", ("id",)),
    "yahoo": Rule("yahoo", ("sub",)),
    "yandex": Rule("yandex", ("id",)),
    "zoom": Rule("zoom", ("id",)),
}


def take_over(sign_in: SignIn, addresses: set[str], apps: Iterable[App]) -> TakenOver:
    """A sign-in of allauth's as an identity of ours.

    Args:
        addresses: that the person has proven.
        apps: all of the site's, by :meth:`Tables.apps`.

    Raises:
        Left: nobody can tell for sure which one that is.
    """
    named = [app for app in apps if app.name == sign_in.provider]
    kinds = {app.provider for app in named} or {sign_in.provider}
    if len(kinds) > 1:
        raise Left("several providers have this name")
    kind = kinds.pop()
    if kind == "openid_connect":
        key, uid, kept = _by_issuer(sign_in, named)
    elif kind in _RULES:
        rule, kept = _RULES[kind], sign_in.kept
        rule.check(sign_in, named)
        key, uid = rule.key, _uid(sign_in, rule)
    else:
        raise Left("its ids may be other ones here")
    answers = (read(kept, PROVIDERS[key].email), kept.get("email"))
    proven = (normal for answer in answers if (normal := _normal(answer)) in addresses)
    return TakenOver(key, uid, next(proven, None) or "")


def _uid(sign_in: SignIn, rule: Rule) -> str:
    if callable(rule.same):
        uid = rule.same(sign_in)
    else:
        kept = next((sign_in.kept[name] for name in rule.same if name in sign_in.kept), None)
        uid = sign_in.uid if str(kept) == sign_in.uid else None
    if not isinstance(uid, str) or not uid:
        raise Left("extra_data does not show its id")
    return uid


def _by_issuer(sign_in: SignIn, apps: list[App]) -> tuple[str, str, Kept]:
    """Our provider with the same issuer, the subject there, and what it answered."""
    servers = {_address(str(app.settings.get("server_url") or "")) for app in apps}
    server = servers.pop() if len(servers) == 1 else ""
    key, issuer = _ours_at(server)
    claims = _object(sign_in.kept.get("id_token"))
    if str(claims.get("iss", issuer)).rstrip("/") != issuer:
        raise Left("its ID token is of another issuer")
    kept = _object(sign_in.kept.get("userinfo")) or claims or sign_in.kept
    uid = kept.get("sub")
    fields = {app.settings.get("uid_field", "sub") for app in apps}
    if not isinstance(uid, str) or sign_in.uid not in {str(kept.get(name)) for name in fields}:
        raise Left("extra_data does not show its id")
    return key, uid, kept


def _ours_at(server: str) -> tuple[str, str]:
    """The OpenID provider at an address that the site has set up: our key, and its issuer.

    Raises:
        Left: there is none.
    """
    for key in PROVIDERS:
        try:
            ours = _ours(key)
        except Left:
            continue
        if server and _address(ours.get("OIDC_ENDPOINT", "")) == server:
            return key, str(ours.get("ISSUER") or server).rstrip("/")
    raise Left("OAUTH2_PROVIDERS has no OpenID provider at its server_url")


def _address(server_url: str) -> str:
    """Where an OpenID provider is, without the name of its document."""
    return server_url.partition("/.well-known/")[0].rstrip("/")


def _object(value: Any) -> Kept:
    return value if isinstance(value, Mapping) else {}
