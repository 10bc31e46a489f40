"""Output models described for the OpenAPI schema; the documents themselves are plain functions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


def document(name: str, fields: dict[str, serializers.Field[Any, Any, Any, Any]]) -> Any:
    """A serializer class for an output model, whose keys (``$id``) need not be Python names."""
    return type(f"{name}Serializer", (serializers.Serializer,), {**fields, "__doc__": None})


def text(**kwargs: Any) -> serializers.CharField:
    """A string that is never null; empty when unset."""
    return serializers.CharField(allow_blank=True, **kwargs)


def moment() -> serializers.CharField:
    """A date of the wire, which may be empty: so no date-time format."""
    return serializers.CharField(allow_blank=True, help_text="UTC, with milliseconds; or empty.")


def flag(**kwargs: Any) -> serializers.BooleanField:
    """A boolean."""
    return serializers.BooleanField(**kwargs)


ErrorSerializer = document(
    "Error",
    {
        "message": serializers.CharField(),
        "code": serializers.IntegerField(),
        "type": serializers.CharField(),
        "version": serializers.CharField(),
    },
)
