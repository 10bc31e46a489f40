"""Signing in at a provider: out, back, and on into the app (mfa-oauth.md §9).

The browser goes from the start to the provider, from there to the callback, which hands all it gets
on to the redirect (a form post of another site brings no cookies, the GET that follows it does),
and from the redirect to the app's success or failure URL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from rest_framework.request import Request

from django_account.accounts.models import Account
from django_account.api.authentication import Caller
from django_account.api.clients import is_secure
from django_account.api.cookies import cookie_domain, cookie_name
from django_account.api.cors import request_host
from django_account.api.errors import FAILURE_CODES, status_of
from django_account.api.pages import page_answer
from django_account.api.params import read_params
from django_account.api.platforms import is_allowed_url
from django_account.api.serializers.identity import (
    IdTokenInput,
    OAuth2CallbackInput,
    OAuth2Input,
    OAuth2RedirectInput,
)
from django_account.api.serializers.session import SessionSerializer
from django_account.api.views import AccountViewSet, endpoint
from django_account.conf import conf
from django_account.exceptions import (
    AccountError,
    InvalidFailureURL,
    InvalidSuccessURL,
    OtherPersonSignedIn,
)
from django_account.identities import oauth2
from django_account.identities.models import OAuth2Flow
from django_account.identities.native import verify_id_token
from django_account.identities.oauth2 import Destination, Profile, Return
from django_account.identities.providers.registry import find_provider
from django_account.identities.services import (
    create_oauth2_session,
    create_oauth2_token,
    whom_it_names,
)
from django_account.limits.rules import HOUR, Limit

# What a browser proves itself by when it comes back.
COOKIE = "django_account_oauth2"

# Over HTTPS its name keeps a neighbour under the same domain from planting one that they know.
SECURE_COOKIE = "__Host-" + COOKIE

# One bucket with anonymous sign-in (mfa-oauth.md §2). A sign-in by a browser takes two.
BEGINNINGS = Limit(50, HOUR, "ip")

# Our own pages, by which native apps are reached (api/pages.py).
SUCCESS_PAGE, FAILURE_PAGE = "oauth2-success", "oauth2-failure"

_URL = re.compile(r"([^:/?#]+://[^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?\Z", re.DOTALL)


class BrowserViewSet(AccountViewSet):
    """Where browsers come, so that errors are pages."""

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """A page for browsers, the envelope for everybody else."""
        return for_browsers(super().handle_exception(exc), self.request._request)


class OAuth2ViewSet(BrowserViewSet):
    """Sign-in by OAuth2 providers."""

    @endpoint(scope="sessions.write", limits=[BEGINNINGS], params=OAuth2Input, status=301)
    def create_oauth2_session(self, request: object, **path: str) -> HttpResponse:
        """Send the browser to a provider; it comes back with a session."""
        return self.begin(OAuth2Flow.Kind.SESSION)

    @endpoint(scope="sessions.write", limits=[BEGINNINGS], params=OAuth2Input, status=301)
    def create_oauth2_token(self, request: object, **path: str) -> HttpResponse:
        """Send the browser to a provider; the app gets a secret that it exchanges for a session."""
        return self.begin(OAuth2Flow.Kind.TOKEN)

    @endpoint(
        scope="public",
        limits=[BEGINNINGS],
        params=OAuth2RedirectInput,
        status=301,
        event="session.create",
    )
    def complete_oauth2(self, request: object, **path: str) -> HttpResponse:
        """Find out who has come back, and lead them on into the app."""
        provider = find_provider(self.params["provider"])
        back = oauth2.find_flow(
            provider=provider,
            state=self.params["state"],
            browser_secret=self.browser_secret,
        )
        self.check_destination(back.destination)
        oauth2.claim_flow(back.flow)
        try:
            account = self.returning(back)
            profile = oauth2.fetch_profile(back, self.params)
            with aiming(self, profile, account):
                if back.destination.kind == OAuth2Flow.Kind.SESSION:
                    return self.session_answer(back, profile, account)
                return self.token_answer(back, profile, account)
        except AccountError as error:
            return self.failure_answer(back.destination, error)

    # --- out ---

    def begin(self, kind: OAuth2Flow.Kind) -> HttpResponse:
        """Send the browser to the provider.

        A server that asks for a token has its visitor's browser follow the address: no cookie of
        ours can tell that browser from another. What it begins links nobody who is signed in: or
        somebody could be sent through a sign-in that links their identity to the asker's account.
        """
        provider = find_provider(self.params["provider"])
        is_bound = kind == OAuth2Flow.Kind.SESSION or not self.is_asked_by_server
        browser_secret = ""
        if is_bound:
            # One for all tabs of a browser.
            browser_secret = self.browser_secret or oauth2.new_browser_secret()
        url = oauth2.begin(
            provider=provider,
            destination=Destination(
                kind=kind,
                success=self.params["success"] or self.page(SUCCESS_PAGE, "success"),
                failure=self.params["failure"] or self.page(FAILURE_PAGE, "failure"),
                client_state=self.params["state"],
                callback=self.absolute(
                    reverse(
                        "django_account:oauth2_callback",
                        kwargs={"provider": provider.key, "projectId": conf.project_id},
                    )
                ),
            ),
            scopes=self.params["scopes"],
            account=self.caller.account if is_bound else None,
            browser_secret=browser_secret,
        )
        response = redirect(url)
        if is_bound:
            response.set_cookie(
                self.cookie_name,
                browser_secret,
                max_age=int(OAuth2Flow.LIFETIME.total_seconds()),
                path="/",
                secure=is_secure(self.request._request),
                httponly=True,
                # The way back is a link of another site.
                samesite="Lax",
            )
        return response

    @property
    def cookie_name(self) -> str:
        """What the browser's cookie is called."""
        return SECURE_COOKIE if is_secure(self.request._request) else COOKIE

    @property
    def browser_secret(self) -> str:
        """What the browser proves itself by; empty for nothing."""
        return self.request._request.COOKIES.get(self.cookie_name, "")[:64]

    @property
    def is_asked_by_server(self) -> bool:
        """Whether a server SDK calls, and no browser."""
        platform = self.request.headers.get("X-SDK-Platform", "")
        return self.caller.is_server or platform.lower() == "server"

    # --- back ---

    def check_destination(self, destination: Destination) -> None:
        """Refuse to lead to where PLATFORMS no longer reach.

        Raises:
            InvalidSuccessURL, InvalidFailureURL.
        """
        if not (is_allowed_url(destination.success) or self.is_page(destination.success)):
            raise InvalidSuccessURL
        if not (is_allowed_url(destination.failure) or self.is_page(destination.failure)):
            raise InvalidFailureURL

    def is_page(self, url: str) -> bool:
        """Whether a URL is one of our own pages for native apps, on our own host."""
        return url in (
            self.absolute(reverse(f"django_account:{SUCCESS_PAGE}")),
            self.absolute(reverse(f"django_account:{FAILURE_PAGE}")),
        )

    def returning(self, back: Return) -> Account | None:
        """Who is signed in at the browser that has come back.

        Raises:
            OtherPersonSignedIn: somebody else than when it began, or nobody any more.
        """
        begun_by = back.flow.account
        if not back.flow.browser_digest:
            # Of whoever this browser belongs to, a sign-in that a server began knows nothing.
            return None
        account = self.caller.account
        if begun_by is not None and (account is None or account.pk != begun_by.pk):
            raise OtherPersonSignedIn
        return account

    def session_answer(
        self, back: Return, profile: Profile, account: Account | None
    ) -> HttpResponse:
        """Lead to the success URL with a session in the browser's cookies."""
        issued = create_oauth2_session(
            profile=profile,
            account=account,
            current=self.caller.session if account is not None else None,
            client=self.client,
            # Of a session that a browser comes back with upstream tells nobody (mfa-oauth.md §9.7,
            # step 13, which narrows core.md §10.4): the provider tells of new devices itself.
            # Of one that an app exchanges a token for we do, as upstream does.
            alerts=False,
        )
        url = back.destination.success
        added: list[tuple[str, str]] = []
        if self.is_page(url):
            domain = cookie_domain(request_host(self.request._request))
            added += [
                ("project", conf.project_id),
                *([("domain", domain)] if domain else []),
                ("key", cookie_name()),
                ("secret", issued.credential),
            ]
        response = redirect(with_query(url, [*added, *state_of(back.destination)]))
        self.hand_out(issued, response)
        return response

    def token_answer(self, back: Return, profile: Profile, account: Account | None) -> HttpResponse:
        """Lead to the success URL with a secret that the app exchanges for a session."""
        issued = create_oauth2_token(profile=profile, account=account)
        self.concern(issued.token.account)
        url = back.destination.success
        added = [("secret", issued.secret), ("userId", issued.token.account.public_id)]
        if self.is_page(url):
            added.append(("project", conf.project_id))
        return redirect(with_query(url, [*added, *state_of(back.destination)]))

    def failure_answer(self, destination: Destination, error: AccountError) -> HttpResponse:
        """Lead to the failure URL, and say there what went wrong."""
        self.refusal = error
        told = {
            "message": error.message,
            "type": error.code,
            "code": FAILURE_CODES.get(error.code) or status_of(error),
        }
        added = [("error", json.dumps(told, separators=(",", ":")))]
        if self.is_page(destination.failure):
            added.append(("project", conf.project_id))
        return redirect(with_query(destination.failure, [*added, *state_of(destination)]))


