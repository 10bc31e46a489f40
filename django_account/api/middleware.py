"""Signs people of the account API in to the site's plain Django views."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from django_account.api.authentication import Caller, signed_in_user
from django_account.mfa.models import Authenticator


class AccountMiddleware:
    """Makes ``request.user`` the person signed in through the account API.

    Put it after ``AuthenticationMiddleware``, and after ``OTPMiddleware`` where the site has
    django-otp: somebody signed in through Django's own session stays who they are. It costs nothing
    until a view looks at ``request.user``. Django's CSRF middleware guards forms as ever.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]
    ) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        django_user = getattr(request, "user", None)

        def user() -> Any:
            if django_user is not None and django_user.is_authenticated:
                return django_user
            signed_in = signed_in_user(request)
            if signed_in is None:
                return django_user or AnonymousUser()
            if apps.is_installed("django_otp"):
                _tell_django_otp(*signed_in)
            return signed_in[0]

        request.user = SimpleLazyObject(user)  # type: ignore[assignment]

        async def auser() -> Any:
            return await sync_to_async(user)()

        request.auser = auser
        return self.get_response(request)


def _tell_django_otp(user: Any, caller: Caller) -> None:
    """Have ``otp_required`` see whether the session has proven the person's authenticator."""
    session = caller.acting_session
    user.otp_device = None
    if session is not None and Authenticator.Type.TOTP in session.factors:
        user.otp_device = Authenticator.objects.confirmed().filter(user=user).first()
    user.is_verified = lambda: user.otp_device is not None
