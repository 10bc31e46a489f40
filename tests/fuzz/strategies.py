"""Requests as a hostile or broken client makes them, built from the routes that there are."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from django.urls import URLPattern
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from django_account.api.urls import urlpatterns
from tests.client import PASSWORD

# More for a longer search: FUZZ_EXAMPLES=5000.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def examples(usual: int, *, shrink: bool = True) -> settings:
    """The same examples each time, as many as a usual run can afford.

    Args:
        shrink: look for a simpler failure; no help where one example is hundreds of requests.
    """
    return settings(
        max_examples=EXAMPLES or usual,
        derandomize=not EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, *[Phase.shrink] * shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")


def endpoints() -> Iterable[tuple[str, str, Any]]:
    """Every route and method that the API declares, with what its endpoint asks."""
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        for method, action in getattr(pattern.callback, "actions", {}).items():
            endpoint = getattr(pattern.callback.cls, action).endpoint  # type: ignore[union-attr]
            yield str(pattern.pattern), method.upper(), endpoint


ROUTES = sorted({route for route, _, _ in endpoints()})
DECLARED = {(route, method): endpoint for route, method, endpoint in endpoints()}
NAMES = sorted(
    {name for endpoint in DECLARED.values() if endpoint.params for name in endpoint.params.fields}
    | {"project", "mode", "_method", ""}
)

texts = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(codec=None), max_size=10),
    st.sampled_from(
        [
            *(
                "",
                " ",
                "\x00",
                "\ud800",
                "\u202e",
                "current",
                "unique()",
                "me",
                "null",
                "undefined",
            ),
            *("ada@example.org", "ADA@EXAMPLE.ORG", "new@example.org", "a" * 300 + "@example.org"),
            *(PASSWORD, "x" * 8, "x" * 257, "+14155550100", "+1", "900", "0", "-1", "1e3", "true"),
            *("../../account", "%00", "%2e%2e", "a\nb", "'; DROP TABLE x", "${7*7}", "{{7*7}}"),
            "\N{GRINNING FACE}" * 100,
        ]
    ),
)

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(min_value=-(2**70), max_value=2**70),
        st.floats(),
        texts,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)

# What a parameter wants, so that a request gets past its first checks now and then.
good = {
    "userId": st.sampled_from(["unique()", "eve", "ada"]),
    "email": st.sampled_from(["ada@example.org", "new@example.org", "other@example.org"]),
    "password": st.sampled_from([PASSWORD, "another horse"]),
    "oldPassword": st.sampled_from([PASSWORD, ""]),
    "name": st.text("abc ä", min_size=1, max_size=20),
    "phone": st.sampled_from(["+14155550100", "+4915112345678"]),
    "prefs": st.dictionaries(st.text(max_size=8), values, max_size=4),
    "duration": st.integers(min_value=1, max_value=3600),
    "status": st.sampled_from([True, False, "0", "1"]),
    "labels": st.lists(st.sampled_from(["vip", "admin", "x" * 36]), max_size=4),
    "number": st.sampled_from(["", "+14155550100"]),
    "impersonator": st.booleans(),
    "emailVerification": st.booleans(),
    "phoneVerification": st.booleans(),
    "mfa": st.booleans(),
    "length": st.integers(min_value=4, max_value=128),
    "expire": st.integers(min_value=60, max_value=900),
    "targetId": st.sampled_from(["unique()", "target"]),
    "providerType": st.sampled_from(["email", "SMS", "push"]),
    "identifier": st.sampled_from(["new@example.org", "+14155550100", "token"]),
    "passwordVersion": st.sampled_from(["sha1", "SHA3-512", ""]),
    "passwordCpu": st.sampled_from([16, "32", 2**30]),
    "passwordMemory": st.sampled_from([1, 8, 2**30]),
    "passwordParallel": st.sampled_from([1, 2, 2**30]),
    "passwordLength": st.sampled_from([16, 64, 2**30]),
    "passwordSalt": st.sampled_from(["c2FsdA==", "salt", "ä"]),
    "passwordSaltSeparator": st.sampled_from(["Bw==", "?"]),
    "passwordSignerKey": st.sampled_from(["c2FsdA==", "?"]),
    "total": st.booleans(),
    "current": st.booleans(),
    "factor": st.sampled_from(["totp", "email", "phone", "recoverycode", "custom"]),
    "type": st.just("totp"),
    "challengeId": st.just("CHALLENGE"),
    "otp": st.sampled_from(["123456", "0123456789"]),
}


@st.composite
def params(draw: st.DrawFn, route: str = "", method: str = "") -> dict[str, Any]:
    """Parameters: those of the endpoint mostly, good or bad each, and some of others."""
    declared = DECLARED.get((route, method))
    wanted = list(declared.params.fields) if declared and declared.params else []
    given = {}
    for name in wanted:
        kind = draw(st.sampled_from(["good", "good", "good", "any", "absent"]))
        if kind != "absent":
            given[name] = draw(good.get(name, values) if kind == "good" else values)
    given |= draw(st.dictionaries(st.one_of(st.sampled_from(NAMES), texts), values, max_size=2))
    return given


# Without codecs of Python that are no character sets (rot13, zlib, idna …): on those, Django fails
# to build the request, before any code of a site's runs.
CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/plain",
    "",
    "/",
    ";",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/json; charset=nope",
    "application/json; charset=unicode_escape",
    "application/x-www-form-urlencoded; charset=utf-16",
]


def jsoned(value: Any) -> bytes:
    """JSON as other languages write it too: raw surrogates, NaN."""
    return json.dumps(value).encode()


bodies = st.one_of(
    values.map(jsoned),
    st.binary(max_size=60),
    st.lists(
        st.tuples(
            st.sampled_from(
                [f"{n}{b}" for n in NAMES for b in ("", "[]", "[a]", "[0][b]", "[[", "]")]
            ),
            texts,
        ),
        max_size=5,
    ).map(lambda pairs: urlencode(pairs, errors="surrogatepass").encode()),
    st.sampled_from(
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"NaN",
            b'{"a":1}{"b":2}',
            b'{"email": "a@example.org", "email": 5}',
            b"[" * 5_000,
            b'{"prefs":' * 5_000,
            b'{"duration": ' + b"9" * 5_000 + b"}",
            b'{"duration": 1e999}',
            b"\xff\xfe{\x00}\x00",
            b"\xef\xbb\xbf{}",
            b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nada\r\n--x--\r\n',
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nada\r\n--x--',
            b"--x\r\nContent-Disposition: form-data\r\n\r\n",
            b"a" * 20_000,
        ]
    ),
)

# What a server passes on: Latin-1 without line ends, null bytes and outer blanks.
header_values = st.one_of(
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=60),
    texts.map(lambda text: quote(text, errors="replace")),
    st.sampled_from(
        [
            *(
                "*",
                "null",
                "demo",
                "DEMO",
                "https://localhost",
                "http://localhost:3000",
                "http://[",
            ),
            *("https://evil.example", "exp://x", "javascript:alert(1)", "//", "http://a b/"),
            *("1.2.3.4", "::1", "fe80::1%eth0", "fe80::1%" + "x" * 200, "1.2.3.4:80, [::1]:80"),
            *("e30=", "e30.e30.e30", "standard_x", "standard_" + "0" * 256, "dynamic_x", "deleted"),
            *("{}", "[]", '{"a_session_demo": 1}', '{"a_session_demo": "e30="}', "[" * 3_000),
            *("bytes=0-", "gzip", "de-DE", "application/xml;q=0.9", "100-continue", "text/*"),
            "x" * 3_000,
        ]
    ),
)

# Not "Host": Django's own middleware refuses a bad one before a view is found.
HEADERS = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cookie",
    "Expect",
    "Forwarded",
    "If-Match",
    "If-Modified-Since",
    "Origin",
    "Range",
    "Referer",
    "Transfer-Encoding",
    "User-Agent",
    "X-Appwrite-Dev-Key",
    "X-Appwrite-ID",
    "X-Appwrite-Impersonate-User-Id",
    "X-Appwrite-JWT",
    "X-Appwrite-Key",
    "X-Appwrite-Locale",
    "X-Appwrite-Mode",
    "X-Appwrite-Project",
    "X-Appwrite-Response-Format",
    "X-Appwrite-Session",
    "X-Appwrite-Timestamp",
    "X-Fallback-Cookies",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-User-Agent",
    "X-HTTP-Method-Override",
    "X-Requested-With",
    "X-SDK-Name",
    "X-SDK-Version",
]

headers = st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=4)


@dataclass
class Sent:
    """A request."""

    method: str
    path: str
    caller: str = "guest"
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


CALLERS = [
    *("guest", "session", "cookie", "fallback", "jwt"),
    *("key", "full key", "key and session", "junk"),
]


@st.composite
def paths(draw: st.DrawFn, route: str) -> str:
    """A path to a route, its placeholders filled, sometimes with more slashes."""
    filler = st.one_of(
        st.sampled_from(["current", "SESSION", "OTHER-SESSION", "totp"]), texts.filter(bool)
    )
    provider = st.one_of(st.sampled_from(["github", "oidc", "apple"]), texts.filter(bool))

    def fill(placeholder: re.Match[str]) -> str:
        kind = provider if placeholder.group(1) == "provider" else filler
        return quote(draw(kind), safe="", errors="replace")

    path = PLACEHOLDER.sub(fill, route)
    ends = st.sampled_from(["", "", "", "", "/", "//", "/x", "?", "%0a", ";x", "."])
    return f"/{path}{draw(ends)}"


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """A request of any kind, to a route or beside all of them."""
    route = draw(st.sampled_from(ROUTES))
    method = draw(st.sampled_from([*METHODS, "TRACE", "PROPFIND", "get"]))
    declared = [name for at, name in DECLARED if at == route]
    if draw(st.integers(0, 2)):
        method = draw(st.sampled_from(declared))
    path = draw(paths(route))
    if not draw(st.integers(0, 9)):
        path = "/" + draw(texts.map(lambda text: quote(text, errors="replace")))
    given = draw(params(route, method))
    if draw(st.integers(0, 3)) == 0:
        query = {name: value for name, value in given.items() if isinstance(value, (str, int))}
        path += "?" + urlencode(query, errors="replace")
    body, content_type = jsoned(given), "application/json"
    if draw(st.integers(0, 3)) == 0:
        body, content_type = draw(bodies), draw(st.sampled_from(CONTENT_TYPES))
    return Sent(method, path, draw(st.sampled_from(CALLERS)), body, content_type, draw(headers))
