"""Output models described for the OpenAPI schema; the documents themselves are plain functions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from django_account.core.clients import ClientDetails
from django_account.core.geo import country_name


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


_CLIENT_KEYS = {
    "osCode": "os_code",
    "osName": "os_name",
    "osVersion": "os_version",
    "clientType": "client_type",
    "clientCode": "client_code",
    "clientName": "client_name",
    "clientVersion": "client_version",
    "clientEngine": "client_engine",
    "clientEngineVersion": "client_engine_version",
    "deviceName": "device_name",
    "deviceBrand": "device_brand",
    "deviceModel": "device_model",
}


def client_document(client: ClientDetails, country_code: str, locale: str) -> dict[str, str]:
    """The keys by which sessions and log entries tell the device and the country.

    Args:
        locale: the language of the country's name.
    """
    return {
        **{key: getattr(client, name) for key, name in _CLIENT_KEYS.items()},
        "countryCode": country_code,
        "countryName": country_name(country_code, locale),
    }


def client_fields() -> dict[str, serializers.CharField]:
    """The same, described."""
    return {key: text() for key in (*_CLIENT_KEYS, "countryCode", "countryName")}


ErrorSerializer = document(
    "Error",
    {
        "message": serializers.CharField(),
        "code": serializers.IntegerField(),
        "type": serializers.CharField(),
        "version": serializers.CharField(),
    },
)
