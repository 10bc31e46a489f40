"""The OpenAPI description of the API, drawn from what each endpoint declares.

It needs the ``openapi`` extra (drf-spectacular).
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework.fields import BooleanField, ListField

from django_account.api.queries import QueriesParam
from django_account.api.serializers.documents import ErrorSerializer


class AccountSchema(AutoSchema):
    """Reads an action's :class:`~django_account.api.views.Endpoint`."""

    def is_excluded(self) -> bool:
        """What is no endpoint is not described."""
        return not hasattr(self._action, "endpoint")

    @property
    def _action(self) -> Any:
        return getattr(self.view, self.view.action or "", None)

    @property
    def _spec(self) -> Any:
        return self._action.endpoint

    def get_operation_id(self) -> str:
        """The SDKs' method name; at an old path, with that path behind it."""
        name: str = self.view.action
        if self._spec.service == "users":
            return f"users_{name}"
        return f"{name}_at{self._tail.replace('/', '_')}" if self._is_alias else name

    def is_deprecated(self) -> bool:
        """Old paths work for as long as old SDKs call them."""
        return self._is_alias

    @property
    def _tail(self) -> str:
        return str(self.path).rpartition("/account")[2]

    @property
    def _is_alias(self) -> bool:
        old = ("/jwt", "/verification", "/verification/phone", "/mfa/challenge")
        return self._tail in old or (
            self.method == "POST"
            and self._tail in ("/sessions", "/sessions/magic-url", "/sessions/phone")
        )

    def get_tags(self) -> list[str]:
        """One tag for each service."""
        return ["users" if self._spec.service == "users" else "account"]

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Credentials are described in the documentation: DRF's authentication is not ours."""
        return []

    def get_request_serializer(self) -> Any:
        """The parameters of a body."""
        spec = self._spec
        if spec.params is None or self.method == "GET" or self._only_path(spec):
            return None
        in_path = set(self._path_names())
        if in_path.isdisjoint(spec.params.fields):
            return type(spec.params)
        in_body = {
            name: field
            for name, field in type(spec.params)._declared_fields.items()
            if name not in in_path
        }
        return inline_serializer(type(spec.params).__name__, in_body)

    def get_override_parameters(self) -> list[OpenApiParameter]:
        """The parameters of a path or query string."""
        spec = self._spec
        in_path = self._path_names()
        found = [
            OpenApiParameter(name, str, OpenApiParameter.PATH, required=True) for name in in_path
        ]
        if self.method == "GET" and spec.params is not None:
            found += [
                OpenApiParameter(name, _query_type(field), required=field.required)
                for name, field in spec.params.fields.items()
                if name not in in_path
            ]
        return found

    def _path_names(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    def _only_path(self, spec: Any) -> bool:
        return set(spec.params.fields) <= set(self._path_names())

    def get_response_serializers(self) -> Any:
        """A success, and the one shape of every error."""
        spec = self._spec
        return {
            spec.status: spec.answers or OpenApiResponse(description="No body."),
            "4XX": ErrorSerializer,
            "5XX": ErrorSerializer,
        }


def _query_type(field: Any) -> Any:
    """What a parameter of a query string looks like."""
    if isinstance(field, QueriesParam | ListField):
        return {"type": "array", "items": {"type": "string"}}
    return bool if isinstance(field, BooleanField) else str
