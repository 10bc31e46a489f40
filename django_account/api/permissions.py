"""Who may do what: switches, scopes and the state of the caller, in the order of core.md §1."""

from __future__ import annotations

import json

from django.http import HttpRequest

from django_account.api.authentication import Caller
from django_account.api.cors import request_host
from django_account.conf import conf
from django_account.exceptions import (
    APIDisabled,
    AuthMethodUnsupported,
    NotWhileImpersonating,
    ServiceDisabled,
    SessionAlreadyExists,
    UnauthorizedScope,
)
from django_account.mfa.services import require_fresh_proof

# How errors call the ways of signing in.
AUTH_METHOD_LABELS = {
    "email-password": "Email / Password",
    "magic-url": "Magic URL",
    "email-otp": "Email OTP",
    "anonymous": "Anonymous",
    "phone": "Phone",
    "jwt": "JWT",
}


def check_service(caller: Caller, service: str | None) -> None:
    """Refuse what the site has switched off, except to its own servers.

    Raises:
        ServiceDisabled, APIDisabled.
    """
    if caller.is_server:
        return
    if service is not None and not conf.services[service]:
        raise ServiceDisabled
    if not conf.rest_api:
        raise APIDisabled


def check_scope(
    caller: Caller, scopes: tuple[str, ...], request: HttpRequest, *, service: str | None = None
) -> None:
    """Refuse a caller who has none of the route's scopes.

    The Users API is for servers: whatever scopes people hold elsewhere, there impersonators may
    read, and nobody may do anything else (users.md §2).

    Raises:
        UnauthorizedScope: in the fixed words of core.md §2.
    """
    held = caller.scopes
    if service == "users" and not caller.is_server:
        held &= {"users.read"}
    if not held.isdisjoint(scopes):
        return
    raise missing_scopes(caller, scopes, request)


def missing_scopes(
    caller: Caller, scopes: tuple[str, ...], request: HttpRequest
) -> UnauthorizedScope:
    """The error for a caller who has none of some scopes."""
    label = "User"
    if caller.is_server:
        label = f"app.{conf.project_id}@service.{request_host(request)}"
    elif caller.account is not None and caller.account.email:
        label = caller.account.email
    return UnauthorizedScope(f"{label} (role: {caller.role}) missing scopes ({json.dumps(scopes)})")


def check_auth_method(caller: Caller, method: str | None) -> None:
    """Refuse a way of signing in that is switched off, except to the site's own servers.

    Raises:
        AuthMethodUnsupported.
    """
    if method is not None and not caller.is_server and not conf.auth_methods[method]:
        raise AuthMethodUnsupported(AUTH_METHOD_LABELS[method])


def check_impersonation(caller: Caller, allowed: bool) -> None:
    """Refuse staff who act as a person what is for that person alone.

    Endpoints are closed to them unless they say otherwise (``Endpoint.by_staff``): so nothing that
    is added later is open by oversight. Closed is whatever could make the account somebody else's
    or outlive the session: password, addresses, second factors, identities, other ways to sign in,
    targets, blocking and deleting.

    Raises:
        NotWhileImpersonating.
    """
    if caller.staff_id and not allowed:
        raise NotWhileImpersonating


def check_fresh_proof(caller: Caller) -> None:
    """Refuse a session that has not completed an MFA challenge lately (mfa-oauth.md §8.3).

    Raises:
        ChallengeRequired.
    """
    require_fresh_proof(caller.acting_session)


def check_signed_out(caller: Caller) -> None:
    """Refuse to sign in on top of a session, also when a key came along with it.

    Raises:
        SessionAlreadyExists.
    """
    if caller.account is not None:
        raise SessionAlreadyExists
