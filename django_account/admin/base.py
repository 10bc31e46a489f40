"""What our pages in the admin are built on: Django's, or django-unfold's where a site has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps

if TYPE_CHECKING or not apps.is_installed("unfold"):
    from django.contrib.admin import ModelAdmin
else:
    from unfold.admin import ModelAdmin

__all__ = ["ModelAdmin"]
