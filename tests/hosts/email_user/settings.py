"""A host whose users have an e-mail address and no user name."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.hosts.email_user"]  # noqa: F405
MIGRATION_MODULES = {"email_user": None}
AUTH_USER_MODEL = "email_user.User"
