"""Landing pages for links sent without a ``url``: sign in, set a new password, verify an address.

A link is opened by more than its owner: mail scanners, previews and prefetching browsers follow it,
and its address ends up in histories, logs and ``Referer`` headers. So:

- **A GET consumes nothing and looks nothing up.** It moves the secret from the query into a cookie
  and answers 303 to the bare path, where a form waits. Only its POST acts, and only with a CSRF
  token, which a scanner that follows redirects and keeps cookies still does not send.
- **The cookie, not the page, carries the secret**: encrypted, HttpOnly, SameSite=Lax, for this path
  and a quarter of an hour. So it stands in no HTML that a saved page or a screenshot would keep, a
  foreign site's POST arrives without it, and no script is needed to clean the address bar. 303 and
  not ``history.replaceState``: the address with the secret never becomes an entry of the history.
- **Every answer** forbids caches, frames, referrers and foreign content: :meth:`LinkPage.dispatch`.

The looks are templates under ``django_account/pages/``, which a site overrides (docs/pages.md).
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.password_validation import (
    get_default_password_validators,
    password_validators_help_texts,
    validate_password,
)
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware, rotate_token
from django.shortcuts import render, resolve_url
from django.urls import path
from django.utils import timezone
from django.utils.decorators import decorator_from_middleware, method_decorator
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.passwords import MAX_LENGTH, broken_rule
from django_account.api.activity import report
from django_account.api.authentication import Caller, identify
from django_account.api.clients import client_info, is_secure
from django_account.api.cookies import refresh_session_cookies, remember_device
from django_account.api.errors import HideEverything
from django_account.conf import conf
from django_account.core.crypto import decrypt, encrypt
from django_account.core.ids import is_valid_id
from django_account.exceptions import (
    AccountError,
    InvalidArgument,
    PasswordPersonalData,
    PasswordRecentlyUsed,
)
from django_account.selfservice.recovery import complete_recovery
from django_account.selfservice.verification import complete_verification
from django_account.sessions.models import Session
from django_account.sessions.services import create_token_session
from django_account.tokens.models import Token

COOKIE = "django_account_link"

# Seconds from opening a link to pressing the button.
PATIENCE = 900

# What links hold. The codes that people type are shorter: they are redeemed at the API alone, so
# that nobody guesses them here, past its rate limits.
_SECRET = re.compile(r"[0-9a-f]{64,256}\Z")

# Requests that Django cannot read.
_UNREADABLE = (SuspiciousOperation, MultiPartParserError, UnreadablePostError)

logger = logging.getLogger("django.security.csrf")


@dataclass(frozen=True, slots=True)
class Link:
    """What a link carries."""

    account_id: str
    secret: str = field(repr=False)

    @property
    def is_plausible(self) -> bool:
        """Whether we could have sent it."""
        return is_valid_id(self.account_id) and _SECRET.match(self.secret) is not None


class PageCsrf(CsrfViewMiddleware):
    """Django's check, for pages that are never a referrer; a refusal is a page of ours.

    Under ``Referrer-Policy: no-referrer`` browsers send ``Origin: null`` with our own form, which
    Django takes for a stranger. Who wrote the form is then told by ``Sec-Fetch-Site``, which no
    script can set; where that is missing too (plain HTTP, old browsers), the token alone decides.
    """

    def _origin_verified(self, request: HttpRequest) -> bool:
        if request.META["HTTP_ORIGIN"] == "null":
            return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        return bool(super()._origin_verified(request))  # type: ignore[misc]

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        extra = {"status_code": 403, "request": request}
        logger.warning("Forbidden (%s): %s", reason, request.path, extra=extra)
        raise PermissionDenied(reason)


def page_answer(
    request: HttpRequest, template: str, status: int = 200, *, nonce: str = "", **context: object
) -> HttpResponse:
    """One of our templates, with the headers that keep a secret in.

    Args:
        nonce: what its scripts and styles are known by; a new one when left out.
    """
    nonce = nonce or secrets.token_urlsafe(16)
    response = render(
        request,
        f"django_account/pages/{template}.html",
        {
            "project_name": conf.project_name,
            "continue_url": signed_in_url(),
            "signs_out": conf.invalidate_sessions,
            "csp_nonce": nonce,
            **context,
        },
        status=status,
    )
    keep_secrets_in(response, nonce)
    return response


def keep_secrets_in(response: HttpResponse, nonce: str) -> None:
    """Forbid caches, frames, referrers and foreign content."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Frame-Options"] = "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Robots-Tag"] = "noindex"
    response["Content-Security-Policy"] = content_policy(nonce)


