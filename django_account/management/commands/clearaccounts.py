"""``manage.py clearaccounts``: delete what has expired, and count what is to be remembered."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from django.utils import timezone

from django_account.audit.models import LogEntry, LogEntryQuerySet
from django_account.audit.tallies import Tally, roll_up
from django_account.identities.models import OAuth2Flow
from django_account.limits.models import CacheEntry
from django_account.mfa.models import Challenge, GuessCount
from django_account.notifications.models import Delivery
from django_account.sessions.models import Session
from django_account.tokens.models import Token


class Command(BaseCommand):
    """Run it daily. It works in batches, so that it never holds a lock for long."""

    help = (
        "Delete expired sessions, tokens, challenges, sign-ins at providers and rate limits, "
        "deliveries of 30 days ago, and log entries that LOG_RETENTION lets go of, which it counts "
        "for the admin's overview before. Run it daily."
    )

    BATCH = 5000

    def handle(self, *args: Any, **options: Any) -> None:
        # Before the log's entries go.
        roll_up(since=timezone.now() - Tally.KEPT)
        for what, rows in (
            ("expired sessions", Session.objects.expired()),
            ("expired tokens", Token.objects.expired()),
            ("abandoned sign-ins at providers", OAuth2Flow.objects.expired()),
            ("expired challenges", Challenge.objects.expired()),
            ("counts of wrong second factors", GuessCount.objects.expired()),
            ("old deliveries", Delivery.objects.old()),
            ("expired cache entries", CacheEntry.objects.expired()),
            ("old log entries", LogEntry.objects.old()),
            ("figures of old hours", Tally.objects.old()),
        ):
            self.stdout.write(f"{self.clear(what, rows)} {what} deleted.")

    def clear(self, what: str, rows: QuerySet[Any]) -> int:
        """Delete rows batch by batch; returns how many."""
        deleted = 0
        while batch := list(rows.values_list("pk", flat=True)[: self.BATCH]):
            # Anew, for a row that has begun to live again in the meantime.
            found = rows.filter(pk__in=batch)
            found.purge() if isinstance(found, LogEntryQuerySet) else found.delete()
            deleted += len(batch)
            if len(batch) == self.BATCH:
                self.stderr.write(f"{deleted} {what} deleted so far …")
        return deleted
