"""The example site's settings, with what a benchmark must fix: no debug pages, no rate limits.

``BENCH_HASHER`` chooses the first password hasher: ``argon2``, the package's own, or ``free``, one
that costs next to nothing, to see what a sign-in costs beside its hash.
"""

import os

os.environ.setdefault("SECRET_KEY", "benchmarks-only-" + "x" * 50)
os.environ["DEBUG"] = "0"

from example_project.settings import *  # noqa: F403

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
ROOT_URLCONF = "benchmarks.site.urls"
WSGI_APPLICATION = "benchmarks.site.wsgi.application"

HASHERS = {
    "argon2": "django_account.accounts.hashers.Argon2idHasher",
    "free": "django.contrib.auth.hashers.MD5PasswordHasher",
}
PASSWORD_HASHERS = [HASHERS[os.environ.get("BENCH_HASHER", "argon2")], *HASHERS.values()]

DJANGO_ACCOUNT = {
    **DJANGO_ACCOUNT,  # noqa: F405
    "RATE_LIMITS_ENABLED": False,
    "SESSION_LIMIT": 10,
}
