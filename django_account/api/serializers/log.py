"""The activity log on the wire (mfa-oauth.md §4)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_account.accounts.models import Account
from django_account.api.fields import BooleanParam, Params
from django_account.api.queries import QueriesParam, Resource, capped_count
from django_account.api.serializers.documents import (
    client_document,
    client_fields,
    document,
    moment,
    text,
)
from django_account.audit.models import LogEntry
from django_account.core.times import iso


def log_document(entry: LogEntry, *, locale: str) -> dict[str, Any]:
    """The 22 keys of an entry; it has no id.

    Args:
        locale: the language of the country's name.
    """
    return {
        "event": entry.title,
        "userId": entry.user_id,
        "userEmail": entry.user_email,
        "userName": entry.user_name,
        "mode": entry.mode,
        "userType": entry.user_type,
        "ip": entry.ip,
        "time": iso(entry.at),
        **client_document(entry.client_details, entry.country_code, locale),
    }


def log_list(account: Account, asked: dict[str, Any], *, locale: str) -> dict[str, Any]:
    """A page of an account's entries, newest first.

    Args:
        asked: ``queries`` and ``total``.
    """
    entries, queries = LogEntry.objects.of(account), asked["queries"]
    # In two steps: a page is found in the person's index alone, however far down it is. Asked for
    # whole rows, PostgreSQL may rather read the log backwards until it has met enough of theirs,
    # which takes long for somebody who was busy once and is quiet now.
    page = list(queries.cut(entries.values_list("pk", flat=True)))
    found = LogEntry.objects.filter(pk__in=page).order_by("-pk")
    return {
        "total": capped_count(entries) if asked["total"] else 0,
        "logs": [log_document(entry, locale=locale) for entry in found],
    }


LogSerializer = document(
    "Log",
    {
        "event": text(),
        "userId": text(),
        "userEmail": text(),
        "userName": text(),
        "mode": text(),
        "userType": text(),
        "ip": text(),
        "time": moment(),
        **client_fields(),
    },
)

LogListSerializer = document(
    "LogList",
    {"total": serializers.IntegerField(), "logs": LogSerializer(many=True)},
)


# By limit and offset only.
LOGS = Resource("Log")


class LogListInput(Params):
    queries = QueriesParam(LOGS)
    total = BooleanParam(required=False, default=True)
