"""Who is calling: session, JWT or API key (core.md §4, transport.md §4)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from django_account.accounts.models import Account
from django_account.accounts.services import get_account
from django_account.accounts.users import SiteUser
from django_account.administration.impersonation import is_in_force
from django_account.api.cookies import cookie_name, read_session_cookie
from django_account.api.cors import check_origin
from django_account.api_keys.models import ApiKey
from django_account.api_keys.services import find_api_key
from django_account.conf import conf
from django_account.exceptions import (
    AccountError,
    InvalidJWT,
    JWTAndSession,
    MoreFactorsRequired,
    PasswordResetRequired,
    ProjectIdMissing,
    UnknownApiKey,
    UserBlocked,
    UserNotFound,
)
from django_account.sessions.credentials import Credential, decode_credential
from django_account.sessions.jwt import read_jwt
from django_account.sessions.lookups import find_by_credential, find_by_session_id
from django_account.sessions.models import Session
from django_account.targets.models import Target

GUEST_SCOPES = frozenset({"global", "public", "sessions.write"})
USER_SCOPES = GUEST_SCOPES | {"account", "targets.read", "targets.write"}
IMPERSONATOR_SCOPES = USER_SCOPES | {"users.read"}
# "public", which keys lack upstream, lets a server confirm a verification (mfa-oauth.md §1.2).
KEY_SCOPES = frozenset({"global", "public", "health.read", "graphql"})


@dataclass(slots=True)
class Caller:
    """Who sent a request.

    Attributes:
        account: the person signed in by session or JWT, also when a key came along.
        session: the current session, identified by its secret; a JWT has none.
        jwt_session: the session that a JWT stands for.
        targets: the account's.
        api_key: the key of a server, usable or expired.
        unknown_key: a key was sent that does not exist; refused only at its place in the order.
        fallback: whether ``X-Fallback-Cookies`` had to be read.
        impersonates: whether the account, an impersonator, asks to act as somebody.
        impersonated: who that is; nobody for an unknown one.
    """

    account: Account | None = None
    session: Session | None = None
    jwt_session: Session | None = None
    targets: list[Target] = field(default_factory=list)
    api_key: ApiKey | None = None
    unknown_key: UnknownApiKey | None = None
    fallback: bool = False
    impersonates: bool = False
    impersonated: Account | None = None

    @property
    def acting_session(self) -> Session | None:
        """The session that the caller speaks for: the current one, or the one of a JWT."""
        return self.session or self.jwt_session

    @property
    def staff_id(self) -> str:
        """The public id of the member of staff who acts as the account; empty when nobody does."""
        session = self.acting_session
        return "" if session is None else session.actor_id

    @property
    def role(self) -> str:
        """The role's name, as scope errors spell it."""
        if self.api_key is not None:
            return "applications"
        return "guests" if self.account is None else "users"

    @property
    def scopes(self) -> frozenset[str]:
        """What the caller may do; a key's scopes win over a session's."""
        if self.api_key is not None:
            return KEY_SCOPES | frozenset(self.api_key.scopes)
        if self.account is None:
            return GUEST_SCOPES
        return IMPERSONATOR_SCOPES if self.account.impersonator else USER_SCOPES

    @property
    def is_server(self) -> bool:
        """Whether an API key calls: it sees secrets, and switches and limits do not bind it."""
        return self.api_key is not None


def identify(request: HttpRequest) -> Caller:
    """Find out who sent a request. Garbled or stale session credentials make a guest, no error.

    Raises:
        InvalidJWT: the JWT is malformed, forged or expired.
        JWTAndSession: a JWT came beside a live session.
        ProjectIdMissing: a key came without its project's id.
    """
    caller = Caller()
    _identify_session(request, caller)
    if token := request.headers.get("X-Appwrite-JWT"):
        _identify_jwt(token, caller)
    if secret := request.headers.get("X-Appwrite-Key"):
        _identify_key(request, secret, caller)
    return caller


