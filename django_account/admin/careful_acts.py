"""The acts that take more than a click: they send a person back to their mailbox, hand their data
out, act as them, forget them, or delete them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from django import forms
from django.contrib.admin.models import DELETION
from django.db import router
from django.db.models import ProtectedError, RestrictedError
from django.db.models.deletion import Collector
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_account.accounts.models import Account
from django_account.accounts.services import delete_account
from django_account.admin.account_acts import page_address
from django_account.admin.acts import Act, Text, register
from django_account.administration.anonymisation import anonymise_account, rows_of
from django_account.administration.impersonation import (
    hand_over,
    is_privileged,
    start_impersonation,
)
from django_account.administration.services import require_new_password
from django_account.conf import conf
from django_account.core.activity import MAX_REASON
from django_account.core.clients import ClientInfo
from django_account.exceptions import FeatureUnsupported
from django_account.exports import export_account

Values = Mapping[str, Any]


class RequirePasswordForm(forms.Form):
    send = forms.BooleanField(
        label=_("Send the recovery link now"),
        required=False,
        initial=True,
        help_text=_("Otherwise the person asks for one when they find that they cannot sign in."),
    )


@register
class RequirePassword(Act):
    name = "require_password"
    label = _("Require a new password")
    description = _(
        "The present password signs in no more, all sessions end, and nothing else works before "
        "the person has chosen a new one by a link to their e-mail address."
    )
    done = _("New password required.")
    form_class = RequirePasswordForm

    def obstacle(self, account: Account) -> Text:
        if not account.email:
            return _("It has no e-mail address to recover by.")
        if not (account.has_password or account.password_reset_required):
            return _("It has no password.")
        return ""

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        url = page_address(request, "recovery") if values["send"] else None
        require_new_password(account=account, url=url)


@register
class Export(Act):
    name = "export"
    label = _("Export data")
    description = _(
        "A file with everything that is held on this person, to be handed to them. There is no "
        "password, code or token in it."
    )
    done = _("Data exported.")
    # Reading is not logged.
    event = ""
    bulk = False

    def run(self, request: HttpRequest, account: Account, values: Values) -> HttpResponseBase:
        pieces = export_account(account)
        # What the site's own code cannot give is an error here, and not half a file.
        first = next(pieces)
        return StreamingHttpResponse(
            chain([first], pieces),
            content_type="application/json; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="account-{account.public_id}.json"',
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )


class ImpersonationForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It is written down, and is part of what the person may ask to see."),
    )


@register
class Impersonate(Act):
    """For sites that allow it (ADMIN_IMPERSONATION)."""

    name = "impersonate"
    label = _("Act as this person")
    description = _(
        "You are signed in to the site as this person, for a while. They see it among their "
        "sessions. Passwords, addresses, second factors and other ways to sign in are closed to "
        "you, and you remain yourself in the admin."
    )
    done = _("Began to act as this person.")
    # The service writes it down with the reason.
    event = ""
    form_class = ImpersonationForm
    dangerous = True
    bulk = False
    on_oneself = False

    @property
    def is_offered(self) -> bool:
        return conf.admin_impersonation

    def obstacle(self, account: Account) -> Text:
        if is_privileged(account):
            return _("Nobody acts as staff, or as somebody who acts as others.")
        if not account.is_active:
            return _("It is blocked.")
        return _("A new password is required first.") if account.password_reset_required else ""

    def run(self, request: HttpRequest, account: Account, values: Values) -> HttpResponseBase:
        try:
            page = reverse("django_account:impersonation")
        except NoReverseMatch:
            raise FeatureUnsupported(
                gettext("Include django_account.urls where the admin is: it sets the cookie.")
            ) from None
        issued = start_impersonation(
            account=account,
            staff=request.user,
            reason=values["reason"],
            # What people read of their own sessions does not tell where staff sit.
            client=ClientInfo(),
        )
        hand_over(request.session, issued)
        return HttpResponseRedirect(page)


@register
class Anonymise(Act):
    name = "anonymise"
    label = _("Anonymise")
    description = _(
        "Name, addresses, preferences, password, sessions, second factors and identities go for "
        "good, and the logs no longer tell who it was. What the site itself keeps, such as orders, "
        "still refers to the account, to which nobody can sign in again."
    )
    done = _("Anonymised.")
    dangerous = True
    on_oneself = False

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        anonymise_account(account=account)

    def preview(self, accounts: Sequence[Account]) -> list[tuple[Text, int]]:
        if len(accounts) > 1:
            return []
        counted = [
            (rows.model._meta.verbose_name_plural or "", rows.count())
            for rows in rows_of(accounts[0])
        ]
        return [(name, number) for name, number in counted if number]


@register
class Delete(Act):
    name = "delete"
    label = _("Delete")
    description = _("The account, the site's user and all that hangs on them go for good.")
    done = _("Deleted.")
    event = "user.delete"
    flag = DELETION
    dangerous = True
    on_oneself = False

    def run(self, request: HttpRequest, account: Account, values: Values) -> None:
        delete_account(account)

    def preview(self, accounts: Sequence[Account]) -> list[tuple[Text, int]]:
        users = [account.user for account in accounts]
        collector = Collector(using=router.db_for_write(Account))
        try:
            collector.collect(users)
        except (ProtectedError, RestrictedError):
            # Said by the act itself.
            return []
        counts = {model: len(rows) for model, rows in collector.data.items()}
        for rows in collector.fast_deletes:
            counts[rows.model] = counts.get(rows.model, 0) + rows.count()
        return [
            (str(model._meta.verbose_name_plural), number)
            for model, number in counts.items()
            if number
        ]
