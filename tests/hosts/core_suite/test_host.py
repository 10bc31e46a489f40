"""What holds on every host, whatever its user model and its habits."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user, create_account
from django_account.core.clients import ClientInfo
from django_account.exceptions import UserAlreadyExists
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from django_account.targets.models import Target
from tests.client import PASSWORD, ApiClient, assert_error

NEW = "battery staple"

User = get_user_model()
has_email = users.email_field() is not None
has_phone = users.phone_field() is not None
has_unique_email = has_email and bool(users.email_field().unique)  # type: ignore[union-attr]
needs_email = pytest.mark.skipif(not has_email, reason="users of this host have no e-mail")


def site_user(name: str = "eve", email: str = "Eve@Example.org", **fields: Any) -> Any:
    """Somebody whom the site's own code made."""
    values: dict[str, Any] = {"email": email} if has_email else {}
    if User.USERNAME_FIELD != "email":
        values[User.USERNAME_FIELD] = name
    return User.objects.create_user(**values, password=PASSWORD, **fields)


def the_user() -> Any:
    return User._default_manager.get()


def wire_date(text: str) -> datetime:
    assert text.endswith("+00:00")
    return datetime.fromisoformat(text)


class TestLifeOfAnAccount:
    def test_from_sign_up_to_deletion(self, guest: ApiClient) -> None:
        account = guest.sign_up(name="Ada")
        user = the_user()
        assert Account.objects.get().user == user
        assert user.check_password(PASSWORD)
        assert user.is_active
        if has_email:
            assert user.email == "ada@example.org"

        session = guest.sign_in()
        assert session["userId"] == account["$id"]
        assert guest.get("/account").json()["$id"] == account["$id"]
        jwt = guest.post("/account/jwts").json()["jwt"]
        assert ApiClient(jwt=jwt).get("/account").status_code == 200

        body = {"email": "grace@example.org", "password": PASSWORD}
        assert guest.patch("/account/email", body).json()["email"] == "grace@example.org"
        body = {"phone": "+14155550100", "password": PASSWORD}
        assert guest.patch("/account/phone", body).json()["phone"] == "+14155550100"
        body = {"password": NEW, "oldPassword": PASSWORD}
        assert guest.patch("/account/password", body).status_code == 200
        user = the_user()
        assert user.check_password(NEW)
        if has_email:
            assert user.email == "grace@example.org"
        if has_phone:
            assert user.phone == "+14155550100"

        other = ApiClient()
        other.sign_in("grace@example.org", NEW)
        assert other.patch("/account/status").json()["status"] is False
        assert not the_user().is_active
        assert_error(guest.get("/account"), 403, "user_blocked")
        User._default_manager.update(is_active=True)

        assert guest.delete("/account").status_code == 204
        assert not User._default_manager.exists()
        assert not Session.objects.exists()
        assert not Target.objects.exists()
        guest.http.cookies.clear()
        guest.sign_up("grace@example.org")

    def test_people_without_addresses(self, guest: ApiClient) -> None:
        for number in range(3):
            client = ApiClient()
            assert client.post("/account/sessions/anonymous").status_code == 201
            account = client.get("/account").json()
            assert (account["email"], account["phone"], account["targets"]) == ("", "", [])
            assert "users.invalid" not in json.dumps(account)
            assert User._default_manager.count() == number + 1
        # What stands in the user table for an address that nobody has is nobody's to take.
        placeholder = f"{account['$id']}@users.invalid"
        taking = {"userId": "unique()", "email": placeholder, "password": PASSWORD}
        assert_error(ApiClient().post("/account", taking), 400, "general_invalid_email")
        assert_error(client.patch("/account/email", taking), 400, "general_invalid_email")
        body = {"email": "ada@example.org", "password": PASSWORD}
        changed = client.patch("/account/email", body).json()
        assert (changed["email"], changed["$id"]) == ("ada@example.org", account["$id"])
        ApiClient().sign_in()

    @pytest.mark.django_db
    def test_people_with_a_phone_only(self) -> None:
        accounts = [create_account(phone=f"+1415555010{digit}") for digit in range(3)]
        assert User._default_manager.count() == 3
        if has_phone:
            assert accounts[2].user.phone == "+14155550102"

    @pytest.mark.django_db
    def test_ids_that_differ_in_case(self) -> None:
        create_account(account_id="Ada", phone="+14155550100")
        create_account(account_id="ada", phone="+14155550101")
        create_account(account_id="ADA")
        assert User._default_manager.count() == 3

    @pytest.mark.django_db
    def test_ids_as_long_and_odd_as_allowed(self) -> None:
        for account_id in ("a" * 36, "A" * 36, "0._-" * 9, "x"):
            account = create_account(account_id=account_id)
            account.user.full_clean(exclude=["password"])
        assert Account.objects.count() == 4

    @pytest.mark.django_db
    def test_id_that_is_a_site_users_name(self) -> None:
        site_user("admin")
        assert create_account(account_id="admin", email="ada@example.org").public_id == "admin"


