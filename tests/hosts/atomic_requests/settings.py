"""A host that wraps each request in a transaction."""

from tests.settings import *  # noqa: F403

DATABASES["default"]["ATOMIC_REQUESTS"] = True  # noqa: F405
