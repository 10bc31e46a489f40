"""The delivery log in the admin: what went out, what did not, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from django_account.admin.base import ModelAdmin, in_english
from django_account.admin.paging import CappedPaginator
from django_account.core import phones
from django_account.notifications.models import Delivery
from django_account.notifications.outbox import send_again
from django_account.notifications.tasks import hand_over

# What Django calls the pages of deliveries.
OUR_PAGES = "django_account_delivery_"

# The kinds of messages: those of the templates.
KINDS: Final = (
    "magic-session",
    "mfa-challenge",
    "mfa-removed",
    "otp-session",
    "recovery",
    "recovery-otp",
    "session-alert",
    "verification",
    "verification-otp",
)


class KindFilter(admin.SimpleListFilter):
    """By kind. The choices are known: nobody has to look through the log for them."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, kind) for kind in KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() in KINDS else queryset


class ChannelFilter(admin.SimpleListFilter):
    """By channel, likewise."""

    title = _("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Delivery.Channel.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = self.value() in Delivery.Channel.values
        return queryset.filter(channel=self.value()) if known else queryset


@admin.register(Delivery)
class DeliveryAdmin(ModelAdmin):
    """Read-only: the log is what happened. What a message carried is nowhere to be seen."""

    list_display = [
        "created_at",
        "state",
        "kind",
        "channel",
        "recipient",
        "error",
        "tries",
        "next_try",
    ]
    list_filter = ["state", KindFilter, ChannelFilter, "created_at"]
    search_fields = ["recipient"]
    search_help_text = _("A whole e-mail address, phone number or account id.")
    ordering = ["-pk"]
    # The one order that an index has.
    sortable_by = ()
    show_full_result_count = False
    # They would count the whole log once for each choice.
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    list_select_related = False
    actions = ["send_again"]

    @admin.display(description=_("next try"))
    def next_try(self, delivery: Delivery) -> datetime | None:
        """When a waiting message is tried again at the earliest."""
        return delivery.next_try_at if delivery.state == Delivery.State.WAITING else None

    @admin.action(description=_("Send again what failed and still works"), permissions=["change"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        again = [delivery for delivery in deliveries if send_again(delivery)]
        for delivery in again:
            hand_over(delivery.pk)
            self.log_change(request, delivery, in_english(_("Sent again.")))
        left = deliveries.count() - len(again)
        sent = ngettext("%(count)d sent again.", "%(count)d sent again.", len(again))
        self.message_user(request, sent % {"count": len(again)}, messages.SUCCESS)
        if left:
            text = gettext(
                "%(count)d left alone: they have been sent, still wait, or what they carried has "
                "expired."
            )
            self.message_user(request, text % {"count": left}, messages.WARNING)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look the whole term up in the one column that it can be in; each has an index."""
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(recipient=term.lower()), False
        if phones.is_phone(term):
            return queryset.filter(recipient=term), False
        return queryset.filter(account__public_id=term) if term else queryset, False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of the list, for its action. A form would write back what it has read, over what the
        sender has written in between."""
        return obj is None and super().has_change_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may send again may look at each."""
        return super().has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by itself; with its account, on whichever page that or its user is deleted."""
        page = request.resolver_match
        if obj is None or page is None or str(page.url_name).startswith(OUR_PAGES):
            return False
        return request.user.has_perm("django_account.delete_account")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [field.name for field in Delivery._meta.fields if field.name != "payload"]

    get_readonly_fields = get_fields