class OAuth2CallbackViewSet(BrowserViewSet):
    """Where providers send the browser. It looks at nothing, so that no check stands before it."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read the parameters; every other check belongs to the redirect."""
        self.caller = Caller()
        params = self.spec.params
        self.params = params.read({**read_params(request), **kwargs}) if params else {}

    @endpoint(scope="public", params=OAuth2CallbackInput, status=301)
    def oauth2_callback(self, request: object, **path: str) -> HttpResponse:
        """Hand everything on to the redirect."""
        given = {
            name: value
            for name, value in self.params.items()
            if name not in ("provider", "projectId") and value
        }
        query = urlencode({**given, "project": self.params["projectId"]})
        return redirect(f"{self.absolute(redirect_path(self.params['provider']))}?{query}")

    # Some providers have the browser post a form (Apple).
    oauth2_callback_by_form = oauth2_callback


class IdTokenViewSet(AccountViewSet):
    """Sign-in without a browser."""

    @endpoint(
        scope="sessions.write",
        limits=[BEGINNINGS],
        params=IdTokenInput,
        answers=SessionSerializer,
        status=201,
        event="session.create",
    )
    def create_id_token_session(self, request: object, **path: str) -> HttpResponse:
        """Sign in with an ID token that an app has from its platform."""
        profile = verify_id_token(
            provider=find_provider(self.params["provider"]),
            id_token=self.params["idToken"],
            nonce=self.params["nonce"],
            access_token=self.params["accessToken"],
            access_token_lifetime=self.params["accessTokenExpiry"],
            name=self.params["name"],
        )
        with aiming(self, profile, self.caller.account):
            issued = create_oauth2_session(
                profile=profile,
                account=self.caller.account,
                current=self.caller.session,
                client=self.client,
            )
        return self.signed_in_answer(issued)


