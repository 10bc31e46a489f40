"""A site that uses django-otp sees our authenticators: its admin, its decorator, its middleware."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django_otp import devices_for_user, match_token, user_has_device, verify_token
from django_otp.admin import OTPAdminSite
from django_otp.decorators import otp_required
from django_otp.models import Device

from django_account.accounts.models import Account
from django_account.core.crypto import encrypt
from django_account.mfa.models import Authenticator, GuessCount
from tests.client import PASSWORD, ApiClient, assert_error
from tests.mfa.people import Clock, answer, begin, code, enrol, prove, wrong

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@otp_required
def vault(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"for {request.user.get_username()}")


urlpatterns = [
    path("v1/", include("django_account.urls")),
    path("vault", vault),
    path("admin/", admin.site.urls),
]

OURS = "django_account.api.middleware.AccountMiddleware"
THEIRS = "django_otp.middleware.OTPMiddleware"


@pytest.fixture(autouse=True, params=[[THEIRS, OURS]], ids=["documented order"])
def site(settings: Any, request: pytest.FixtureRequest, clock: Clock) -> Iterator[Clock]:
    """The example site with django-otp, as docs/mfa.md has it."""
    settings.INSTALLED_APPS = [*django_settings.INSTALLED_APPS, "django_otp"]
    middleware = [name for name in django_settings.MIDDLEWARE if name != OURS]
    place = middleware.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1
    settings.MIDDLEWARE = [*middleware[:place], *request.param, *middleware[place:]]
    settings.OTP_LOGIN_URL = "/login"
    before = admin.site.__class__
    admin.site.__class__ = OTPAdminSite
    yield clock
    admin.site.__class__ = before


@pytest.fixture
def staff(ada: ApiClient) -> User:
    user = User.objects.get()
    user.is_staff = user.is_superuser = True
    user.save()
    return user


@pytest.fixture
def secret(ada: ApiClient, clock: Clock) -> str:
    secret = enrol(ada)
    clock.forward()
    return secret


def log_in(user: User, token: str, **more: str) -> Any:
    """Fill django-otp's admin login form in; who is asked for a device has chosen the only one."""
    client = Client()
    device = next(iter(devices_for_user(user)), None)
    form = {"username": user.username, "password": PASSWORD, "otp_token": token, **more}
    if device is not None:
        form["otp_device"] = device.persistent_id
    return client, client.post("/admin/login/?next=/admin/", form)


class TestDevices:
    def test_a_verified_authenticator_is_a_device(self, ada: ApiClient, secret: str) -> None:
        (device,) = devices_for_user(User.objects.get())
        assert isinstance(device, Authenticator)
        assert Device.from_persistent_id(device.persistent_id) == device

    def test_an_unverified_one_is_none(self, ada: ApiClient) -> None:
        ada.post("/account/mfa/authenticators/totp")
        user = User.objects.get()
        assert not user_has_device(user)
        assert user_has_device(user, confirmed=None)

    def test_an_unverified_one_verifies_nothing(self, ada: ApiClient) -> None:
        secret = ada.post("/account/mfa/authenticators/totp").json()["secret"]
        device = Authenticator.objects.get()
        assert verify_token(device.user, device.persistent_id, code(secret)) is None

    def test_a_step_is_used_up_for_both_sides(
        self, ada: ApiClient, secret: str, clock: Clock
    ) -> None:
        device = Authenticator.objects.get()
        assert verify_token(device.user, device.persistent_id, code(secret)) == device
        assert match_token(device.user, code(secret)) is None
        response = answer(ada, begin(ada, "totp"), code(secret))
        assert_error(response, 401, "user_invalid_token")
        clock.forward()
        prove(ada, "totp", code(secret))
        assert verify_token(device.user, device.persistent_id, code(secret)) is None

    def test_wrong_tokens_count_for_both_sides(
        self, ada: ApiClient, secret: str, clock: Clock
    ) -> None:
        device = Authenticator.objects.get()
        for _ in range(10):
            assert device.verify_is_allowed()[0]
            assert not verify_token(device.user, device.persistent_id, wrong(code(secret)))
        assert verify_token(device.user, device.persistent_id, code(secret)) is None
        assert not device.verify_is_allowed()[0]
        response = answer(ada, begin(ada, "totp"), code(secret))
        assert_error(response, 429, "general_rate_limit_exceeded")
        clock.forward(timedelta(hours=1))
        assert verify_token(device.user, device.persistent_id, code(secret)) == device
        assert GuessCount.objects.get().count == 0

    @pytest.mark.parametrize("at_once", [False, True])
    def test_the_sites_own_deletion_leaves_no_claim(
        self, ada: ApiClient, secret: str, at_once: bool
    ) -> None:
        (device,) = devices_for_user(User.objects.get())
        assert ada.get("/account/sessions/current").json()["factors"] == ["password", "totp"]
        if at_once:
            type(device).objects.all().delete()
        else:
            device.delete()
        assert ada.get("/account/sessions/current").json()["factors"] == ["password"]

    def test_an_unreadable_seed_verifies_nothing(self, ada: ApiClient, secret: str) -> None:
        device = Authenticator.objects.get()
        Authenticator.objects.update(seed=encrypt("x", "something else"))
        assert verify_token(device.user, device.persistent_id, code(secret)) is None