class TestPeopleOfTheSite:
    @needs_email
    def test_first_sign_in(self, guest: ApiClient) -> None:
        user = site_user()
        guest.sign_in("eve@example.org")
        account = Account.objects.get()
        assert (account.user, account.email) == (user, "eve@example.org")
        guest.delete("/account/sessions/current")
        guest.sign_in("EVE@example.org")
        assert Account.objects.count() == 1

    @pytest.mark.django_db
    def test_adoption_by_staff(self) -> None:
        user = site_user()
        account = adopt_user(user)
        assert account.user == user
        assert account.email == ("eve@example.org" if has_email else None)

    @needs_email
    @pytest.mark.parametrize("adopt", [True, False])
    def test_their_address_is_taken(
        self, guest: ApiClient, project: Callable[..., None], adopt: bool
    ) -> None:
        site_user(email="eve@example.org")
        project(ADOPT_USERS=adopt)
        body = {"userId": "unique()", "email": "eve@example.org", "password": NEW}
        response = guest.post("/account", body)
        if adopt or has_unique_email:
            assert_error(response, 409, UserAlreadyExists.code)
        else:
            # The host said that nobody is left to adopt, and allows an address twice.
            assert response.status_code == 201

    @needs_email
    @pytest.mark.parametrize("adopt", [True, False])
    def test_nobody_changes_to_their_address(
        self, ada: ApiClient, project: Callable[..., None], adopt: bool
    ) -> None:
        site_user(email="eve@example.org")
        project(ADOPT_USERS=adopt)
        body = {"email": "eve@example.org", "password": PASSWORD}
        response = ada.patch("/account/email", body)
        if adopt or has_unique_email:
            assert response.status_code in {400, 409}, response.content
            assert ada.get("/account").json()["email"] == "ada@example.org"
        else:
            assert response.status_code == 200

    @needs_email
    def test_site_changes_the_address(self, ada: ApiClient) -> None:
        user = the_user()
        user.email = "Grace@Example.org"
        user.save()
        assert ada.get("/account").json()["email"] == "grace@example.org"

    def test_site_changes_the_password(self, ada: ApiClient) -> None:
        user = the_user()
        user.set_password(NEW)
        user.save()
        assert_error(ada.get("/account"), 401, "general_unauthorized_scope")
        ApiClient().sign_in(password=NEW)

    def test_site_blocks(self, ada: ApiClient) -> None:
        User._default_manager.update(is_active=False)
        assert_error(ada.get("/account"), 403, "user_blocked")

    def test_site_deletes(self, ada: ApiClient) -> None:
        the_user().delete()
        assert_error(ada.get("/account"), 401, "general_unauthorized_scope")
        assert not Account.objects.exists()

    def test_last_login_is_noted(self, ada: ApiClient) -> None:
        assert the_user().last_login is not None


