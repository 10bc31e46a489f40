"""People in the admin: found, looked at, changed by the services, acted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_account.accounts.models import Account
from django_account.admin import account_acts, careful_acts  # noqa: F401, register their acts
from django_account.admin.acts import Act, acts_of, perform, registry
from django_account.admin.base import ModelAdmin
from django_account.admin.paging import CappedPaginator
from django_account.admin.rank import may_act_on
from django_account.exceptions import AccountError, InvalidArgument
from django_account.identities.models import Identity

# Accounts that one act of the list is done to. The list finds the next ones.
MAX_AT_ONCE = 500
# Of those that were left alone, for one reason, how many are named.
MAX_NAMED = 20


@admin.register(Account)
class AccountAdmin(ModelAdmin):
    """The list, the page of one account, and a page that asks before each act."""

    list_display = ["public_id", "name", "email", "phone"]
    ordering = ["-pk"]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    fields = ["name", "email", "phone"]
    act_template = "admin/django_account/account/act.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        identities = Identity.objects.only("account", "provider").order_by("pk")
        return Account.objects.with_user().prefetch_related(Prefetch("identities", identities))

    # --- acts: see admin/acts.py ---

    def get_urls(self) -> list[URLPattern]:
        act = path(
            "<path:object_id>/act/<slug:name>/",
            self.admin_site.admin_view(self.act_view),
            name="django_account_account_act",
        )
        return [act, *super().get_urls()]

    @property
    def actions(self) -> list[Any]:  # type: ignore[override]
        """The acts that may be done to many."""
        return [action_of(act) for act in registry.values() if act.bulk]

    def get_actions(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Those that whoever asks may do. Django's own deleting is not among them."""
        if not self.has_view_permission(request):
            return {}
        allowed = {act.name for act in acts_of(request.user)}
        found = super().get_actions(request, *args, **kwargs)
        return {name: action for name, action in found.items() if name in allowed}

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Account], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do what was chosen to those that were chosen, who are numbers."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(pk.isascii() and pk.isdigit() and len(pk) < 19 for pk in chosen):
            messages.error(request, _("Choose accounts of the list."))
            return None
        answer: HttpResponse | None = super().response_action(request, queryset, *args, **kwargs)
        return answer

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask, and do one act to one account.

        Raises:
            PermissionDenied: whoever asks may not do it, or not to this person.
        """
        act = registry.get(name)
        if act is None or not act.is_offered:
            raise Http404
        if not (self.has_view_permission(request) and request.user.has_perm(act.permission)):
            raise PermissionDenied
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404
        if stranger := self.reason_to_keep_off(request, act, account):
            raise PermissionDenied(stranger)
        return self.confirm(request, act, [account])

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Deleting is an act like any other."""
        return self.act_view(request, object_id, "delete")

    def reason_to_keep_off(self, request: HttpRequest, act: Act, account: Account) -> str:
        """Why whoever asks may not do an act to this person of all people; empty when they may."""
        if not may_act_on(request.user, account):
            return _("Somebody with more rights than you can do it.")
        if account.user_id == request.user.pk and not act.on_oneself:
            return _("It is your own account.")
        return ""

    def confirm(
        self, request: HttpRequest, act: Act, accounts: Sequence[Account], *, many: bool = False
    ) -> HttpResponse:
        """Ask; on the answer, do it.

        Args:
            many: whether the accounts were chosen in the list.
        """
        answered = "confirmed" in request.POST
        form = None
        if act.form_class is not None:
            named = {key: request.GET[key] for key in request.GET if key == act.item}
            form = act.form_class(request.POST if answered else None, initial=named)
        left = {
            account: reason
            for account in accounts
            if (reason := self.reason_to_keep_off(request, act, account) or act.obstacle(account))
        }
        able = [account for account in accounts if account not in left]
        if answered and able and (form is None or form.is_valid()):
            values = form.cleaned_data if form is not None else {}
            if many:
                return self.do_to_many(request, act, able, left, values)
            try:
                response = perform(act, request, able[0], values)
            except AccountError as refusal:
                messages.error(request, reason_of(refusal))
            else:
                messages.success(request, f"{able[0].public_id}: {act.done}")
                if response is not None:
                    return response
            return HttpResponseRedirect(self.address_of(able[0]))
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "opts": self.opts,
            "act": act,
            "form": form,
            "accounts": able,
            "left": left.items(),
            "many": many,
            "account": accounts[0],
            "preview": act.preview(able) if able else [],
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "media": self.media + form.media if form is not None else self.media,
        }
        return TemplateResponse(request, self.act_template, context)

    def do_to_many(
        self,
        request: HttpRequest,
        act: Act,
        able: Sequence[Account],
        left: dict[Account, Any],
        values: dict[str, Any],
    ) -> HttpResponse:
        """Do it to each, and say of each that was left alone why."""
        done = 0
        failed: dict[str, list[str]] = {}
        for account, reason in left.items():
            failed.setdefault(str(reason), []).append(account.public_id)
        for account in able:
            public_id = account.public_id
            try:
                perform(act, request, account, values)
            except AccountError as refusal:
                failed.setdefault(reason_of(refusal), []).append(public_id)
            else:
                done += 1
        if done:
            text = ngettext("%(number)d account: %(done)s", "%(number)d accounts: %(done)s", done)
            messages.success(request, text % {"number": done, "done": act.done})
        for reason, public_ids in failed.items():
            named = ", ".join(public_ids[:MAX_NAMED])
            more = "" if len(public_ids) <= MAX_NAMED else ", …"
            text = ngettext(
                "%(number)d account left alone", "%(number)d accounts left alone", len(public_ids)
            )
            messages.warning(
                request, f"{text % {'number': len(public_ids)}} ({named}{more}): {reason}"
            )
        return HttpResponseRedirect(request.get_full_path())

    def address_of(self, account: Account) -> str:
        """Where an account is looked at; the list when it is gone."""
        name = f"{self.admin_site.name}:django_account_account"
        if Account.objects.filter(pk=account.pk).exists():
            return reverse(f"{name}_change", args=[account.pk])
        return reverse(f"{name}_changelist")


def action_of(act: Act) -> Callable[..., HttpResponse | None]:
    """An act as an action of the list: the page that asks, or what came of it."""

    def act_on_many(
        model_admin: AccountAdmin, request: HttpRequest, accounts: QuerySet[Account]
    ) -> HttpResponse | None:
        chosen = list(accounts[: MAX_AT_ONCE + 1])
        if len(chosen) > MAX_AT_ONCE:
            text = _("At most %(number)d accounts at once. Narrow the list by a filter.")
            messages.error(request, text % {"number": MAX_AT_ONCE})
            return None
        return model_admin.confirm(request, act, chosen, many=True) if chosen else None

    act_on_many.__name__ = act.name
    act_on_many.short_description = act.label  # type: ignore[attr-defined]
    return act_on_many


def reason_of(refusal: AccountError) -> str:
    """What a service refused, for people who know no parameters."""
    reason = refusal.reason if isinstance(refusal, InvalidArgument) else None
    return reason or refusal.message
