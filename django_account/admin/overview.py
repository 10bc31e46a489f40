"""The overview in the admin: how many sign up, sign in and fail, and by which means."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_account.admin.charts import Columns, percent, percent_text, shares
from django_account.admin.pages import PageAdmin
from django_account.administration.usage import RANGES, buckets, stock
from django_account.audit.tallies import PATIENCE, Tally, counts, roll_up
from django_account.identities.providers.registry import PROVIDERS

What = Tally.What

RANGE_NAMES: Final = {"24h": _("24 hours"), "30d": _("30 days"), "90d": _("90 days")}
DEFAULT_RANGE: Final = "30d"

# How many rows a breakdown has.
ROWS: Final = 12

# The providers of sessions that are none of the registry's.
METHODS: Final = {
    "email": _("E-mail address and password"),
    "magic-url": _("Magic URL"),
    "phone": _("Code by SMS"),
    "token": _("Code by e-mail, or a server's secret"),
    "anonymous": _("Anonymously"),
    "server": _("By a server"),
}


def method_name(provider: str) -> str:
    """What people call a session's provider."""
    if provider in PROVIDERS:
        return PROVIDERS[provider].name
    return str(METHODS.get(provider, provider))


@admin.register(Tally)
class OverviewAdmin(PageAdmin):
    """Figures of all accounts together: nothing in them tells of a person."""

    template = "admin/django_account/tally/overview.html"

    def context(self, request: HttpRequest) -> dict[str, Any]:
        range_ = request.GET.get("range", "")
        range_ = range_ if range_ in RANGES else DEFAULT_RANGE
        starts = buckets(range_)
        left = roll_up(since=starts[0], seconds=PATIENCE)
        by_start: Counter[tuple[Any, str]] = Counter()
        by_detail: dict[str, Counter[str]] = {What.SIGN_IN: Counter(), What.FAILURE: Counter()}
        for each in counts(starts):
            by_start[each.start, each.what] += each.number
            if each.what == What.SIGN_IN:
                by_detail[each.what][method_name(each.detail)] += each.number
            elif each.what == What.FAILURE:
                by_detail[each.what][each.detail] += each.number

        def columns(what: str, title: str) -> Columns:
            return Columns(what, title, starts, [by_start[start, what] for start in starts])

        now = stock(seen_since=starts[0])
        other = gettext("Other")
        return {
            "title": gettext("Overview"),
            "ranges": [(key, name, key == range_) for key, name in RANGE_NAMES.items()],
            "range_name": RANGE_NAMES[range_],
            "in_utc": starts[0].tzinfo is not None,
            "hours_left": left,
            "stock": now,
            "mfa_share": percent_text(percent(now.with_mfa, now.accounts), now.with_mfa),
            "charts": [
                columns(What.SIGN_UP, gettext("Sign-ups")),
                columns(What.SIGN_IN, gettext("Sign-ins")),
                columns(What.FAILURE, gettext("Failed attempts")),
            ],
            "methods": shares(by_detail[What.SIGN_IN], most=ROWS, rest=other),
            "failures": shares(by_detail[What.FAILURE], most=ROWS, rest=other),
        }
