"""The base of every view: all policies of the API, and the order of its checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, NoReturn, TypeVar, cast

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import validate_host
from django.urls import reverse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import FormParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import touch_account
from django_account.api import permissions
from django_account.api.activity import report
from django_account.api.authentication import Caller, identify, require_full_account
from django_account.api.clients import client_info, is_secure, locale
from django_account.api.cookies import remember_device, set_session_cookies
from django_account.api.cors import add_cors_headers, check_origin, request_host
from django_account.api.errors import HideEverything, error_response
from django_account.api.fields import Params
from django_account.api.impersonation import impersonate
from django_account.api.params import PARSERS, read_params
from django_account.api.platforms import is_allowed_host
from django_account.api.renderers import json_answer
from django_account.api.response_format import apply_response_format
from django_account.api.serializers.session import session_document
from django_account.api.throttling import Allowance, Limit, add_limit_headers, count_request
from django_account.api_keys.services import require_usable, touch_api_key
from django_account.conf import conf
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    InvalidArgument,
    ProjectNotFound,
    RateLimitExceeded,
    RouteNotFound,
)
from django_account.sessions.models import Session
from django_account.sessions.services import IssuedSession

if find_spec("drf_spectacular"):
    from django_account.api.schema import AccountSchema as Schema
else:  # the "openapi" extra is not installed
    from rest_framework.schemas.inspectors import (  # type: ignore[assignment]
        ViewInspector as Schema,
    )

Action = TypeVar("Action", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a route asks of its caller, declared above its action by :func:`endpoint`.

    Attributes:
        scope: one that the caller must hold, or several of which one is enough.
        service: the switch in SERVICES that turns it off.
        auth_method: the switch in AUTH_METHODS that turns it off.
        signs_in: nobody may be signed in yet.
        mfa_exempt: it is open to a session that still owes a second factor.
        fresh_proof: the session must have completed an MFA challenge lately.
        limits: how often it may be asked, checked and counted in this order.
        resets: the statuses after which the limits begin anew.
        params: what it reads, in the order of checking.
        answers: what it answers, for the OpenAPI schema: a serializer class, or None for no body.
        status: of success.
        event: its name in the activity log (core.activity); None where nothing is logged.
        tries: whether a code can be guessed there, so that failures are logged whatever the event.
        by_staff: it is open to staff who act as the person (docs/admin.md).
    """

    scope: str | tuple[str, ...]
    service: str | None = "account"
    auth_method: str | None = None
    signs_in: bool = False
    mfa_exempt: bool = False
    fresh_proof: bool = False
    limits: tuple[Limit, ...] = ()
    resets: tuple[int, ...] = ()
    params: Params | None = None
    answers: Any = None
    status: int = 200
    event: str | None = None
    tries: bool = False
    by_staff: bool = False

    @property
    def scopes(self) -> tuple[str, ...]:
        """Those of which the caller must hold one."""
        return (self.scope,) if isinstance(self.scope, str) else self.scope


def endpoint(
    *, params: type[Params] | None = None, limits: Sequence[Limit] = (), **declared: Any
) -> Callable[[Action], Action]:
    """Declare an action's :class:`Endpoint`. The parameters are instantiated once, here.

    Raises:
        ValueError: a limit counts by a parameter that the action does not have.
    """
    spec = Endpoint(
        params=params() if params is not None else None, limits=tuple(limits), **declared
    )
    known = set(spec.params.fields) if spec.params is not None else set()
    for limit in limits:
        if not limit.parameters <= known:
            raise ValueError(f"{limit.key!r} names a parameter that is not among {sorted(known)}")

    def declare(action: Action) -> Action:
        action.endpoint = spec  # type: ignore[attr-defined]
        return action

    return declare


# A path that is no route, or a route's wrong method, goes through the checks like any other.
NO_ROUTE = Endpoint(scope="global", service=None, by_staff=True)


