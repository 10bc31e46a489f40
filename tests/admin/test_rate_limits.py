"""Resetting rate limits in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.test.html import parse_html

from django_account.accounts.models import Account
from django_account.administration.services import reset_limits
from django_account.mfa.models import GuessCount
from tests.admin.staff import account_of_superuser
from tests.client import ApiClient

HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"
PAGE = "/admin/django_account/cacheentry/"


@pytest.fixture(autouse=True)
def limited(project: Callable[..., None]) -> None:
    project(RATE_LIMITS_ENABLED=True, TRUSTED_PROXIES=1)


@pytest.fixture
def staff(db: None, django_user_model: Any) -> Client:
    """Somebody who may reset limits, and nothing else."""
    user = django_user_model.objects.create_user("staff", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="reset_rate_limits"))
    client = Client()
    client.force_login(user)
    return client


def reset(staff: Client, who: str) -> None:
    response = staff.post(PAGE, {"who": who, "confirmed": "Reset"})
    assert response.status_code == 302, response.content


class Exhausted:
    """A request that passes ten times."""

    def __init__(self, path: str, body: dict[str, Any], method: str = "POST") -> None:
        self.method, self.path, self.body = method, path, body

    def is_refused(self, client: ApiClient, ip: str = HERE) -> bool:
        answer = client.call(self.method, self.path, self.body, X_Forwarded_For=ip)
        return bool(answer.status_code == 429)

    def use_up(self, client: ApiClient) -> None:
        # Phone numbers from elsewhere: their route has a limit for each IP address, too.
        while not self.is_refused(client, ELSEWHERE if "phone" in self.body else HERE):
            pass


BY_EMAIL = Exhausted("/account/sessions/email", {"email": "Ada@example.org", "password": "x" * 8})
BY_PHONE = Exhausted("/account/tokens/phone", {"userId": "ada", "phone": "+15551234567"})
BY_ACCOUNT = Exhausted("/account/recovery", {"userId": "ada", "secret": "x"}, "PUT")
BY_IP = Exhausted("/account", {})
BY_IP_AND_ACCOUNT = Exhausted("/account/sessions/token", {"userId": "ada", "secret": "x"})

ALL = [BY_EMAIL, BY_PHONE, BY_ACCOUNT, BY_IP, BY_IP_AND_ACCOUNT]


class TestReset:
    @pytest.mark.parametrize(
        ("who", "freed"),
        [
            # A person, by whatever they are known by.
            ("ada", [BY_EMAIL, BY_PHONE, BY_ACCOUNT, BY_IP_AND_ACCOUNT]),
            (" ADA@example.org", [BY_EMAIL, BY_PHONE, BY_ACCOUNT, BY_IP_AND_ACCOUNT]),
            ("+15551234567", [BY_EMAIL, BY_PHONE, BY_ACCOUNT, BY_IP_AND_ACCOUNT]),
            ("192.0.2.1", [BY_IP, BY_IP_AND_ACCOUNT]),
            ("bob@example.org", []),
            ("192.0.2.3", []),
        ],
    )
    def test_frees_what_counts_the_subject_and_nothing_else(
        self, guest: ApiClient, staff: Client, who: str, freed: list[Exhausted]
    ) -> None:
        Account.objects.filter(pk=self.ada(guest).pk).update(phone="+15551234567")
        for each in ALL:
            each.use_up(guest)
        reset(staff, who)
        assert [each for each in ALL if not each.is_refused(guest)] == freed

    def ada(self, guest: ApiClient) -> Account:
        guest.sign_up(userId="ada", name="Ada")
        return Account.objects.get()

    def test_frees_a_person_of_wrong_second_factors(
        self, guest: ApiClient, staff: Client, project: Callable[..., None]
    ) -> None:
        project(MFA_WRONG_ANSWERS=1)
        ada = self.ada(guest)
        assert GuessCount.objects.claim(ada.user_id)
        reset(staff, "192.0.2.1")
        assert not GuessCount.objects.claim(ada.user_id)
        reset(staff, "ada@example.org")
        assert GuessCount.objects.claim(ada.user_id)

    @pytest.mark.parametrize(
        ("given", "freed"),
        [
            ({"account_ids": ["ada"]}, True),
            ({"emails": ["Ada@Example.org "]}, True),
            ({"phones": ["+15551234567"]}, True),
            ({"ips": [HERE]}, False),
            ({"account_ids": ["bob"], "emails": ["no address"]}, False),
            ({}, False),
        ],
        ids=str,
    )
    def test_does_no_more_than_the_function(
        self, guest: ApiClient, project: Callable[..., None], given: dict[str, Any], freed: bool
    ) -> None:
        project(MFA_WRONG_ANSWERS=1)
        ada = self.ada(guest)
        Account.objects.filter(pk=ada.pk).update(phone="+15551234567")
        assert GuessCount.objects.claim(ada.user_id)
        for each in (BY_EMAIL, BY_PHONE, BY_ACCOUNT):
            each.use_up(guest)
        assert reset_limits(**given)
        assert GuessCount.objects.claim(ada.user_id) is freed
        for each in (BY_EMAIL, BY_PHONE, BY_ACCOUNT):
            assert each.is_refused(guest) is not freed

    def test_asks_before_it_acts(self, guest: ApiClient, staff: Client) -> None:
        self.ada(guest)
        BY_EMAIL.use_up(guest)
        page = staff.post(PAGE, {"who": "ada@example.org"})
        assert page.status_code == 200
        for text in ("Ada (ada)", "ada@example.org", "confirmed"):
            assert text in page.content.decode()
        assert BY_EMAIL.is_refused(guest)
        assert not LogEntry.objects.exists()

    def test_is_noted_in_the_admins_log(self, guest: ApiClient, staff: Client) -> None:
        account = self.ada(guest)
        reset(staff, "ada@example.org")
        reset(staff, "192.0.2.7")
        address, person = LogEntry.objects.all()
        assert (person.user.username, person.object_id) == ("staff", str(account.pk))
        assert person.object_repr == "ada"
        assert (address.object_id, address.object_repr) == (None, "192.0.2.7")

    def test_says_when_the_cache_is_gone(self, staff: Client, settings: Any) -> None:
        settings.CACHES = {"default": {"BACKEND": "no.such.Cache"}}
        page = staff.post(PAGE, {"who": "192.0.2.7", "confirmed": "Reset"}, follow=True)
        assert "does not answer" in page.content.decode()

    @pytest.mark.parametrize("who", ["root", "root@example.org", "+15551234567"])
    def test_not_of_people_above_oneself(
        self, staff: Client, admin_client: Client, who: str
    ) -> None:
        """They could guess at a superuser's second factor for ever."""
        root = account_of_superuser()
        Account.objects.filter(pk=root.pk).update(public_id="root", phone="+15551234567")
        GuessCount.objects.claim(root.user_id)
        page = staff.post(PAGE, {"who": who, "confirmed": "Reset"})
        assert "Somebody with more rights than you" in page.content.decode()
        assert GuessCount.objects.exists()
        assert not LogEntry.objects.exists()
        reset(admin_client, who)
        assert not GuessCount.objects.exists()

    @pytest.mark.parametrize("who", ["", "nobody", "a@b", "+1", "1.2.3", "' OR 1=1", "<b>"])
    def test_nobody(self, staff: Client, who: str) -> None:
        page = staff.post(PAGE, {"who": who, "confirmed": "Reset"})
        assert page.status_code == 200
        assert 'class="errorlist"' in page.content.decode()
        assert "<b>" not in page.content.decode()
        assert not LogEntry.objects.exists()


class TestPage:
    def test_is_on_the_index_and_well_formed(self, staff: Client) -> None:
        assert PAGE in staff.get("/admin/").content.decode()
        parse_html(staff.get(PAGE).content.decode())

    def test_may_be_linked_to_with_somebody(self, staff: Client) -> None:
        assert 'value="ada&quot;"' in staff.get(f'{PAGE}?who=ada"').content.decode()

    def test_without_the_permission(self, django_user_model: Any) -> None:
        user = django_user_model.objects.create_user("staff", password="x", is_staff=True)
        client = Client()
        client.force_login(user)
        assert client.get(PAGE).status_code == 403
        assert client.post(PAGE, {"who": "192.0.2.7", "confirmed": "Reset"}).status_code == 403

    def test_a_foreign_form_does_nothing(self, staff: Client) -> None:
        client = Client(enforce_csrf_checks=True)
        client.cookies = staff.cookies
        assert client.post(PAGE, {"who": "192.0.2.7", "confirmed": "Reset"}).status_code == 403
        assert not LogEntry.objects.exists()
