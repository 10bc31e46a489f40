"""What a service refuses: in the language of staff in the admin, in English on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.api_keys.services import create_api_key
from django_account.targets.models import Target
from tests.admin.staff import change, do, do_many, errors_on, form_of
from tests.client import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)

TAKEN = "extra@example.org"


@pytest.fixture
def ada() -> Account:
    return create_account(account_id="ada", email="ada@example.org")


@pytest.fixture
def taken() -> None:
    bob = create_account(account_id="bob")
    Target.objects.create(account=bob, provider_type="email", identifier=TAKEN)


@pytest.fixture
def german() -> Iterator[None]:
    with translation.override("de"):
        yield


@pytest.mark.usefixtures("german", "taken")
class TestAdmin:
    @pytest.mark.parametrize(
        ("field", "value", "reason"),
        [
            ("email", TAKEN, "Diese Adresse wird bereits verwendet. Nehmen Sie eine andere."),
            ("email", "x@mailinator.com", "Wegwerfadressen werden nicht angenommen. Nehmen Sie"),
            ("labels", "über", "Ein Label besteht aus 1 bis 36 Zeichen von a-z, A-Z und 0-9."),
            ("prefs", "[]", "Der Wert muss ein gültiges Objekt sein."),
        ],
    )
    def test_beside_a_field(
        self,
        admin_client: Client,
        ada: Account,
        project: Callable[..., None],
        field: str,
        value: str,
        reason: str,
    ) -> None:
        project(BLOCK_EMAILS=["disposable"])
        page = admin_client.post(change(ada), form_of(ada, **{field: value}))
        (error,) = page.context["adminform"].form.errors[field]
        assert error.startswith(reason)

    def test_after_an_act(self, admin_client: Client, ada: Account) -> None:
        page = do(admin_client, ada, "send_verification", address="phone")
        assert errors_on(page) == [
            "Dieses Konto hat keine Telefonnummer. Fügen Sie zuerst eine hinzu."
        ]

    def test_with_a_name_in_it(self, admin_client: Client, ada: Account, settings: Any) -> None:
        settings.ALLOWED_HOSTS = ["*"]
        page = do(admin_client, ada, "send_recovery")
        assert errors_on(page) == [
            "Nennen Sie zuerst testserver in ALLOWED_HOSTS: Daraus werden Links gebildet."
        ]

    def test_after_an_act_on_many(
        self, admin_client: Client, ada: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**values: Any) -> None:
            raise ValueError

        monkeypatch.setattr("django_account.admin.account_acts.end_sessions", fail)
        page = do_many(admin_client, "end_sessions", ada).content.decode()
        assert "(ada): Bei uns ist etwas schiefgegangen." in page

    @pytest.mark.parametrize(
        ("password", "reason"),
        [
            ("short", "Das Passwort muss zwischen 12 und 256 Zeichen lang sein."),
            # By a validator of the site, which has its own words.
            ("123456789012", "Dieses Passwort ist komplett numerisch."),
        ],
    )
    def test_a_password(
        self,
        admin_client: Client,
        ada: Account,
        project: Callable[..., None],
        settings: Any,
        password: str,
        reason: str,
    ) -> None:
        project(ADMIN_SET_PASSWORDS=True, PASSWORD_STRENGTH={"min": 12})
        name = "django.contrib.auth.password_validation.NumericPasswordValidator"
        settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": name}]
        (error,) = errors_on(do(admin_client, ada, "set_password", password=password))
        assert error.strip() == reason


@pytest.mark.usefixtures("ada", "taken")
@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        (
            "PATCH",
            "/users/ada/email",
            {"email": TAKEN},
            "This address is in use already. Use another.",
        ),
        (
            "PUT",
            "/users/ada/labels",
            {"labels": ["über"]},
            "Invalid `labels` param: "
            "A label is a string of 1 to 36 characters of a-z, A-Z and 0-9.",
        ),
        (
            "PATCH",
            "/users/ada/password",
            {"password": "1"},
            "Invalid `password` param: Password must be between 8 and 256 characters long.",
        ),
    ],
)
def test_the_api_answers_in_english(
    settings: Any, method: str, path: str, body: Any, message: str
) -> None:
    locale = "django.middleware.locale.LocaleMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:2], locale, *settings.MIDDLEWARE[2:]]
    server = ApiClient(key=create_api_key(name="tests", scopes=["users.write"]).secret)
    with translation.override("en"):  # which puts back what the middleware leaves behind
        response = server.call(method, path, body, Accept_Language="de")
        assert translation.get_language() == "de"
    assert response.json()["message"] == message
