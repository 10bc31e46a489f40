"""System checks: what is wrong with a site's settings, before anybody signs in.

Errors stop the site, warnings do not; each says how to mend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags
from django.db.models import NOT_PROVIDED, Field
from django.urls import get_resolver

from django_account.accounts import users
from django_account.accounts.hashers import FOREIGN_HASHERS
from django_account.conf import (
    AUTH_METHODS,
    EMAIL_KINDS,
    MFA_FACTORS,
    SERVICES,
    AccountSettings,
    PasswordStrength,
    conf,
)
from django_account.core.geo import database_lookup
from django_account.identities.providers.registry import PROVIDERS
from django_account.limits.rules import limited_routes
from django_account.notifications import sms

# Hexadecimal digits are the weakest that generators make: 32 of them are 128 bits.
MIN_SECRET_KEY = 32

REQUIRED_APPS = {
    "django.contrib.auth": "the users and their passwords live there",
    "django.contrib.contenttypes": "django.contrib.auth needs it",
}

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

# Settings that hold names of ours, as a dictionary's keys or as a list.
NAMES_WITHIN = {
    "AUTH_METHODS": AUTH_METHODS,
    "BLOCK_EMAILS": EMAIL_KINDS,
    "PASSWORD_STRENGTH": tuple(PasswordStrength.__annotations__),
    "SERVICES": SERVICES,
}

# Keys of a provider that say where it is called.
ADDRESSES = (
    *("domain", "endpoint", "issuer"),
    *("authorization_url", "token_url", "user_info_url", "jwks_url"),
)

# Caches that count for one process only, or not at all.
UNUSABLE_CACHES = {
    "django.core.cache.backends.dummy.DummyCache": "stores nothing",
    "django.core.cache.backends.locmem.LocMemCache": "is each process's own",
    "django.core.cache.backends.filebased.FileBasedCache": "cannot count atomically",
    "django.core.cache.backends.db.DatabaseCache": "cannot count atomically",
}


@checks.register(Tags.compatibility)
def check_apps(**kwargs: Any) -> list[CheckMessage]:
    """E001: the apps we build on are installed."""
    return [
        checks.Error(
            f"django_account needs {app!r} in INSTALLED_APPS: {reason}.",
            hint=f"Add {app!r} to INSTALLED_APPS.",
            id="django_account.E001",
        )
        for app, reason in REQUIRED_APPS.items()
        if not apps.is_installed(app)
    ]


@checks.register(Tags.security)
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    """E002: outside DEBUG, JWTs are signed with a key that nobody guesses."""
    key = settings.SECRET_KEY
    raw = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
    weak = len(raw) < MIN_SECRET_KEY or len(set(raw)) < 5 or raw.startswith("django-insecure-")
    if settings.DEBUG or not weak:
        return []
    return [
        checks.Error(
            "SECRET_KEY is short, repetitive or a default; who guesses it signs in as anybody.",
            hint=(
                "Set SECRET_KEY to at least 50 random characters, for instance those of "
                "`python -c 'import secrets; print(secrets.token_urlsafe(50))'`, and keep it out "
                "of the repository. While you develop, DEBUG = True silences this check."
            ),
            id="django_account.E002",
        )
    ]


@checks.register(Tags.caches)
def check_cache(**kwargs: Any) -> list[CheckMessage]:
    """W003: outside DEBUG, rate limits are counted where every worker sees them."""
    alias = getattr(settings, "RATELIMIT_USE_CACHE", "default")
    backend = settings.CACHES.get(alias, {}).get("BACKEND", "")
    problem = UNUSABLE_CACHES.get(backend)
    if settings.DEBUG or not conf.rate_limits_enabled or problem is None:
        return []
    return [
        checks.Warning(
            f"The {alias} cache ({backend}) {problem}: rate limits cannot be counted in it.",
            hint=(
                f"Use Redis or Memcached as CACHES[{alias!r}]; without either, "
                "'django_account.limits.cache.AtomicDatabaseCache', which counts in the site's "
                "database. Or set DJANGO_ACCOUNT['RATE_LIMITS_ENABLED'] = False if a proxy limits "
                "requests."
            ),
            id="django_account.W003",
        )
    ]


@checks.register(Tags.security)
def check_hashers(**kwargs: Any) -> list[CheckMessage]:
    """W004: new passwords are hashed with Argon2."""
    preferred = (settings.PASSWORD_HASHERS or [""])[0]
    if "Argon2" in preferred:
        return []
    return [
        checks.Warning(
            f"New passwords are hashed with {preferred!r}, not with Argon2.",
            hint=(
                "Put 'django_account.accounts.hashers.Argon2idHasher' first in PASSWORD_HASHERS "
                "and keep the others behind it: existing hashes are renewed as people sign in."
            ),
            id="django_account.W004",
        )
    ]


@checks.register(Tags.security, deploy=True)
def check_foreign_hashers(**kwargs: Any) -> list[CheckMessage]:
    """I020: people who are imported with the hashes of another system can sign in."""
    missing = [path for path in FOREIGN_HASHERS if path not in settings.PASSWORD_HASHERS]
    if not missing:
        return []
    return [
        checks.Info(
            "PASSWORD_HASHERS lacks hashers for imported passwords: creating users from hashes "
            "(users.createBcryptUser and the others, importaccounts) is refused.",
            hint=(
                "If you import people, add `*FOREIGN_HASHERS` to PASSWORD_HASHERS, behind the "
                "others: `from django_account.accounts.hashers import FOREIGN_HASHERS`."
            ),
            id="django_account.I020",
        )
    ]


@checks.register(Tags.security)
def check_https(**kwargs: Any) -> list[CheckMessage]:
    """W005: outside DEBUG, session cookies travel over HTTPS."""
    speaks_https = (
        settings.SECURE_SSL_REDIRECT
        or settings.SECURE_PROXY_SSL_HEADER
        or settings.SESSION_COOKIE_SECURE
        or conf.trusted_proxies
    )
    if settings.DEBUG or speaks_https:
        return []
    return [
        checks.Warning(
            "Nothing says that the site is served over HTTPS: session cookies would not be Secure, "
            "and browsers drop cookies with SameSite=None that are not.",
            hint=(
                "Set SECURE_SSL_REDIRECT = True; behind a proxy that ends HTTPS, set "
                "SECURE_PROXY_SSL_HEADER or DJANGO_ACCOUNT['TRUSTED_PROXIES'] too."
            ),
            id="django_account.W005",
        )
    ]


@checks.register(Tags.compatibility)
def check_mail_timeout(**kwargs: Any) -> list[CheckMessage]:
    """W010: a mail server that never answers is given up on."""
    mailers = getattr(settings, "MAILERS", None)
    if mailers is not None:
        mailer = mailers.get("default", {})
        backend = mailer.get("BACKEND", SMTP_BACKEND)
        timeout = mailer.get("OPTIONS", {}).get("timeout")
        name = "MAILERS['default']['OPTIONS']['timeout']"
    else:
        backend, timeout, name = settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT, "EMAIL_TIMEOUT"
    if settings.DEBUG or backend != SMTP_BACKEND or timeout:
        return []
    return [
        checks.Warning(
            "Mail is sent by SMTP without a time-out: a mail server that accepts connections and "
            "never answers would hold whoever sends for ever.",
            hint=f"Set {name} to some seconds, for instance 10.",
            id="django_account.W010",
        )
    ]


@checks.register(Tags.compatibility)
def check_countries(**kwargs: Any) -> list[CheckMessage]:
    """W012: the database of countries is there and can be read."""
    path = conf.geoip_database
    problem = database_lookup(path).problem if path else ""
    if not problem:
        return []
    return [
        checks.Warning(
            f"The GEOIP_DATABASE {path} cannot be read ({problem}): every country is unknown.",
            hint=(
                "Point it at a country or city database in MaxMind's format (.mmdb), and install "
                "the reader: pip install 'django-account[geoip]'."
            ),
            id="django_account.W012",
        )
    ]


@checks.register(Tags.compatibility)
def check_setting_names(**kwargs: Any) -> list[CheckMessage]:
    """E006: every key of DJANGO_ACCOUNT, and of the dictionaries in it, is a setting."""
    given = getattr(settings, "DJANGO_ACCOUNT", {})
    actions = limited_actions() if "RATE_LIMITS" in given else []
    found: list[CheckMessage] = []
    for where, keys, known in (
        ("DJANGO_ACCOUNT", given, AccountSettings.names()),
        *(
            (f"DJANGO_ACCOUNT[{name!r}]", given.get(name) or (), list(known))
            for name, known in NAMES_WITHIN.items()
        ),
        ("DJANGO_ACCOUNT['MFA_FACTORS']", given.get("MFA_FACTORS") or (), _factor_names()),
        ("DJANGO_ACCOUNT['RATE_LIMITS']", given.get("RATE_LIMITS") or (), actions),
    ):
        for key in (key for key in keys if key not in known):
            matches = get_close_matches(str(key), known, n=1) or get_close_matches(
                str(key).upper(), known, n=1
            )
            hint = f"Did you mean {matches[0]!r}?" if matches else f"Known: {', '.join(known)}."
            found.append(
                checks.Error(
                    f"{where} has no setting {key!r}.", hint=hint, id="django_account.E006"
                )
            )
    return found


def _factor_names() -> list[str]:
    """What MFA_FACTORS may switch. Classes that cannot be imported are E007's business."""
    names = list(MFA_FACTORS)
    with suppress(Exception):
        names += [cls.name for cls in conf.mfa_factor_classes]
    return names


