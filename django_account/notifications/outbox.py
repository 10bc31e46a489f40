"""Sending what waits: claim, send, mark; each step such that a crash loses nothing.

A claim is a conditional UPDATE that moves ``next_try_at`` ahead by a lease: of any number of
processes one gets it. Who dies between sending and marking leaves a lease that runs out, and the
message is sent once more. So every message goes out at least once, and twice only after a crash.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import parse_qs

from django.db.models import F
from django.utils import timezone

from django_account.core.messages import Message
from django_account.notifications import email, sms
from django_account.notifications.models import Delivery
from django_account.notifications.sms import guard

logger = logging.getLogger("django_account.notifications")


def deliver(delivery_id: int) -> float | None:
    """Try to send one delivery, if it waits and nobody else is at it.

    Returns:
        seconds until it should be tried again; None when it is done, one way or the other.
    """
    delivery = _claim(delivery_id)
    if delivery is None:
        return None
    if delivery.expires_at <= timezone.now():
        _finish(delivery, Delivery.State.FAILED, "It expired before it could be sent.")
        return None
    try:
        message = delivery.unseal()
    except ValueError as error:
        _finish(delivery, Delivery.State.FAILED, str(error))
        return None
    try:
        _send(message)
    except Exception as error:
        return _failed(delivery, message, error)
    _finish(delivery, Delivery.State.SENT, "")
    return None


def deliver_due(limit: int = 100) -> int:
    """Try whatever is due: what a crash left behind, what waits for another try.

    Args:
        limit: at most so many.

    Returns:
        how many were tried.
    """
    due = list(Delivery.objects.due().order_by("next_try_at").values_list("pk", flat=True)[:limit])
    for delivery_id in due:
        deliver(delivery_id)
    return len(due)


def next_wait() -> float | None:
    """Seconds until something is due, or a lease runs out; None when nothing waits."""
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    first = waiting.order_by("next_try_at").values_list("next_try_at", flat=True).first()
    return None if first is None else (first - timezone.now()).total_seconds()


def send_again(delivery: Delivery) -> bool:
    """Put a failed delivery back in line, if what it carries still works.

    Returns:
        whether it was.
    """
    return delivery.can_be_sent_again and bool(
        Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.FAILED).update(
            state=Delivery.State.WAITING, tries=0, error="", next_try_at=timezone.now()
        )
    )


def _claim(delivery_id: int) -> Delivery | None:
    now = timezone.now()
    claimed = Delivery.objects.due().filter(pk=delivery_id)
    if not claimed.update(tries=F("tries") + 1, next_try_at=now + Delivery.LEASE, updated_at=now):
        return None
    return Delivery.objects.filter(pk=delivery_id).first()


def _send(message: Message) -> None:
    if message.channel == "email":
        email.send(message)
        return
    guard.check(message.recipient)
    text = sms.SMSMessage(message.recipient, email.sms_text(message), message.code)
    try:
        with sms.get_connection() as connection:
            connection.send_messages([text])
    except Exception:
        guard.give_back(message.recipient)
        raise


def _failed(delivery: Delivery, message: Message, error: Exception) -> float | None:
    text = _describe(error, message)
    logger.warning("Delivery %s (%s) failed: %s", delivery.pk, delivery.kind, text)
    now = timezone.now()
    wait = next(iter(Delivery.BACKOFF[delivery.tries - 1 :]), None)
    hopeless = not getattr(error, "retryable", True)
    if hopeless or wait is None or now + timedelta(seconds=wait) >= delivery.expires_at:
        _finish(delivery, Delivery.State.FAILED, text, payload=delivery.payload)
        return None
    Delivery.objects.filter(pk=delivery.pk).update(
        error=text, next_try_at=now + timedelta(seconds=wait), updated_at=now
    )
    return float(wait)


def _finish(delivery: Delivery, state: Delivery.State, error: str, *, payload: str = "") -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state, error=error, payload=payload, updated_at=timezone.now()
    )


def _describe(error: Exception, message: Message) -> str:
    """An error for the log: its type and text, without what the message carries.

    A server may quote a link whole, escaped or in part; the secret in it is what must not stay.
    """
    text = f"{type(error).__name__}: {error}"
    query = message.link.partition("#")[0].partition("?")[2]
    link_secrets = parse_qs(query).get("secret", [])
    for secret in filter(None, (message.link, message.code, *link_secrets)):
        text = text.replace(secret, "…")
    return text[:500]
