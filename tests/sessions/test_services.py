"""Signing in and out: limit, duration, extension, end."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.accounts.services import create_account, delete_account
from django_account.core.clients import MAX_USER_AGENT, ClientInfo
from django_account.core.crypto import digest
from django_account.exceptions import (
    InvalidCredentials,
    SessionNotFound,
    UserBlocked,
    UserCountExceeded,
    UserNotFound,
)
from django_account.sessions.credentials import decode_credential
from django_account.sessions.models import Session
from django_account.sessions.services import (
    IssuedSession,
    create_anonymous_session,
    create_email_password_session,
    create_session,
    end_session,
    end_sessions,
    extend_session,
)
from django_account.targets.models import Target
from tests.client import PASSWORD
from tests.core.test_clients import CHROME_70
from tests.sessions.conftest import MOMENT

User = get_user_model()

CLIENT = ClientInfo("203.0.113.9", CHROME_70)
YEAR = timedelta(seconds=31_536_000)


def sign_in(account: Account, **given: Any) -> Session:
    return create_session(
        account=account, provider="email", factors=["password"], client=CLIENT, **given
    ).session


def left(account: Account) -> list[Session]:
    return list(Session.objects.filter(account=account).order_by("pk"))


class TestCreateEmailPasswordSession:
    def issue(self, **given: Any) -> IssuedSession:
        return create_email_password_session(
            **{"email": "ada@example.org", "password": PASSWORD, "client": CLIENT, **given}
        )

    def test_row(self, account: Account, clock: Any) -> None:
        session = self.issue().session
        session.refresh_from_db()
        assert (session.account, session.provider) == (account, "email")
        assert (session.provider_uid, session.factors) == ("ada@example.org", ["password"])
        assert (session.ip, session.user_agent) == ("203.0.113.9", CHROME_70)
        assert session.client["client_code"] == "CH"
        assert session.country_code == "--"
        assert session.created_at == session.updated_at == MOMENT
        assert session.expires_at == MOMENT + YEAR
        assert session.mfa_updated_at is None
        assert re.fullmatch(r"[0-9a-f]{20}", session.public_id)

    def test_secret_is_given_once_and_its_digest_kept(self, account: Account) -> None:
        issued = self.issue()
        assert re.fullmatch(r"[0-9a-f]{256}", issued.secret)
        assert issued.session.secret_digest == digest(issued.secret)
        assert decode_credential(issued.credential) == ("ada", issued.secret)

    def test_two_sessions_have_different_secrets(self, account: Account) -> None:
        assert self.issue().secret != self.issue().secret

    def test_secret_is_not_in_the_repr(self, account: Account) -> None:
        issued = self.issue()
        assert issued.secret not in repr(issued)

    @pytest.mark.parametrize(
        "given", [{"password": "wrong horse"}, {"email": "eve@example.org"}], ids=str
    )
    def test_refused(self, account: Account, given: dict[str, str]) -> None:
        with pytest.raises(InvalidCredentials):
            self.issue(**given)
        assert not Session.objects.exists()

    def test_blocked(self, account: Account) -> None:
        User.objects.update(is_active=False)
        with pytest.raises(UserBlocked):
            self.issue()
        assert not Session.objects.exists()

    def test_shorter_duration(self, account: Account, clock: Any) -> None:
        issued = self.issue(duration=timedelta(minutes=1))
        assert issued.session.expires_at == MOMENT + timedelta(minutes=1)

    def test_longer_duration_than_the_site_allows(
        self, account: Account, clock: Any, project: Callable[..., None]
    ) -> None:
        project(SESSION_DURATION=3600)
        issued = self.issue(duration=timedelta(days=1))
        assert issued.session.expires_at == MOMENT + timedelta(hours=1)

    @pytest.mark.parametrize("duration", [60, timedelta(seconds=60)])
    def test_duration_of_the_site(
        self, account: Account, clock: Any, project: Callable[..., None], duration: Any
    ) -> None:
        project(SESSION_DURATION=duration)
        assert self.issue().session.expires_at == MOMENT + timedelta(minutes=1)

    def test_site_user_without_account(self, db: None) -> None:
        User.objects.create_user("eve", "eve@example.org", PASSWORD)
        issued = self.issue(email="eve@example.org")
        assert issued.session.account.user.get_username() == "eve"

    def test_oversized_user_agent_is_cut(self, account: Account) -> None:
        issued = self.issue(client=ClientInfo("", "x" * (MAX_USER_AGENT + 1)))
        assert len(issued.session.user_agent) == MAX_USER_AGENT


class TestCreateAnonymousSession:
    def test_account_of_its_own(self, db: None) -> None:
        session = create_anonymous_session(client=CLIENT).session
        session.refresh_from_db()
        account = session.account
        assert (session.provider, session.provider_uid) == ("anonymous", "")
        assert session.factors == ["anonymous"]
        assert (account.email, account.phone, account.name) == (None, None, "")
        assert account.password_changed_at is None

    def test_two_are_two_people(self, db: None) -> None:
        one, two = (create_anonymous_session(client=CLIENT).session for _ in range(2))
        assert one.account != two.account

    def test_full_project_leaves_nothing(self, db: None, project: Callable[..., None]) -> None:
        create_account()
        project(USERS_LIMIT=1)
        with pytest.raises(UserCountExceeded):
            create_anonymous_session(client=CLIENT)
        assert (User.objects.count(), Session.objects.count()) == (1, 0)


class TestCreateSession:
    def test_event_after_commit(
        self, account: Account, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            session = sign_in(account)
            assert events == []
        assert events == [("session_created", session.public_id)]

    def test_account_blocked_in_the_meantime(self, account: Account) -> None:
        User.objects.filter(pk=account.user.pk).update(is_active=False)
        assert account.is_active
        with pytest.raises(UserBlocked):
            sign_in(account)
        assert not Session.objects.exists()

    def test_account_deleted_in_the_meantime(self, account: Account) -> None:
        delete_account(Account.objects.get(pk=account.pk))
        with pytest.raises(UserNotFound):
            sign_in(account)


class TestLimit:
    def test_oldest_go_first(self, account: Account, project: Callable[..., None]) -> None:
        project(SESSION_LIMIT=2)
        _, second, third = (sign_in(account) for _ in range(3))
        assert left(account) == [second, third]

    def test_one(self, account: Account, project: Callable[..., None]) -> None:
        project(SESSION_LIMIT=1)
        sign_in(account)
        newest = sign_in(account)
        assert left(account) == [newest]

    def test_default_is_ten(self, account: Account) -> None:
        made = [sign_in(account) for _ in range(12)]
        assert left(account) == made[2:]

    def test_zero_is_none(self, account: Account, project: Callable[..., None]) -> None:
        project(SESSION_LIMIT=0)
        made = [sign_in(account) for _ in range(12)]
        assert left(account) == made

    def test_lowered_later(self, account: Account, project: Callable[..., None]) -> None:
        for _ in range(5):
            sign_in(account)
        project(SESSION_LIMIT=2)
        sign_in(account)
        assert len(left(account)) == 2

    def test_other_people_are_left_alone(
        self, account: Account, project: Callable[..., None]
    ) -> None:
        bobs = sign_in(create_account(account_id="bob"))
        project(SESSION_LIMIT=1)
        sign_in(account)
        sign_in(account)
        assert Session.objects.filter(pk=bobs.pk).exists()

    def test_ended_by_the_limit_is_an_event(
        self,
        account: Account,
        project: Callable[..., None],
        events: list[Any],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        project(SESSION_LIMIT=1)
        with django_capture_on_commit_callbacks(execute=True):
            first = sign_in(account)
            second = sign_in(account)
        assert sorted(events) == sorted(
            [
                ("session_created", first.public_id),
                ("session_deleted", first.public_id),
                ("session_created", second.public_id),
            ]
        )

    def test_newest_by_clock_that_went_back(
        self, account: Account, clock: Any, project: Callable[..., None]
    ) -> None:
        """The order of insertion counts, so that the new session is never the victim."""
        project(SESSION_LIMIT=1)
        sign_in(account)
        clock.shift(-3600)
        second = sign_in(account)
        assert left(account) == [second]


class TestExtendSession:
    def test_from_now_on(self, account: Account, clock: Any) -> None:
        session = sign_in(account, duration=timedelta(hours=1))
        clock.shift(60)
        extend_session(session)
        session.refresh_from_db()
        assert session.expires_at == timezone.now() + YEAR
        assert session.updated_at == timezone.now()
        assert session.created_at == MOMENT

    def test_by_the_duration_in_force(
        self, account: Account, clock: Any, project: Callable[..., None]
    ) -> None:
        session = sign_in(account)
        project(SESSION_DURATION=3600)
        session.refresh_from_db()
        assert session.expires_at == MOMENT + YEAR
        extend_session(session)
        assert session.expires_at == MOMENT + timedelta(hours=1)

    def test_event(
        self, account: Account, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        session = sign_in(account)
        with django_capture_on_commit_callbacks(execute=True):
            extend_session(session)
        assert events == [("session_updated", session.public_id)]

    def test_ended_in_the_meantime(
        self, account: Account, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        session = sign_in(account)
        Session.objects.all().delete()
        with (
            django_capture_on_commit_callbacks(execute=True),
            pytest.raises(SessionNotFound),
        ):
            extend_session(session)
        assert not Session.objects.exists()
        assert events == []


class TestEndSession:
    def test_one(self, account: Account) -> None:
        one, two = sign_in(account), sign_in(account)
        end_session(one)
        assert left(account) == [two]

    def test_push_targets_go_with_it(self, account: Account) -> None:
        one, two = sign_in(account), sign_in(account)
        for session in (one, two):
            Target.objects.create(
                account=account,
                session=session,
                provider_type="push",
                identifier=f"token-{session.pk}",
            )
        end_session(one)
        kept = set(Target.objects.values_list("identifier", flat=True))
        assert kept == {f"token-{two.pk}", "ada@example.org"}

    def test_event_knows_the_session(
        self, account: Account, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        session = sign_in(account)
        public_id = session.public_id
        with django_capture_on_commit_callbacks(execute=True):
            end_session(session)
        assert events == [("session_deleted", public_id)]

    def test_second_time(
        self, account: Account, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        session = sign_in(account)
        again = Session.objects.get()
        with django_capture_on_commit_callbacks(execute=True):
            end_session(session)
        with (
            django_capture_on_commit_callbacks(execute=True),
            pytest.raises(SessionNotFound),
        ):
            end_session(again)
        assert len(events) == 1, "what did not happen is no event"


class TestEndSessions:
    def test_all(self, account: Account) -> None:
        for _ in range(3):
            sign_in(account)
        bobs = sign_in(create_account(account_id="bob"))
        assert end_sessions(account=account) == 3
        assert list(Session.objects.all()) == [bobs]

    def test_all_but_one(self, account: Account) -> None:
        sign_in(account)
        kept = sign_in(account)
        sign_in(account)
        assert end_sessions(account=account, keep=kept) == 2
        assert left(account) == [kept]

    def test_none_to_end(self, account: Account) -> None:
        assert end_sessions(account=account) == 0

    def test_expired_ones_too(self, account: Account, clock: Any) -> None:
        sign_in(account, duration=timedelta(seconds=60))
        clock.shift(61)
        assert end_sessions(account=account) == 1

    def test_one_event_each(
        self, account: Account, events: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        made = [sign_in(account).public_id for _ in range(3)]
        with django_capture_on_commit_callbacks(execute=True):
            end_sessions(account=account)
        assert sorted(events) == sorted(("session_deleted", public_id) for public_id in made)

    def test_targets_of_sessions_do_not_count(self, account: Account) -> None:
        session = sign_in(account)
        Target.objects.create(
            account=account, session=session, provider_type="push", identifier="token"
        )
        assert end_sessions(account=account) == 1