@checks.register(Tags.compatibility)
def check_setting_values(**kwargs: Any) -> list[CheckMessage]:
    """E007: every setting has a value that can be read."""
    found: list[CheckMessage] = []
    for name in AccountSettings.names():
        try:
            getattr(conf, name.lower())
        except Exception as error:
            found.append(
                checks.Error(
                    f"DJANGO_ACCOUNT[{name!r}] cannot be read: {error}",
                    hint=_first_line(getattr(AccountSettings, name.lower()).__doc__),
                    id="django_account.E007",
                )
            )
    return found


@checks.register(Tags.compatibility)
def check_sms_backend(**kwargs: Any) -> list[CheckMessage]:
    """E017: the SMS backend is there, and its options are those that it takes."""
    if not conf.sends_sms:
        return []
    try:
        sms.get_connection()
    except Exception as error:
        return [
            checks.Error(
                f"No SMS can be sent: {error}",
                hint=(
                    "Name a backend in DJANGO_ACCOUNT['SMS_BACKEND'], "
                    "'django_account.notifications.sms.twilio.SMSBackend' for instance, and what "
                    "it needs in SMS_OPTIONS; docs/sms.md lists both. '' switches SMS off."
                ),
                id="django_account.E017",
            )
        ]
    return []


@checks.register(Tags.security)
def check_oauth2_providers(**kwargs: Any) -> list[CheckMessage]:
    """E015: every OAuth2 provider is one, and has what it needs. W016: it is called by HTTPS."""
    try:
        given: Mapping[str, Any] = conf.oauth2_providers
    except Exception:
        return []  # E007 says so
    found: list[CheckMessage] = []
    for key, config in given.items():
        where = f"DJANGO_ACCOUNT['OAUTH2_PROVIDERS'][{key!r}]"
        provider = PROVIDERS.get(key)
        if provider is None:
            found.append(_provider_error(f"{where} is no provider.", key, sorted(PROVIDERS)))
            continue
        if not isinstance(config, Mapping):
            found.append(_provider_error(f"{where} must be a dictionary.", "", []))
            continue
        found += [
            _provider_error(f"{where} has no setting {name!r}.", name, sorted(provider.known_keys))
            for name in config
            if name not in provider.known_keys
        ]
        found += [
            _provider_error(f"{where}: {name!r} must be a list of strings.", "", [])
            for name in ("scopes", "native_client_ids")
            # A string would be taken for its letters.
            if not _is_list_of_strings(config.get(name, []))
        ]
        found += [
            checks.Error(
                f"{where}: {name!r} must be True or False. Until it is, it counts as False.",
                hint="From the environment: `os.environ.get(…) == '1'`, for instance.",
                id="django_account.E015",
            )
            for name in ("enabled", "native")
            # The text "no" is as true as "yes".
            if not isinstance(config.get(name, True), bool)
        ]
        missing = provider.missing(config) if config.get("enabled", True) is True else []
        if missing:
            found.append(_provider_error(f"{where} lacks {', '.join(missing)}.", "", []))
        if not settings.DEBUG and any(_is_unprotected(config.get(name)) for name in ADDRESSES):
            found.append(
                checks.Warning(
                    f"{where} is called without HTTPS: whoever is in between signs in as anybody.",
                    hint="Write its address with https://.",
                    id="django_account.W016",
                )
            )
    return found


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)


