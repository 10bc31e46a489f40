"""What somebody did or tried, as plain values: what the activity log writes down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from django_account.core.clients import ClientInfo

# The vocabulary of the log (users.md §8.1, mfa-oauth.md §2), as upstream spells it.
EVENTS = (
    "user.create",
    "user.update",
    "user.delete",
    "session.create",
    "session.update",
    "session.delete",
    "recovery.create",
    "recovery.update",
    "verification.create",
    "verification.update",
    "challenge.create",
    "challenges.update",
    "tokens.create",
    "target.create",
    "target.update",
    "target.delete",
    # Ours: upstream knows of none but in a sign-in.
    "identity.create",
    "identity.delete",
)

# Signing in, codes and recovery: what somebody who is no friend would try. Of these the log keeps
# the failures as well, and of those whose endpoint says so (Activity.tries).
ATTEMPTS = frozenset(
    event
    for event in EVENTS
    if event.startswith(("recovery.", "verification.", "challenge")) or event == "session.create"
)


# Characters of a reason.
MAX_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One act, or one attempt at it.

    Attributes:
        event: one of EVENTS.
        account: the one that it was about; None when that is not known by row.
        named: how an attempt named the account, when there is no row: one of ``email``, ``phone``
            and ``public_id``. Never a secret.
        error: the type of the error that refused it; empty when it was done.
        tries: whether it is an attempt, though not all that its event is of are.
        user_type: who acted: "user", "guest", "keyProject", or "admin" for the site itself.
        mode: "admin" when the site itself acted.
        session_id: the session that was made, changed or used.
        provider: the one of the session that a sign-in made.
        key_name: the API key's, when a server acted.
        actor_id: the impersonator's public id, when one acted as the account; that of the member of
            staff who did.
        reason: why a member of staff did it, in their words.
        client: who was on the other end.
        at: when.
    """

    event: str
    account: Any = None
    named: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    tries: bool = False
    user_type: str = "user"
    mode: str = "default"
    session_id: str = ""
    provider: str = ""
    key_name: str = ""
    actor_id: str = ""
    reason: str = ""
    client: ClientInfo = field(default_factory=ClientInfo)
    at: datetime = field(default_factory=timezone.now)

    @property
    def is_attempt(self) -> bool:
        """Whether its failure is worth an entry."""
        return self.tries or self.event in ATTEMPTS
