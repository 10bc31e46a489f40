"""Every signal of the package: when it is sent, with which arguments.

*Events* tell what has happened and carry no secret; they are sent after the transaction has
committed. *Requests* carry what must be delivered. A receiver that fails is logged and hurts nobody
(``send_robust``). Receivers live in the host and in the reacting packages, never here.
"""

from __future__ import annotations

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

# Somebody signed in. Arguments: account, session.
session_created = Signal()

# A session was extended. Arguments: account, session.
session_updated = Signal()

# A session was ended: by its owner, by the session cap or by a password change.
# Arguments: account, session (its row is gone; its values are still there).
session_deleted = Signal()

# --- requests: something must be delivered --------------------------------------------------------
#
# They carry secrets: only what delivers may receive them. Sent inside the transaction, so that the
# order to deliver is stored together with what it is about, or not at all.

# A message must reach a person. Arguments: account; message, a core.messages.Message.
message_requested = Signal()


def send_on_commit(signal: Signal, **arguments: Any) -> None:
    """Send ``signal`` once the surrounding transaction has committed; at once when there is none.

    Args:
        signal: one of this module.
        **arguments: what the signal's comment above lists.
    """
    transaction.on_commit(partial(signal.send_robust, sender=None, **arguments), robust=True)
