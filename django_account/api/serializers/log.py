"""The activity log on the wire (mfa-oauth.md §4)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_account.api.fields import BooleanParam, Params
from django_account.api.queries import QueriesParam
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


class LogListInput(Params):
    queries = QueriesParam()
    total = BooleanParam(required=False, default=True)
