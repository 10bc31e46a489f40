"""Who sends: the site's task worker, or a thread of this process.

Django's immediate task backend, the default, would run a task inside the request; a slow mail
server would then slow the request. So with that backend a small pool of threads sends instead. A
request waits for its own message for a tenth of a second at most: enough for a healthy server, so
that a message is mostly out when the answer arrives, and no burden with a sick one.
"""

from __future__ import annotations

import contextlib
import logging
import threading
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
        timer = threading.Timer(wait, _in_thread, [delivery_id])
        timer.daemon = True
        timer.start()
    else:
        with contextlib.suppress(TimeoutError):
            _pool().submit(_in_thread, delivery_id).result(timeout=PATIENCE)


def _enqueue(backend: Any, delivery_id: int, wait: float) -> None:
    if not wait:
        deliver.enqueue(delivery_id)
    elif backend.supports_defer:
        deliver.using(run_after=timezone.now() + timedelta(seconds=wait)).enqueue(delivery_id)
    # A backend that cannot wait leaves the retry to `manage.py deliver`.


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="django-account-delivery")


def _in_thread(delivery_id: int) -> None:
    """Send, in a thread that no request looks after: it minds its own errors and connections."""
    close_old_connections()
    try:
        wait = outbox.deliver(delivery_id)
        if wait is not None:
            hand_over(delivery_id, wait)
        # Whatever a process that died left behind goes out with the next message.
        outbox.deliver_due(limit=20)
    except Exception:
        logger.exception("Delivery %s could not be tried", delivery_id)
    finally:
        connections.close_all()
