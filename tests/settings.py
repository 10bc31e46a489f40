"""The example site, set up for tests: its own database, cheap hashes where a test asks for none."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 50)
os.environ.setdefault("DEBUG", "0")
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("SMS_URL", "locmem://")

from django_account.accounts.hashers import FOREIGN_HASHERS
from example_project.settings import *  # noqa: F403

ALLOWED_HOSTS = ["*"]

# It leaves its last visitor's language behind, to tests that make no request. A test of languages
# adds it or sets one.
MIDDLEWARE.remove("django.middleware.locale.LocaleMiddleware")  # noqa: F405

# For `manage.py spectacular`, which holds the API's description to be complete.
INSTALLED_APPS += ["drf_spectacular"]  # noqa: F405

# A password hash is meant to be slow; the tests of hashing set the real ones again.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django_account.accounts.hashers.Argon2idHasher",
    *FOREIGN_HASHERS,
]

DJANGO_ACCOUNT = {
    **DJANGO_ACCOUNT,  # noqa: F405
    # Messages go out before the answer, so that a test can look at them.
    "BACKGROUND_DELIVERY": False,
    # Everybody in these tests calls from one address; the tests of rate limits switch them on.
    "RATE_LIMITS_ENABLED": False,
}
