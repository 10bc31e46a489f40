"""The commands, as typed."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.api_keys.models import ApiKey
from django_account.api_keys.services import find_api_key
from django_account.identities.models import OAuth2Flow
from django_account.mfa.models import GuessCount
from django_account.sessions.models import Session
from tests.client import PASSWORD, ApiClient

pytestmark = pytest.mark.django_db


def run(name: str, *arguments: Any) -> list[str]:
    out = StringIO()
    call_command(name, *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


class TestCreateApiKey:
    def test_the_secret_stands_alone_on_the_last_line(self) -> None:
        last = run("createapikey", "--name", "web", "--scopes", "users.read", "sessions.write")[-1]
        assert last.startswith("standard_")
        assert len(last) == len("standard_") + 256
        assert find_api_key(last) == ApiKey.objects.get(name="web")

    def test_the_secret_works(self) -> None:
        secret = run("createapikey", "--name", "web", "--scopes", "sessions.write")[-1]
        session = ApiClient(key=secret).post("/account/sessions/anonymous").json()
        assert ApiClient(session=session["secret"]).get("/account").status_code == 200

    def test_scopes_are_kept(self) -> None:
        run("createapikey", "--name", "web", "--scopes", "users.read", "users.read", "users.write")
        assert ApiKey.objects.get().scopes == ["users.read", "users.write"]

    def test_a_scope_no_key_may_hold(self) -> None:
        with pytest.raises(CommandError, match="account"):
            run("createapikey", "--name", "web", "--scopes", "account")
        assert not ApiKey.objects.exists()

    def test_ephemeral(self) -> None:
        asked = ("createapikey", "--name", "job", "--scopes", "users.read", "--ephemeral")
        secret = run(*asked, "60")[-1]
        assert secret.startswith("ephemeral_")
        assert ApiClient(key=secret).get("/users").status_code == 200
        assert not ApiKey.objects.exists()
        with pytest.raises(CommandError, match="3600"):
            run(*asked, "3601")

    def test_expiry(self) -> None:
        run(
            "createapikey", "--name", "w", "--scopes", "users.read", "--expires", "2030-01-02T03:04"
        )
        assert ApiKey.objects.get().expires_at.isoformat() == "2030-01-02T03:04:00+00:00"

    def test_expiry_that_is_no_moment(self) -> None:
        with pytest.raises(CommandError, match="tomorrow"):
            run("createapikey", "--name", "w", "--scopes", "users.read", "--expires", "tomorrow")


class TestAdoptUsers:
    def test_every_user_gets_an_account(self) -> None:
        User.objects.create_user("ada", "Ada@Example.org", PASSWORD, first_name="Ada")
        User.objects.create_user("bob", "bob@example.org", PASSWORD)
        assert run("adoptusers")[-3:] == [
            "2 adopted.",
            "0 without a usable e-mail address, left alone.",
            "0 with an address of somebody else, left alone.",
        ]
        account = Account.objects.get(user__username="ada")
        assert (account.email, account.name) == ("ada@example.org", "Ada")
        ApiClient().sign_in("ada@example.org")

    def test_blank_and_shared_addresses_are_reported_and_left_alone(self) -> None:
        blank = User.objects.create_user("blank", "")
        one = User.objects.create_user("one", "same@example.org")
        two = User.objects.create_user("two", "Same@example.org")
        lines = run("adoptusers")
        assert lines == [
            f"user {blank.pk}: no usable e-mail address",
            f"user {one.pk}: same@example.org belongs to several users",
            f"user {two.pk}: same@example.org belongs to several users",
            "0 adopted.",
            "1 without a usable e-mail address, left alone.",
            "2 with an address of somebody else, left alone.",
        ]
        assert not Account.objects.exists()

    def test_an_address_that_an_account_has(self, project: Any) -> None:
        ApiClient().sign_up("ada@example.org")
        user = User.objects.create_user("ada", "ada@example.org")
        assert f"user {user.pk}: ada@example.org belongs to several users" in run("adoptusers")
        assert Account.objects.count() == 1

    def test_dry_run_changes_nothing(self) -> None:
        User.objects.create_user("ada", "ada@example.org")
        assert "1 would be adopted." in run("adoptusers", "--dry-run")
        assert not Account.objects.exists()

    def test_without_email(self) -> None:
        User.objects.create_user("blank", "")
        assert "1 adopted." in run("adoptusers", "--without-email")
        assert Account.objects.get().email is None

    def test_running_it_again_is_safe(self) -> None:
        User.objects.create_user("ada", "ada@example.org")
        run("adoptusers")
        assert "0 adopted." in run("adoptusers")
        assert Account.objects.count() == 1


class TestClearAccounts:
    def test_expired_sessions_go_and_live_ones_stay(self, ada: ApiClient, project: Any) -> None:
        project(SESSION_DURATION=60)
        ApiClient().sign_in()
        with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
            assert run("clearaccounts")[0] == "1 expired sessions deleted."
        assert Session.objects.count() == 1
        assert ada.get("/account").status_code == 200

    def test_wrong_second_factors(self, ada: ApiClient) -> None:
        GuessCount.objects.claim(Account.objects.get().user_id)
        assert "0 counts of wrong second factors deleted." in run("clearaccounts")
        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
            assert "1 counts of wrong second factors deleted." in run("clearaccounts")
        assert not GuessCount.objects.exists()

    def test_sign_ins_that_nobody_came_back_from(self, guest: ApiClient, project: Any) -> None:
        project(OAUTH2_PROVIDERS={"github": {"client_id": "1", "client_secret": "2"}})
        assert guest.get("/account/sessions/oauth2/github").status_code == 301
        assert "0 abandoned sign-ins at providers deleted." in run("clearaccounts")
        with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
            assert "1 abandoned sign-ins at providers deleted." in run("clearaccounts")
        assert not OAuth2Flow.objects.exists()


class TestDemo:
    def test_the_admin_signs_in_with_the_printed_password(self) -> None:
        printed = next(line for line in run("demo", "--no-server") if "admin /" in line)
        password = printed.split("admin / ")[1].split()[0]
        client = ApiClient().http
        assert client.login(username="admin", password=password)
        assert client.get("/admin/").status_code == 200

    def test_running_it_again_keeps_a_used_password_and_the_data(self, ada: ApiClient) -> None:
        run("demo", "--no-server")
        admin = User.objects.get(username="admin")
        User.objects.filter(pk=admin.pk).update(last_login=timezone.now())
        assert any("with the password of before" in line for line in run("demo", "--no-server"))
        assert User.objects.get(pk=admin.pk).password == admin.password
        assert ada.get("/account").status_code == 200

    def test_running_it_again_before_the_first_login_prints_a_new_password(self) -> None:
        first, second = run("demo", "--no-server"), run("demo", "--no-server")
        assert first != second
        assert User.objects.filter(username="admin").count() == 1
