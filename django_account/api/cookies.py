"""Cookies: written and removed here, nowhere else (core.md §4.3 to §4.5)."""

from __future__ import annotations

import ipaddress
import json
from datetime import datetime
from urllib.parse import quote, unquote

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import http_date

from django_account.accounts.models import Account
from django_account.api.clients import is_secure
from django_account.api.cors import is_same_site, request_host
from django_account.conf import conf
from django_account.limits import devices
from django_account.sessions.services import IssuedSession

# As text, and so as it stands: Django would make a moment in the past into "now".
LONG_AGO = http_date(0)


def cookie_name() -> str:
    """The main cookie's name, and the member of ``X-Fallback-Cookies``."""
    return f"a_session_{conf.project_id}"


def read_session_cookie(request: HttpRequest) -> str:
    """The credential in the main cookie, else in the legacy one; ``""`` when there is neither."""
    name = cookie_name()
    for candidate in (name, name.lower(), f"{name}_legacy", f"{name.lower()}_legacy"):
        if value := request.COOKIES.get(candidate):
            return unquote(value)
    return ""


def set_session_cookies(
    request: HttpRequest, response: HttpResponse, issued: IssuedSession
) -> None:
    """Hand a new session to a browser: two cookies, and the fallback where they may not arrive."""
    refresh_session_cookies(request, response, issued.credential, issued.session.expires_at)
    _set_fallback(request, response, json.dumps({cookie_name(): issued.credential}))


def refresh_session_cookies(
    request: HttpRequest, response: HttpResponse, credential: str, expires_at: datetime
) -> None:
    """Write both cookies with a credential and its end."""
    # Django would quote the "=" of Base64, and no SDK unquotes; percent signs pass.
    _write(request, response, quote(credential, safe=""), expires_at)


def clear_session_cookies(request: HttpRequest, response: HttpResponse) -> None:
    """Take the session away from a browser."""
    _write(request, response, "deleted", LONG_AGO)
    clear_fallback(request, response)


def clear_fallback(request: HttpRequest, response: HttpResponse) -> None:
    """Have the Web SDK forget what it stored where cookies did not arrive."""
    _set_fallback(request, response, "[]")


def device_cookie_name() -> str:
    """The cookie by which a device on which somebody signed in is known (limits/devices.py)."""
    return f"a_device_{conf.project_id}".lower()


def read_device_cookie(request: HttpRequest) -> str:
    """What a device has kept to be known by; ``""`` when it is not."""
    return request.COOKIES.get(device_cookie_name(), "")


def remember_device(request: HttpRequest, response: HttpResponse, account: Account) -> None:
    """Have a device keep that somebody signed in on it, where that is of use to anybody."""
    addresses = [address for address in (account.email, account.phone) if address]
    lifetime = conf.known_device_duration
    if not (addresses and lifetime and conf.rate_limits_enabled):
        return
    secure = is_secure(request)
    response.set_cookie(
        device_cookie_name(),
        devices.remember_device(read_device_cookie(request), addresses),
        max_age=lifetime,
        secure=secure,
        httponly=True,
        # Browsers drop "None" without Secure.
        samesite="None" if secure else "Lax",
    )


def _write(
    request: HttpRequest, response: HttpResponse, value: str, expires_at: datetime | str
) -> None:
    name = cookie_name().lower()
    if isinstance(expires_at, datetime) and timezone.is_naive(expires_at):
        # On a site with USE_TZ = False; Django would take its wall clock for UTC.
        expires_at = timezone.make_aware(expires_at)
    # The legacy cookie first: clients that keep one Set-Cookie header keep the last.
    for key, same_site in ((f"{name}_legacy", None), (name, "None")):
        response.set_cookie(
            key,
            value,
            max_age=0 if expires_at == LONG_AGO else None,
            expires=expires_at,
            path="/",
            domain=cookie_domain(request_host(request)),
            secure=is_secure(request),
            httponly=True,
            samesite=same_site,  # type: ignore[arg-type]
        )


def cookie_domain(host: str) -> str | None:
    """What cookies are set for: the API's host and those under it; None for that host alone."""
    if host == "localhost":
        return None
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return f".{host}"
    return None


def _set_fallback(request: HttpRequest, response: HttpResponse, value: str) -> None:
    if not is_same_site(request):
        response["X-Fallback-Cookies"] = value
