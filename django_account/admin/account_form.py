"""The forms of an account: what staff may write, by the rules of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from django_account.accounts.models import Account
from django_account.admin.base import in_readers_language
from django_account.administration import services
from django_account.core import emails, phones
from django_account.core.json_values import is_storable, prefs_problem
from django_account.core.labels import labels_problem
from django_account.exceptions import AccountError, InvalidArgument
from django_account.selfservice import profile


class Refused(Exception):
    """A service refused what a form holds.

    Args:
        field: which one.
        reason: for the form.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(reason)


def reason_of(refusal: AccountError) -> str:
    """Why a service refused, for people who know no parameters, in their language."""
    reason = refusal.reason if isinstance(refusal, InvalidArgument) else None
    return in_readers_language(reason or refusal.message)


class PrefsField(forms.JSONField):
    """A JSON object, by the rule of the API."""

    def to_python(self, value: Any) -> Any:
        try:
            prefs = super().to_python(value)
        # Numbers of thousands of digits and brackets in thousands are no JSON of anybody's.
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        return {} if prefs is None else prefs

    def validate(self, value: Any) -> None:
        super().validate(value)
        if problem := prefs_problem(value):
            raise ValidationError(in_readers_language(problem))

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What a refused form shows again: as it was typed, where no page could hold the value."""
        try:
            prefs = super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)
        return prefs if is_storable(prefs) else InvalidJSONInput(data)


class LabelsField(forms.Field):
    """Labels, separated by blanks or commas."""

    widget = forms.TextInput(attrs={"class": "vTextField"})

    def prepare_value(self, value: Any) -> Any:
        return " ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(str(value or "").replace(",", " ").split()))

    def validate(self, value: Any) -> None:
        if problem := labels_problem(value):
            raise ValidationError(in_readers_language(problem))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != list(initial or [])


class AddressesForm(forms.ModelForm):
    """Name, e-mail address and phone number."""

    # What a service refused when these values were to be saved.
    refused: Refused | None = None

    class Meta:
        model = Account
        fields = ["name", "email", "phone"]
        labels = {
            "name": _("Name"),
            "email": _("E-mail"),
            "phone": _("Phone"),
            "mfa_enabled": _("Signing in asks for a second factor"),
            "impersonator": _("May act as others through the API"),
        }
        help_texts = {
            "email": _("Another one has to be proven again."),
            "phone": _("With “+” and the country's code. Another one has to be proven again."),
        }

    def clean_email(self) -> str | None:
        email = self.cleaned_data["email"]
        if not email:
            return None
        try:
            return emails.normalize(email)
        except ValueError:
            raise ValidationError(_("This is no e-mail address.")) from None

    def clean_phone(self) -> str | None:
        phone = self.cleaned_data["phone"]
        if phone and not phones.is_phone(phone):
            raise ValidationError(
                _("A phone number starts with “+” and the country's code: +4930123456.")
            )
        return phone or None

    def clean(self) -> Any:
        """Repeat what a service refused."""
        cleaned = super().clean()
        if self.refused is not None:
            known = self.refused.field if self.refused.field in self.fields else None
            self.add_error(known, self.refused.reason)
        return cleaned


class NewAccountForm(AddressesForm):
    """Somebody new. Nobody sets a password: a recovery is sent instead."""

    invite = forms.BooleanField(
        label=_("Send an invitation"),
        required=False,
        initial=True,
        help_text=_("A recovery goes to the e-mail address: a link to choose a password by."),
    )


class AccountForm(AddressesForm):
    """Somebody who is there."""

    labels = LabelsField(
        label=_("Labels"),
        required=False,
        help_text=_("Separated by blanks; each of letters and digits, at most 36."),
    )
    prefs = PrefsField(
        label=_("Preferences"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField", "spellcheck": "false"}),
        help_text=_("A JSON object, which the person's apps write."),
    )

    class Meta(AddressesForm.Meta):
        fields = [*AddressesForm.Meta.fields, "labels", "prefs", "mfa_enabled", "impersonator"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What was shown comes back with the form: what the person has changed in the meantime is
        # not what staff have changed. A form of somebody's own making may lack it.
        for name, field in self.fields.items():
            is_told = self.add_initial_prefix(name) in self.data
            field.show_hidden_initial = is_told or not self.is_bound

    def clean(self) -> Any:
        """Refuse half a form, which would empty the other half."""
        cleaned = super().clean()
        for name, field in self.fields.items():
            if field.widget.value_omitted_from_data(self.data, self.files, self.add_prefix(name)):
                self.add_error(name, field.error_messages["required"])
        return cleaned


# How each field is written, in this order.
_UPDATES: Mapping[str, Callable[[Account, Any], None]] = {
    "name": lambda account, name: profile.update_name(account=account, name=name),
    "email": lambda account, email: services.update_email(account=account, email=email),
    "phone": lambda account, phone: services.update_phone(account=account, phone=phone),
    "labels": lambda account, labels: services.update_labels(account=account, labels=labels),
    "prefs": lambda account, prefs: profile.update_prefs(account=account, prefs=prefs),
    "mfa_enabled": lambda account, mfa: services.update_mfa(account=account, mfa=mfa),
    "impersonator": lambda account, may: services.update_impersonator(
        account=account, impersonator=may
    ),
}


def write(account: Account, values: Mapping[str, Any]) -> None:
    """Write what has changed, by the service that each field has. Call it in a transaction.

    Args:
        account: as it is stored.
        values: by field.

    Raises:
        Refused: a service did.
    """
    for field, update in _UPDATES.items():
        if field in values and values[field] != getattr(account, field):
            try:
                update(account, values[field])
            except AccountError as refusal:
                raise Refused(field, reason_of(refusal)) from refusal
