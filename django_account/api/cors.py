"""CORS, and the origin check that stands in for CSRF tokens (transport.md §12)."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from publicsuffixlist import PublicSuffixList

from django_account.api.platforms import is_allowed_url
from django_account.exceptions import UnknownOrigin

_ALLOW_HEADERS = (
    "Accept, Origin, Cookie, Set-Cookie, Content-Type, Content-Range, X-Appwrite-Project,"
    " X-Appwrite-Key, X-Appwrite-Dev-Key, X-Appwrite-Locale, X-Appwrite-Mode, X-Appwrite-JWT,"
    " X-Appwrite-Organization, X-Appwrite-Response-Format, X-Appwrite-Timeout, X-Appwrite-ID,"
    " X-Appwrite-Timestamp, X-Appwrite-Session, X-Appwrite-Platform,"
    " X-Appwrite-Impersonate-User-Id, X-Appwrite-Impersonate-User-Email,"
    " X-Appwrite-Impersonate-User-Phone, X-SDK-Version, X-SDK-Name, X-SDK-Language,"
    " X-SDK-Platform, X-SDK-GraphQL, X-SDK-Profile, Range, Cache-Control, Expires, Pragma,"
    " X-Fallback-Cookies, X-Requested-With, X-Forwarded-For, X-Forwarded-User-Agent, Authorization"
)

_HEADERS = (
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Max-Age", "86400"),
    ("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"),
    (
        "Access-Control-Expose-Headers",
        "X-Appwrite-Session, X-Fallback-Cookies, X-RateLimit-Limit, X-RateLimit-Remaining,"
        " X-RateLimit-Reset, Retry-After",
    ),
    ("Access-Control-Allow-Headers", _ALLOW_HEADERS),
    # Who asks decides what the answer is, and who may read it.
    (
        "Vary",
        "Origin, Cookie, X-Appwrite-Session, X-Appwrite-JWT, X-Appwrite-Key, X-Fallback-Cookies",
    ),
)


def request_host(request: HttpRequest) -> str:
    """The host name the request was sent to, without its port, in lower case."""
    return (urlsplit(f"//{request.get_host()}").hostname or "").lower()


def check_origin(request: HttpRequest) -> None:
    """Refuse a request that a foreign page sends with a person's cookies.

    Raises:
        UnknownOrigin: the ``Origin`` header names no platform of the project.
    """
    origin = request.headers.get("Origin", "").strip()
    if origin and not is_allowed_url(origin, request_host(request)):
        raise UnknownOrigin(origin[:200])


def add_cors_headers(request: HttpRequest, response: HttpResponse, *, preflight: bool) -> None:
    """Tell the browser who may read the answer: the caller's origin if it is allowed, never ``*``.

    Args:
        preflight: an OPTIONS request, to which every origin gets a yes; the request that follows is
            checked.
    """
    for name, value in _HEADERS:
        response.headers[name] = value
    origin = request.headers.get("Origin", "").strip().lower()
    if origin and (preflight or is_allowed_url(origin, request_host(request))):
        response["Access-Control-Allow-Origin"] = origin


def is_same_site(request: HttpRequest) -> bool:
    """Whether the calling page shares the API's registrable domain, so that cookies reach it.

    Never on localhost or an IP address, nor without ``Origin`` and ``Referer`` (core.md §4.4).
    """
    page = request.headers.get("Origin") or request.headers.get("Referer") or ""
    try:
        page_host = urlsplit(page).hostname or ""
    except ValueError:
        return False
    domain = _registrable_domain(page_host)
    return domain is not None and domain == _registrable_domain(request_host(request))


def _registrable_domain(host: str) -> str | None:
    domain: str | None = _public_suffixes().privatesuffix(host)
    return domain


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)
