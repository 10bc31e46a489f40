"""Rate limits on the wire: what of a request is counted, and the headers (transport.md §11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from django_account.api.authentication import Caller
from django_account.api.clients import client_ip
from django_account.api.cookies import read_device_cookie
from django_account.limits.buckets import find_bucket
from django_account.limits.counters import Allowance, count
from django_account.limits.rules import HOUR, Limit, in_force

__all__ = ["HOUR", "Allowance", "Limit", "add_limit_headers", "count_request"]


def count_request(
    request: HttpRequest,
    *,
    caller: Caller,
    action: str,
    limits: Sequence[Limit],
    given: Mapping[str, Any],
) -> Allowance | None:
    """Count a request against its action's limits. Servers are told of them and not counted.

    Args:
        caller: who sent it.
        action: what is asked for.
        limits: as declared above the action.
        given: the parameters, unchecked: wrong ones count, too.

    Returns:
        what is left; None when nothing limits the request.
    """
    buckets = [
        find_bucket(
            limit,
            action=action,
            ip=client_ip(request),
            caller=caller.account.public_id if caller.account is not None else "",
            given=given,
            tokens=read_device_cookie(request),
        )
        for limit in in_force(action, limits)
    ]
    return count(buckets, hit=not caller.is_server)


def add_limit_headers(response: HttpResponse, allowance: Allowance) -> None:
    """Tell a client how many requests are left, and when the next one may pass."""
    response["X-RateLimit-Limit"] = str(allowance.limit)
    response["X-RateLimit-Remaining"] = str(allowance.remaining)
    response["X-RateLimit-Reset"] = str(allowance.reset_at)
    if allowance.exceeded:
        response["Retry-After"] = str(allowance.retry_after)
