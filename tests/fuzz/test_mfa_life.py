"""An account's life with second factors, in any order; a plain model says what follows.

A session never does more than its proven factors allow, and a dead code never works again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from django_account import signals
from django_account.accounts.models import Account
from django_account.core.messages import Message
from django_account.mfa import services
from django_account.mfa.models import Authenticator
from django_account.sessions.models import Session as SessionRow
from tests.client import PASSWORD, ApiClient, assert_error
from tests.fuzz.strategies import EXAMPLES

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ADA = "ada@example.org"
TOTP = "/account/mfa/authenticators/totp"
CODES = "/account/mfa/recovery-codes"
CHALLENGES = "/account/mfa/challenges"

LONG_AGO = datetime.min.replace(tzinfo=UTC)
ALIVE, FRESH, HOUR = timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1)
TRIES, GUESSES = 5, 10

factors = st.sampled_from(["totp", "email", "recoveryCode"])
answers = st.sampled_from(["right", "right", "right", "wrong", "dead"])
# Which of the sessions, or of the challenges: mostly one that is of use.
picks = st.integers(0, 9)


@dataclass(eq=False)
class Session:
    """What is known of a session."""

    client: ApiClient
    id: str
    factors: list[str]
    proven_at: datetime | None = None
    is_live: bool = True


@dataclass(eq=False)
class Challenge:
    """What is known of a challenge."""

    id: str
    session: Session
    factor: str
    expires: datetime
    code: str = ""
    tries: int = 0
    is_open: bool = True


@dataclass
class Life:
    """What is known of Ada's account."""

    password: str = PASSWORD
    mfa: bool = False
    email_verified: bool = False
    is_blocked: bool = False
    seed: str = ""
    confirmed: bool = False
    last_step: int = 0
    codes: list[str] = field(default_factory=list)
    # Whatever has been used up or replaced.
    dead: list[str] = field(default_factory=lambda: ["0123456789"])
    guesses: int = 0
    since: datetime = LONG_AGO


