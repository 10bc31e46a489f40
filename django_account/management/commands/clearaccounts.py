"""``manage.py clearaccounts``: delete what has expired."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from django_account.sessions.models import Session


class Command(BaseCommand):
    """Run it daily. It works in batches, so that it never holds a lock for long."""

    help = "Delete expired sessions. Run it daily."

    BATCH = 5000

    def handle(self, *args: Any, **options: Any) -> None:
        deleted = 0
        while batch := list(Session.objects.expired().values_list("pk", flat=True)[: self.BATCH]):
            Session.objects.filter(pk__in=batch).delete()
            deleted += len(batch)
            if len(batch) == self.BATCH:
                self.stderr.write(f"{deleted} expired sessions deleted so far …")
        self.stdout.write(f"{deleted} expired sessions deleted.")