class TestAdmin:
    def test_asks_for_the_second_factor(self, staff: User, secret: str) -> None:
        client, response = log_in(staff, code(secret))
        assert response.status_code == 302
        assert client.get("/admin/").status_code == 200

    @pytest.mark.parametrize("token", ["", "000000", "nonsense"])
    def test_refuses_without(self, staff: User, secret: str, token: str) -> None:
        client, response = log_in(staff, token)
        assert response.status_code == 200
        assert client.get("/admin/").status_code == 302

    def test_refuses_who_has_none(self, staff: User) -> None:
        client, _ = log_in(staff, "123456")
        assert client.get("/admin/").status_code == 302

    def test_says_so_after_too_many(self, staff: User, secret: str) -> None:
        for _ in range(10):
            log_in(staff, wrong(code(secret)))
        _, response = log_in(staff, code(secret))
        assert "Too many wrong codes." in response.content.decode()

    def test_a_removed_authenticator_lets_nobody_in(self, staff: User, secret: str) -> None:
        client, _ = log_in(staff, code(secret))
        Authenticator.objects.all().delete()
        assert client.get("/admin/").status_code == 302

    def test_by_the_account_api(self, staff: User, ada: ApiClient, secret: str) -> None:
        """A session that has proven the authenticator opens the admin too."""
        assert ada.http.get("/admin/").status_code == 200
        other = ApiClient()
        other.sign_in()
        assert other.http.get("/admin/").status_code == 302
        prove(other, "totp", code(secret))
        assert other.http.get("/admin/").status_code == 200


class TestOtpRequired:
    def test_by_a_session_that_has_proven_it(self, ada: ApiClient, secret: str) -> None:
        assert ada.http.get("/vault").content == f"for {User.objects.get().username}".encode()

    def test_by_a_session_that_has_not(self, ada: ApiClient, secret: str) -> None:
        other = ApiClient()
        other.sign_in()
        assert other.http.get("/vault").status_code == 302
        Account.objects.update(mfa_enabled=True)
        assert other.http.get("/vault").status_code == 302

    def test_guest(self, guest: ApiClient) -> None:
        assert guest.http.get("/vault").status_code == 302

    @pytest.mark.parametrize("site", [[OURS, THEIRS]], indirect=True, ids=["other order"])
    def test_in_the_other_order_nobody_is_verified(self, ada: ApiClient, secret: str) -> None:
        """As django-otp knows Django's own sessions only; and nothing breaks."""
        assert ada.http.get("/vault").status_code == 302


def test_without_django_otp_in_installed_apps(ada: ApiClient, settings: Any) -> None:
    """It need not be there: our model does not want it."""
    settings.INSTALLED_APPS = [
        name for name in django_settings.INSTALLED_APPS if name != "django_otp"
    ]
    settings.MIDDLEWARE = [name for name in django_settings.MIDDLEWARE if name != THEIRS]
    secret = ada.post("/account/mfa/authenticators/totp").json()["secret"]
    response = ada.put("/account/mfa/authenticators/totp", {"otp": code(secret)})
    assert response.status_code == 200
