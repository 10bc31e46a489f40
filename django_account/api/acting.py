"""Staff who act as a person, in the browser: the way in from the admin, the banner, the way back.

The admin and the site's pages have sessions of their own, Django's and the account API's. Acting as
somebody exchanges the cookie of the latter and leaves the former alone. The cookie of the member
of staff's own, if there was one, is kept encrypted in a third, whose presence also tells that there
may be somebody who acts: nobody else's request costs anything here.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import rotate_token
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, Resolver404, path, resolve, reverse
from django.utils.safestring import SafeString

from django_account.administration.impersonation import is_in_force, take_over
from django_account.api.authentication import identify
from django_account.api.clients import is_secure
from django_account.api.cookies import (
    clear_session_cookies,
    read_session_cookie,
    refresh_session_cookies,
)
from django_account.api.pages import LinkPage, signed_in_url
from django_account.conf import conf
from django_account.core.crypto import decrypt, encrypt
from django_account.exceptions import AccountError, SessionNotFound
from django_account.sessions.credentials import decode_credential
from django_account.sessions.lookups import SignedIn, find_by_credential
from django_account.sessions.models import Session
from django_account.sessions.services import end_session

_PURPOSE = "own-session"


def acting_as(request: HttpRequest) -> Session | None:
    """The session in which a member of staff acts as a person; None when the person, or nobody, is
    signed in. For the site's own views, of what staff must not do as somebody else.

    ``account`` of what it returns is the person's, ``actor_id`` the member of staff's public id. It
    believes no cookie but the session's own, and knows headers and JWTs as well.
    """
    try:
        session = identify(request).acting_session
    except AccountError:
        return None
    return session if session is not None and session.actor_id else None


def acting_in_browser(request: HttpRequest) -> SignedIn | None:
    """Whom a member of staff acts as in this browser, for the banner; None when nobody does."""
    if acting_cookie_name() not in request.COOKIES:
        return None
    if not hasattr(request, "_django_account_acting"):
        found = _find(read_session_cookie(request))
        is_acting = found is not None and bool(found.session.actor_id)
        request._django_account_acting = found if is_acting else None  # type: ignore[attr-defined]
    acting: SignedIn | None = request._django_account_acting  # type: ignore[attr-defined]
    return acting


def acting_cookie_name() -> str:
    """The cookie that a browser has while somebody acts in it."""
    return f"a_acting_{conf.project_id}".lower()


def is_admin_page(request: HttpRequest) -> bool:
    """Whether a request is for an admin site, where staff are themselves."""
    try:
        match = request.resolver_match or resolve(
            request.path_info, getattr(request, "urlconf", None)
        )
    except Resolver404:
        return False
    return "admin" in match.app_names


def says_so(request: HttpRequest) -> bool:
    """Whether a request is for the page that says it all itself, and sees to the cookies."""
    match = request.resolver_match
    return match is not None and match.url_name == ImpersonationPage.name


def style_nonce(response: HttpResponseBase) -> str:
    """What a page's own Content-Security-Policy knows its styles by, as those of our pages do;
    empty where it has no such thing."""
    policy = response.get("Content-Security-Policy", "")
    found = re.search(r"style-src [^;]*'nonce-([\w+/=-]+)'", policy)
    return found[1] if found else ""


def banner(request: HttpRequest, nonce: str = "") -> SafeString:
    """What tells a member of staff that they act as somebody; empty when they do not.

    Args:
        nonce: what the page's Content-Security-Policy knows styles by.
    """
    acting = acting_in_browser(request)
    if acting is None:
        return SafeString()
    try:
        stylesheet = static("django_account/acting.css")
    except ValueError:
        # The site's manifest of static files lacks it: collectstatic has yet to be run.
        stylesheet = ""
    context = {
        "account": acting.account,
        "session": acting.session,
        "stop_url": reverse("django_account:impersonation"),
        "stylesheet": stylesheet,
        "nonce": nonce,
    }
    return render_to_string("django_account/acting/banner.html", context)


def give_back(request: HttpRequest, response: HttpResponse) -> None:
    """Give a browser the session back that was its own before somebody acted in it.

    A session that it has got since then stays.
    """
    present = _find(read_session_cookie(request))
    if present is None or present.session.actor_id:
        own = _own_credential(request)
        signed_in = _find(own)
        if signed_in is not None:
            refresh_session_cookies(request, response, own, signed_in.session.expires_at)
        else:
            clear_session_cookies(request, response)
    response.delete_cookie(acting_cookie_name(), samesite="Lax")


def logged_out(request: HttpRequest | None, **kwargs: Any) -> None:
    """Receiver of Django's ``user_logged_out``: whoever leaves the admin acts as nobody any more.

    The next page gives the browser its own session back.
    """
    acting = acting_in_browser(request) if request is not None else None
    if acting is not None:
        with suppress(SessionNotFound):
            end_session(acting.session)


# Here, where it is needed, and not in apps.py: commands have no use for this package.
user_logged_out.connect(logged_out, dispatch_uid="django_account.acting.logged_out")


class ImpersonationPage(LinkPage):
    """Where the admin leads to when somebody begins to act as a person, and the banner to stop.

    No link with a secret leads here; the headers and the check of the form are those of the pages
    that do.
    """

    name = "impersonation"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Begin, if the admin has handed a session over; else ask whether to stop."""
        store = getattr(request, "session", None)
        credential = take_over(store) if store is not None else None
        handed_over = _find(credential or "")
        if credential and handed_over is not None and handed_over.session.actor_id:
            return self.begin(credential, handed_over)
        acting = acting_in_browser(request)
        if acting is not None:
            return self.page(self.template, account=acting.account, session=acting.session)
        response = self.page("impersonation_over")
        if acting_cookie_name() in request.COOKIES:
            give_back(request, response)
        return response

    def begin(self, credential: str, handed_over: SignedIn) -> HttpResponse:
        """Put the cookie in and lead on into the site."""
        request = self.request
        own = read_session_cookie(request)
        if (before := acting_in_browser(request)) is not None:
            own = _own_credential(request)
            with suppress(SessionNotFound):
                end_session(before.session)
        response = self.see_other(signed_in_url())
        refresh_session_cookies(request, response, credential, handed_over.session.expires_at)
        response.set_cookie(
            acting_cookie_name(),
            encrypt(own, _PURPOSE),
            secure=is_secure(request),
            httponly=True,
            samesite="Lax",
        )
        rotate_token(request)
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        """Stop: the session ends, and the browser has its own again."""
        acting, back = acting_in_browser(request), signed_in_url()
        if acting is not None:
            with suppress(SessionNotFound):
                end_session(acting.session)
            with suppress(NoReverseMatch):
                back = reverse("admin:django_account_account_change", args=[acting.account.pk])
        response = self.see_other(back)
        give_back(request, response)
        return response


def _find(value: str) -> SignedIn | None:
    """The live session of a credential as it is on the wire."""
    credential = decode_credential(value) if value else None
    signed_in = find_by_credential(credential) if credential is not None else None
    return signed_in if signed_in is not None and is_in_force(signed_in.session) else None


def _own_credential(request: HttpRequest) -> str:
    try:
        return decrypt(request.COOKIES.get(acting_cookie_name(), ""), _PURPOSE)
    except ValueError:
        return ""


acting_urlpatterns = [
    path(
        f"pages/{ImpersonationPage.name}",
        login_not_required(ImpersonationPage.as_view()),
        name=ImpersonationPage.name,
    )
]
