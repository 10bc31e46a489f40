"""Rate limits in the admin: staff set back those of a person or an address."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from django_account.accounts.models import Account
from django_account.admin.pages import PageAdmin
from django_account.admin.rank import may_act_on
from django_account.administration.services import reset_limits
from django_account.core import emails, phones
from django_account.limits.models import CacheEntry


@dataclass(frozen=True, slots=True)
class Subject:
    """What staff have named.

    Attributes:
        account: the person, if there is one.
        email, phone, ip: an address, if one was named.
    """

    account: Account | None = None
    email: str | None = None
    phone: str | None = None
    ip: str | None = None

    @property
    def emails(self) -> set[str]:
        return {each for each in (self.email, self.account and self.account.email) if each}

    @property
    def phones(self) -> set[str]:
        return {each for each in (self.phone, self.account and self.account.phone) if each}

    def __str__(self) -> str:
        names = [*self.emails, *self.phones, *([self.ip] if self.ip else [])]
        if self.account is not None:
            names.insert(0, f"{self.account.name} ({self.account.public_id})".strip())
        return ", ".join(names)

    def reset(self) -> bool:
        """Set the limits back; see :func:`~django_account.administration.services.reset_limits`."""
        return reset_limits(
            account_ids=[self.account.public_id] if self.account else [],
            emails=self.emails,
            phones=self.phones,
            ips=[self.ip] if self.ip else [],
        )


def find_subject(text: str) -> Subject:
    """Whom a text names.

    Raises:
        ValidationError: nobody and nothing.
    """
    if "@" in text:
        try:
            email = emails.normalize(text)
        except ValueError:
            raise ValidationError(_("This is no e-mail address.")) from None
        return Subject(Account.objects.filter(email=email).first(), email=email)
    if phones.is_phone(text):
        return Subject(Account.objects.filter(phone=text).first(), phone=text)
    account = Account.objects.filter(public_id=text).first()
    try:
        ip = str(ipaddress.ip_address(text))
    except ValueError:
        ip = None
    if account is None and ip is None:
        raise ValidationError(
            _("No account has this id, and it is no e-mail address, phone number or IP address.")
        )
    return Subject(account, ip=ip)


class SubjectForm(forms.Form):
    """Whose limits?"""

    who = forms.CharField(
        label=_("Person or address"),
        max_length=254,
        help_text=_("An account's id, an e-mail address, a phone number (+…) or an IP address."),
        widget=forms.TextInput(attrs={"class": "vTextField", "spellcheck": "false"}),
    )

    def clean_who(self) -> Subject:
        return find_subject(self.cleaned_data["who"].strip())


@admin.register(CacheEntry)
class RateLimitAdmin(PageAdmin):
    """One page, which asks whose limits are to be reset, shows whom it has found, and does it.

    Counters themselves are not shown: they are hidden even from who reads the database.
    """

    template = "admin/django_account/cacheentry/reset.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, confirm, reset.

        Raises:
            PermissionDenied: the member of staff may not.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = SubjectForm(request.POST if request.method == "POST" else None)
        form.fields["who"].initial = request.GET.get("who", "")[:254]
        subject = form.cleaned_data["who"] if form.is_valid() else None
        if (
            subject is not None
            and subject.account
            and not may_act_on(request.user, subject.account)
        ):
            # Whoever guesses at a superuser's second factor would have more guesses.
            form.add_error("who", _("Somebody with more rights than you can do it."))
            subject = None
        if subject is not None and "confirmed" in request.POST:
            self.reset(request, subject)
            return HttpResponseRedirect(reverse(f"{self.admin_site.name}:{self._url_name}"))
        found = {"title": _("Reset rate limits"), "form": form, "subject": subject}
        return super().changelist_view(request, {**found, **(extra_context or {})})

    def context(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    @property
    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_changelist"

    def reset(self, request: HttpRequest, subject: Subject) -> None:
        """Reset, and note who did it."""
        reached = subject.reset()
        account = subject.account
        LogEntry.objects.create(
            user=request.user,  # type: ignore[misc]
            content_type=ContentType.objects.get_for_model(Account if account else CacheEntry),
            object_id=str(account.pk) if account else None,
            # A person by their id: nothing of them stays behind when they are gone.
            object_repr=account.public_id if account else str(subject)[:200],
            action_flag=CHANGE,
            change_message="Rate limits reset.",
        )
        if reached:
            text = _("The rate limits of %(subject)s begin anew.")
            level = messages.SUCCESS
        else:
            text = _(
                "The cache that counts does not answer. Reset again when it is back: only what the "
                "database counts meanwhile of %(subject)s begins anew."
            )
            level = messages.WARNING
        self.message_user(request, text % {"subject": subject}, level)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("django_account.reset_rate_limits")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
