"""People in the admin: found, looked at, changed by the services, acted on."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from django_account.accounts.models import Account
from django_account.accounts.search import find
from django_account.accounts.services import create_account
from django_account.admin import account_acts, careful_acts  # noqa: F401, register their acts
from django_account.admin.account_form import (
    AccountForm,
    NewAccountForm,
    Refused,
    reason_of,
    write,
)
from django_account.admin.account_list import FILTERS, AccountList
from django_account.admin.account_page import panels, user_page
from django_account.admin.acts import Act, acts_of, in_order, note, perform, registry
from django_account.admin.base import ModelAdmin
from django_account.admin.paging import CappedPaginator
from django_account.admin.rank import may_act_on
from django_account.exceptions import AccountError

logger = logging.getLogger("django_account.admin")

# Accounts that one act of the list is done to. The list finds the next ones.
MAX_AT_ONCE = 500
# Of those that were left alone, for one reason, how many are named.
MAX_NAMED = 20


@admin.register(Account)
class AccountAdmin(ModelAdmin):
    """The list, the page of one account, and a page that asks before each act."""

    list_display = ["who", "addresses", "status", "mfa", "providers", "last_seen"]
    list_filter = FILTERS
    list_per_page = 50
    ordering = ["-pk"]
    # Where an index has the order (AccountList).
    sortable_by = ["who", "last_seen"]
    show_full_result_count = False
    # They would count everybody once for each choice.
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    search_fields = ["public_id"]
    search_help_text = gettext_lazy(
        "An id, e-mail address, phone number or name, or a part of one; label:vip for a label."
    )
    readonly_fields = [
        "public_id",
        "status",
        "email_verified",
        "phone_verified",
        "password",
        "site_user",
        "registered_at",
        "last_seen",
    ]
    fieldsets = [
        (None, {"fields": ["public_id", "status", "site_user"]}),
        (
            gettext_lazy("Profile"),
            {"fields": ["name", "email", "email_verified", "phone", "phone_verified"]},
        ),
        (gettext_lazy("Signing in"), {"fields": ["password", "mfa_enabled", "impersonator"]}),
        (gettext_lazy("Of the site and its apps"), {"fields": ["labels", "prefs"]}),
        (gettext_lazy("Dates"), {"fields": ["registered_at", "last_seen"]}),
    ]
    add_fieldsets = [(None, {"fields": ["name", "email", "phone", "invite"]})]
    form = AccountForm
    add_form = NewAccountForm
    change_form_template = "admin/django_account/account/change_form.html"
    act_template = "admin/django_account/account/act.html"

    class Media:
        css = {"all": ["django_account/admin/accounts.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return Account.objects.with_user()

    # --- the list ---

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AccountList]:
        return AccountList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        if search_term.strip():
            queryset = find(queryset, search_term, most=CappedPaginator.MAX_COUNT)
        return queryset, False

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def who(self, account: Account) -> str:
        return account.name or account.public_id

    @admin.display(description=gettext_lazy("e-mail and phone"))
    def addresses(self, account: Account) -> str:
        known = (
            (account.email, account.email_verified),
            (account.phone, account.phone_verified),
        )
        lines = [(with_mark(address, verified),) for address, verified in known if address]
        # One element, which themes that lay cells out as flex boxes keep together.
        return format_html("<div>{}</div>", format_html_join(mark_safe("<br>"), "{}", lines))

    @admin.display(description=gettext_lazy("status"))
    def status(self, account: Account) -> str:
        if not account.is_active:
            return _("Blocked")
        return _("New password required") if account.password_reset_required else _("Active")

    @admin.display(description=gettext_lazy("MFA"))
    def mfa(self, account: Account) -> str:
        return _("On") if account.mfa_enabled else ""

    @admin.display(description=gettext_lazy("providers"))
    def providers(self, account: Account) -> str:
        return ", ".join(dict.fromkeys(each.provider for each in account.identities.all()))

    @admin.display(description=gettext_lazy("last seen"), ordering="accessed_at")
    def last_seen(self, account: Account) -> str:
        return moment(account.accessed_at) or _("Never")

    # --- the page of one account ---

    @admin.display(description=gettext_lazy("password"))
    def password(self, account: Account) -> str:
        """Whether there is one, and since when. Nothing else of it is anybody's business."""
        if not account.has_password:
            return _("None")
        since = moment(account.password_changed_at)
        return _("Set on %(date)s") % {"date": since} if since else _("Set")

    @admin.display(description=gettext_lazy("user of the site"))
    def site_user(self, account: Account) -> str:
        name = account.user.get_username()
        url = account.user_page  # type: ignore[attr-defined]
        return format_html('<a href="{}">{}</a>', url, name) if url else name

    def get_fieldsets(self, request: HttpRequest, obj: Account | None = None) -> Any:
        return self.add_fieldsets if obj is None else self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> Any:
        """Who weakens the gate needs the right to; whom to trust with everybody's account is for
        superusers to say."""
        if obj is None:
            return []
        more = []
        if not request.user.has_perm("django_account.reset_mfa_account"):
            more.append("mfa_enabled")
        if not getattr(request.user, "is_superuser", False):
            more.append("impersonator")
        return [*self.readonly_fields, *more]

    def get_form(
        self, request: HttpRequest, obj: Account | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = self.add_form
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refused = getattr(request, "refused", None)
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show and save. What a service refuses is an error of the form, and nothing is saved."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as refused:
            request.refused = refused  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Account | None:
        account: Account | None = super().get_object(request, object_id, from_field)
        if account is not None:
            account.user_page = user_page(request, account, self.admin_site)  # type: ignore[attr-defined]
        return account

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """With the buttons and tables of somebody who is there."""
        obj: Account | None = kw.get("obj")
        if obj is not None:
            # As it is stored: a form that was refused has its values in this one.
            account = Account.objects.with_user().get(pk=obj.pk) if request.POST else obj
            may_act = may_act_on(request.user, account)
            acts = acts_of(request.user) if may_act else []
            beside = {act.name: act for act in acts if act.item}
            context |= {
                "acts": [act for act in acts if self.is_shown(request, act, account)],
                "panels": list(panels(request, account, self.admin_site.name, beside)),
                # Deleting is among the acts.
                "show_delete": False,
            }
        return super().render_change_form(request, context, *args, **kw)

    def is_shown(self, request: HttpRequest, act: Act, account: Account) -> bool:
        """Whether an act has a button on the page of an account that whoever asks may act on."""
        if act.item or act.obstacle(account):
            return False
        return act.on_oneself or account.user_id != request.user.pk

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        """Create or change by the services.

        Raises:
            Refused: a service did.
        """
        values = form.cleaned_data
        if change:
            changed = {name: values[name] for name in form.changed_data}
            write(Account.objects.with_user().get(pk=obj.pk), changed)
            return
        try:
            account = create_account(
                email=values["email"], phone=values["phone"], name=values["name"], by_server=True
            )
            if account.email and values["invite"]:
                perform(registry["send_recovery"], request, account, {})
        except AccountError as refusal:
            raise Refused("email", reason_of(refusal)) from refusal
        obj.pk, obj.public_id, obj.user = account.pk, account.public_id, account.user
        obj._state.adding = False

    def log_addition(self, request: HttpRequest, obj: Account, message: Any) -> Any:
        return self.log(request, obj, message, ADDITION)

    def log_change(self, request: HttpRequest, obj: Account, message: Any) -> Any:
        return self.log(request, obj, message, CHANGE)

    def log(self, request: HttpRequest, account: Account, message: Any, flag: int) -> Any:
        text = message if isinstance(message, str) else json.dumps(message)
        return note(request, account.pk, account.public_id, text, flag)

    # --- who may ---

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Not of people above oneself."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_act_on(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Not of people above oneself, nor of oneself."""
        if not super().has_delete_permission(request, obj):
            return False
        return obj is None or not self.reason_to_keep_off(request, registry["delete"], obj)

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
        return [action_of(act) for act in in_order() if act.bulk]

    def get_action_choices(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Dangerous ones under a heading of their own."""
        choices = super().get_action_choices(*args, **kwargs)
        names = {act.name for act in registry.values() if act.dangerous}
        harmless = [choice for choice in choices if choice[0] not in names]
        dangerous = [choice for choice in choices if choice[0] in names]
        return [*harmless, (_("Dangerous acts"), dangerous)] if dangerous else harmless

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        """Those that whoever asks may do. Django's own deleting is not among them."""
        # Django tells where they are wanted since 6.1.
        where = {} if action_location is None else {"action_location": action_location}
        if not self.has_view_permission(request):
            return {}
        allowed = {act.name for act in acts_of(request.user)}
        found = super().get_actions(request, **where)
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
        request.current_app = self.admin_site.name
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
            # Whatever the site's own code does about one account, the others are done.
            except Exception:
                logger.exception("%s failed for account %s", act.name, public_id)
                failed.setdefault(reason_of(AccountError()), []).append(public_id)
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


def moment(at: datetime | None) -> str:
    """A moment in the site's time zone and format; empty when there was none."""
    if at is None:
        return ""
    return str(localize(timezone.localtime(at) if timezone.is_aware(at) else at))


def with_mark(address: str, verified: bool) -> str:
    """An address, and a sign if it is proven."""
    # Whatever direction the page has: the “+” of a number stands before it.
    shown = format_html('<bdi dir="ltr">{}</bdi>', address)
    if not verified:
        return shown
    text = _("verified")
    return format_html(
        '{} <span class="account-mark" role="img" aria-label="{}" title="{}">✓</span>',
        shown,
        text,
        text,
    )
