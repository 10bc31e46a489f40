"""What staff do about rate limits."""

from __future__ import annotations

from collections.abc import Iterable

from django_account.limits.buckets import subject
from django_account.limits.counters import reset_subjects


def reset_limits(
    *,
    account_ids: Iterable[str] = (),
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    ips: Iterable[str] = (),
) -> bool:
    """Set back every rate limit that counts one of these: at once, and on every route.

    An address of a network in IPv6 stands for all of it, as when it is counted.

    Args:
        account_ids: public ids.
        emails: in any spelling.
        phones: in E.164.
        ips: IPv4 or IPv6.

    Returns:
        whether the site's cache took it. If not, it is gone, and what it counted before is there
        again when it comes back.
    """
    by_kind = {"userId": account_ids, "email": emails, "phone": phones, "ip": ips}
    return reset_subjects(
        [subject(kind, value) for kind, values in by_kind.items() for value in values]
    )
