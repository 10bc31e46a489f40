"""Pages of our own among those of Django's admin."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from django_account.admin.base import ReadOnlyAdmin


class PageAdmin(ReadOnlyAdmin):
    """One page to look at, in the place of a model's list: so it is in the app's box and in the
    sidebar, with the permission to view that model."""

    template: str

    def get_urls(self) -> list[URLPattern]:
        """The list's address alone: there is nothing to add or to change."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [path("", self.admin_site.admin_view(self.changelist_view), name=name)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page.

        Raises:
            PermissionDenied: the member of staff may not.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            **self.context(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.template, context)

    def context(self, request: HttpRequest) -> dict[str, Any]:
        """What the template shows."""
        raise NotImplementedError
