"""The e-mail that tells of a new session (core.md §10.4, transport.md §13.2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.core.clients import ClientInfo
from django_account.notifications.models import Delivery
from django_account.sessions.services import create_session
from django_account.tokens.models import Token
from django_account.tokens.services import issue_token
from tests.client import ApiClient
from tests.core.test_geo import write_database

# Messages go out once the transaction has committed.
pytestmark = pytest.mark.django_db(transaction=True)

Project = Callable[..., None]

EMAIL = "ada@example.org"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/70.0.3538.110 Safari/537.36"
)


@pytest.fixture(autouse=True)
def alerts(project: Project) -> None:
    project(SESSION_ALERTS=True, PROJECT_NAME="Shop")


def sign_in_by(kind: Token.Kind, address: str = EMAIL, **headers: str) -> None:
    """Redeem a token of Ada's."""
    issued = issue_token(account=Account.objects.get(), kind=kind, address=address)
    body = {"userId": issued.token.account.public_id, "secret": issued.secret}
    assert ApiClient().post("/account/sessions/token", body, **headers).status_code == 201


class TestWhen:
    def test_never_of_the_first(self, ada: ApiClient) -> None:
        assert mail.outbox == []

    def test_of_the_second(self, ada: ApiClient) -> None:
        ApiClient().sign_in()
        (message,) = mail.outbox
        assert message.to == ["Ada <ada@example.org>"]
        assert message.subject == "Security alert: new session on Shop"
        (delivery,) = Delivery.objects.all()
        assert (delivery.kind, delivery.state) == ("session-alert", Delivery.State.SENT)

    def test_of_every_further_one(self, ada: ApiClient) -> None:
        for _ in range(3):
            ApiClient().sign_in()
        assert len(mail.outbox) == 3

    def test_of_one_that_pushes_the_only_other_out(self, ada: ApiClient, project: Project) -> None:
        project(SESSION_LIMIT=1)
        ApiClient().sign_in()
        assert len(mail.outbox) == 1

    def test_not_when_the_others_have_expired(self, ada: ApiClient) -> None:
        with time_machine.travel(datetime(2040, 1, 1, tzinfo=UTC)):
            ApiClient().sign_in()
        assert mail.outbox == []

    def test_not_when_the_setting_is_off(self, ada: ApiClient, project: Project) -> None:
        project(SESSION_ALERTS=False)
        ApiClient().sign_in()
        assert mail.outbox == []

    def test_not_when_the_site_sends_no_mail(self, ada: ApiClient, settings: Any) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        if hasattr(settings, "MAILERS"):
            settings.MAILERS = {}
        ApiClient().sign_in()
        assert not Delivery.objects.exists()

    @pytest.mark.parametrize(
        ("kind", "address", "mails"),
        [
            (Token.Kind.MAGIC_URL, EMAIL, 0),
            (Token.Kind.EMAIL_CODE, EMAIL, 0),
            (Token.Kind.PHONE_CODE, "+14155550100", 1),
            (Token.Kind.GENERIC, "", 1),
        ],
    )
    def test_by_token(self, ada: ApiClient, kind: Token.Kind, address: str, mails: int) -> None:
        Account.objects.update(phone="+14155550100")
        sign_in_by(kind, address)
        assert len(mail.outbox) == mails

    def test_not_to_somebody_without_an_address(self, guest: ApiClient) -> None:
        account = create_account(phone="+14155550100")
        for _ in range(2):
            create_session(
                account=account, provider="phone", factors=["phone"], client=ClientInfo()
            )
        assert mail.outbox == []

    @pytest.mark.parametrize(
        ("provider", "mails"), [("server", 0), ("anonymous", 0), ("github", 1), ("email", 1)]
    )
    def test_by_provider(self, ada: ApiClient, provider: str, mails: int) -> None:
        create_session(
            account=Account.objects.get(),
            provider=provider,
            factors=[provider],
            client=ClientInfo(),
        )
        assert len(mail.outbox) == mails

    def test_not_of_a_sign_in_that_fails(self, ada: ApiClient) -> None:
        body = {"email": EMAIL, "password": "wrong horse"}
        assert ApiClient().post("/account/sessions/email", body).status_code == 401
        assert mail.outbox == []


class TestWhat:
    def test_device_place_and_time(
        self, guest: ApiClient, project: Project, tmp_path: Path
    ) -> None:
        database = write_database(tmp_path / "country.mmdb")
        project(GEOIP_DATABASE=str(database), TRUSTED_PROXIES=1)
        client = ApiClient(headers={"User-Agent": CHROME, "X-Forwarded-For": "91.12.0.1"})
        with time_machine.travel(datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), tick=False):
            guest.sign_up()
            guest.sign_in()
            client.sign_in()
        (message,) = mail.outbox
        for text in (message.body, message.alternatives[0][0]):
            for fact in ("Chrome", "Windows", "91.12.0.1", "Germany", "Jan. 2, 2030", "03:04 UTC"):
                assert fact in text, fact

    def test_in_the_language_of_the_request(
        self, ada: ApiClient, project: Project, tmp_path: Path
    ) -> None:
        database = write_database(tmp_path / "country.mmdb")
        project(GEOIP_DATABASE=str(database), TRUSTED_PROXIES=1)
        headers = {"X-Appwrite-Locale": "de", "X-Forwarded-For": "91.12.0.1"}
        ApiClient(headers=headers).sign_in()
        (message,) = mail.outbox
        assert message.subject == "Sicherheitshinweis: neue Sitzung bei Shop"
        assert "Deutschland" in message.body

    def test_what_is_not_known(self, ada: ApiClient) -> None:
        headers = {"X-Appwrite-Locale": "de", "User-Agent": ""}
        ApiClient(headers=headers).sign_in()
        (message,) = mail.outbox
        assert "Unbekannt" in message.body
        assert "UNKNOWN" in message.body

    def test_no_secret(self, ada: ApiClient) -> None:
        client = ApiClient()
        client.sign_in()
        (message,) = mail.outbox
        text = message.message().as_string()
        assert client.credential not in text