def content_policy(nonce: str) -> str:
    """What our pages may load: what they hold themselves, and a site's own logo and fonts."""
    # Chromium holds the redirect that follows a form to "form-action" as well.
    target = origin_of(signed_in_url())
    static = origin_of(str(settings.STATIC_URL or ""))
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'nonce-{nonce}'",
            f"img-src 'self'{static}",
            f"font-src 'self'{static}",
            f"form-action 'self'{target}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
    )


# Exempt from the site's own CsrfViewMiddleware, which may be absent, and held to ours instead.
@method_decorator(csrf_exempt, name="dispatch")
class LinkPage(View):
    """What the pages share: the way of a link through the cookie to the form, and the headers."""

    name: ClassVar[str]
    # What the activity log calls it.
    event: ClassVar[str]
    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Answer, always with a page and always with the headers that keep a secret in."""
        self.nonce = secrets.token_urlsafe(16)
        request.exception_reporter_filter = HideEverything()
        # A charset parameter may name codecs that decode no text (api/views.py).
        request._encoding = "utf-8"  # type: ignore[attr-defined]
        try:
            response = self.guarded(request)
        except PermissionDenied:
            response = self.problem("stale", 403)
        except _UNREADABLE:
            response = self.problem("unreadable", 400)
        keep_secrets_in(response, self.nonce)
        return response

    @method_decorator(decorator_from_middleware(PageCsrf))
    def guarded(self, request: HttpRequest) -> HttpResponse:
        """Answer a request that our own page has sent.

        Raises:
            PermissionDenied: another page did, or the browser keeps no cookies.
        """
        response: HttpResponse = super().dispatch(request)  # type: ignore[assignment]
        return response

    def get(self, request: HttpRequest) -> HttpResponse:
        """Take a link out of the URL, then show the form. HEAD is the same."""
        if "secret" in request.GET or "userId" in request.GET:
            link = Link(request.GET.get("userId", ""), request.GET.get("secret", ""))
            response = self.see_other(self.here)
            if link.is_plausible:
                self.remember(response, link)
            else:
                self.forget(response)
            return response
        if not conf.services["account"]:
            return self.problem("off", 403)
        state = self.state()
        if state is None:
            return self.problem("stale", 400)
        return self.form() if isinstance(state, Link) else self.page(f"{self.template}_done")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Do what the link is for."""
        if not conf.services["account"]:
            return self.problem("off", 403)
        link = self.state()
        if not isinstance(link, Link):
            return self.problem("stale", 400)
        try:
            with signals.reporting():
                return self.act(link)
        except AccountError as refusal:
            self.report_refusal(link, refusal)
            # One page for whatever is wrong with it: the cases cannot be told apart.
            response = self.problem("link", 400)
            self.forget(response)
            return response

    def report(self, account: Account, session: Session | None = None) -> None:
        """Tell the activity log that the link was redeemed."""
        client = client_info(self.request)
        report(self.event, caller=Caller(), client=client, account=account, session=session)

    def report_refusal(self, link: Link, refusal: AccountError) -> None:
        """Tell it that the link was not."""
        given, client = {"userId": link.account_id}, client_info(self.request)
        report(self.event, caller=Caller(), client=client, given=given, refusal=refusal)

    def form(self) -> HttpResponse:
        """The page that asks for the POST."""
        return self.page(self.template)

    def act(self, link: Link) -> HttpResponse:
        """Redeem the link.

        Raises:
            AccountError: it is none, or not any more.
        """
        raise NotImplementedError

    def done(self) -> HttpResponse:
        """Lead on to the page that says so, which can be reloaded without acting again."""
        response = self.see_other(self.here)
        self.remember(response, None)
        return response

    def http_method_not_allowed(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse:
        """Refuse everything but reading and the form."""
        response = self.problem("unreadable", 405)
        response["Allow"] = "GET, HEAD, POST"
        return response

    # --- the cookie ---

    @property
    def here(self) -> str:
        """Our own path, without the empty segments that ``api.urls.fall_through`` tolerates."""
        return escape_uri_path(re.sub(r"/{2,}", "/", self.request.path).rstrip("/"))

    def remember(self, response: HttpResponse, link: Link | None) -> None:
        """Keep a link for the form; None: it has done its work."""
        until = int(timezone.now().timestamp()) + PATIENCE
        state = [until, link and [link.account_id, link.secret]]
        response.set_cookie(
            COOKIE,
            encrypt(json.dumps(state), f"page.{self.name}"),
            max_age=PATIENCE,
            path=self.here,
            secure=is_secure(self.request),
            httponly=True,
            samesite="Lax",
        )

    def forget(self, response: HttpResponse) -> None:
        """Drop what was kept."""
        response.delete_cookie(COOKIE, path=self.here, samesite="Lax")

    def state(self) -> Link | bool | None:
        """What the cookie says.

        Returns:
            a link to redeem; True when it has been redeemed; None when there is nothing, or nothing
            that we wrote for this page in the last quarter of an hour.
        """
        try:
            until, link = json.loads(decrypt(self.request.COOKIES[COOKIE], f"page.{self.name}"))
        except (KeyError, ValueError):
            return None
        if until < timezone.now().timestamp():
            return None
        return Link(*link) if link else True

    # --- answers ---

    @property
    def template(self) -> str:
        """The name that the page's templates begin with."""
        return self.name.replace("-", "_")

    def page(self, template: str, status: int = 200, **context: object) -> HttpResponse:
        """One of our templates."""
        return page_answer(self.request, template, status, nonce=self.nonce, **context)

    def problem(self, problem: str, status: int) -> HttpResponse:
        """The page that says what went wrong.

        Args:
            problem: ``link``: it cannot be redeemed; ``stale``: there is none, or no cookies;
                ``unreadable``: the request is; ``off``: the site has switched the service off.
        """
        return self.page("problem", status, problem=problem)

    def see_other(self, url: str) -> HttpResponse:
        """Have the browser GET another address."""
        return HttpResponseRedirect(url, status=303)


class MagicURLPage(LinkPage):
    """Sign in by a link. The switch of the auth method stops new links, not those sent before."""

    name = "magic-url"
    event = "session.create"

    def form(self) -> HttpResponse:
        """The button, or a way on for somebody who is signed in."""
        return self.page("signed_in") if self.is_signed_in else super().form()

    def act(self, link: Link) -> HttpResponse:
        """Sign in and lead on into the site. Nobody's session is replaced, as in the API."""
        if self.is_signed_in:
            return self.page("signed_in", 409)
        request = self.request
        issued = create_token_session(
            account_id=link.account_id, secret=link.secret, client=client_info(request)
        )
        self.report(issued.session.account, issued.session)
        response = self.see_other(signed_in_url())
        remember_device(request, response, issued.session.account)
        # Cookies without the fallback for scripts of other sites: a page receives its own cookies.
        refresh_session_cookies(request, response, issued.credential, issued.session.expires_at)
        self.forget(response)
        rotate_token(request)
        user = issued.session.account.user
        user_logged_in.send_robust(sender=user.__class__, request=request, user=user)
        return response

    @property
    def is_signed_in(self) -> bool:
        """Whether somebody is who could go on; a blocked person's cookie stands in nobody's way."""
        try:
            account = identify(self.request).account
        except AccountError:
            return False
        return account is not None and account.is_active


class RecoveryPage(LinkPage):
    """Choose a new password by a link."""

    name = "recovery"
    event = "recovery.update"

    def form(self, **errors: list[str]) -> HttpResponse:
        """The form, with what is wrong beside each field."""
        return self.page("recovery", 400 if errors else 200, rules=password_rules(), errors=errors)

    def act(self, link: Link) -> HttpResponse:
        """Set the password. While it is refused, the link stays usable."""
        password = self.request.POST.get("password", "")
        if problems := form_problems(password):
            return self.form(password=problems)
        if password != self.request.POST.get("password_again", ""):
            return self.form(password_again=[_("The two passwords are not the same.")])
        try:
            token = complete_recovery(
                account_id=link.account_id,
                secret=link.secret,
                password=password,
                kind=Token.Kind.RECOVERY,
            )
        except (PasswordRecentlyUsed, PasswordPersonalData, InvalidArgument) as refusal:
            self.report_refusal(link, refusal)
            return self.form(password=password_problems(refusal, password, link.account_id))
        self.report(token.account)
        return self.done()


class VerificationPage(LinkPage):
    """Verify an e-mail address by a link."""

    name = "verification"
    event = "verification.update"

    def act(self, link: Link) -> HttpResponse:
        """Verify it. Nobody need be signed in: the secret is the proof."""
        token = complete_verification(
            account_id=link.account_id, secret=link.secret, kind=Token.Kind.EMAIL_VERIFICATION
        )
        self.report(token.account)
        return self.done()


class RelayPage(View):
    """Where a sign-in by a provider leads when the app named no address: native apps wait for their
    own scheme, which the browser is sent on to. It looks nothing up, and it shows no secret."""

    name: ClassVar[str]
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Lead on to the app, or explain that nobody knows where to go."""
        request.exception_reporter_filter = HideEverything()
        app = ""
        if request.GET.get("project") == conf.project_id:
            query = request.META.get("QUERY_STRING", "")
            app = f"appwrite-callback-{conf.project_id}://?{query}"
        template = self.name.replace("-", "_")
        return page_answer(request, template, app=app, reason=self.reason(request))

    def reason(self, request: HttpRequest) -> str:
        """What went wrong, as the redirect has written it into the address."""
        try:
            told = json.loads(request.GET.get("error", ""))
        except (ValueError, RecursionError):
            return ""
        message = told.get("message", "") if isinstance(told, dict) else ""
        return message if isinstance(message, str) else ""


class OAuth2SuccessPage(RelayPage):
    """The sign-in has worked."""

    name = "oauth2-success"


class OAuth2FailurePage(RelayPage):
    """The sign-in has not worked."""

    name = "oauth2-failure"


def signed_in_url() -> str:
    """Where a sign-in leads: SIGNED_IN_URL, an address or the name of a URL pattern."""
    return str(resolve_url(conf.signed_in_url))


def origin_of(url: str) -> str:
    """An address's origin, as one more source of a content policy; ``""`` for a path of ours."""
    parts = urlsplit(url)
    if not parts.netloc:
        return ""
    return f" {parts.scheme}://{parts.netloc}" if parts.scheme else f" {parts.netloc}"


def password_rules() -> list[str]:
    """What a new password needs, in the reader's language: our rules, then the site's."""
    strength = conf.password_strength
    least = strength["min"]
    rules = []
    site_validators = get_default_password_validators()
    if all(getattr(validator, "min_length", 0) < least for validator in site_validators):
        rules.append(
            ngettext("At least %(count)d character.", "At least %(count)d characters.", least)
            % {"count": least}
        )
    if strength["upper"]:
        rules.append(_("An upper-case letter, A–Z."))  # noqa: RUF001
    if strength["lower"]:
        rules.append(_("A lower-case letter, a–z."))  # noqa: RUF001
    if strength["digit"]:
        rules.append(_("A digit."))
    if strength["symbol"]:
        rules.append(_("A symbol, such as ! or ?."))
    if conf.password_dictionary:
        rules.append(_("Not one of the most common passwords."))
    return [*rules, *map(str, password_validators_help_texts(site_validators))]


def form_problems(password: str) -> list[str]:
    """What is wrong with a new password, whoever it is for."""
    if not password:
        return [_("Type a new password.")]
    if len(password.encode()) > MAX_LENGTH:
        return [_("The password is too long.")]
    if "\x00" in password:
        return [_("The password contains a character that cannot be used.")]
    if broken_rule(password) is not None:
        return [_("The password does not keep the rules above.")]
    return []


def password_problems(refusal: AccountError, password: str, account_id: str) -> list[str]:
    """What is wrong with a new password, now that it is known whom it is for."""
    if isinstance(refusal, PasswordRecentlyUsed):
        return [_("This password was used recently. Choose another.")]
    if isinstance(refusal, PasswordPersonalData):
        return [_("Leave your name, e-mail address and phone number out of it.")]
    return site_problems(password, account_id)


def site_problems(password: str, account_id: str) -> list[str]:
    """What the site's validators say of a password, in the reader's language.

    They are asked again because the service reports in English, as the API does.
    """
    account = Account.objects.with_user().filter(public_id=account_id).first()
    try:
        validate_password(password, account.user if account else None)
    except ValidationError as error:
        return list(error.messages)
    return [_("The password does not keep the rules above.")]


page_urlpatterns = [
    path(f"pages/{page.name}", login_not_required(page.as_view()), name=page.name)
    for page in (
        MagicURLPage,
        RecoveryPage,
        VerificationPage,
        OAuth2SuccessPage,
        OAuth2FailurePage,
    )
]
