"""Tags for the site's own templates."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from django_account.api.acting import banner

register = template.Library()


@register.simple_tag(takes_context=True)
def acting_banner(context: dict[str, Any]) -> SafeString:
    """The banner that tells a member of staff whom they act as; nothing for anybody else.

    For sites that place it themselves, instead of ``ImpersonationMiddleware``. It needs ``request``
    in the context.
    """
    request = context.get("request")
    return banner(request) if request is not None else SafeString()
