"""Signing in and out, and the sessions of the signed-in person (core.md §9.4 to §9.10, §9.17)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_login_failed
from django.http import HttpResponse

from django_account.api.authentication import read_credential
from django_account.api.cookies import (
    clear_fallback,
    clear_session_cookies,
    refresh_session_cookies,
)
from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.session import (
    DeleteSessionsInput,
    EmailPasswordSessionInput,
    JWTInput,
    JWTSerializer,
    SessionInput,
    SessionListInput,
    SessionListSerializer,
    SessionSerializer,
    session_document,
)
from django_account.api.throttling import HOUR, Limit
from django_account.api.views import AccountViewSet, endpoint
from django_account.exceptions import InvalidCredentials, JWTCreationDenied, SessionNotFound
from django_account.identities.services import extend_oauth2_session
from django_account.sessions import services
from django_account.sessions.credentials import encode_credential
from django_account.sessions.jwt import create_jwt
from django_account.sessions.models import Session


class SessionViewSet(AccountViewSet):
    """Sessions."""

    def is_current(self, session: Session) -> bool:
        current = self.caller.session
        return current is not None and current.pk == session.pk

    def document(self, session: Session) -> dict[str, Any]:
        """A session as its owner sees it."""
        return session_document(
            session,
            current=self.is_current(session),
            locale=self.locale,
            with_tokens=not self.caller.staff_id,
        )

    def find_session(self) -> Session:
        """The caller's session that the path names; ``current`` is the one that asks.

        Raises:
            SessionNotFound: the caller has no such session; a JWT has no current one.
        """
        session_id = self.params["sessionId"]
        current = self.caller.session
        if session_id == "current":
            if current is None:
                raise SessionNotFound
            self.concern(self.account, current)
            return current
        session = (
            Session.objects.active().filter(account=self.account, public_id=session_id).first()
        )
        if session is None:
            raise SessionNotFound
        session.account = self.account
        self.concern(self.account, session)
        return session

    @endpoint(
        scope="sessions.write",
        auth_method="email-password",
        signs_in=True,
        limits=[Limit(10, HOUR, "url,email")],
        resets=(201,),
        params=EmailPasswordSessionInput,
        answers=SessionSerializer,
        status=201,
        event="session.create",
    )
    def create_email_password_session(self, request: object, **path: str) -> HttpResponse:
        """Sign in by e-mail and password."""
        try:
            issued = services.create_email_password_session(
                email=self.params["email"],
                password=self.params["password"],
                duration=self.params["duration"],
                client=self.client,
            )
        except InvalidCredentials:
            user_login_failed.send_robust(
                sender=get_user_model(),
                credentials={"email": self.params["email"]},
                request=self.request._request,
            )
            raise
        return self.signed_in_answer(issued)

    @endpoint(
        scope="sessions.write",
        auth_method="anonymous",
        signs_in=True,
        limits=[Limit(50, HOUR, "ip")],
        answers=SessionSerializer,
        status=201,
        event="session.create",
    )
    def create_anonymous_session(self, request: object, **path: str) -> HttpResponse:
        """Sign a new account in that has nothing but an id."""
        return self.signed_in_answer(services.create_anonymous_session(client=self.client))

    @endpoint(
        scope="account", params=SessionListInput, answers=SessionListSerializer, by_staff=True
    )
    def list_sessions(self, request: object, **path: str) -> HttpResponse:
        """The person's sessions, oldest first."""
        sessions = Session.objects.active().filter(account=self.account).order_by("pk")
        documents = []
        for session in sessions:
            session.account = self.account
            documents.append(self.document(session))
        total = len(documents) if self.params["total"] else 0
        return json_answer({"total": total, "sessions": documents})

    @endpoint(scope="account", params=SessionInput, answers=SessionSerializer, by_staff=True)
    def get_session(self, request: object, **path: str) -> HttpResponse:
        """One session."""
        session = self.find_session()
        return json_answer(self.document(session))

    @endpoint(
        scope="account",
        limits=[Limit(10, HOUR, "url,ip", sensitive=False)],
        params=SessionInput,
        answers=SessionSerializer,
        event="session.update",
    )
    def update_session(self, request: object, **path: str) -> HttpResponse:
        """Extend a session, its provider's token and, of the current one, the cookies."""
        session = self.find_session()
        extend_oauth2_session(session)
        current = self.is_current(session)
        response = json_answer(self.document(session))
        credential = read_credential(self.request._request, self.caller) if current else None
        if credential is not None:
            refresh_session_cookies(
                self.request._request,
                response,
                encode_credential(*credential),
                session.expires_at,
            )
        return response

    @endpoint(
        scope="account",
        mfa_exempt=True,
        limits=[Limit(100, HOUR, "url,ip", sensitive=False)],
        params=SessionInput,
        status=204,
        event="session.delete",
        by_staff=True,
    )
    def delete_session(self, request: object, **path: str) -> HttpResponse:
        """End a session; ending the current one signs out."""
        session = self.find_session()
        is_current = self.is_current(session)
        services.end_session(session)
        response = empty_answer()
        if is_current:
            clear_session_cookies(self.request._request, response)
        return response

    @endpoint(
        scope="account",
        limits=[Limit(100, HOUR, "url,ip", sensitive=False)],
        params=DeleteSessionsInput,
        status=204,
        event="session.delete",
    )
    def delete_sessions(self, request: object, **path: str) -> HttpResponse:
        """End all sessions; with ``current`` false, all but the one that asks."""
        current = self.caller.session or self.caller.jwt_session
        keep = None if self.params["current"] else current
        ended = services.end_sessions(account=self.account, keep=keep)
        response = empty_answer()
        if keep is None and self.caller.session is not None:
            clear_session_cookies(self.request._request, response)
        elif keep is None and ended:
            clear_fallback(self.request._request, response)
        return response

    @endpoint(
        scope="account",
        auth_method="jwt",
        limits=[Limit(100, HOUR, "url,caller", sensitive=False)],
        params=JWTInput,
        answers=JWTSerializer,
        status=201,
        by_staff=True,
    )
    def create_jwt(self, request: object, **path: str) -> HttpResponse:
        """A JWT that stands for the current session."""
        if self.request.headers.get("X-Appwrite-JWT"):
            raise JWTCreationDenied
        if self.caller.session is None:
            raise SessionNotFound
        return json_answer({"jwt": create_jwt(self.caller.session, self.params["duration"])}, 201)
