"""Who is on the other end of a request (core.md §3.4). Proxies alone may forward."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_supported_language_variant

from django_account.conf import conf
from django_account.core.clients import UNKNOWN_USER_AGENT, ClientInfo


def client_ip(request: HttpRequest) -> str:
    """The client's address.

    With TRUSTED_PROXIES = n, the n-th entry of ``X-Forwarded-For`` from the right: what the
    outermost of our own proxies saw. Anything left of it is the client's own word.
    """
    peer = request.META.get("REMOTE_ADDR") or ""
    trusted = conf.trusted_proxies
    forwarded = request.headers.get("X-Forwarded-For", "") if trusted else ""
    entries = [entry.strip() for entry in forwarded.split(",") if entry.strip()]
    if entries:
        return _address(entries[-min(trusted, len(entries))]) or _address(peer)
    return _address(peer)


def is_secure(request: HttpRequest) -> bool:
    """Whether the client speaks HTTPS, to us or to a trusted proxy."""
    if conf.trusted_proxies and (scheme := request.headers.get("X-Forwarded-Proto")):
        return scheme.rpartition(",")[2].strip().lower() == "https"
    return request.is_secure()


def client_info(
    request: HttpRequest, *, forwarded_user_agent: bool = False, asked_locale: object = None
) -> ClientInfo:
    """What a session remembers about its client.

    Args:
        forwarded_user_agent: whether ``X-Forwarded-User-Agent`` counts: for API keys only.
        asked_locale: as for :func:`locale`.
    """
    user_agent = request.headers.get("User-Agent", "")
    if forwarded_user_agent:
        user_agent = request.headers.get("X-Forwarded-User-Agent") or user_agent
    return ClientInfo(
        ip=client_ip(request),
        user_agent=user_agent.replace("\x00", "") or UNKNOWN_USER_AGENT,
        locale=locale(request, asked_locale),
    )


def locale(request: HttpRequest, asked: object = None) -> str:
    """The language that the client asks for; the site's own for one that it does not have.

    It must be one of the site's LANGUAGES, in any spelling that Django knows (transport.md §13.1).

    Args:
        asked: the parameter ``locale``; without one ``X-Appwrite-Locale`` counts.
    """
    named = asked if isinstance(asked, str) else ""
    wanted = named or request.headers.get("X-Appwrite-Locale", "")
    try:
        return get_supported_language_variant(wanted.lower())
    except LookupError:
        return settings.LANGUAGE_CODE


def _address(entry: str) -> str:
    """An IP address, with or without a port; ``""`` for anything else."""
    for candidate in (entry, _host_of(entry)):
        try:
            # Without a zone, which may be of any length and means nothing to anybody else.
            address = ipaddress.ip_address(candidate.partition("%")[0])
        except ValueError:
            continue
        # A server that listens on both kinds of addresses sees IPv4 inside of IPv6.
        return str(getattr(address, "ipv4_mapped", None) or address)
    return ""


def _host_of(entry: str) -> str:
    try:
        return urlsplit(f"//{entry}").hostname or ""
    except ValueError:
        return ""
