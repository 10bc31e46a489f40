"""A client that speaks as the SDKs do: JSON bodies, a project header, credentials by choice."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.test.client import encode_multipart  # noqa: F401, for tests of forms

PASSWORD = "correct horse"


class ApiClient:
    """Calls the API under ``/v1``. Cookies are kept as a browser keeps them.

    Args:
        session: a credential sent as ``X-Appwrite-Session``.
        jwt: sent as ``X-Appwrite-JWT``.
        key: sent as ``X-Appwrite-Key``.
        project: sent as ``X-Appwrite-Project``; None for no header.
        headers: more headers.
    """

    def __init__(
        self,
        *,
        session: str | None = None,
        jwt: str | None = None,
        key: str | None = None,
        project: str | None = "demo",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.http = Client(raise_request_exception=False)
        sent = {
            "X-Appwrite-Project": project,
            "X-Appwrite-Session": session,
            "X-Appwrite-JWT": jwt,
            "X-Appwrite-Key": key,
        }
        self.headers = {name: value for name, value in sent.items() if value is not None}
        self.headers |= headers or {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request.

        Args:
            path: under ``/v1``.
            body: JSON-encoded unless it is bytes; a GET has none.
            headers: as keyword arguments, with underscores for hyphens.
        """
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if method in ("GET", "HEAD", "OPTIONS"):
            return self.http.generic(method, f"/v1{path}", headers=sent)
        content_type = sent.pop("Content-Type", "application/json")
        data = body if isinstance(body, bytes) else json.dumps({} if body is None else body)
        return self.http.generic(method, f"/v1{path}", data, content_type, headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("DELETE", path, body, **headers)

    # --- flows that many tests begin with ---

    def sign_up(self, email: str = "ada@example.org", **body: Any) -> dict[str, Any]:
        """Register; the answer's body."""
        given = {"userId": "unique()", "email": email, "password": PASSWORD, **body}
        response = self.post("/account", given)
        assert response.status_code == 201, response.content
        return response.json()

    def sign_in(self, email: str = "ada@example.org", password: str = PASSWORD) -> dict[str, Any]:
        """Sign in; the answer's body. From here on the client has the cookies."""
        response = self.post("/account/sessions/email", {"email": email, "password": password})
        assert response.status_code == 201, response.content
        return response.json()

    @property
    def credential(self) -> str:
        """The session credential in the cookie jar, as ``X-Appwrite-Session`` takes it."""
        from urllib.parse import unquote

        return unquote(self.http.cookies["a_session_demo"].value)


def assert_error(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that a response is the error envelope for a type; returns the body."""
    assert response.status_code == status, response.content
    body = response.json()
    assert list(body) == ["message", "code", "type", "version"]
    assert (body["code"], body["type"]) == (status, code), body
    return body
