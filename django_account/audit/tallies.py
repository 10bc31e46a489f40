"""How many sign-ups, sign-ins and failures each hour saw: what the admin's overview draws.

Counting 90 days of the log anew for every look would take as long as the log is big, and a counter
that every sign-in adds to would make all of them wait for one row. So the log is counted by the
hour, once the hour is over, by whoever looks next or by ``manage.py clearaccounts``; what is left
to count live is the present hour.

- An hour is over MARGIN after its end: an entry bears the time of its act, and is written when the
  act's transaction has committed. By time and not by id, because ids commit out of order.
- An hour's tallies are written in one transaction, with a row that says that it has been counted.
  That row is unique: of two processes that count the same hour one writes, the other throws its
  work away. An hour is never added to, so nothing is ever counted twice.
- Hours that LOG_RETENTION reaches are not counted any more, for a part of them may be gone. The
  command counts before it deletes; tallies stay as long as they are shown.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as datetime_time
from typing import Final

from django.db import IntegrityError, models, router, transaction
from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_account.accounts.models import Account
from django_account.audit.models import LogEntry
from django_account.conf import conf
from django_account.core.fields import ExactCharField

HOUR: Final = timedelta(hours=1)

# How long after its end an hour may still get entries.
MARGIN: Final = timedelta(minutes=5)

# How many seconds a look at a page may spend on hours that nobody has counted yet.
PATIENCE: Final = 0.5

# Seconds within which counting a few hours is quick enough to try twice as many next; and how many
# are counted at once at most.
_QUICK = 0.05
_AT_ONCE = 168


class TallyQuerySet(models.QuerySet["Tally"]):
    """Tallies, many at once."""

    def old(self) -> TallyQuerySet:
        """Those that are shown no more."""
        return self.filter(day__lt=(timezone.now() - Tally.KEPT).date())

    def between(self, start: datetime, end: datetime) -> TallyQuerySet:
        """Those of the hours from one to before another."""
        return self.filter(
            Q(day__gt=start.date()) | Q(day=start.date(), hour__gte=start.hour),
            Q(day__lt=end.date()) | Q(day=end.date(), hour__lt=end.hour),
            # Said again for the index.
            day__range=(start.date(), end.date()),
        )


class Tally(models.Model):
    """A number of one hour that is over."""

    class What(models.TextChoices):
        # Detail: nothing. Counted by the accounts that there are when the hour is over, however
        # they were made.
        SIGN_UP = "sign-up"
        # Detail: the session's provider.
        SIGN_IN = "sign-in"
        # Of whatever was tried. Detail: the error's type.
        FAILURE = "failure"
        # The hour has been counted.
        COUNTED = "counted"

    # How long they are kept: a little longer than the overview goes back.
    KEPT: Final = timedelta(days=92)

    # In UTC, or on the wall clock of a site without time zones.
    day = models.DateField()
    hour = models.PositiveSmallIntegerField()
    what = models.CharField(max_length=8)
    detail = ExactCharField(max_length=64, blank=True)
    number = models.PositiveIntegerField(default=0)

    objects = TallyQuerySet.as_manager()

    class Meta:
        # As which the admin lists it, and the permission to look at it.
        verbose_name = verbose_name_plural = _("overview")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["day", "hour", "what", "detail"], name="one_tally_each")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.hour}:00 {self.what} {self.detail}: {self.number}"


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something happened in an hour or a day.

    Attributes:
        start: of the hour or day.
        what: one of :class:`Tally.What`.
        detail: the provider or the error.
        number: how often.
    """

    start: datetime
    what: str
    detail: str
    number: int


