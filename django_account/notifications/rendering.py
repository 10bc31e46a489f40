"""A message in words: templates and their variables, in the language that it asks for.

A site overrides a template the Django way, for all languages or for one:
``django_account/email/recovery/body.html``, or ``body.de.html`` beside it. The variables are those
of core.md §10.2, and ``expires_in``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from math import ceil
from typing import Any

from django.conf import settings
from django.template import TemplateDoesNotExist
from django.template.backends.django import DjangoTemplates
from django.template.loader import select_template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import (
    get_language,
    get_language_bidi,
    get_supported_language_variant,
    npgettext,
    override,
    pgettext,
)

from django_account.conf import conf
from django_account.core.clients import UNKNOWN_USER_AGENT
from django_account.core.messages import Message

UNKNOWN = "UNKNOWN"

# What a person or a client calls itself is shown up to this length.
MAX_NAME = 64

# What mail programs turn into a link: a scheme, or a domain's end; not Node.js.
_LINK = re.compile(r"://|\bwww\.|[\w-]\.(?!js\b)[^\W\d_]{2,}", re.IGNORECASE)

# Characters that turn the direction of the text after them.
_BIDI_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A rendered e-mail: its subject on one line, its text and its HTML."""

    subject: str
    text: str
    html: str


def render_email(message: Message) -> Mail:
    """Write an e-mail.

    Raises:
        TemplateDoesNotExist: there are no texts for messages of this kind.
    """
    folder = f"django_account/email/{message.kind}"
    with _language(message.locale):
        values = _variables(message)
        values["heading"] = subject = " ".join(
            _render(f"{folder}/subject", "txt", _as_safe(values)).split()
        )
        return Mail(
            subject=subject,
            text=_tidy(_render(f"{folder}/body", "txt", _as_safe(values))),
            html=_render(f"{folder}/body", "html", values),
        )


def sms_text(message: Message) -> str:
    """Write an SMS: just the code, unless the site has another template."""
    with _language(message.locale):
        values = _as_safe(_variables(message))
        return _render("django_account/sms/verification", "txt", values).strip()


def presentable(text: str) -> str:
    """What somebody calls themselves, fit for a mail to somebody else.

    Anyone can sign up with another's address and a name of their choice, so that a name must
    neither advertise nor disguise anything.

    Returns:
        the text on one line, without control characters, of a name's length; ``""`` when a mail
        program would make a link of it.
    """
    kept = (
        "" if char in _BIDI_CONTROLS else " " if unicodedata.category(char) == "Cc" else char
        for char in text
    )
    line = " ".join("".join(kept).split())
    return "" if _LINK.search(line) else line[:MAX_NAME].strip()


def duration(span: timedelta) -> str:
    """What is left of a token's life in words of the language, in the case "expires in" takes.

    Rounded up to a minute, give or take the seconds between the token and the message; in the
    largest unit that does not promise more.
    """
    minutes = max(1, ceil((span.total_seconds() - 5) / 60))
    days, hours = minutes // 1440, minutes // 60
    if minutes % 1440 == 0 or days >= 3:
        text = npgettext("expires in", "%(count)d day", "%(count)d days", days)
        return text % {"count": days}
    if minutes % 60 == 0 or hours >= 3:
        text = npgettext("expires in", "%(count)d hour", "%(count)d hours", hours)
        return text % {"count": hours}
    text = npgettext("expires in", "%(count)d minute", "%(count)d minutes", minutes)
    return text % {"count": minutes}


def _variables(message: Message) -> dict[str, str]:
    """What every template gets. Only strings, which no setting of the site formats its way."""
    client = message.client.details
    asked_at = _in_utc(message.requested_at)
    product = f"{client.device_brand} {client.device_model}".strip() or client.device_name
    user_agent = message.client.user_agent
    device = client.client_name or ("" if user_agent == UNKNOWN_USER_AGENT else user_agent)
    return {
        "language": get_language() or "en",
        "direction": "rtl" if get_language_bidi() else "ltr",
        "user": presentable(message.name),
        "project": conf.project_name,
        "team": "",
        "redirect": message.link,
        "otp": message.code,
        "phrase": message.phrase,
        # Not from when it was asked for: a mail server that was down takes part of the time away.
        "expires_in": duration(message.expires_at - timezone.now()),
        "agentClient": presentable(client.client_name) or UNKNOWN,
        "agentOs": presentable(client.os_name) or UNKNOWN,
        "agentDevice": presentable(product) or UNKNOWN,
        "device": presentable(device) or UNKNOWN,
        "ipAddress": message.client.ip or UNKNOWN,
        "country": message.country or pgettext("country", "Unknown"),
        "date": date_format(asked_at, "DATE_FORMAT"),
        "time": f"{asked_at:%H:%M}",
        "year": str(asked_at.year),
    }


def _in_utc(moment: datetime) -> datetime:
    aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    return aware.astimezone(UTC)


def _as_safe(values: dict[str, str]) -> dict[str, Any]:
    """The same for a text template, in which nothing is to be escaped."""
    return {name: SafeString(value) for name, value in values.items()}


def _tidy(text: str) -> str:
    """Without the blank lines that template tags leave behind."""
    return re.sub(r"\s*\n\s*\n\s*", "\n\n", text).strip() + "\n"


@contextmanager
def _language(locale: str) -> Iterator[None]:
    """Speak the language of a locale, as far as there are texts in it.

    A language without texts gets those that Django falls back to, the site's own or English; dates
    and direction then follow the texts.
    """
    try:
        asked = get_supported_language_variant(locale.lower().replace("_", "-"))
    except LookupError:
        asked = settings.LANGUAGE_CODE
    with override(asked):
        # Translators: the code of your language, such as "de" or "zh-hans".
        spoken = pgettext("language of these texts", "en")
    same = asked.partition("-")[0] == spoken.partition("-")[0]
    with override(asked if same else spoken):
        yield


def _render(name: str, extension: str, values: dict[str, Any]) -> str:
    """Render the most special template that there is: of a variant, of a language, of all."""
    language = values["language"]
    tags = (f".{language}", f".{language.partition('-')[0]}", "")
    try:
        template: Any = select_template([f"{name}{tag}.{extension}" for tag in tags])
    except TemplateDoesNotExist:
        # A site that is an API only may have set up no templates, or not for apps.
        template = _own_templates().get_template(f"{name}.{extension}")
    return str(template.render(values))


@cache
def _own_templates() -> DjangoTemplates:
    return DjangoTemplates({"NAME": "django_account", "DIRS": [], "APP_DIRS": True, "OPTIONS": {}})
