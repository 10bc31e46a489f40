"""The activity log in the admin: who did what, who tried what."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_account.admin.base import ReadOnlyAdmin
from django_account.admin.paging import CappedPaginator
from django_account.audit.models import LogEntry
from django_account.core.activity import EVENTS
from django_account.core.geo import UNKNOWN_COUNTRY


class EventFilter(admin.SimpleListFilter):
    """By event. The choices are known: nobody has to look through the log for them."""

    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(event, event) for event in EVENTS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(event=self.value()) if self.value() in EVENTS else queryset


class OutcomeFilter(admin.SimpleListFilter):
    """By outcome."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("done", _("Done")), ("failed", _("Failed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "done":
                return queryset.filter(error="")
            case "failed":
                return queryset.exclude(error="")
        return queryset


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """Read-only for everybody: the log is what happened."""

    list_display = ["when", "title", "whose", "ip", "country", "device", "error"]
    list_filter = [EventFilter, OutcomeFilter, "at"]
    ordering = ["-pk"]
    # The one order that an index has.
    sortable_by = ()
    show_full_result_count = False
    # They would count the whole log once for each choice.
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    search_fields = ["user_id"]
    search_help_text = _("A whole account id, e-mail address or IP address.")
    fields = [
        ("event", "outcome"),
        "when",
        ("user_id", "account_pk"),
        ("user_email", "user_phone"),
        "user_name",
        ("user_type", "mode", "key_name"),
        ("session_id", "provider", "actor_id"),
        "reason",
        ("ip", "country"),
        "device",
        "user_agent",
    ]

    @admin.display(description=_("time"))
    def when(self, entry: LogEntry) -> str:
        """To the second, which tells a guess a second from a guess a minute."""
        local = timezone.localtime(entry.at) if timezone.is_aware(entry.at) else entry.at
        return format_html('<span class="nowrap">{}</span>', f"{local:%Y-%m-%d %H:%M:%S}")

    @admin.display(description=_("event"))
    def title(self, entry: LogEntry) -> str:
        return entry.title

    @admin.display(description=_("outcome"))
    def outcome(self, entry: LogEntry) -> str:
        return entry.error or gettext("Done")

    @admin.display(description=_("account"))
    def whose(self, entry: LogEntry) -> str:
        known = entry.user_email or entry.user_phone or entry.user_id
        if not known or entry.account_pk is not None:
            return known
        nobody = gettext("nobody")
        return f"{known} ({nobody})"

    @admin.display(description=_("country"))
    def country(self, entry: LogEntry) -> str:
        return "" if entry.country_code == UNKNOWN_COUNTRY else entry.country_code.upper()

    @admin.display(description=_("device"))
    def device(self, entry: LogEntry) -> str:
        details = entry.client_details
        return ", ".join(filter(None, (details.client_name, details.os_name, details.device_model)))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look the whole term up in the one column that it can be in; each has an index."""
        term = search_term.strip()
        if term:
            queryset = queryset.filter(**lookup(term))
        return queryset, False


def lookup(term: str) -> dict[str, str]:
    """The condition that a search term stands for."""
    if "@" in term:
        return {"user_email": term.lower()}
    try:
        return {"ip": str(ipaddress.ip_address(term))}
    except ValueError:
        return {"user_id": term}