def hour_of(moment: datetime) -> datetime:
    """The beginning of a moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def first_open(now: datetime) -> datetime:
    """The first hour that is not over."""
    return hour_of(now - MARGIN)


def count(start: datetime, end: datetime) -> list[Counted]:
    """Count some hours in the log, and the accounts made in them.

    Args:
        start: the first hour.
        end: the hour after the last.
    """
    told = Q(event="session.create") & ~Q(provider="") | ~Q(error="")
    entries = (
        LogEntry.objects.filter(told, at__gte=start, at__lt=end)
        .order_by()
        .annotate(start=TruncHour("at", tzinfo=UTC))
        .values_list("start", "provider", "error")
        .annotate(Count("pk"))
    )
    accounts = (
        Account.objects.filter(created_at__gte=start, created_at__lt=end)
        .order_by()
        .annotate(start=TruncHour("created_at", tzinfo=UTC))
        .values_list("start")
        .annotate(Count("pk"))
    )
    What = Tally.What  # noqa: N806
    return [
        *(
            Counted(hour, What.FAILURE if error else What.SIGN_IN, error or provider, number)
            for hour, provider, error, number in entries
        ),
        *(Counted(hour, What.SIGN_UP, "", number) for hour, number in accounts),
    ]


def uncounted(since: datetime) -> list[datetime]:
    """The hours that are over and could be counted but have not been, newest first.

    Args:
        since: go no further back.
    """
    now = timezone.now()
    firsts = (
        LogEntry.objects.aggregate(first=Min("at"))["first"],
        Account.objects.aggregate(first=Min("created_at"))["first"],
    )
    begun = min(filter(None, firsts), default=None)
    if begun is None:
        return []
    begun = hour_of(begun.astimezone(UTC) if timezone.is_aware(begun) else begun)
    kept = conf.log_retention
    known = now if kept is None else now - kept
    first = max(hour_of(since), begun, *([hour_of(known) + HOUR] if kept is not None else []))
    end = first_open(now)
    counted = set(
        Tally.objects.between(first, end).filter(what=Tally.What.COUNTED).values_list("day", "hour")
    )
    hours = []
    while end > first:
        end -= HOUR
        if (end.date(), end.hour) not in counted:
            hours.append(end)
    return hours


def roll_up(*, since: datetime, seconds: float | None = None) -> int:
    """Count hours that are over, newest first.

    Args:
        since: go no further back.
        seconds: begin nothing more after so long; None: count them all.

    Returns:
        how many are left.
    """
    stop = math.inf if seconds is None else time.monotonic() + seconds
    waiting = uncounted(since)
    at_once = 1
    while waiting and time.monotonic() < stop:
        begun = time.monotonic()
        stretch = list(_stretch(waiting, at_once))
        _store(_tallies(stretch))
        waiting = waiting[len(stretch) :]
        # Many hours of a short log, single ones of a long one.
        is_quick = time.monotonic() - begun < _QUICK
        at_once = min(2 * at_once, _AT_ONCE) if is_quick else 1
    return len(waiting)


def _stretch(hours: Sequence[datetime], length: int) -> Iterator[datetime]:
    """The first of some hours, as far as each comes right before the last."""
    for place, hour in enumerate(hours[:length]):
        if hour != hours[0] - place * HOUR:
            return
        yield hour


def _tallies(stretch: Sequence[datetime]) -> list[Tally]:
    """What to write down of hours, newest first."""
    return [
        Tally(
            day=each.start.date(),
            hour=each.start.hour,
            what=each.what,
            detail=each.detail,
            number=each.number,
        )
        for each in (
            *(Counted(hour, Tally.What.COUNTED, "", 0) for hour in stretch),
            *count(stretch[-1], stretch[0] + HOUR),
        )
    ]


def _store(tallies: Sequence[Tally]) -> None:
    """Write the tallies of some hours, all or none."""
    try:
        with transaction.atomic(using=router.db_for_write(Tally)):
            Tally.objects.bulk_create(tallies)
    except IntegrityError:
        # Another process has counted one of the hours. What that leaves is for whoever comes next.
        pass


def counts(starts: Sequence[datetime]) -> list[Counted]:
    """What happened in each bucket, without hours that are over and have not been counted.

    Args:
        starts: the beginnings of the buckets, hours or days, oldest first; the last is the present.
    """
    hourly = starts[1] - starts[0] == HOUR
    now = timezone.now()
    opened = first_open(now)
    found: Counter[tuple[datetime, str, str]] = Counter()
    rows = (
        Tally.objects.between(starts[0], opened)
        .exclude(what=Tally.What.COUNTED)
        .order_by()
        .values_list(*(("day", "hour") if hourly else ("day",)), "what", "detail")
        .annotate(Sum("number"))
    )
    for day, *hour, what, detail, number in rows:
        start = datetime.combine(day, datetime_time(*hour), tzinfo=starts[0].tzinfo)
        found[start, what, detail] += number
    for each in count(opened, hour_of(now) + HOUR):
        start = each.start if hourly else each.start.replace(hour=0)
        found[start, each.what, each.detail] += each.number
    return [Counted(*key, number) for key, number in sorted(found.items())]


def last_sign_ins() -> dict[str, datetime]:
    """The hour of the last sign-in by each provider, as far back as tallies are kept."""
    now = timezone.now()
    opened = first_open(now)
    rows = (
        Tally.objects.between(opened - Tally.KEPT, opened)
        .filter(what=Tally.What.SIGN_IN)
        .order_by()
        .values_list("detail", "day")
        .annotate(Max("hour"))
    )
    found = [
        (provider, datetime.combine(day, datetime_time(hour), tzinfo=opened.tzinfo))
        for provider, day, hour in rows
    ]
    found += [
        (each.detail, each.start)
        for each in count(opened, hour_of(now) + HOUR)
        if each.what == Tally.What.SIGN_IN
    ]
    return dict(sorted(found, key=lambda each: each[1]))
