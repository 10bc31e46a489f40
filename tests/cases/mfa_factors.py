"""What every second factor does, the built-in ones and a site's own.

A factor's test is a subclass that says how somebody gets to have it, and what the right answer is.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from django_account.accounts.models import Account
from django_account.accounts.services import create_account
from django_account.core.clients import ClientInfo
from django_account.core.messages import Message
from django_account.exceptions import AccountError, FactorDisabled, InvalidToken
from django_account.mfa import services
from django_account.mfa.factors import find_factor
from django_account.mfa.factors.base import Factor
from django_account.mfa.models import Challenge
from django_account.selfservice.passwordless import Requester
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from tests.mfa.people import Clock
from tests.security.secrets import betrayed, every_table

REQUESTER = Requester(client=ClientInfo(), locale="en")


@pytest.mark.django_db
class FactorCases:
    """The cases; ``name``, :meth:`have` and :meth:`right` are the factor's own."""

    name: ClassVar[str]
    # DJANGO_ACCOUNT for it to be there and on.
    project_settings: ClassVar[dict[str, Any]] = {}
    can_be_off: ClassVar[bool] = True
    # Whether a challenge is refused while the person does not have it.
    refuses_without: ClassVar[bool] = True
    # Whether there is anything for the person to have.
    can_be_missing: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def site(self, project: Any, clock: Clock, sent: list[Message]) -> None:
        project(**self.project_settings)
        self.sent, self.clock, self.project = sent, clock, project

    @pytest.fixture
    def account(self, site: None) -> Account:
        return create_account(email="ada@example.org", password="correct horse")

    @pytest.fixture
    def session(self, account: Account) -> Session:
        return self.sign_in(account)

    def sign_in(self, account: Account) -> Session:
        return create_session(
            account=account, provider="email", factors=["password"], client=ClientInfo()
        ).session

    # --- what a subclass says ---

    def have(self, account: Account) -> None:
        """Have the person own the factor, verified where there is something to verify."""
        raise NotImplementedError

    def right(self, challenge: Challenge) -> str:
        """The right answer to a challenge."""
        raise NotImplementedError

    def wrong(self, challenge: Challenge) -> str:
        """A wrong answer."""
        return f"{(int(self.right(challenge)) + 123_457) % 1_000_000:06d}"

    # --- the cases ---

    @property
    def factor(self) -> Factor:
        found = find_factor(self.name)
        assert found is not None
        return found

    def begin(self, session: Session) -> Challenge:
        return services.create_challenge(
            account=session.account, session=session, factor=self.factor, requester=REQUESTER
        )

    def answer(self, session: Session, challenge: Challenge, answer: str) -> Session:
        return services.complete_challenge(
            session=session, challenge_id=challenge.public_id, answer=answer
        )

    def test_is_found_in_any_case(self) -> None:
        for spelling in (self.name, self.name.lower(), self.name.upper()):
            assert find_factor(spelling) is not None
            assert find_factor(spelling).name == self.name  # type: ignore[union-attr]

    def test_is_listed_when_the_person_has_it(self, account: Account) -> None:
        assert services.list_factors(account)[self.name] is not self.can_be_missing
        self.have(account)
        assert services.list_factors(account)[self.name] is True

    def test_without_it(self, session: Session) -> None:
        if not self.refuses_without:
            # It cannot be answered, that is all.
            assert self.begin(session).factor == self.name
            return
        with pytest.raises(AccountError):
            self.begin(session)
        assert not Challenge.objects.exists()

    def test_the_right_answer(self, session: Session) -> None:
        self.have(session.account)
        challenge = self.begin(session)
        done = self.answer(session, challenge, self.right(challenge))
        stored = Session.objects.get()
        assert done.factors == stored.factors == ["password", self.name]
        assert done.mfa_updated_at == stored.mfa_updated_at is not None
        assert not Challenge.objects.exists()

    def test_a_wrong_answer_then_the_right_one(self, session: Session) -> None:
        self.have(session.account)
        challenge = self.begin(session)
        with pytest.raises(InvalidToken):
            self.answer(session, challenge, self.wrong(challenge))
        assert Session.objects.get().factors == ["password"]
        self.answer(session, challenge, self.right(challenge))

    @pytest.mark.parametrize("answer", ["", " ", "0", "é", "x" * 256, "\uff11" * 6])
    def test_no_answer_at_all(self, session: Session, answer: str) -> None:
        self.have(session.account)
        challenge = self.begin(session)
        with pytest.raises(InvalidToken):
            self.answer(session, challenge, answer)

    def test_an_answer_is_good_for_one_challenge(self, session: Session) -> None:
        self.have(session.account)
        first, second = self.begin(session), self.begin(session)
        answer = self.right(first)
        self.answer(session, first, answer)
        for challenge in (first, second):
            with pytest.raises(InvalidToken):
                self.answer(session, challenge, answer)

    def test_another_session_cannot_answer(self, session: Session) -> None:
        self.have(session.account)
        other = self.sign_in(session.account)
        challenge = self.begin(session)
        with pytest.raises(InvalidToken):
            self.answer(other, challenge, self.right(challenge))
        assert other.factors == ["password"]

    def test_switched_off(self, session: Session) -> None:
        self.have(session.account)
        challenge = self.begin(session)
        answer = self.right(challenge)
        self.project(MFA_FACTORS={self.name: False})
        if not self.can_be_off:
            self.answer(session, challenge, answer)
            return
        assert services.list_factors(session.account)[self.name] is False
        with pytest.raises(FactorDisabled):
            self.begin(session)
        with pytest.raises(FactorDisabled):
            self.answer(session, challenge, answer)

    def test_nothing_at_rest_gives_the_answer_away(self, session: Session) -> None:
        self.have(session.account)
        challenge = self.begin(session)
        answer = self.right(challenge)
        dump = every_table()
        assert b"ada@example.org" in dump
        assert answer.encode() not in dump
        assert betrayed([answer], dump) == []