class MfaLife(RuleBasedStateMachine):
    """The API beside a model of it."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.travel = time_machine.travel(START, tick=False)
        self.clock = self.travel.start()
        self.ada = Life()
        self.known: list[Session] = []
        self.asked: list[Challenge] = []
        self.sent: list[Message] = []
        signals.message_requested.connect(self.listen)

    def listen(self, message: Message, **given: Any) -> None:
        self.sent.append(message)

    def teardown(self) -> None:
        signals.message_requested.disconnect(self.listen)
        self.travel.stop()
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # --- the model ---

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def live(self) -> int:
        return sum(session.is_live for session in self.known)

    @property
    def step(self) -> int:
        return int(self.now.timestamp()) // 30

    @property
    def required(self) -> int:
        return 2 if self.ada.mfa and (self.ada.email_verified or self.ada.confirmed) else 1

    def session(self, pick: int) -> Session:
        """One that is live, if there is any; seldom whichever."""
        live = [session for session in self.known if session.is_live]
        among = live if live and pick else self.known
        return among[-1 - pick % len(among)]

    def refused(self, session: Session, response: Any, *, exempt: bool = False) -> bool:
        """Whether the state of the session forbids a request; checks that it was refused."""
        if not session.is_live:
            assert_error(response, 401, "general_unauthorized_scope")
        elif self.ada.is_blocked:
            assert_error(response, 403, "user_blocked")
        elif not exempt and len(session.factors) < self.required:
            assert_error(response, 401, "user_more_factors_required")
        else:
            return False
        return True

    def stale(self, session: Session, response: Any) -> bool:
        """Whether the request needed a fresher proof; checks that it was refused."""
        if session.proven_at is not None and session.proven_at + FRESH >= self.now:
            return False
        assert_error(response, 401, "user_challenge_required")
        return True

    def claim(self) -> bool:
        """Count a guess; whether it is looked at."""
        if self.ada.since <= self.now - HOUR:
            self.ada.guesses, self.ada.since = 0, self.now
        if self.ada.guesses >= GUESSES:
            return False
        self.ada.guesses += 1
        return True

    def add(self, session: Session, *names: str) -> None:
        session.factors += [name for name in names if name not in session.factors]

    def withdraw(self, names: set[str], asking: Session | None, *, keep_own: bool = False) -> None:
        for session in self.known:
            own = session is asking
            if names & set(session.factors) and not (own and keep_own):
                session.factors = [name for name in session.factors if name not in names]
                if not own:
                    session.proven_at = None

    def shown(self) -> str:
        """What Ada's app shows."""
        return pyotp.TOTP(self.ada.seed).generate_otp(self.step) if self.ada.seed else "none"

    def use_code(self, how: str) -> tuple[str, bool]:
        """What is typed from the app, and whether it is right; the step is used up then."""
        right = how == "right" and bool(self.ada.seed) and self.step > self.ada.last_step
        typed = {"right": self.shown(), "wrong": "nonsense", "dead": self.ada.dead[-1]}[how]
        if right:
            self.ada.last_step = self.step
        return typed, right

    # --- signing in and out ---

    @initialize(enrolled=st.booleans(), verified=st.booleans(), enabled=st.booleans())
    def begin_life(self, enrolled: bool, verified: bool, enabled: bool) -> None:
        ApiClient().sign_up(ADA)
        self.sign_in_with(PASSWORD)
        self.create_codes(1)
        if verified:
            self.verify_address()
        if enrolled:
            self.enrol(1)
        if enabled:
            self.switch(1, True)

    def sign_in_with(self, password: str) -> None:
        client = ApiClient()
        document = client.sign_in(ADA, password)
        assert document["factors"] == ["password"]
        session = Session(ApiClient(session=client.credential), document["$id"], ["password"])
        self.known.append(session)

    @precondition(lambda self: self.live < 3)
    @rule()
    def sign_in(self) -> None:
        if self.ada.is_blocked:
            body = {"email": ADA, "password": self.ada.password}
            response = ApiClient().post("/account/sessions/email", body)
            assert_error(response, 403, "user_blocked")
        else:
            self.sign_in_with(self.ada.password)

    @precondition(lambda self: self.live > 2)
    @rule(pick=picks)
    def sign_out(self, pick: int) -> None:
        """Open to a half session too."""
        session = self.session(pick)
        response = session.client.delete("/account/sessions/current")
        if not self.refused(session, response, exempt=True):
            assert response.status_code == 204, response.content
            session.is_live = False

    @precondition(lambda self: self.live > 2 or self.ada.is_blocked)
    @rule(seldom=st.integers(0, 2))
    def recover_the_password(self, seldom: int) -> None:
        """It signs everybody out, proves the address, and is no second factor."""
        if seldom:
            return
        guest = ApiClient()
        body = {"email": ADA, "url": "http://localhost/in"}
        response = guest.post("/account/recovery", body)
        if self.ada.is_blocked:
            assert_error(response, 403, "user_blocked")
            return
        secret = parse_qs(urlsplit(self.sent[-1].link).query)["secret"][0]
        self.ada.password = f"horse number {len(self.sent)}"
        body = {"userId": response.json()["userId"], "secret": secret}
        response = guest.put("/account/recovery", {**body, "password": self.ada.password})
        assert response.status_code == 200, response.content
        self.ada.email_verified = True
        for session in self.known:
            session.is_live = False
        self.sign_in_with(self.ada.password)

    # --- factors ---

    @rule(pick=picks)
    def add_authenticator(self, pick: int) -> None:
        session = self.session(pick)
        response = session.client.post(TOTP)
        if self.refused(session, response):
            return
        if self.ada.confirmed:
            assert_error(response, 409, "user_authenticator_already_verified")
            return
        assert response.status_code == 200, response.content
        self.ada.seed, self.ada.last_step = response.json()["secret"], 0

    @rule(pick=picks, how=answers)
    def confirm_authenticator(self, pick: int, how: str) -> None:
        session = self.session(pick)
        ada = self.ada
        used, counted = ada.last_step, False
        typed, right = self.use_code(how)
        response = session.client.put(TOTP, {"otp": typed})
        if self.refused(session, response):
            pass
        elif not ada.seed:
            assert_error(response, 404, "user_authenticator_not_found")
        elif ada.confirmed:
            assert_error(response, 409, "user_authenticator_already_verified")
        elif not self.claim():
            assert_error(response, 429, "general_rate_limit_exceeded")
        elif not right:
            assert_error(response, 401, "user_invalid_token")
            counted = True
        else:
            assert response.status_code == 200, response.content
            ada.confirmed = counted = True
            ada.guesses -= 1
            self.add(session, "totp")
        if not counted:
            # Nothing was looked at.
            ada.last_step = used

    @precondition(lambda self: not self.ada.seed)
    @rule(pick=picks)
    def enrol(self, pick: int) -> None:
        """All of it at once."""
        self.add_authenticator(pick)
        self.confirm_authenticator(pick, "right")
        self.clock.shift(timedelta(seconds=30))

    @rule(pick=picks)
    def remove_authenticator(self, pick: int) -> None:
        session = self.session(pick)
        response = session.client.delete(TOTP)
        if self.refused(session, response) or self.stale(session, response):
            return
        if not self.ada.seed:
            assert_error(response, 404, "user_authenticator_not_found")
            return
        assert response.status_code == 204, response.content
        if self.ada.confirmed:
            self.withdraw({"totp"}, session, keep_own=self.ada.email_verified)
        self.lose_authenticator()

    def lose_authenticator(self) -> None:
        self.ada.seed, self.ada.confirmed, self.ada.last_step = "", False, 0
        for challenge in self.asked:
            challenge.is_open &= challenge.factor != "totp"

    @precondition(lambda self: len(self.ada.codes) < 6)
    @rule(pick=picks)
    def create_codes(self, pick: int) -> None:
        session = self.session(pick)
        response = session.client.post(CODES)
        if self.refused(session, response):
            return
        if self.ada.codes:
            assert_error(response, 409, "user_recovery_codes_already_exists")
            return
        assert response.status_code == 201, response.content
        self.ada.codes = response.json()["recoveryCodes"]

    @rule(pick=picks, renew=st.booleans())
    def read_or_renew_codes(self, pick: int, renew: bool) -> None:
        session = self.session(pick)
        response = session.client.patch(CODES) if renew else session.client.get(CODES)
        if self.refused(session, response) or self.stale(session, response):
            return
        if not self.ada.codes:
            assert_error(response, 404, "user_recovery_codes_not_found")
        elif renew:
            self.ada.dead += self.ada.codes
            self.ada.codes = response.json()["recoveryCodes"]
            assert len(self.ada.codes) == 6
        else:
            assert response.json()["recoveryCodes"] == self.ada.codes

    @rule(pick=picks, enabled=st.booleans())
    def switch(self, pick: int, enabled: bool) -> None:
        session = self.session(pick)
        response = session.client.patch("/account/mfa", {"mfa": enabled})
        if self.refused(session, response):
            return
        assert response.status_code == 200, response.content
        self.ada.mfa = enabled
        if enabled:
            verified = [("totp", self.ada.confirmed), ("email", self.ada.email_verified)]
            self.add(session, *[name for name, has_it in verified if has_it])

    @rule()
    def verify_address(self) -> None:
        Account.objects.update(email_verified=True)
        self.ada.email_verified = True

    # --- challenges ---

    @rule(pick=picks, factor=factors)
    def ask(self, pick: int, factor: str) -> None:
        session = self.session(pick)
        response = session.client.post(CHALLENGES, {"factor": factor})
        if self.refused(session, response, exempt=True):
            return
        if factor == "totp" and not self.ada.confirmed:
            assert_error(response, 404, "user_authenticator_not_found")
        elif factor == "email" and not self.ada.email_verified:
            assert_error(response, 400, "user_email_not_verified")
        else:
            assert response.status_code == 201, response.content
            code = self.sent[-1].code if factor == "email" else ""
            found = Challenge(response.json()["$id"], session, factor, self.now + ALIVE, code)
            self.asked.append(found)

    @precondition(lambda self: self.asked)
    @rule(pick=picks, other=picks, how=answers, later=st.booleans())
    def answer(self, pick: int, other: int, how: str, later: bool) -> None:
        """The last challenge by the session that asked, mostly."""
        if later:
            self.clock.shift(timedelta(seconds=30))
        challenge = self.asked[-1 - (0 if pick > 2 else pick % len(self.asked))]
        session = challenge.session if other else self.session(pick)
        self.try_answer(challenge, session, how)

    @rule(pick=picks, factor=factors, stranger=st.booleans(), again=st.booleans())
    def prove(self, pick: int, factor: str, stranger: bool, again: bool) -> None:
        """All of it at once, if it can be asked for; another session and the same answer fail."""
        asked = len(self.asked)
        self.ask(pick, factor)
        if len(self.asked) == asked:
            return
        challenge = self.asked[-1]
        self.clock.shift(timedelta(seconds=30))
        if stranger and self.live < 2 and not self.ada.is_blocked:
            self.sign_in()
        for other in self.known if stranger else []:
            if other is not challenge.session:
                self.try_answer(challenge, other, "right")
        self.try_answer(challenge, challenge.session, "right")
        if again:
            self.ask(pick, factor)
            self.try_answer(self.asked[-1], self.asked[-1].session, "dead")

    @rule(times=st.integers(-20, 12), wait=st.booleans())
    def guess(self, times: int, wait: bool) -> None:
        """Seldom; until the challenge is dead, or the account's guesses are spent."""
        for number in range(times):
            if number % TRIES == 0:
                self.ask(1, "recoveryCode")
            if self.asked:
                self.try_answer(self.asked[-1], self.asked[-1].session, "wrong")
        if wait:
            self.clock.shift(HOUR)

    def try_answer(self, challenge: Challenge, session: Session, how: str) -> None:
        """Answer a challenge, and hold the answer against the model."""
        ada, used = self.ada, self.ada.last_step
        if challenge.factor == "totp":
            typed, right = self.use_code(how)
        else:
            good = challenge.code or (ada.codes[0] if ada.codes else "none")
            typed = {"right": good, "wrong": "nonsense", "dead": ada.dead[-1]}[how]
            right = how == "right" and bool(challenge.code or ada.codes)
        body = {"challengeId": challenge.id, "otp": typed}
        response = session.client.put(CHALLENGES, body)
        ada.last_step, used = used, ada.last_step
        if self.refused(session, response, exempt=True):
            return
        is_open = challenge.is_open and challenge.tries < TRIES and challenge.expires >= self.now
        if challenge.session is not session or not is_open:
            assert_error(response, 401, "user_invalid_token")
            return
        challenge.tries += 1
        if not self.claim():
            assert_error(response, 429, "general_rate_limit_exceeded")
            return
        if not right:
            assert_error(response, 401, "user_invalid_token")
            return
        assert response.status_code == 200, response.content
        ada.guesses -= 1
        challenge.is_open = False
        self.add(session, challenge.factor)
        session.proven_at = self.now
        assert response.json()["factors"] == session.factors
        if challenge.factor == "totp":
            ada.last_step = used
            ada.dead.append(typed)
        elif challenge.factor == "recoveryCode":
            ada.codes.remove(typed)
            ada.dead.append(typed)

    # --- what staff do, and time ---

    @rule(seldom=st.integers(0, 3))
    def reset(self, seldom: int) -> None:
        if seldom:
            return
        services.reset_mfa(account=Account.objects.get())
        self.lose_authenticator()
        self.withdraw({"totp", "recoveryCode"}, None)
        self.ada.dead += self.ada.codes
        self.ada.codes, self.ada.mfa, self.ada.guesses = [], False, 0
        self.ada.since = LONG_AGO
        for challenge in self.asked:
            challenge.is_open = False

    @rule(times=st.integers(0, 5))
    def block(self, times: int) -> None:
        """Seldom, and not for long."""
        self.ada.is_blocked = not self.ada.is_blocked and times == 0
        get_user_model().objects.update(is_active=not self.ada.is_blocked)

    @rule(seconds=st.sampled_from([30, 30, 30, 60, 900, 901, 1800, 1801, 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.shift(timedelta(seconds=seconds))

    # --- what always holds ---

    @invariant()
    def a_session_does_what_its_factors_allow(self) -> None:
        # Of the dead, the one that died last.
        live = [session for session in self.known if session.is_live]
        dead = [session for session in self.known if not session.is_live]
        self.known = [*dead[-1:], *live]
        for session in self.known:
            response = session.client.get("/account")
            if not self.refused(session, response):
                assert response.json()["mfa"] is self.ada.mfa

    @invariant()
    def the_rows_are_as_the_model_says(self) -> None:
        if not self.known:
            return
        live = [session for session in self.known if session.is_live]
        rows = {row.public_id: row for row in SessionRow.objects.all()}
        assert set(rows) == {session.id for session in live}
        for session in live:
            assert rows[session.id].factors == session.factors
            assert rows[session.id].mfa_updated_at == session.proven_at
        account = Account.objects.get()
        confirmed = Authenticator.objects.confirmed().exists()
        assert account.totp_verified == confirmed == self.ada.confirmed


@pytest.mark.django_db
def test_a_life_in_any_order(project: Any) -> None:
    project(SESSION_LIMIT=0)
    run_state_machine_as_test(
        MfaLife,
        settings=settings(
            max_examples=EXAMPLES or 20,
            stateful_step_count=40,
            derandomize=not EXAMPLES,
            deadline=None,
        ),
    )
