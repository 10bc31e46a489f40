"""Staff act as a person: who may, as whom, for how long, and what is written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.utils import timezone

from django_account import signals
from django_account.accounts.models import Account
from django_account.accounts.services import create_account, delete_account, get_account
from django_account.administration.impersonation import (
    hand_over,
    is_in_force,
    start_impersonation,
    take_over,
)
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientInfo
from django_account.exceptions import (
    ImpersonationRefused,
    InvalidArgument,
    NotWhileImpersonating,
    PasswordResetRequired,
)
from django_account.sessions.jwt import create_jwt, read_jwt
from django_account.sessions.models import Session
from django_account.sessions.services import IssuedSession, create_session, extend_session

Project = Callable[..., None]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account() -> Account:
    return create_account(email="ada@example.org", phone="+14155550100", name="Ada")


@pytest.fixture
def staff() -> Any:
    return supporter()


@pytest.fixture(autouse=True)
def allowed(project: Project) -> None:
    project(ADMIN_IMPERSONATION=True)


def supporter(name: str = "grace") -> Any:
    """A member of staff with the permission, who has no account yet."""
    user = User.objects.create_user(name, f"{name}@example.org", "x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="impersonate_account"))
    return user


def fresh(user: Any) -> Any:
    """The user without the permissions that Django has cached."""
    return User.objects.get(pk=user.pk)


def start(account: Account, staff: Any, reason: str = "Ticket 12") -> IssuedSession:
    return start_impersonation(account=account, staff=staff, reason=reason, client=ClientInfo())


class TestStart:
    def test_says_who_acts(self, account: Account, staff: Any) -> None:
        session = start(account, staff).session
        actor = Account.objects.get(user=staff)
        assert session.account == account
        assert (session.provider, session.actor_id) == ("impersonation", actor.public_id)

    def test_the_sessions_of_people_name_nobody(self, account: Account) -> None:
        issued = create_session(
            account=account,
            provider="github",
            provider_uid="4711",
            factors=["email"],
            client=ClientInfo(),
        )
        assert issued.session.actor_id == ""

    @pytest.mark.parametrize(
        ("configured", "seconds"), [({}, 900), ({"ADMIN_IMPERSONATION_DURATION": 60}, 60)]
    )
    def test_for_as_long_as_the_site_says(
        self, account: Account, staff: Any, project: Project, configured: Any, seconds: int
    ) -> None:
        project(**configured)
        with time_machine.travel("2026-03-04T05:06:07+00:00", tick=False):
            session = start(account, staff).session
            assert session.expires_at - timezone.now() == timedelta(seconds=seconds)

    def test_is_never_extended(self, account: Account, staff: Any) -> None:
        session = start(account, staff).session
        before = session.expires_at
        with pytest.raises(NotWhileImpersonating):
            extend_session(session)
        assert Session.objects.get().expires_at == before

    def test_no_jwt_outlives_it(self, account: Account, staff: Any) -> None:
        with time_machine.travel("2026-03-04T05:06:07+00:00", tick=False) as clock:
            session = start(account, staff).session
            clock.shift(600)
            token = create_jwt(session, timedelta(seconds=3600))
            clock.shift(299)
            assert read_jwt(token).session_id == session.public_id
            clock.shift(2)
            with pytest.raises(Exception, match="Expired"):
                read_jwt(token)

    def test_is_written_down_with_its_reason(self, account: Account, staff: Any) -> None:
        session = start(account, staff, "  Ticket 12:\n cannot pay ").session
        entry = LogEntry.objects.get(event="session.create")
        assert (entry.user_id, entry.session_id) == (account.public_id, session.public_id)
        assert (entry.user_type, entry.mode) == ("admin", "admin")
        assert entry.actor_id == session.actor_id
        assert entry.reason == "Ticket 12: cannot pay"
        assert entry.ip == ""

    def test_and_so_is_its_end(self, account: Account, staff: Any) -> None:
        from django_account.sessions.services import end_session

        session = start(account, staff).session
        end_session(session)
        assert LogEntry.objects.latest("pk").event == "session.delete"
        assert LogEntry.objects.latest("pk").actor_id == session.actor_id

    def test_a_member_of_staff_who_is_forgotten(
        self, account: Account, staff: Any, project: Project
    ) -> None:
        project(LOG_ANONYMISE=True)
        start(account, staff)
        delete_account(Account.objects.get(user=staff))
        entry = LogEntry.objects.get(event="session.create")
        assert (entry.user_id, entry.actor_id) == (account.public_id, "")

    def test_the_site_is_told(self, account: Account, staff: Any) -> None:
        told: list[Any] = []

        def receiver(**arguments: Any) -> None:
            told.append((arguments["actor"].user, arguments["reason"]))

        signals.impersonation_started.connect(receiver)
        start(account, staff)
        signals.impersonation_started.disconnect(receiver)
        assert told == [(staff, "Ticket 12")]

    def test_nobody_is_alarmed_and_nobodys_session_ends(
        self, account: Account, staff: Any, project: Project
    ) -> None:
        project(SESSION_ALERTS=True, SESSION_LIMIT=1, ADMIN_IMPERSONATION=True)
        own = create_session(
            account=account, provider="email", factors=["password"], client=ClientInfo()
        ).session
        start(account, staff)
        assert Session.objects.filter(pk=own.pk).exists()
        assert mail.outbox == []

    def test_a_second_factor_is_not_asked_for(self, account: Account, staff: Any) -> None:
        Account.objects.filter(pk=account.pk).update(mfa_enabled=True, email_verified=True)
        session = start(account, staff).session
        assert len(session.factors) >= get_account(account.public_id).required_factors == 2

    def test_the_last_login_is_the_persons_own(self, account: Account, staff: Any) -> None:
        start(account, staff)
        assert get_account(account.public_id).user.last_login is None


class TestWhoMayNot:
    def refused(self, account: Account, staff: Any, match: str) -> None:
        with pytest.raises(ImpersonationRefused, match=match):
            start(account, staff)
        assert not Session.objects.exists()
        assert not LogEntry.objects.filter(event="session.create").exists()

    def test_where_the_site_does_not_allow_it(
        self, account: Account, staff: Any, settings: Any
    ) -> None:
        settings.DJANGO_ACCOUNT = {
            name: value
            for name, value in settings.DJANGO_ACCOUNT.items()
            if name != "ADMIN_IMPERSONATION"
        }
        self.refused(account, staff, "ADMIN_IMPERSONATION")

    def test_without_the_permission(self, account: Account, staff: Any) -> None:
        staff.user_permissions.clear()
        self.refused(account, fresh(staff), "may not")

    @pytest.mark.parametrize("field", ["is_staff", "is_active"])
    def test_no_staff(self, account: Account, staff: Any, field: str) -> None:
        setattr(staff, field, False)
        staff.save()
        self.refused(account, fresh(staff), "may not")

    @pytest.mark.parametrize("field", ["is_staff", "is_superuser"])
    def test_as_other_staff(self, account: Account, staff: Any, field: str) -> None:
        User.objects.filter(pk=account.user.pk).update(**{field: True})
        self.refused(account, staff, "as staff")

    def test_as_somebody_who_acts_as_others(self, account: Account, staff: Any) -> None:
        Account.objects.filter(pk=account.pk).update(impersonator=True)
        self.refused(account, staff, "as staff")

    def test_as_themselves(self, account: Account) -> None:
        root = User.objects.create_superuser("root")
        from django_account.accounts.services import adopt_user

        self.refused(adopt_user(root), root, "as staff")

    def test_as_somebody_who_is_blocked(self, account: Account, staff: Any) -> None:
        User.objects.filter(pk=account.user.pk).update(is_active=False)
        self.refused(account, staff, "blocked")

    def test_as_somebody_who_must_set_a_password(self, account: Account, staff: Any) -> None:
        Account.objects.filter(pk=account.pk).update(password_reset_required=True)
        with pytest.raises(PasswordResetRequired):
            start(account, staff)

    @pytest.mark.parametrize("reason", ["", " \n", "x" * 501])
    def test_without_a_reason(self, account: Account, staff: Any, reason: str) -> None:
        with pytest.raises(InvalidArgument):
            start(account, staff, reason)
        assert not Session.objects.exists()


class TestInForce:
    @pytest.fixture
    def session(self, account: Account, staff: Any) -> Session:
        return start(account, staff).session

    def now(self, session: Session) -> bool:
        return is_in_force(Session.objects.select_related("account__user").get(pk=session.pk))

    def test_at_first(self, session: Session) -> None:
        assert self.now(session)

    def test_a_permission_that_is_withdrawn(self, session: Session, staff: Any) -> None:
        staff.user_permissions.clear()
        assert not self.now(session)

    def test_a_member_of_staff_who_is_blocked(self, session: Session, staff: Any) -> None:
        User.objects.filter(pk=staff.pk).update(is_active=False)
        assert not self.now(session)

    def test_a_member_of_staff_who_is_gone(self, session: Session, staff: Any) -> None:
        staff.delete()
        assert not self.now(session)

    def test_a_person_who_becomes_staff(self, session: Session, account: Account) -> None:
        User.objects.filter(pk=account.user.pk).update(is_staff=True)
        assert not self.now(session)

    def test_a_site_that_switches_it_off(self, session: Session, project: Project) -> None:
        project(ADMIN_IMPERSONATION=False)
        assert not self.now(session)


class TestHandOver:
    def test_once(self, account: Account, staff: Any) -> None:
        issued, store = start(account, staff), dict[str, Any]()
        hand_over(store, issued)
        assert issued.secret not in str(store)
        assert take_over(store) == issued.credential
        assert store == {}
        assert take_over(store) is None

    def test_what_somebody_else_wrote(self) -> None:
        assert take_over({"django_account_impersonation": "forged"}) is None