def read_credential(request: HttpRequest, caller: Caller) -> Credential | None:
    """The session credential of a request: cookie, then header, then fallback.

    The first that can be taken apart counts, even when its session is dead.
    """
    for value in (read_session_cookie(request), request.headers.get("X-Appwrite-Session", "")):
        if value and (credential := decode_credential(value)) is not None:
            return credential
    header = request.headers.get("X-Fallback-Cookies")
    if not header:
        return None
    caller.fallback = True
    try:
        stored = json.loads(header)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stored, dict):
        return None
    # Cookie names are written in lower case, this member is not; clients send back either.
    name = cookie_name()
    found = stored.get(name) or stored.get(name.lower())
    return decode_credential(found) if isinstance(found, str) else None


def _identify_session(request: HttpRequest, caller: Caller) -> None:
    credential = read_credential(request, caller)
    signed_in = find_by_credential(credential) if credential is not None else None
    if signed_in is not None and is_in_force(signed_in.session):
        caller.account, caller.session = signed_in.account, signed_in.session
        caller.targets = signed_in.targets


def _identify_jwt(token: str, caller: Caller) -> None:
    if caller.session is not None:
        raise JWTAndSession
    claims = read_jwt(token)
    if not claims.session_id:
        _identify_sessionless(claims.account_id, caller)
        return
    signed_in = find_by_session_id(claims.session_id, claims.account_id)
    # A JWT dies with its session: a signed-out person's JWT is a guest's, not an error.
    if signed_in is not None and is_in_force(signed_in.session):
        caller.account, caller.jwt_session = signed_in.account, signed_in.session
        caller.targets = signed_in.targets


def _identify_sessionless(account_id: str, caller: Caller) -> None:
    """A JWT that a server made for somebody without a session."""
    try:
        caller.account = get_account(account_id)
    except UserNotFound:
        return
    caller.targets = list(caller.account.targets.order_by("pk"))


def _identify_key(request: HttpRequest, secret: str, caller: Caller) -> None:
    try:
        caller.api_key = find_api_key(secret)
    except UnknownApiKey as error:
        caller.unknown_key = error
    if caller.api_key and request.headers.get("X-Appwrite-Project") != conf.project_id:
        raise ProjectIdMissing


def require_full_account(caller: Caller, *, mfa_exempt: bool = False) -> None:
    """Refuse a person who is blocked, owes a new password or has not proven enough factors.

    Args:
        caller: guests and keys alone pass.
        mfa_exempt: skip the factors, for the routes by which they are proven or the session ended.

    Raises:
        UserBlocked, PasswordResetRequired, MoreFactorsRequired: in this order.
    """
    account = caller.account
    if account is None:
        return
    if not account.is_active:
        raise UserBlocked
    if account.password_reset_required:
        raise PasswordResetRequired
    # A JWT carries no more than the session it stands for.
    session = caller.acting_session
    if mfa_exempt or session is None:
        return
    if len(session.factors) < account.required_factors:
        raise MoreFactorsRequired


def signed_in_user(request: HttpRequest) -> tuple[SiteUser, Caller] | None:
    """The user behind a request to the site's own views, by session or JWT.

    Returns:
        None for everybody who could not use the account API as a person: guests, servers, and
        people who are blocked or have not proven enough factors.
    """
    try:
        check_origin(request)
        caller = identify(request)
        require_full_account(caller)
    except AccountError:
        return None
    return None if caller.account is None else (caller.account.user, caller)


class AccountAuthentication(BaseAuthentication):
    """Signs people of the account API in to the site's own Django REST framework views.

    Add it to ``authentication_classes``; ``request.user`` is the user, ``request.auth`` the
    :class:`Caller`. A request without credentials passes on to the next class.
    """

    def authenticate(self, request: Request) -> tuple[SiteUser, Caller] | None:
        """See :func:`signed_in_user`; a JWT that is no good is an error, as everywhere in DRF.

        Raises:
            AuthenticationFailed: the JWT is malformed, forged or expired.
        """
        try:
            if token := request.headers.get("X-Appwrite-JWT"):
                read_jwt(token)
        except InvalidJWT as error:
            raise AuthenticationFailed(error.message) from error
        return signed_in_user(request._request)

    def authenticate_header(self, request: Request) -> str:
        """Have DRF answer 401, not 403, to people who are not signed in."""
        return "Appwrite-Session"
