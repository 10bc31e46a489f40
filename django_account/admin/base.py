"""What our pages in the admin are built on: Django's, or django-unfold's where a site has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext

from django_account.texts import FilledText

if TYPE_CHECKING or not apps.is_installed("unfold"):
    from django.contrib.admin import ModelAdmin as SiteModelAdmin
else:
    from unfold.admin import ModelAdmin as SiteModelAdmin


def in_english(text: str | Promise) -> str:
    """A text for Django's admin log, which is in English, whatever language whoever acts reads."""
    with translation.override(None):
        return str(text)


def in_readers_language(text: str) -> str:
    """What a service says, which is in English, for whoever looks at the page; as it is where no
    catalogue has it."""
    if isinstance(text, FilledText):
        return gettext(text.template) % text.values
    return gettext(text)


class ModelAdmin(SiteModelAdmin):
    """Of a model of which not everything is for staff's eyes; with our style sheet, and a history
    in the language of whoever reads it."""

    class Media:
        css = {"all": ["django_account/admin/pages.css"]}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django translates what its own forms have written, and nothing else."""
        response: Any = super().history_view(request, object_id, extra_context)
        for entry in (getattr(response, "context_data", None) or {}).get("action_list", ()):
            if entry.change_message:
                entry.change_message = gettext(entry.change_message)
        return cast(HttpResponse, response)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Whether the address bar may narrow the list by a condition: on what the list or the page
        shows. Django allows every column of the model, and whoever may ask whether a hash begins
        with a letter has it after some more."""
        column = lookup.partition(LOOKUP_SEP)[0]
        is_column = any(field.name == column for field in self.opts.get_fields())
        if is_column and column not in self._shown():
            return False
        # PostgreSQL holds none, and says so by an exception.
        return "\0" not in str(value) and super().lookup_allowed(lookup, value, request)

    def _shown(self) -> set[str]:
        filters = [each[0] if isinstance(each, tuple) else each for each in self.list_filter]
        fields = flatten_fieldsets(self.fieldsets or [(None, {"fields": self.fields or ()})])
        return {each for each in [*self.list_display, *filters, *fields] if isinstance(each, str)}


class ReadOnlyAdmin(ModelAdmin):
    """To be looked at, whoever looks."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
