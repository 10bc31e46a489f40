"""The whole API at a glance. Actions and URL names are the SDKs' method names in snake case.

``get`` and ``delete`` are ``get_account`` and ``delete_account``: Django would take an attribute of
the bare name for the handler of that HTTP method, on every route of the viewset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, URLPattern, path, re_path, resolve
from django.views.decorators.csrf import csrf_exempt

from django_account.api.account.account import AccountAccountViewSet as Account
from django_account.api.account.identities import IdentityViewSet as Identity
from django_account.api.account.logs import LogViewSet as Log
from django_account.api.account.mfa import MfaViewSet as Mfa
from django_account.api.account.oauth2 import IdTokenViewSet as IdToken
from django_account.api.account.oauth2 import OAuth2CallbackViewSet as OAuth2Callback
from django_account.api.account.oauth2 import OAuth2ViewSet as OAuth2
from django_account.api.account.sessions import SessionViewSet as Session
from django_account.api.account.targets import TargetViewSet as Target
from django_account.api.account.tokens import TokenViewSet as Token
from django_account.api.acting import acting_urlpatterns
from django_account.api.pages import page_urlpatterns
from django_account.api.ping import PingViewSet
from django_account.api.users.identities import UserIdentityViewSet as UserIdentity
from django_account.api.users.imports import UserImportViewSet as UserImport
from django_account.api.users.logs import UserLogViewSet as UserLog
from django_account.api.users.mfa import UserMFAViewSet as UserMFA
from django_account.api.users.sessions import UserSessionViewSet as UserSession
from django_account.api.users.targets import UserTargetViewSet as UserTarget
from django_account.api.users.users import UserViewSet as User
from django_account.api.views import UnknownRouteViewSet
from django_account.limits.rules import LimitedRoute, declare

unknown_route = UnknownRouteViewSet.as_view({"get": "no_route"})


@csrf_exempt
@login_not_required
def fall_through(request: HttpRequest, rest: str) -> HttpResponseBase:
    """Try a path without its empty segments, which upstream tolerates; else there is no route."""
    tidy = re.sub(r"/{2,}", "/", request.path_info).rstrip("/")
    if tidy != request.path_info:
        try:
            found = resolve(tidy, getattr(request, "urlconf", None))
        except Resolver404:
            pass
        else:
            # Ours alone: a view of the site's would be called past the checks of its middleware.
            if any(found.func is each.callback for each in urlpatterns[:-1]):
                return cast(HttpResponseBase, found.func(request, *found.args, **found.kwargs))
    return unknown_route(request)


def routes(route: str, viewset: Any, actions: dict[str, str], *aliases: str) -> list[Any]:
    """A route with its methods, and other paths that are the same route."""
    view = viewset.as_view(actions)
    for method, action in actions.items():
        spec = getattr(viewset, action).endpoint
        for each in (route, *aliases) if spec.limits else ():
            declare(
                LimitedRoute(
                    method=method.upper(),
                    path=f"/{each}",
                    action=action,
                    limits=spec.limits,
                    resets=spec.resets,
                )
            )
    return [path(each, view, name=next(iter(actions.values()))) for each in (route, *aliases)]


def user_routes(route: str, viewset: Any, actions: dict[str, str]) -> list[Any]:
    """A route of the Users API, whose methods have names that the Account API has too."""
    name = f"users_{next(iter(actions.values()))}"
    return [path(route, viewset.as_view(actions), name=name)]


def by_method(literal: str, patterns: list[URLPattern]) -> URLPattern:
    """A path that several routes match: each method goes to the first of them that has it."""
    views: dict[str, partial[HttpResponseBase]] = {}
    for each in patterns:
        view = partial(each.callback, **each.pattern.match(literal)[2])  # type: ignore[index]
        for method in each.callback.actions:  # type: ignore[attr-defined]
            views.setdefault(method.upper(), view)
    if "GET" in views:
        views.setdefault("HEAD", views["GET"])

    @csrf_exempt
    @login_not_required
    def shared(request: HttpRequest) -> HttpResponseBase:
        return views.get(request.method or "", unknown_route)(request)

    return path(literal, shared)


def with_shared_paths(patterns: list[URLPattern]) -> Iterator[URLPattern]:
    """The routes, and before them the paths that are words to one and a placeholder to another.

    At ``users/md5`` servers import people, and there is whoever has that id. Django looks at paths
    alone, and would stop at the first of the two routes.
    """
    shared = set()
    for number, one in enumerate(patterns):
        for other in patterns[number + 1 :]:
            parts = zip(str(one.pattern).split("/"), str(other.pattern).split("/"), strict=False)
            literal = "/".join(b if a.startswith("<") else a for a, b in parts)
            if literal in shared or not all(each.pattern.match(literal) for each in (one, other)):
                continue
            shared.add(literal)
            yield by_method(literal, [each for each in patterns if each.pattern.match(literal)])
        yield one


api_urlpatterns = [
    *routes("ping", PingViewSet, {"get": "ping"}),
    *routes(
        "account", Account, {"get": "get_account", "post": "create", "delete": "delete_account"}
    ),
    *routes("account/prefs", Account, {"get": "get_prefs", "patch": "update_prefs"}),
    *routes("account/name", Account, {"patch": "update_name"}),
    *routes("account/password", Account, {"patch": "update_password"}),
    *routes("account/email", Account, {"patch": "update_email"}),
    *routes("account/phone", Account, {"patch": "update_phone"}),
    *routes("account/status", Account, {"patch": "update_status"}),
    *routes("account/logs", Log, {"get": "list_logs"}),
    *routes("account/jwts", Session, {"post": "create_jwt"}, "account/jwt"),
    *routes(
        "account/sessions",
        Session,
        {
            "get": "list_sessions",
            "post": "create_email_password_session",
            "delete": "delete_sessions",
        },
    ),
    *routes("account/sessions/email", Session, {"post": "create_email_password_session"}),
    *routes("account/sessions/anonymous", Session, {"post": "create_anonymous_session"}),
    *routes("account/sessions/token", Token, {"post": "create_session"}),
    *routes("account/sessions/id-token", IdToken, {"post": "create_id_token_session"}),
    *routes(
        "account/sessions/oauth2/callback/<str:provider>/<str:projectId>",
        OAuth2Callback,
        {"get": "oauth2_callback", "post": "oauth2_callback_by_form"},
    ),
    *routes("account/sessions/oauth2/<str:provider>/redirect", OAuth2, {"get": "complete_oauth2"}),
    *routes("account/sessions/oauth2/<str:provider>", OAuth2, {"get": "create_oauth2_session"}),
    *routes("account/tokens/oauth2/<str:provider>", OAuth2, {"get": "create_oauth2_token"}),
    *routes("account/identities", Identity, {"get": "list_identities"}),
    *routes("account/identities/<str:identityId>", Identity, {"delete": "delete_identity"}),
    *routes(
        "account/sessions/magic-url",
        Token,
        {"put": "update_magic_url_session", "post": "create_magic_url_token"},
    ),
    *routes(
        "account/sessions/phone",
        Token,
        {"put": "update_phone_session", "post": "create_phone_token"},
    ),
    *routes("account/tokens/magic-url", Token, {"post": "create_magic_url_token"}),
    *routes("account/tokens/email", Token, {"post": "create_email_token"}),
    *routes("account/tokens/phone", Token, {"post": "create_phone_token"}),
    *routes("account/recovery", Token, {"post": "create_recovery", "put": "update_recovery"}),
    *routes(
        "account/recovery/otp",
        Token,
        {"post": "create_recovery_otp", "put": "update_recovery_otp"},
    ),
    *routes(
        "account/verifications/email",
        Token,
        {"post": "create_email_verification", "put": "update_email_verification"},
        "account/verification",
    ),
    *routes(
        "account/verifications/email/otp",
        Token,
        {"post": "create_email_verification_otp", "put": "update_email_verification_otp"},
    ),
    *routes(
        "account/verifications/phone",
        Token,
        {"post": "create_phone_verification", "put": "update_phone_verification"},
        "account/verification/phone",
    ),
    *routes("account/mfa", Mfa, {"patch": "update_mfa"}),
    *routes("account/mfa/factors", Mfa, {"get": "list_mfa_factors"}),
    *routes(
        "account/mfa/authenticators/<str:type>",
        Mfa,
        {
            "post": "create_mfa_authenticator",
            "put": "update_mfa_authenticator",
            "delete": "delete_mfa_authenticator",
        },
    ),
    *routes(
        "account/mfa/recovery-codes",
        Mfa,
        {
            "get": "get_mfa_recovery_codes",
            "post": "create_mfa_recovery_codes",
            "patch": "update_mfa_recovery_codes",
        },
    ),
    *routes(
        "account/mfa/challenges",
        Mfa,
        {"post": "create_mfa_challenge", "put": "update_mfa_challenge"},
        "account/mfa/challenge",
    ),
    *routes(
        "account/sessions/<str:sessionId>",
        Session,
        {"get": "get_session", "patch": "update_session", "delete": "delete_session"},
    ),
    *routes("account/targets/push", Target, {"post": "create_push_target"}),
    *routes(
        "account/targets/<str:targetId>/push",
        Target,
        {"put": "update_push_target", "delete": "delete_push_target"},
    ),
    *user_routes("users", User, {"get": "list_users", "post": "create"}),
    *user_routes("users/usage", User, {"get": "get_usage"}),
    *user_routes("users/identities", UserIdentity, {"get": "list_identities"}),
    *user_routes("users/argon2", UserImport, {"post": "create_argon2_user"}),
    *user_routes("users/bcrypt", UserImport, {"post": "create_bcrypt_user"}),
    *user_routes("users/md5", UserImport, {"post": "create_md5_user"}),
    *user_routes("users/phpass", UserImport, {"post": "create_phpass_user"}),
    *user_routes("users/sha", UserImport, {"post": "create_sha_user"}),
    *user_routes("users/scrypt", UserImport, {"post": "create_scrypt_user"}),
    *user_routes("users/scrypt-modified", UserImport, {"post": "create_scrypt_modified_user"}),
    *user_routes("users/<str:userId>", User, {"get": "get_user", "delete": "delete_user"}),
    *user_routes("users/<str:userId>/status", User, {"patch": "update_status"}),
    *user_routes("users/<str:userId>/labels", User, {"put": "update_labels"}),
    *user_routes("users/<str:userId>/impersonator", User, {"patch": "update_impersonator"}),
    *user_routes("users/<str:userId>/name", User, {"patch": "update_name"}),
    *user_routes("users/<str:userId>/password", User, {"patch": "update_password"}),
    *user_routes("users/<str:userId>/email", User, {"patch": "update_email"}),
    *user_routes("users/<str:userId>/phone", User, {"patch": "update_phone"}),
    *user_routes("users/<str:userId>/verification", User, {"patch": "update_email_verification"}),
    *user_routes(
        "users/<str:userId>/verification/phone", User, {"patch": "update_phone_verification"}
    ),
    *user_routes("users/<str:userId>/mfa", User, {"patch": "update_mfa"}),
    *user_routes("users/<str:userId>/mfa/factors", UserMFA, {"get": "list_mfa_factors"}),
    *user_routes(
        "users/<str:userId>/mfa/challenges/<str:challengeId>",
        UserMFA,
        {"get": "get_mfa_challenge"},
    ),
    *user_routes(
        "users/<str:userId>/mfa/recovery-codes",
        UserMFA,
        {
            "get": "get_mfa_recovery_codes",
            "patch": "create_mfa_recovery_codes",
            "put": "update_mfa_recovery_codes",
        },
    ),
    *user_routes(
        "users/<str:userId>/mfa/authenticators/<str:type>",
        UserMFA,
        {"delete": "delete_mfa_authenticator"},
    ),
    *user_routes("users/<str:userId>/prefs", User, {"get": "get_prefs", "patch": "update_prefs"}),
    *user_routes("users/<str:userId>/logs", UserLog, {"get": "list_logs"}),
    *user_routes("users/<str:userId>/memberships", User, {"get": "list_memberships"}),
    *user_routes(
        "users/<str:userId>/sessions",
        UserSession,
        {"get": "list_sessions", "post": "create_session", "delete": "delete_sessions"},
    ),
    *user_routes(
        "users/<str:userId>/sessions/<str:sessionId>", UserSession, {"delete": "delete_session"}
    ),
    *user_routes("users/<str:userId>/tokens", UserSession, {"post": "create_token"}),
    *user_routes("users/<str:userId>/jwts", UserSession, {"post": "create_jwt"}),
    *user_routes(
        "users/<str:userId>/targets",
        UserTarget,
        {"get": "list_targets", "post": "create_target"},
    ),
    *user_routes(
        "users/<str:userId>/targets/<str:targetId>",
        UserTarget,
        {"get": "get_target", "patch": "update_target", "delete": "delete_target"},
    ),
    # Below the person whose id is "identities": no identity's own id is a word like "sessions".
    *user_routes("users/identities/<str:identityId>", UserIdentity, {"delete": "delete_identity"}),
]

urlpatterns = [
    *with_shared_paths(api_urlpatterns),
    *page_urlpatterns,
    *acting_urlpatterns,
    # Last: whatever is under the mount and no route.
    re_path(r"^(?P<rest>(?s:.*))\Z", fall_through),
]
