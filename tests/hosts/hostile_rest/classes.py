"""What a host may set for its own Django REST framework views; each would break ours."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAcceptable, Throttled
from rest_framework.metadata import BaseMetadata
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.throttling import BaseThrottle
from rest_framework.versioning import AcceptHeaderVersioning


def camelized(value: Any) -> Any:
    """Rename the keys of a document, as djangorestframework-camel-case does."""
    if isinstance(value, dict):
        return {
            "".join(
                part.title() if place else part for place, part in enumerate(key.split("_"))
            ).upper(): camelized(item)
            for key, item in value.items()
        }
    return [camelized(item) for item in value] if isinstance(value, list) else value


class CamelRenderer(BaseRenderer):
    media_type = "application/camel+json"
    format = "camel"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return json.dumps({"hostile": camelized(data)}).encode()


class CamelParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> Any:
        return camelized(json.load(stream))


class Refusing(BaseParser):
    media_type = "*/*"

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotAcceptable


class NobodyAuthentication(BaseAuthentication):
    def authenticate(self, request: Any) -> NoReturn:
        raise AuthenticationFailed

    def authenticate_header(self, request: Any) -> str:
        return "Hostile"


class Nobody(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return False


class Never(BaseThrottle):
    def allow_request(self, request: Any, view: Any) -> bool:
        raise Throttled


class OnePerPage(PageNumberPagination):
    page_size = 1


class NoAgreement(BaseContentNegotiation):
    def select_parser(self, request: Any, parsers: Any) -> None:
        return None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> NoReturn:
        raise NotAcceptable


class VersionRequired(AcceptHeaderVersioning):
    def determine_version(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotAcceptable


class NoMetadata(BaseMetadata):
    def determine_metadata(self, request: Any, view: Any) -> NoReturn:
        raise NotAcceptable


def exception_handler(error: Exception, context: Any) -> NoReturn:
    raise RuntimeError("the host's own handler was asked")
