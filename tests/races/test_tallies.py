"""Hours of the log that everybody counts at once."""

from __future__ import annotations

import json
from threading import Thread
from typing import Any

from tests.races.site import Site

# A sign-in every ten minutes for ten days, with what a look at the overview does to them.
FILL = """
from datetime import timedelta
from django.utils import timezone
from django_account.audit.models import LogEntry
now = timezone.now()
LogEntry.objects.bulk_create(
    LogEntry(event="session.create", provider="email", at=now - timedelta(minutes=10 * number))
    for number in range(1440)
)
"""

LOOK = """
from datetime import timedelta
from django.utils import timezone
from django_account.audit.tallies import roll_up
while roll_up(since=timezone.now() - timedelta(days=90), seconds=0.1):
    pass
"""

TOTAL = """
import json
from django.db.models import Count, Sum
from django_account.audit.models import LogEntry
from django_account.audit.tallies import Tally, first_open
from django.utils import timezone
hours = Tally.objects.filter(what="counted")
print(json.dumps([
    hours.count(),
    hours.values("day", "hour").distinct().count(),
    Tally.objects.filter(what="sign-in").aggregate(total=Sum("number"))["total"],
    LogEntry.objects.filter(at__lt=first_open(timezone.now())).count(),
    LogEntry.objects.count(),
]))
"""


def together(site: Site, *commands: tuple[str, ...]) -> None:
    """Run management commands at the same moment; none may fail."""
    failed: list[BaseException] = []

    def run(command: tuple[str, ...]) -> None:
        try:
            site.manage(*command)
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=run, args=(command,)) for command in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


def test_looks_and_the_command_count_each_hour_once(run_site: Any) -> None:
    with run_site() as site:
        site.manage("shell", "-c", FILL)
        look = ("shell", "-c", LOOK)
        together(site, look, look, ("clearaccounts",), look)
        hours, different, counted, over, _ = json.loads(
            site.manage("shell", "-c", TOTAL).splitlines()[-1]
        )
        assert hours == different >= 239
        assert counted == over


def test_while_the_retention_deletes(run_site: Any) -> None:
    """Nothing is lost of what was there: who deletes has counted before."""
    with run_site(LOG_RETENTION=5 * 86400) as site:
        site.manage("shell", "-c", FILL)
        before = json.loads(site.manage("shell", "-c", TOTAL).splitlines()[-1])[3]
        together(site, *[("clearaccounts",)] * 2, ("shell", "-c", LOOK))
        *_, counted, _, left = json.loads(site.manage("shell", "-c", TOTAL).splitlines()[-1])
        assert left < 5 * 144 + 6
        # Hours that LOG_RETENTION had reached before anybody counted them are not counted in part.
        assert 5 * 144 - 12 <= counted <= 5 * 144 < before