class TestAdmin:
    PEOPLE = "/admin/django_account/account/"

    def test_people_are_managed_there(self, db: None) -> None:
        staff = Client()
        staff.force_login(site_user("root", "root@example.org", is_staff=True, is_superuser=True))
        body = {"name": "Ada", "email": "Ada@Example.org", "phone": "+14155550100", "invite": "on"}
        assert staff.post(f"{self.PEOPLE}add/", body).status_code == 302
        account = Account.objects.with_user().get(email="ada@example.org")
        create_session(account=account, provider="x", factors=["x"], client=ClientInfo())

        page = f"{self.PEOPLE}{account.pk}/change/"
        for shown in (self.PEOPLE, f"{self.PEOPLE}?q=ada", f"{self.PEOPLE}?o=-6", page):
            assert "ada@example.org" in staff.get(shown).content.decode()
        form = staff.get(page).content.decode()
        # In every theme: what was shown comes back, so that only what was changed is written.
        for name in ("name", "email", "phone", "labels", "prefs", "mfa_enabled", "impersonator"):
            assert form.count(f'name="initial-{name}"') == 1, name
        body = {"name": "Grace", "email": "grace@example.org", "phone": "", "labels": ""}
        body |= {"prefs": "{}"}
        assert staff.post(page, body).status_code == 302
        account = Account.objects.with_user().get()
        assert (account.name, account.email, account.phone) == ("Grace", "grace@example.org", None)
        if has_email:
            assert account.user.email == "grace@example.org"

        for name in ("block", "unblock", "verify_email", "end_sessions", "reset_mfa", "delete"):
            url = f"{self.PEOPLE}{account.pk}/act/{name}/"
            assert "grace@example.org" in staff.get(url).content.decode()
            assert staff.post(url, {"confirmed": "x"}).status_code == 302
            account = Account.objects.with_user().filter(pk=account.pk).first()
            if name == "delete":
                assert account is None
            else:
                assert account.is_active == (name != "block")
        assert User._default_manager.count() == 1

    def test_many_at_once(self, db: None) -> None:
        staff = Client()
        staff.force_login(site_user("root", "root@example.org", is_staff=True, is_superuser=True))
        people = [create_account(phone=f"+1415555010{digit}") for digit in range(3)]
        chosen = {"action": "block", "_selected_action": [account.pk for account in people]}
        assert staff.post(self.PEOPLE, chosen).status_code == 200
        assert User._default_manager.filter(is_active=True).count() == 4
        staff.post(self.PEOPLE, {**chosen, "confirmed": "x"})
        assert User._default_manager.filter(is_active=True).count() == 1


class TestTime:
    MOMENT = datetime(2026, 7, 15, 23, 30, 15, tzinfo=UTC)

    def travel(self) -> time_machine.travel:
        """Stop the clock, not the zone: a ``datetime`` would bring its own."""
        return time_machine.travel(int(self.MOMENT.timestamp()), tick=False)

    def test_dates_are_utc(self, db: None) -> None:
        with self.travel():
            client = ApiClient()
            account = client.sign_up()
            session = client.sign_in()
        for name in ("$createdAt", "registration", "passwordUpdate", "accessedAt"):
            assert wire_date(account[name]) == self.MOMENT
        assert account["registration"] == "2026-07-15T23:30:15.000+00:00"
        assert wire_date(session["expire"]) == self.MOMENT + timedelta(days=365)

    def test_cookies_end_with_the_session(self, db: None) -> None:
        with self.travel():
            client = ApiClient()
            client.sign_up()
            session = client.sign_in()
            end = wire_date(session["expire"])
            for name in ("a_session_demo", "a_session_demo_legacy"):
                cookie = client.http.cookies[name]
                ends = parsedate_to_datetime(cookie["expires"])
                assert abs(ends - end) <= timedelta(seconds=1)
                if cookie["max-age"]:
                    assert abs(cookie["max-age"] - 31_536_000) <= 1

    def test_sessions_and_jwts_expire_on_time(self, db: None, project: Callable[..., None]) -> None:
        project(SESSION_DURATION=3600)
        with self.travel() as clock:
            client = ApiClient()
            client.sign_up()
            client.sign_in()
            by_jwt = ApiClient(jwt=client.post("/account/jwts", {"duration": 60}).json()["jwt"])
            clock.shift(59)
            assert by_jwt.get("/account").status_code == 200
            clock.shift(1)
            assert_error(by_jwt.get("/account"), 401, "user_jwt_invalid")
            clock.shift(3600 - 61)
            assert client.get("/account").status_code == 200
            clock.shift(1)
            assert_error(client.get("/account"), 401, "general_unauthorized_scope")


class TestDjango:
    @pytest.mark.django_db
    def test_migrations_are_complete(self) -> None:
        out = StringIO()
        call_command("makemigrations", "django_account", check=True, dry_run=True, stdout=out)

    @pytest.mark.django_db
    def test_system_checks_pass(self) -> None:
        call_command("check", fail_level="ERROR", stdout=StringIO(), stderr=StringIO())

    def test_errors_are_the_envelope_everywhere(self, guest: ApiClient) -> None:
        for method, path, status in [
            ("GET", "/account", 401),
            ("GET", "/nope", 404),
            ("PUT", "/account", 404),
            ("POST", "/account", 400),
            ("GET", "//account//", 401),
        ]:
            response = guest.call(method, path)
            assert response.status_code == status, (path, response.content)
            assert list(response.json()) == ["message", "code", "type", "version"]

    def test_csrf_is_not_asked_for(self, db: None) -> None:
        client = ApiClient()
        client.http.handler.enforce_csrf_checks = True
        client.sign_up()
        client.sign_in()
        assert client.patch("/account/name", {"name": "Ada"}).status_code == 200
        assert client.post("/nope").status_code == 404
