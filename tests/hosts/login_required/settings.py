"""A host whose every view asks for a login."""

from tests.settings import *  # noqa: F403

MIDDLEWARE = [
    *MIDDLEWARE,  # noqa: F405
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]
LOGIN_URL = "/login/"
