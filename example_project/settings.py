"""A host site as small as can be. Everything a deployment changes comes from the environment."""

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from pkgutil import iter_modules
from urllib.parse import unquote, urlsplit

import django
import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from django_account.accounts.hashers import FOREIGN_HASHERS
from django_account.notifications import sms as sms_backends

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()


def refuse_unknown(name: str, url: str, known: Iterable[str]) -> None:
    """Say at the start, not with the first message, that a variable names nothing there is."""
    if urlsplit(url).scheme not in known:
        # Without the URL, which may hold a password.
        raise ImproperlyConfigured(
            f"{name} must begin with one of {', '.join(f'{each}://' for each in sorted(known))}."
        )


def url(name: str, default: str) -> str:
    """A variable, or its default where it is unset or, as container files leave it, empty."""
    return env(name, default="") or default


def checkout_secret_key() -> str:
    """A key of this checkout's own, made once, so that no two sites share a published one."""
    path = BASE_DIR / ".secret_key"
    with suppress(OSError):
        # Exclusive creation: of two processes that start at once, one writes and both read.
        with suppress(FileExistsError), path.open("x") as file:
            file.write(get_random_secret_key())
        for _ in range(100):
            # Empty while the other one is between creating and writing it.
            if key := path.read_text():
                return key
            time.sleep(0.01)
    return get_random_secret_key()


SECRET_KEY = env("SECRET_KEY", default="") or checkout_secret_key()
DEBUG = env.bool("DEBUG", default=True)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if DEBUG else ["localhost", "127.0.0.1"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_account",
    "example_project",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_account.api.middleware.AccountMiddleware",
    "django_account.api.middleware.ImpersonationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "example_project.urls"
WSGI_APPLICATION = "example_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(url: str) -> dict:
    """The database of a URL, set up so that parallel requests wait for each other, not fail."""
    settings: dict = env.db_url_config(url)
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        settings["OPTIONS"] = {
            # Take the write lock when a transaction begins: a later upgrade could only fail.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    elif settings["ENGINE"] == "django.db.backends.postgresql":
        settings["OPTIONS"] = {
            "pool": {"min_size": 1, "max_size": 20, "timeout": 30},
            # The account API's hot statements are the same text every time: let the server keep
            # their plans.
            "server_side_binding": True,
            "prepare_threshold": 5,
        }
    return settings


DATABASES = {"default": database(url("DATABASE_URL", f"sqlite:///{BASE_DIR}/db.sqlite3"))}


def cache(url: str) -> dict:
    """The cache of a URL: those of django-environ, and "database://" for the site's database."""
    if urlsplit(url).scheme == "database":
        return {"BACKEND": "django_account.limits.cache.AtomicDatabaseCache"}
    settings: dict = env.cache_url_config(url)
    options = {}
    if settings["BACKEND"].endswith("RedisCache"):
        # A cache that hangs is no faster than none.
        options = {"socket_connect_timeout": 1, "socket_timeout": 1}
    elif settings["BACKEND"].endswith("LocMemCache"):
        # The default of 300 would drop the counters of rate limits.
        options = {"MAX_ENTRIES": 100_000}
    settings["OPTIONS"] = {**options, **settings.get("OPTIONS", {})}
    return settings


CACHES = {"default": cache(url("CACHE_URL", "locmemcache://"))}


# The page /inbox/ shows what is sent so; the console does too.
INBOX = "inbox://"
env.EMAIL_SCHEMES["inbox"] = "example_project.inbox.EmailBackend"


def mail(url: str) -> dict:
    """The e-mail settings of a URL: MAILERS, or on Django before 6.1 the EMAIL_* it replaces."""
    refuse_unknown("EMAIL_URL", url, env.EMAIL_SCHEMES)
    parsed = {name: value for name, value in env.email_url_config(url).items() if value}
    if "filebased" in parsed["EMAIL_BACKEND"]:
        # The library drops the leading slash.
        parsed["EMAIL_FILE_PATH"] = urlsplit(url).path
    if "smtp" in parsed["EMAIL_BACKEND"]:
        # A server that accepts a connection and never answers must not hold a sender for ever.
        parsed.setdefault("EMAIL_TIMEOUT", 10)
    if django.VERSION < (6, 1):
        return parsed
    names = {
        "EMAIL_HOST": "host",
        "EMAIL_PORT": "port",
        "EMAIL_HOST_USER": "username",
        "EMAIL_HOST_PASSWORD": "password",
        "EMAIL_USE_TLS": "use_tls",
        "EMAIL_USE_SSL": "use_ssl",
        "EMAIL_TIMEOUT": "timeout",
        "EMAIL_FILE_PATH": "file_path",
    }
    backend = parsed["EMAIL_BACKEND"]
    # Each backend takes its own options and refuses the others'.
    wanted = {"smtp": names.keys() - {"EMAIL_FILE_PATH"}, "filebased": {"EMAIL_FILE_PATH"}}
    known = wanted.get(backend.split(".")[-2], set())
    options = {names[name]: value for name, value in parsed.items() if name in known}
    return {"MAILERS": {"default": {"BACKEND": backend, "OPTIONS": options}}}


vars().update(mail(url("EMAIL_URL", INBOX)))

PASSWORD_HASHERS = [
    "django_account.accounts.hashers.Argon2idHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    # For people who are imported with the hashes of another system.
    *FOREIGN_HASHERS,
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def sms(url: str) -> dict:
    """The SMS backend of a URL, as DJANGO_ACCOUNT keys."""
    parts = urlsplit(url)
    backends = sms_backends.__name__
    known = {module.name for module in iter_modules(sms_backends.__path__)}
    refuse_unknown("SMS_URL", url, known - {"base", "guard", "transport"} | {"https", "inbox"})
    match parts.scheme:
        case "inbox":
            return {"SMS_BACKEND": "example_project.inbox.SMSBackend"}
        case "file":
            options = {"path": parts.path}
        case "http" | "https":
            return {"SMS_BACKEND": f"{backends}.http.SMSBackend", "SMS_OPTIONS": {"endpoint": url}}
        case "twilio":
            options = {
                "account_sid": unquote(parts.username or ""),
                "auth_token": unquote(parts.password or ""),
                "sender": unquote(parts.path.lstrip("/")),
            }
        case _:
            options = {}
    return {"SMS_BACKEND": f"{backends}.{parts.scheme}.SMSBackend", "SMS_OPTIONS": options}


DJANGO_ACCOUNT = {
    "PROJECT_ID": "demo",
    **sms(url("SMS_URL", INBOX)),
    **json.loads(os.environ.get("ACCOUNT_SETTINGS") or "{}"),
}
