"""Other people's sessions, tokens and JWTs (users.md §3)."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponse

from django_account.api.renderers import empty_answer, json_answer
from django_account.api.serializers.session import (
    JWTSerializer,
    SessionListSerializer,
    SessionSerializer,
    session_document,
)
from django_account.api.serializers.token import TokenSerializer, token_document
from django_account.api.serializers.user import (
    NewUserSessionInput,
    UserInput,
    UserJWTInput,
    UserSessionInput,
    UserSessionListInput,
    UserTokenInput,
)
from django_account.api.users.base import PeopleViewSet, users_endpoint
from django_account.exceptions import SessionNotFound
from django_account.sessions import services
from django_account.sessions.jwt import create_jwt, create_sessionless_jwt
from django_account.sessions.models import Session
from django_account.tokens.services import create_custom_token

_READ = ("users.read", "sessions.read")
_WRITE = ("users.write", "sessions.write")


class UserSessionViewSet(PeopleViewSet):
    """Sessions of the person whom the path names."""

    @users_endpoint(
        scope=_WRITE,
        params=NewUserSessionInput,
        answers=SessionSerializer,
        status=201,
        event="session.create",
    )
    def create_session(self, request: object, **path: str) -> HttpResponse:
        """Sign somebody in; the secret is for ``setSession``."""
        issued = services.create_server_session(account=self.find_person(), client=self.client)
        self.concern(issued.session.account, issued.session)
        document = session_document(
            issued.session, current=False, secret=issued.credential, locale=self.locale
        )
        return json_answer(document, 201)

    @users_endpoint(scope=_READ, params=UserSessionListInput, answers=SessionListSerializer)
    def list_sessions(self, request: object, **path: str) -> HttpResponse:
        """Somebody's sessions, oldest first, with those that expired and are still there."""
        account = self.find_person()
        documents = []
        for session in Session.objects.filter(account=account).order_by("pk"):
            session.account = account
            # With somebody's tokens an impersonator could act as them at the provider.
            documents.append(
                session_document(
                    session,
                    current=False,
                    locale=self.locale,
                    with_tokens=self.caller.is_server,
                )
            )
        total = len(documents) if self.params["total"] else 0
        return json_answer({"total": total, "sessions": documents})

    @users_endpoint(scope=_WRITE, params=UserInput, status=204, event="session.delete")
    def delete_sessions(self, request: object, **path: str) -> HttpResponse:
        """Sign somebody out everywhere."""
        services.end_sessions(account=self.find_person())
        return empty_answer()

    @users_endpoint(scope=_WRITE, params=UserSessionInput, status=204, event="session.delete")
    def delete_session(self, request: object, **path: str) -> HttpResponse:
        """End one session."""
        account = self.find_person()
        named = Session.objects.filter(account=account, public_id=self.params["sessionId"])
        session = named.first()
        if session is None:
            raise SessionNotFound
        session.account = account
        self.concern(account, session)
        services.end_session(session)
        return empty_answer()

    @users_endpoint(
        scope="users.write",
        params=UserTokenInput,
        answers=TokenSerializer,
        status=201,
        event="tokens.create",
    )
    def create_token(self, request: object, **path: str) -> HttpResponse:
        """Make a secret that signs somebody in once."""
        with transaction.atomic():
            issued = create_custom_token(
                account=self.find_person(),
                length=self.params["length"],
                lifetime=self.params["expire"],
            )
        document = token_document(issued.token, issued.token.account, secret=issued.secret)
        return json_answer(document, 201)

    @users_endpoint(scope="users.write", params=UserJWTInput, answers=JWTSerializer, status=201)
    def create_jwt(self, request: object, **path: str) -> HttpResponse:
        """A JWT that stands for a session, or for somebody who has none."""
        account = self.find_person()
        sessions = Session.objects.active().filter(account=account)
        if self.params["sessionId"] == "recent":
            session = sessions.order_by("-pk").first()
        elif (session := sessions.filter(public_id=self.params["sessionId"]).first()) is None:
            raise SessionNotFound
        duration = self.params["duration"]
        if session is None:
            return json_answer({"jwt": create_sessionless_jwt(account, duration)}, 201)
        session.account = account
        return json_answer({"jwt": create_jwt(session, duration)}, 201)
