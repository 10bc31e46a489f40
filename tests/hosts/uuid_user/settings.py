"""A host whose users have UUIDs."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.hosts.uuid_user"]  # noqa: F405
MIGRATION_MODULES = {"uuid_user": None}
AUTH_USER_MODEL = "uuid_user.User"
