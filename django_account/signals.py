"""Every signal of the package: when it is sent, with which arguments.

*Events* tell what has happened and carry no secret; they are sent after the transaction has
committed. *Requests* carry what must be delivered. A receiver that fails is logged and hurts nobody
(``send_robust``), unless it says otherwise below. Receivers live in the host and in the reacting
packages, never here.

Every event up to ``acted`` has one argument more, ``reported``: whether another signal tells of the
same act, and the activity log goes by that one: ``acted`` of a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

# An account and its user were created. Arguments: account.
account_created = Signal()

# A person of the site got an account: the user existed before. Arguments: account.
account_adopted = Signal()

# A property of an account changed. Arguments: account; attribute, one of
# "name", "email", "phone", "password", "prefs", "status", "labels", "impersonator", "mfa",
# "email-verification", "phone-verification".
account_updated = Signal()

# An account, its user and all that hung on them are gone. Arguments: account_id, the public id.
account_deleted = Signal()

# Nothing in an account or its user tells any more who it was. Arguments: account, as it is now.
account_anonymised = Signal()

# Somebody signed in. Arguments: account, session.
session_created = Signal()

# A session was extended. Arguments: account, session.
session_updated = Signal()

# A session was ended: by its owner, by the session cap or by a password change.
# Arguments: account, session (its row is gone; its values are still there).
session_deleted = Signal()

# A member of staff begins to act as a person. No ``session_created`` tells of it.
# Arguments: account; session; actor, the account of the member of staff; reason, in their words.
impersonation_started = Signal()

# Signing in asks for a second factor from now on, or not any more. Arguments: account.
mfa_enabled = Signal()
mfa_disabled = Signal()

# A person has shown to have an authenticator; an authenticator that was shown is gone, by its owner
# or by a reset. Arguments: account; type, "totp".
authenticator_added = Signal()
authenticator_removed = Signal()

# There are new recovery codes, instead of any old ones. Arguments: account.
recovery_codes_created = Signal()

# A session has proven a second factor. Arguments: account, session; factor, its name.
challenge_completed = Signal()

# An account elsewhere signs somebody in from now on, or not any more. Arguments: account; identity
# (of a deleted one the row is gone; its values are still there).
identity_linked = Signal()
identity_deleted = Signal()

# A person has another target, a changed one, or one less. Not sent of those that mirror the
# account's own addresses, nor of a device's that goes with its session. Arguments: account; target
# (of a deleted one the row is gone; its values are still there).
target_created = Signal()
target_updated = Signal()
target_deleted = Signal()

# Somebody called an endpoint of the API that declares an event, or pressed the button of one of our
# pages, and it did or refused what was asked; not when a check in front of it refused the request.
# Arguments: activity, a core.activity.Activity.
acted = Signal()

# --- requests: something must be delivered --------------------------------------------------------
#
# They carry secrets: only what delivers may receive them. Sent inside the transaction, so that the
# order to deliver is stored together with what it is about, or not at all.

# Whatever tells who a person was must go: from what the site itself keeps about them, too. Sent
# before anything of ours is gone; a receiver that raises stops it all.
# Arguments: account, locked, with its user, as they are until then.
anonymise_requested = Signal()

# A person's data are being exported. A receiver returns what the site itself keeps about them, as
# a dictionary of JSON values, which becomes a part of the document; one that raises stops it.
# Arguments: account.
personal_data_requested = Signal()

# A message must reach a person. Arguments: account; message, a core.messages.Message.
message_requested = Signal()


_reported: ContextVar[bool] = ContextVar("django_account_reported", default=False)


@contextmanager
def reporting() -> Iterator[None]:
    """Mark the events of a block as ``reported``: whoever runs it sends the signal that tells."""
    token = _reported.set(True)
    try:
        yield
    finally:
        _reported.reset(token)


def is_reported() -> bool:
    """Whether another signal tells of what happens now."""
    return _reported.get()


def send_on_commit(signal: Signal, **arguments: Any) -> None:
    """Send ``signal`` once the surrounding transaction has committed; at once when there is none.

    Args:
        signal: one of this module.
        **arguments: what the signal's comment above lists, but ``reported``.
    """
    transaction.on_commit(
        partial(signal.send_robust, sender=None, reported=is_reported(), **arguments), robust=True
    )
