"""What is asked for is written down in the same transaction, and sent after it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction

from django_account.core.messages import Message
from django_account.notifications.models import Delivery
from django_account.notifications.tasks import hand_over


def message_requested(account: Any, message: Message, **kwargs: Any) -> None:
    """Receiver of ``message_requested``: log the delivery, and have it sent after the commit."""
    delivery = Delivery(
        account=account,
        kind=message.kind,
        channel=message.channel,
        recipient=message.recipient,
        expires_at=message.expires_at,
    )
    delivery.seal(message)
    delivery.save(force_insert=True)
    transaction.on_commit(partial(hand_over, delivery.pk), robust=True)
