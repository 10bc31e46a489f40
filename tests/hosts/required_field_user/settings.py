"""A host whose users require a field that only the host can fill."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.hosts.required_field_user"]  # noqa: F405
MIGRATION_MODULES = {"required_field_user": None}
AUTH_USER_MODEL = "required_field_user.User"
DJANGO_ACCOUNT = {
    **DJANGO_ACCOUNT,  # noqa: F405
    "NEW_USER_FIELDS": "tests.hosts.required_field_user.models.new_user_fields",
}
