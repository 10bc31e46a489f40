"""The guard against SMS pumping: which numbers may be sent to, and how often in a day.

Whoever earns from the fees of expensive numbers lets a site send codes to them. A list of prefixes
and a cap for the day bound what that can cost.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured

from django_account.conf import conf
from django_account.core.crypto import derive_keys
from django_account.limits.counters import count_down, count_up
from django_account.notifications.sms.base import SMSRefused

# A counter outlives the day that its key names.
_COUNTER_SECONDS = 25 * 60 * 60


def check(number: str) -> None:
    """Let one SMS through, and count it. Call it right before each message.

    Counted as rate limits are: on the site's cache, whose ``incr`` must be atomic for the caps to
    be exact, as it is in Redis, Memcached and, within a process, in local memory; in the database
    while the cache is gone.

    Args:
        number: the number in E.164.

    Raises:
        SMSRefused: the number has none of ``SMS_ALLOWED_PREFIXES``, or it had its
            ``SMS_DAILY_LIMIT_PER_NUMBER`` today, or the site had its ``SMS_DAILY_LIMIT``.
        ImproperlyConfigured: the prefixes are no list of prefixes, or the cache cannot count.
    """
    prefixes = conf.sms_allowed_prefixes
    if prefixes and not number.startswith(prefixes):
        raise SMSRefused(number, "SMS_ALLOWED_PREFIXES")
    for name, limit, subject in _caps(number):
        if _count(name, subject) > limit:
            raise SMSRefused(number, name)


def give_back(number: str) -> None:
    """Uncount an SMS that was let through and did not go out: while a gateway is down, the tries of
    a few messages must not use the day up."""
    for name, _, subject in _caps(number):
        count_down(_key(name, subject))


def _caps(number: str) -> list[tuple[str, int, str]]:
    """The caps in force: their name, limit, and what is counted."""
    # The number first: somebody who tries one number over and over must not use up the site's day.
    caps = [
        ("SMS_DAILY_LIMIT_PER_NUMBER", conf.sms_daily_limit_per_number, number),
        ("SMS_DAILY_LIMIT", conf.sms_daily_limit, ""),
    ]
    return [cap for cap in caps if cap[1]]


def _key(name: str, subject: str) -> str:
    day = datetime.now(UTC).date().isoformat()
    # Phone numbers are few enough to be guessed from a plain digest, and a cache is no safe place.
    hidden = hmac.digest(next(derive_keys("sms.guard")), subject.encode(), "sha256").hex()
    return f"django_account:{name}:{conf.project_id}:{day}:{hidden[:32]}"


def _count(name: str, subject: str) -> int:
    try:
        return count_up(_key(name, subject), _COUNTER_SECONDS)
    except ValueError:
        raise ImproperlyConfigured(
            f'DJANGO_ACCOUNT["{name}"] needs a cache that keeps what it gets.'
        ) from None
