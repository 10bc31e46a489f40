"""Which web hosts and app schemes belong to the project (transport.md §12)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django_account.conf import conf

# Their hosts are compared; those of other schemes are app ids, and the scheme itself is.
WEB_SCHEMES = frozenset(
    {
        "http",
        "https",
        "chrome-extension",
        "moz-extension",
        "safari-web-extension",
        "ms-browser-extension",
        "tauri",
    }
)

# A scheme, a host of plain ASCII that ends where path, query or fragment begins, and no blanks or
# controls anywhere. User info, backslashes and other scripts in the host are refused: of each, some
# browser or library reads another host than we do.
_PLAIN_URL = re.compile(
    r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9._-]*)(?::[0-9]*)?(?=[/?#]|\Z)"
    r"[^\s\x00-\x1f\x7f]*\Z",
    re.ASCII,
)

_LOOPBACK = {"127.0.0.1", "::1"}


def is_allowed_url(url: str, request_host: str = "") -> bool:
    """Whether an origin or redirect URL leads to the project's own pages and apps.

    Args:
        url: with its scheme; port, path and query are free.
        request_host: the API's own host name, which is always allowed.
    """
    found = _PLAIN_URL.match(url.lower())
    if found is None:
        return False
    scheme, host = found.group(1), found.group(2).strip("[]")
    if scheme in WEB_SCHEMES:
        return bool(host) and (host == request_host or is_allowed_host(host))
    if scheme in ("exp", f"appwrite-callback-{conf.project_id}".lower()):
        return True
    return any(_is_app(entry.lower(), scheme, host) for entry in conf.platforms)


def is_allowed_host(host: str) -> bool:
    """Whether a lower-case host name matches a platform's pattern."""
    patterns = [_host_pattern(entry) for entry in conf.platforms]
    if host in _LOOPBACK and "localhost" in patterns:
        return True
    return any(
        host.endswith(pattern[1:]) if pattern[0] == "*" else host == pattern
        for pattern in patterns
        if pattern
    )


def _host_pattern(entry: str) -> str:
    """A platform's host: people also write it with a scheme and a port."""
    entry = entry.strip().lower()
    return (urlsplit(entry).hostname or "") if "://" in entry else entry


def _is_app(entry: str, scheme: str, host: str) -> bool:
    """Whether a platform names an app's scheme, alone or with the app's id."""
    wanted, separator, app = entry.partition("://")
    return wanted == scheme and (not separator or not app or app == host)
