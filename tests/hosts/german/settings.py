"""A host that speaks German, and other languages when asked."""

from tests.settings import *  # noqa: F403

LANGUAGE_CODE = "de"
USE_THOUSAND_SEPARATOR = True
MIDDLEWARE = [
    "django.middleware.locale.LocaleMiddleware",
    *MIDDLEWARE,  # noqa: F405
]
