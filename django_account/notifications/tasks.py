"""Who sends: the site's task worker, or a thread of this process.

Django's immediate task backend, the default, would run a task inside the request; a slow mail
server would then slow the request. So with that backend a small pool of threads sends instead. A
request waits for its own message for a tenth of a second at most: enough for a healthy server, so
that a message is mostly out when the answer arrives, and no burden with a sick one.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import django
from django.db import close_old_connections, connections
from django.utils import timezone

from django_account.conf import conf
from django_account.notifications import outbox

if django.VERSION >= (6, 0) or TYPE_CHECKING:
    from django.tasks import task
    from django.tasks.backends.immediate import ImmediateBackend
else:
    from django_tasks import task
    from django_tasks.backends.immediate import ImmediateBackend

logger = logging.getLogger("django_account.notifications")

THREADS = 4
PATIENCE = 0.1


@task()
def deliver(delivery_id: int) -> None:
    """Send one delivery. Its only argument is a number: no secret lies in a task queue."""
    wait = outbox.deliver(delivery_id)
    if wait is not None:
        hand_over(delivery_id, wait)


def hand_over(delivery_id: int, wait: float = 0) -> None:
    """Have a delivery sent, by whoever sends on this site.

    Args:
        wait: seconds to let pass first.
    """
    backend = deliver.get_backend()
    if not isinstance(backend, ImmediateBackend):
        _enqueue(backend, delivery_id, wait)
    elif not conf.background_delivery:
        if not wait:
            outbox.deliver(delivery_id)
    elif wait:
        _alarm.set(wait)
    else:
        with contextlib.suppress(TimeoutError):
            _pool().submit(_work, delivery_id).result(timeout=PATIENCE)


def _enqueue(backend: Any, delivery_id: int, wait: float) -> None:
    if not wait:
        deliver.enqueue(delivery_id)
    elif backend.supports_defer:
        deliver.using(run_after=timezone.now() + timedelta(seconds=wait)).enqueue(delivery_id)
    # A backend that cannot wait leaves the retry to `manage.py deliver`.


class Alarm:
    """Calls somebody at the earliest of the times it was set for. However many messages wait for
    another try, one thread waits for them."""

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._at = math.inf

    def set(self, wait: float) -> None:
        """Ring in so many seconds, unless it rings before."""
        at = time.monotonic() + wait
        with self._lock:
            if at >= self._at:
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(wait, self._rung)
            self._timer.daemon = True
            self._timer.start()
            self._at = at

    def _rung(self) -> None:
        with self._lock:
            self._at = math.inf
        self._ring()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="django-account-delivery")


def _look() -> None:
    # The error is that the process is ending: `manage.py deliver` or the next one looks.
    with contextlib.suppress(RuntimeError):
        _pool().submit(_work)


_alarm = Alarm(_look)


def _work(delivery_id: int | None = None) -> None:
    """Send, in a thread that no request looks after: it minds its own errors and connections."""
    close_old_connections()
    try:
        if delivery_id is not None:
            outbox.deliver(delivery_id)
        # Whatever is due, or a process that died left behind, goes out with the next message.
        outbox.deliver_due(limit=20)
        wait = outbox.next_wait()
        if wait is not None:
            _alarm.set(max(wait, 1))
    except Exception:
        logger.exception("Messages could not be tried")
    finally:
        connections.close_all()