class NoNegotiation(BaseContentNegotiation):
    """Every answer is JSON, whatever the ``Accept`` header says."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser for the body's content type; anything unknown is read as a form."""
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        by_type = {parser.media_type: parser for parser in parsers}
        return by_type.get(content_type, by_type[FormParser.media_type])

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class AccountViewSet(ViewSet):
    """What all endpoints share.

    Every policy of Django REST framework is set here, so that the host's ``REST_FRAMEWORK`` setting
    changes nothing on our wire. Actions return a finished ``HttpResponse``.
    """

    authentication_classes = []
    permission_classes = []
    throttle_classes = []
    versioning_class = None
    metadata_class = None
    parser_classes = PARSERS
    renderer_classes = [JSONRenderer]
    content_negotiation_class = NoNegotiation
    schema = Schema()

    caller: Caller
    params: dict[str, Any]
    allowance: Allowance | None = None

    # For the activity log: whether an act was attempted, whom it concerned, whom it named other
    # than by its parameters, and what refused it.
    attempted = False
    concerned: Account | None = None
    concerned_session: Session | None = None
    aimed_at: Mapping[str, str] = {}
    refusal: Exception | None = None

    def concern(self, account: Account, session: Session | None = None) -> None:
        """Note for the activity log whom a request is about, where that is not the caller, and the
        session that it makes or changes."""
        self.concerned, self.concerned_session = account, session

    @property
    def account(self) -> Account:
        """The person who calls; the scope ``account`` has made sure that there is one."""
        return cast(Account, self.caller.account)

    @property
    def spec(self) -> Endpoint:
        """The endpoint that the request's path and method lead to."""
        handler = getattr(self, self.action, None) if self.action else None
        return getattr(handler, "endpoint", NO_ROUTE)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Run every check that stands before an endpoint, in the order of core.md §1."""
        spec, http_request = self.spec, request._request
        caller = self.caller = identify(http_request)
        # Only a key that works speaks for a server, whom no page can trick.
        if caller.api_key is None or caller.api_key.is_expired:
            check_origin(http_request)
        self.check_project(request)
        self.check_key(caller)
        impersonate(caller, request)
        if caller.account is not None and not (
            caller.is_server or caller.impersonated or caller.staff_id
        ):
            touch_account(caller.account)
        permissions.check_service(caller, spec.service)
        permissions.check_scope(caller, spec.scopes, http_request, service=spec.service)
        require_full_account(caller, mfa_exempt=spec.mfa_exempt)
        if caller.impersonated is not None:
            require_full_account(
                replace(caller, account=caller.impersonated), mfa_exempt=spec.mfa_exempt
            )
        permissions.check_impersonation(caller, spec.by_staff)
        given = {**read_params(request), **kwargs} if spec.params is not None else {}
        self.check_limits(given)
        permissions.check_auth_method(caller, spec.auth_method)
        if spec.signs_in and not self.may_replace(caller):
            permissions.check_signed_out(caller)
        if spec.fresh_proof:
            permissions.check_fresh_proof(caller)
        self.params = spec.params.read(given) if spec.params is not None else {}
        self.attempted = True

    def may_replace(self, caller: Caller) -> bool:
        """Whether a sign-in may take the place of the caller's session; as a rule it may not."""
        return False

    def check_project(self, request: Request) -> None:
        """Refuse a project id that is not ours; none means ours.

        Raises:
            ProjectNotFound: it is another one.
        """
        for project_id in (
            read_params(request).get("project"),
            request.headers.get("X-Appwrite-Project"),
            request.query_params.get("project"),
        ):
            if project_id:
                if project_id != conf.project_id:
                    raise ProjectNotFound
                return

    def check_key(self, caller: Caller) -> None:
        """Refuse a key that is unknown or expired, and note that a good one was used.

        Raises:
            UnknownApiKey, ApiKeyExpired.
        """
        if caller.unknown_key is not None:
            raise caller.unknown_key
        if caller.api_key is not None:
            require_usable(caller.api_key)
            touch_api_key(caller.api_key)

    def check_limits(self, given: dict[str, Any]) -> None:
        """Count the request.

        Raises:
            RateLimitExceeded: it is one too many.
        """
        if not self.spec.limits:
            return
        self.allowance = count_request(
            self.request._request,
            caller=self.caller,
            action=str(self.action),
            limits=self.spec.limits,
            given=given,
        )
        if self.allowance is not None and self.allowance.exceeded:
            raise RateLimitExceeded

    def page(self, name: str, parameter: str = "url") -> str:
        """The address of one of our own pages, for links sent without a URL of the caller's.

        Args:
            parameter: where the caller could have sent one.

        Raises:
            InvalidArgument: the request's host is nobody the site vouches for; with a forged
                ``Host`` header and ALLOWED_HOSTS = ["*"], the secret would be sent there.
        """
        request = self.request._request
        host = request_host(request)
        vouched_for = [pattern for pattern in settings.ALLOWED_HOSTS if pattern != "*"]
        if not (is_allowed_host(host) or validate_host(host, vouched_for)):
            raise InvalidArgument(
                parameter, "Send one, or name this API's host in ALLOWED_HOSTS or PLATFORMS."
            )
        return self.absolute(reverse(f"django_account:{name}"))

    def absolute(self, path: str) -> str:
        """The whole address of a path of ours, as the client knows it."""
        request = self.request._request
        # Not by build_absolute_uri, which knows nothing of TRUSTED_PROXIES.
        scheme = "https" if is_secure(request) else "http"
        return f"{scheme}://{request.get_host()}{path}"

    @property
    def client(self) -> ClientInfo:
        """Who is on the other end."""
        return client_info(
            self.request._request,
            for_server=self.caller.is_server,
            asked_locale=read_params(self.request).get("locale"),
        )

    @property
    def locale(self) -> str:
        """The language that the caller asks for."""
        return locale(self.request._request, read_params(self.request).get("locale"))

    def signed_in_answer(self, issued: IssuedSession) -> HttpResponse:
        """Answer a sign-in: the session, its cookies, and Django's own signal."""
        secret = issued.credential if self.caller.is_server else ""
        document = session_document(issued.session, current=True, secret=secret, locale=self.locale)
        response = json_answer(document, 201)
        self.hand_out(issued, response)
        return response

    def hand_out(self, issued: IssuedSession, response: HttpResponse) -> None:
        """Give a new session to whoever has signed in: its cookies, and Django's own signal."""
        request, session = self.request._request, issued.session
        self.concern(session.account, session)
        if not self.caller.is_server:
            # Before the session's cookies: clients that keep one Set-Cookie header keep the last.
            remember_device(request, response, session.account)
        set_session_cookies(request, response, issued)
        user = session.account.user
        user_logged_in.send_robust(sender=user.__class__, request=request, user=user)

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """There is no 405 here: a wrong method is an unknown route.

        Raises:
            RouteNotFound: always.
        """
        raise RouteNotFound

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a preflight at once, without looking at anything; else go on as DRF does."""
        if request.method == "OPTIONS":
            response = HttpResponse(status=204, content_type="text/html; charset=UTF-8")
            add_cors_headers(request, response, preflight=True)
            return response
        request.exception_reporter_filter = HideEverything()
        # JSON is UTF-8, and so are our forms: a client's charset parameter may name codecs that
        # decode no text, or none at all. The public setter would parse the query string at once.
        request._encoding = "utf-8"  # type: ignore[attr-defined]
        with signals.reporting():
            return super().dispatch(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        """Every exception becomes the error envelope."""
        self.refusal = exc
        return error_response(exc, self.request._request)

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the headers that every answer has, errors included, and report what was done."""
        if self.attempted and self.spec.event is not None:
            report(
                self.spec.event,
                caller=self.caller,
                client=self.client,
                account=self.concerned,
                session=self.concerned_session,
                given={**self.params, **self.aimed_at},
                refusal=self.refusal,
                tries=self.spec.tries,
            )
        http_request: HttpRequest = getattr(request, "_request", request)
        add_cors_headers(http_request, response, preflight=False)
        # Answers are a person's own: no cache may keep one. Older releases of Django's own cache
        # middleware heed "private" only.
        response.headers.setdefault("Cache-Control", "private, no-store")
        response["X-Content-Type-Options"] = "nosniff"
        if self.allowance is not None:
            add_limit_headers(response, self.allowance)
            if response.status_code in self.spec.resets:
                self.allowance.reset()
        caller = getattr(self, "caller", None)
        response["X-Debug-Fallback"] = "true" if caller and caller.fallback else "false"
        apply_response_format(http_request, response, self.spec.answers)
        return response


class UnknownRouteViewSet(AccountViewSet):
    """Whatever is not a route: the checks run all the same, so that a stranger learns no more."""

    def no_route(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse.

        Raises:
            RouteNotFound: always.
        """
        raise RouteNotFound
