"""API keys in the admin: made here, shown once, revoked by deleting."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from django_account.admin.base import ModelAdmin
from django_account.api_keys.models import GRANTABLE_SCOPES, ApiKey
from django_account.api_keys.services import IssuedApiKey, create_api_key


class ApiKeyForm(forms.ModelForm):
    """What staff choose about a key."""

    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=[(scope, scope) for scope in GRANTABLE_SCOPES],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What the key may do. Grant no more than its server needs."),
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "expires_at"]
        labels = {"name": _("Name"), "expires_at": _("Expiry")}


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """The secret appears on the page that answers the form, and nowhere ever again.

    It goes neither through a redirect nor through the messages framework, which would write it into
    a cookie or the session table.
    """

    form = ApiKeyForm
    list_display = ["name", "scope_list", "created_at", "expires_at", "accessed_at", "is_usable"]
    list_filter = ["expires_at"]
    search_fields = ["name"]
    ordering = ["-created_at"]
    readonly_fields = ["created_at", "accessed_at"]
    issued_template = "admin/django_account/apikey/issued.html"

    @admin.display(description=_("scopes"))
    def scope_list(self, api_key: ApiKey) -> str:
        return ", ".join(api_key.scopes)

    @admin.display(description=_("usable"), boolean=True)
    def is_usable(self, api_key: ApiKey) -> bool:
        return not api_key.is_expired

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        """A key in the making was neither created nor used yet."""
        return self.readonly_fields if obj is not None else []

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Make a new key by the service, which alone knows how; save changes as ever."""
        if change:
            super().save_model(request, obj, form, change)
            return
        issued = create_api_key(name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at)
        obj.pk, obj.secret_digest = issued.api_key.pk, issued.api_key.secret_digest
        obj._state.adding = False
        request.issued_api_key = issued  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the secret instead of redirecting."""
        issued: IssuedApiKey = request.issued_api_key  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("API key created"),
            "opts": self.opts,
            "api_key": obj,
            "secret": issued.secret,
            "now": timezone.now(),
        }
        return TemplateResponse(request, self.issued_template, context)
