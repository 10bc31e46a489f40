"""The delivery log in the admin: what went out, what did not, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from django_account.admin.base import ModelAdmin
from django_account.notifications.models import Delivery
from django_account.notifications.outbox import send_again
from django_account.notifications.tasks import hand_over

# What Django calls the pages of deliveries.
OUR_PAGES = "django_account_delivery_"


@admin.register(Delivery)
class DeliveryAdmin(ModelAdmin):
    """Read-only: the log is what happened. What a message carried is nowhere to be seen."""

    list_display = [
        "created_at",
        "kind",
        "channel",
        "recipient",
        "state",
        "tries",
        "next_try",
        "error",
    ]
    list_filter = ["state", "kind", "channel", "created_at"]
    search_fields = ["recipient"]
    ordering = ["-pk"]
    show_full_result_count = False
    list_select_related = False
    raw_id_fields = ["account"]
    actions = ["send_again"]

    @admin.display(description="next try", ordering="next_try_at")
    def next_try(self, delivery: Delivery) -> datetime | None:
        """When a waiting message is tried again at the earliest."""
        return delivery.next_try_at if delivery.state == Delivery.State.WAITING else None

    @admin.action(description="Send again what failed and still works", permissions=["change"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        again = [delivery for delivery in deliveries if send_again(delivery)]
        for delivery in again:
            hand_over(delivery.pk)
            self.log_change(request, delivery, "Sent again")
        left = deliveries.count() - len(again)
        self.message_user(request, f"{len(again)} sent again.", messages.SUCCESS)
        if left:
            reason = "they have been sent, still wait, or what they carried has expired"
            self.message_user(request, f"{left} left alone: {reason}.", messages.WARNING)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never by itself; with its account, on whichever page that or its user is deleted."""
        page = request.resolver_match
        if obj is None or page is None or str(page.url_name).startswith(OUR_PAGES):
            return False
        return request.user.has_perm("django_account.delete_account")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in Delivery._meta.fields if field.name != "payload"]
