"""What was done to the signed-in person's account (mfa-oauth.md §7.1)."""

from __future__ import annotations

from django.http import HttpResponse

from django_account.api.renderers import json_answer
from django_account.api.serializers.log import LogListInput, LogListSerializer, log_document
from django_account.api.views import AccountViewSet, endpoint
from django_account.audit.models import LogEntry


class LogViewSet(AccountViewSet):
    """The activity log."""

    @endpoint(scope="account", params=LogListInput, answers=LogListSerializer)
    def list_logs(self, request: object, **path: str) -> HttpResponse:
        """The person's entries, newest first."""
        entries = LogEntry.objects.of(self.account)
        queries = self.params["queries"]
        # In two steps: a page is found in the person's index alone, however far down it is. Asked
        # for whole rows, PostgreSQL may rather read the log backwards until it has met enough of
        # theirs, which takes long for somebody who was busy once and is quiet now.
        page = list(queries.page(entries.values_list("pk", flat=True)))
        found = LogEntry.objects.filter(pk__in=page).order_by("-pk")
        documents = [log_document(entry, locale=self.locale) for entry in found]
        total = queries.total(entries) if self.params["total"] else 0
        return json_answer({"total": total, "logs": documents})
