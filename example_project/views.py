"""The demo page, and the inbox of what the site has sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from example_project import npm
from example_project.models import Message

# What the page is written in; everybody else reads English.
LANGUAGES = {"en": "English", "de": "Deutsch", "ar": "العربية"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail brings its own styles, and nothing else is let in or out but its links.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)

View = Callable[..., HttpResponse]


def page(view: View) -> View:
    """A page in one of LANGUAGES, under a strict content policy."""

    @wraps(view)
    @require_safe
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        language = translation.get_language_from_request(request).partition("-")[0]
        with translation.override(language if language in LANGUAGES else "en"):
            response = view(request, *args, **kwargs)
        response.setdefault("Content-Security-Policy", POLICY)
        add_never_cache_headers(response)
        return response

    return answer


def in_development(view: View) -> View:
    """404 unless DEBUG is on."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEBUG:
            raise Http404
        return view(request, *args, **kwargs)

    return answer


@page
def demo(request: HttpRequest) -> HttpResponse:
    """The page with every flow."""
    return render(request, "example_project/demo.html", {**common(), "ready": npm.is_ready()})


@in_development
@page
def inbox(request: HttpRequest) -> HttpResponse:
    """All messages that are kept."""
    context = {**common(), "messages": Message.objects.all(), "whole": True}
    return render(request, "example_project/inbox.html", context)


@in_development
@page
def inbox_latest(request: HttpRequest) -> HttpResponse:
    """The newest messages, for the panel beside the flows."""
    context = {"messages": Message.objects.all()[:5]}
    return render(request, "example_project/messages.html", context)


@in_development
@page
def inbox_html(request: HttpRequest, pk: int) -> HttpResponse:
    """A mail as its recipient sees it, for a frame."""
    response = HttpResponse(get_object_or_404(Message, pk=pk).html)
    response["Content-Security-Policy"] = MAIL_POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def common() -> dict[str, Any]:
    """What every page shows."""
    return {
        "debug": settings.DEBUG,
        "languages": LANGUAGES,
        "project_id": settings.DJANGO_ACCOUNT["PROJECT_ID"],
        "providers": " ".join(settings.DJANGO_ACCOUNT.get("OAUTH2_PROVIDERS", {})),
    }
