"""Signs people of the account API in to the site's plain Django views."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from django_account.api.acting import (
    acting_cookie_name,
    acting_in_browser,
    banner,
    give_back,
    is_admin_page,
    says_so,
    style_nonce,
)
from django_account.api.authentication import Caller, signed_in_user
from django_account.mfa.models import Authenticator


class Middleware:
    """What sites with synchronous and with asynchronous views need of one."""

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
        raise NotImplementedError


class AccountMiddleware(Middleware):
    """Makes ``request.user`` the person signed in through the account API.

    Put it after ``AuthenticationMiddleware``, and after ``OTPMiddleware`` where the site has
    django-otp: somebody signed in through Django's own session stays who they are, unless they act
    as somebody and it is no page of the admin. It costs nothing until a view looks at
    ``request.user``. Django's CSRF middleware guards forms as ever.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        django_user = getattr(request, "user", None)

        def user() -> Any:
            is_known = django_user is not None and django_user.is_authenticated
            # Staff who act as somebody are signed in as themselves, too, for the admin.
            if is_known and (acting_in_browser(request) is None or is_admin_page(request)):
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


class ImpersonationMiddleware(Middleware):
    """Tells staff on every HTML page whom they act as, and gives them their own session back when
    the time is up.

    Put it after whatever compresses pages. Nobody else's request costs anything.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if acting_cookie_name() not in request.COOKIES:
            return self.get_response(request)
        if self.is_async:
            return self.answer(request)
        return self.finished(request, cast(HttpResponseBase, self.get_response(request)))

    async def answer(self, request: HttpRequest) -> HttpResponseBase:
        """The same, where views are asynchronous."""
        response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        return await sync_to_async(self.finished)(request, response)

    def finished(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Put the banner in, where a page ends."""
        kind = response.get("Content-Type", "").partition(";")[0]
        if not isinstance(response, HttpResponse) or kind != "text/html" or says_so(request):
            return response
        if acting_in_browser(request) is None:
            if acting_cookie_name() not in response.cookies:
                give_back(request, response)
            return response
        page, tag, rest = response.content.rpartition(b"</body>")
        if tag and not response.has_header("Content-Encoding"):
            told = banner(request, style_nonce(response)).encode(response.charset)
            response.content = page + told + tag + rest
            # It is another page than the one that was measured, for nobody to keep.
            if response.has_header("Content-Length"):
                response["Content-Length"] = str(len(response.content))
            del response["ETag"]
            response["Cache-Control"] = "private, no-store"
        return response


def _tell_django_otp(user: Any, caller: Caller) -> None:
    """Have ``otp_required`` see whether the session has proven the person's authenticator."""
    session = caller.acting_session
    user.otp_device = None
    if session is not None and Authenticator.Type.TOTP in session.factors:
        user.otp_device = Authenticator.objects.confirmed().filter(user=user).first()
    user.is_verified = lambda: user.otp_device is not None
