"""Run by tox's ``wheel`` environment: a bare site on the installed wheel migrates and answers."""

import django
from django.conf import settings
from django.core.management import call_command

settings.configure(
    SECRET_KEY="wheel-" + "0123456789abcdef" * 4,
    ALLOWED_HOSTS=["testserver"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django_account",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF="django_account.urls",
    DJANGO_ACCOUNT={"RATE_LIMITS_ENABLED": False},
)
django.setup()
call_command("check")
call_command("migrate", verbosity=0)

from django.test import Client  # noqa: E402

client = Client()
body = {"userId": "unique()", "email": "ada@example.org", "password": "correct horse"}
answers = [
    client.get("/ping"),
    client.post("/account", body, "application/json"),
    client.post("/account/sessions/email", body, "application/json"),
    client.get("/account"),
]
assert [answer.status_code for answer in answers] == [200, 201, 201, 200], answers
print("the wheel works")
