"""The list of people: what it may be ordered, filtered and searched by, and stay fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import connections
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.expressions import Combinable, OrderBy
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_account.accounts import users
from django_account.accounts.models import Account
from django_account.admin.acts import Text
from django_account.admin.paging import CappedPaginator
from django_account.conf import conf
from django_account.identities.models import Identity

# What an index of (it, id) orders.
ORDERS = ("name", "accessed_at")


class AccountList(ChangeList):
    """The list in an order that an index has, whatever the address bar says."""

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """With the providers of each, in one statement more."""
        providers = Identity.objects.only("account", "provider").order_by("pk")
        accounts = super().get_queryset(request, *args, **kwargs)
        return accounts.prefetch_related(Prefetch("identities", providers))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """By one column, and by age among equals, in one direction."""
        first = next(iter(super().get_ordering(request, queryset)), "")
        descends = str(first).startswith("-")
        column = str(first).removeprefix("-")
        if column not in ORDERS:
            return ["-pk"]
        return [ordered(queryset, column, descends), "-pk" if descends else "pk"]


def ordered(accounts: QuerySet[Any], column: str, descends: bool) -> OrderBy | Combinable:
    """What is empty comes first, as in the index. PostgreSQL alone has to be told so."""
    nullable = Account._meta.get_field(column).null
    if not nullable or connections[accounts.db].vendor != "postgresql":
        return F(column).desc() if descends else F(column).asc()
    return F(column).desc(nulls_last=True) if descends else F(column).asc(nulls_first=True)


class ChoiceFilter(admin.SimpleListFilter):
    """By one of some words, each with a label and the condition that it stands for."""

    def known(self) -> dict[str, tuple[Text, Any]]:
        """The words."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(word, label) for word, (label, _condition) in self.known().items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = self.known().get(self.value() or "")
        if found is None:
            return queryset
        condition = found[1]() if callable(found[1]) else found[1]
        return queryset.filter(condition)


def users_with(field: str, value: bool) -> Callable[[], Q]:
    """A condition for what the site's table of users knows: by the users themselves when they are
    few. A database that expects them everywhere would walk through all accounts in the list's order
    to find the blocked, whom nobody has seen for long, among those last seen.
    """

    def condition() -> Q:
        few = users.few_with(field, value, most=CappedPaginator.MAX_COUNT)
        return Q(**{f"user__{field}": value}) if few is None else Q(user__in=few)

    return condition


class StatusFilter(ChoiceFilter):
    title = _("status")
    parameter_name = "status"

    def known(self) -> dict[str, tuple[Text, Any]]:
        return {
            "active": (_("Active"), Q(user__is_active=True)),
            "blocked": (_("Blocked"), users_with("is_active", False)),
        }


class VerifiedFilter(ChoiceFilter):
    title = _("verified")
    parameter_name = "verified"

    def known(self) -> dict[str, tuple[Text, Any]]:
        return {
            "email": (_("E-mail verified"), Q(email_verified=True)),
            "no-email": (_("E-mail unverified"), Q(email_verified=False, email__isnull=False)),
            "phone": (_("Phone verified"), Q(phone_verified=True)),
            "no-phone": (_("Phone unverified"), Q(phone_verified=False, phone__isnull=False)),
        }


class MFAFilter(ChoiceFilter):
    title = _("MFA")
    parameter_name = "mfa"

    def known(self) -> dict[str, tuple[Text, Any]]:
        return {
            "on": (_("On"), Q(mfa_enabled=True)),
            "off": (_("Off"), Q(mfa_enabled=False)),
        }


class ProviderFilter(ChoiceFilter):
    """By an OAuth2 provider of the site. Nobody has to look through the identities for them."""

    title = _("provider")
    parameter_name = "provider"

    def known(self) -> dict[str, tuple[Text, Any]]:
        theirs = Identity.objects.filter(account=OuterRef("pk"))
        return {
            key: (key, Exists(theirs.filter(provider=key))) for key in sorted(conf.oauth2_providers)
        }


class KindFilter(ChoiceFilter):
    title = _("kind")
    parameter_name = "kind"

    def known(self) -> dict[str, tuple[Text, Any]]:
        nameless = Q(email__isnull=True, phone__isnull=True)
        has_identity = Exists(Identity.objects.filter(account=OuterRef("pk")))
        kinds: dict[str, tuple[Text, Any]] = {
            "anonymous": (_("Anonymous"), nameless & ~Q(has_identity)),
            "impersonator": (_("Impersonators"), Q(impersonator=True)),
        }
        if users.find_field("is_staff") is not None:
            kinds["staff"] = (_("Staff"), users_with("is_staff", True))
        return kinds


class LastSeenFilter(admin.DateFieldListFilter):
    """By the day of the last request, to a day."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("last seen")


FILTERS: list[Any] = [
    StatusFilter,
    VerifiedFilter,
    MFAFilter,
    ProviderFilter,
    KindFilter,
    ("accessed_at", LastSeenFilter),
]
