"""The far side of a sign-in: one local server that plays every provider.

Calls to ``https://host/path`` reach it as ``/host/path`` (:func:`conftest.far_side` turns them
round at the one place where calls leave the package). What it answers is a table, so that a test
says in one line what its provider does wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


@cache
def rsa_key(name: str = "first") -> rsa.RSAPrivateKey:
    """A signing key; another name, another key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(name: str = "first") -> dict[str, Any]:
    """Its public half, as a key set lists it."""
    numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key()))
    return {**numbers, "kid": name, "use": "sig", "alg": "RS256"}


@cache
def ec_pem() -> str:
    """A private key such as Apple gives out."""
    return pem_of(ec.generate_private_key(ec.SECP256R1()))


def pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    """A private key as text."""
    form = serialization.PrivateFormat.PKCS8
    nothing = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, nothing).decode()


def ec_jwk() -> dict[str, Any]:
    """Its public half, as Resend lists its own."""
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    public = algorithm.prepare_key(ec_pem()).public_key()
    return {**algorithm.to_jwk(public, as_dict=True), "kid": "oauth_key", "alg": "ES256"}


def sign(claims: dict[str, Any], *, key: str = "first", kid: str | None = None) -> str:
    """An ID token."""
    return jwt.encode(claims, rsa_key(key), algorithm="RS256", headers={"kid": kid or key})


@dataclass
class Call:
    """One call that reached the far side."""

    method: str
    url: str
    headers: dict[str, str]
    query: dict[str, str]
    body: str

    @property
    def form(self) -> dict[str, str]:
        """The body's fields, of a form or of JSON."""
        if self.headers.get("content-type", "").startswith("application/json"):
            return dict(json.loads(self.body))
        return dict(parse_qsl(self.body))

    @property
    def basic(self) -> str:
        """``id:secret`` of HTTP's Basic authentication; empty for none."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        return base64.b64decode(value).decode() if kind == "Basic" else ""


@dataclass
class Reply:
    """What is answered."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    # Seconds between the pieces of the body, which is then sent byte by byte.
    trickle: float = 0.0

    @property
    def raw(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()


Answerer = Callable[[Call], Reply]


class FarSide:
    """The server. ``says[url]`` is what it answers there: a document, a Reply or a function."""

    def __init__(self) -> None:
        self.says: dict[str, Any] = {}
        self.calls: list[Call] = []

    def called(self, url: str) -> Call:
        """The last call to an address.

        Raises:
            AssertionError: there was none.
        """
        found = [call for call in self.calls if call.url == url]
        assert found, (url, [call.url for call in self.calls])
        return found[-1]

    def answer(self, call: Call) -> Reply:
        if call.url not in self.says:
            return Reply({"error": "not_found"}, 404)
        said = self.says[call.url]
        if callable(said):
            said = said(call)
        return said if isinstance(said, Reply) else Reply(said)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve on a free port while the context lasts."""
        far_side = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                parts = urlsplit(self.path)
                call = Call(
                    self.command,
                    "https:/" + parts.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    dict(parse_qsl(parts.query)),
                    self.rfile.read(length).decode(),
                )
                far_side.calls.append(call)
                reply = far_side.answer(call)
                # A caller hangs up when it has had enough, as it should.
                with suppress(OSError):
                    self.send(reply)

            def send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if not reply.trickle:
                    self.wfile.write(reply.raw)
                    return
                for byte in reply.raw:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(reply.trickle)

            do_GET = do_POST = handle_any  # noqa: N815

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.port: int = server.server_port
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield
            server.shutdown()


class OpenIdProvider:
    """An OpenID provider on the far side, which does everything right until it is told otherwise.

    Attributes:
        claims: of the person, besides what every ID token has.
        userinfo: what it says instead of the claims.
        twist: changes an ID token's claims before they are signed.
        signed_by: the key that signs them.
    """

    def __init__(
        self, far_side: FarSide, issuer: str, *, client_id: str = "client-id", **claims: Any
    ) -> None:
        self.far_side, self.issuer, self.client_id = far_side, issuer.rstrip("/"), client_id
        self.claims: dict[str, Any] = {
            "sub": "subject-1",
            "email": "ada@example.org",
            "email_verified": True,
            "name": "Ada Lovelace",
            **claims,
        }
        self.userinfo: dict[str, Any] | None = None
        self.twist: Callable[[dict[str, Any]], Any] = lambda claims: None
        self.make_token: Callable[[dict[str, Any]], str] = sign
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens = {"refresh-token"}
        self.document = {
            "issuer": issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }
        far_side.says |= {
            f"{self.issuer}/.well-known/openid-configuration": lambda call: self.document,
            f"{self.issuer}/keys": {"keys": [jwk()]},
            f"{self.issuer}/token": self.token,
            f"{self.issuer}/userinfo": self.info,
        }

    def consent(self, location: str) -> dict[str, str]:
        """What the browser brings back once the person has consented on the page at an address."""
        asked = dict(parse_qsl(urlsplit(location).query))
        assert location.startswith(self.document["authorization_endpoint"] + "?"), location
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, call: Call) -> Reply:
        given = call.form
        if given["grant_type"] == "refresh_token":
            if given["refresh_token"] not in self.refresh_tokens:
                return Reply({"error": "invalid_grant"}, 400)
            return Reply({"access_token": "renewed", "expires_in": 7200, "token_type": "Bearer"})
        asked = self.codes.pop(given["code"], None)
        if asked is None:
            return Reply({"error": "invalid_grant"}, 400)
        assert given["redirect_uri"] == asked["redirect_uri"]
        if challenge := asked.get("code_challenge"):
            assert asked["code_challenge_method"] == "S256"
            assert challenge == challenge_of(given["code_verifier"])
        now = int(time.time())
        claims = {
            "iss": self.document["issuer"],
            "aud": self.client_id,
            "iat": now,
            "exp": now + 3600,
            **self.claims,
        }
        if "nonce" in asked:
            claims["nonce"] = asked["nonce"]
        self.twist(claims)
        return Reply(
            {
                "access_token": "access-token",
                "refresh_token": "refresh-token",
                "expires_in": 3600,
                "token_type": "Bearer",
                "id_token": self.make_token(claims),
            }
        )

    def info(self, call: Call) -> Reply:
        assert call.headers["authorization"] == "Bearer access-token"
        return Reply(self.claims if self.userinfo is None else self.userinfo)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier."""
    assert 43 <= len(verifier) <= 128
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