@contextmanager
def aiming(view: AccountViewSet, profile: Profile, account: Account | None) -> Iterator[None]:
    """Have the activity log know whose account a sign-in was for that is refused in this block.

    Args:
        account: who is signed in, and whose attempt it is then.
    """
    try:
        yield
    except AccountError:
        if account is None:
            view.aimed_at = whom_it_names(profile)
        raise


def redirect_path(provider_key: str) -> str:
    """The path of the redirect."""
    return reverse("django_account:complete_oauth2", kwargs={"provider": provider_key})


def redirect(url: str) -> HttpResponse:
    """Send a browser on, once: 301 as upstream, and kept by nobody."""
    return HttpResponse(
        status=301,
        content_type="text/html; charset=UTF-8",
        headers={
            "Location": iri_to_uri(url),
            "Cache-Control": "no-store, no-cache, must-revalidate, max-age=0",
            "Pragma": "no-cache",
            # Where the browser goes next shall not learn the code it came with.
            "Referrer-Policy": "no-referrer",
        },
    )


def with_query(url: str, added: Iterable[tuple[str, str]]) -> str:
    """Add parameters behind a URL's own; an empty path becomes ``/``, the fragment is kept."""
    query = urlencode(list(added))
    found = _URL.match(url)
    if not query or found is None:
        return url
    base, path, own, fragment = found.groups(default="")
    joined = f"{own}&{query}" if own not in ("", "?") else f"?{query}"
    return f"{base}{path or '/'}{joined}{fragment}"


def state_of(destination: Destination) -> list[tuple[str, str]]:
    """What the app wants to find again."""
    return [("state", destination.client_state)] if destination.client_state else []


def for_browsers(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    """An error's envelope as a page, if a browser asks."""
    if "text/html" not in request.headers.get("Accept", ""):
        return response
    envelope = json.loads(response.content)
    return page_answer(
        request,
        "oauth2_error",
        response.status_code,
        message=envelope["message"],
        error_type=envelope["type"],
    )