def _is_unprotected(address: Any) -> bool:
    """Whether an address of a provider is called by plain HTTP, and not on this machine."""
    try:
        parts = urlsplit(str(address or ""))
        return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        return False


def _provider_error(problem: str, name: object, known: list[str]) -> CheckMessage:
    matches = get_close_matches(str(name), known, n=1) if name else []
    if matches:
        hint = f"Did you mean {matches[0]!r}?"
    elif known:
        hint = f"Known: {', '.join(known)}."
    else:
        hint = "`manage.py oauth2providers` lists what each provider needs."
    return checks.Error(problem, hint=hint, id="django_account.E015")


@checks.register(Tags.models)
def check_user_model(**kwargs: Any) -> list[CheckMessage]:
    """E008: people can be blocked. E009: an account's user can be made."""
    if not apps.is_installed("django.contrib.auth"):
        return []
    model = users.user_model()
    found: list[CheckMessage] = []
    if users.find_field("is_active") is None:
        found.append(
            checks.Error(
                f"{model._meta.label} has no is_active field, so that nobody can be blocked.",
                hint="Add `is_active = models.BooleanField(default=True)` to it.",
                id="django_account.E008",
            )
        )
    if conf.new_user_fields is None and (missing := required_fields()):
        found.append(
            checks.Error(
                f"A new {model._meta.label} cannot be made: it needs {', '.join(missing)}.",
                hint=(
                    "Point DJANGO_ACCOUNT['NEW_USER_FIELDS'] at a function that returns values for "
                    "them, or give the fields defaults."
                ),
                id="django_account.E009",
            )
        )
    return found


def limited_actions() -> list[str]:
    """The names that RATE_LIMITS knows."""
    # Whoever declares a limit is imported with the site's URLs.
    _ = get_resolver().url_patterns
    return sorted({route.action for route in limited_routes.values()})


def required_fields() -> list[str]:
    """The user model's fields that need a value which we do not know."""
    ours = {
        field.name
        for field in (users.email_field(), users.phone_field(), users.username_field())
        if field is not None
    } | {"password"}
    return [
        field.name
        for field in users.user_model()._meta.concrete_fields
        if isinstance(field, Field) and field.name not in ours and _needs_value(field)
    ]


def _needs_value(field: Field[Any, Any]) -> bool:
    """Whether saving a row without a value for this field fails."""
    filled = (
        field.primary_key
        or field.has_default()
        or field.null
        or getattr(field, "auto_now", False)
        or getattr(field, "auto_now_add", False)
        or field.db_default is not NOT_PROVIDED
    )
    # Django stores "" for a text that was not given.
    return not filled and not (field.empty_strings_allowed and field.blank)


def _first_line(doc: str | None) -> str:
    return " ".join((doc or "").split("\n\n")[0].split())
