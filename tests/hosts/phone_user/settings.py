"""A host whose users have a phone number and no e-mail address."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.hosts.phone_user"]  # noqa: F405
MIGRATION_MODULES = {"phone_user": None}
AUTH_USER_MODEL = "phone_user.User"
DJANGO_ACCOUNT = {**DJANGO_ACCOUNT, "USER_PHONE_FIELD": "phone"}  # noqa: F405
