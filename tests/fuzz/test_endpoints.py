"""Whatever is sent to the API: no server error, and nothing but documented answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.test import Client, override_settings
from hypothesis import given, note
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from django_account.api.errors import STATUS
from django_account.api_keys.models import GRANTABLE_SCOPES
from django_account.api_keys.services import create_api_key
from django_account.core.clients import ClientInfo
from django_account.mfa.models import Challenge
from django_account.sessions.jwt import create_jwt
from django_account.sessions.services import create_session
from tests.client import PASSWORD, ApiClient
from tests.fuzz.strategies import (
    CALLERS,
    DECLARED,
    METHODS,
    PLACEHOLDER,
    ROUTES,
    Sent,
    bodies,
    examples,
    headers,
    params,
    paths,
    requests,
)

SIGNED_IN = {"session", "cookie", "fallback", "jwt"}


def path_to(route: str) -> str:
    """A path to a route that is about somebody."""
    ids = {"userId": "bob", "sessionId": "OTHER-SESSION"}
    return "/" + PLACEHOLDER.sub(lambda name: ids.get(name[1], "any"), route)


@contextmanager
def undone() -> Iterator[None]:
    """What happens here has not happened afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@override_settings(
    DJANGO_ACCOUNT={
        **settings.DJANGO_ACCOUNT,
        # One to which a sign-in can begin without asking it anything.
        "OAUTH2_PROVIDERS": {"github": {"client_id": "1", "client_secret": "2"}},
    }
)
class FuzzTestCase(TestCase):
    """Ada with two sessions, a JWT and a server's key; and the judge of answers."""

    @classmethod
    def setUpTestData(cls) -> None:
        from django_account.accounts.services import create_account

        account = create_account(account_id="ada", email="ada@example.org", password=PASSWORD)
        create_account(account_id="bob", email="bob@example.org", password=PASSWORD)
        issued, other = (
            create_session(
                account=account, provider="email", factors=["password"], client=ClientInfo()
            )
            for _ in range(2)
        )
        cls.session_ids = {
            "OTHER-SESSION": other.session.public_id,
            "SESSION": issued.session.public_id,
        }
        Challenge.objects.create(
            public_id="CHALLENGE",
            account=account,
            session_public_id=issued.session.public_id,
            factor="recoveryCode",
            expires_at=issued.session.expires_at,
        )
        key = create_api_key(name="fuzz", scopes=["sessions.write"]).secret
        full = create_api_key(name="full", scopes=GRANTABLE_SCOPES).secret
        session = {"X-Appwrite-Session": issued.credential}
        fallback = json.dumps({"a_session_demo": issued.credential})
        cls.credentials = {
            "guest": {},
            "session": session,
            "cookie": {"Cookie": f"a_session_demo={issued.credential.replace('=', '%3D')}"},
            "fallback": {"X-Fallback-Cookies": fallback},
            "jwt": {"X-Appwrite-JWT": create_jwt(issued.session)},
            "key": {"X-Appwrite-Key": key},
            "full key": {"X-Appwrite-Key": full},
            "key and session": {"X-Appwrite-Key": key, **session},
            "junk": {
                "X-Appwrite-Session": issued.credential + "xx",
                "X-Appwrite-Key": "standard_" + "0" * 256,
            },
        }
        assert set(cls.credentials) == set(CALLERS)
        cls.http = Client(raise_request_exception=False)

    def send(self, sent: Sent) -> Any:
        """Send a request and judge the answer."""
        path = sent.path
        for name, public_id in self.session_ids.items():
            path = path.replace(name, public_id)
        given = {"X-Appwrite-Project": "demo", **sent.headers, **self.credentials[sent.caller]}
        self.http.cookies.clear()
        response = self.http.generic(
            sent.method, f"/v1{path}", sent.body, sent.content_type, headers=given
        )
        note(f"{sent} -> {response.status_code} {response.content[:200]!r}")
        self.judge(sent, response)
        return response

    def judge(self, sent: Sent, response: Any) -> None:
        """Hold an answer against what every answer keeps."""
        told = f"{sent} -> {response.status_code} {response.content[:300]!r}"
        status, content_type = response.status_code, response["Content-Type"]
        # What a site has switched off, or has no way to send.
        assert status < 500 or status in {501, 503}, told
        assert status in {200, 201, 204, 301} or status >= 400, told
        if status == 301:
            assert "/oauth2/" in sent.path, told
            assert response["Location"].startswith(("https://github.com/", "http://")), told
            assert response["Cache-Control"].startswith("no-store"), told
        elif status >= 400 and "/oauth2/" in sent.path and content_type.startswith("text/html"):
            assert "text/html" in sent.headers["Accept"], told
            assert "default-src 'none'" in response["Content-Security-Policy"], told
        elif status >= 400:
            assert content_type == "application/json; charset=UTF-8", told
            assert response["Cache-Control"] == "no-cache, no-store, must-revalidate", told
            if sent.method == "HEAD":
                assert response.content == b"", told
            else:
                body = json.loads(response.content)
                assert list(body) == ["message", "code", "type", "version"], told
                assert body["code"] == status == STATUS[body["type"]], told
                assert body["message"], told
        elif status == 204:
            assert response.content == b"", told
            assert not content_type.startswith("application/json"), told
        elif sent.method == "HEAD":
            assert response.content == b"", told
        elif content_type.startswith("application/json"):
            assert isinstance(json.loads(response.content), dict), told
        else:
            assert (response.content, content_type) == (b"Pong!", "text/plain; charset=UTF-8"), told
        for name, value in response.headers.items():
            assert not set("\r\n\x00") & set(f"{name}{value}"), told

    def everything_fits(self) -> None:
        """SQLite stores longer text than a column allows; other databases refuse it."""
        for model in apps.get_app_config("django_account").get_models():
            limits = {
                field.attname: field.max_length
                for field in model._meta.concrete_fields
                if isinstance(field, models.CharField)
            }
            # Without a name values() gives every column.
            for row in model._base_manager.values(*limits) if limits else ():
                for name, value in row.items():
                    assert value is None or len(value) <= (limits[name] or len(value)), (
                        name,
                        value,
                    )


class TestAnyRequest(FuzzTestCase):
    @examples(600)
    @given(requests())
    def test_request(self, sent: Sent) -> None:
        with undone():
            self.send(sent)
            self.everything_fits()

    @examples(60)
    @given(requests())
    @override_settings(DJANGO_ACCOUNT={"PROJECT_ID": "demo", "TRUSTED_PROXIES": 2})
    def test_behind_proxies(self, sent: Sent) -> None:
        with undone():
            self.send(sent)
            self.everything_fits()


class TestEveryEndpoint(FuzzTestCase):
    """Every route, method and kind of caller.

    Each route is a search of its own: all of them in one example would be more data than
    hypothesis draws for an example, and it would throw every example away.
    """

    def test_params_and_headers(self) -> None:
        @examples(2, shrink=False)
        @given(st.data())
        def check(route: str, method: str, data: st.DataObject) -> None:
            body = json.dumps(data.draw(params(route, method))).encode()
            given_headers = data.draw(headers)
            path = data.draw(paths(route))
            declared = (route, method) in DECLARED
            for caller in CALLERS if declared else ("guest", "full key"):
                with undone():
                    self.send(Sent(method, path, caller, body, headers=given_headers))

        for route in ROUTES:
            for method in METHODS:
                check(route, method)

    def test_raw_bodies(self) -> None:
        @examples(8, shrink=False)
        @given(bodies)
        def check(route: str, method: str, body: bytes) -> None:
            for caller in ("guest", "session", "jwt", "full key"):
                with undone():
                    self.send(Sent(method, path_to(route), caller, body))

        for route, method in DECLARED:
            check(route, method)

    def test_strangers_get_nothing_of_a_person(self) -> None:
        @examples(2, shrink=False)
        @given(st.data())
        def check(route: str, method: str, callers: Iterable[str], data: st.DataObject) -> None:
            body = json.dumps(data.draw(params(route, method))).encode()
            for caller in callers:
                with undone():
                    response = self.send(Sent(method, path_to(route), caller, body))
                assert response.status_code == 401, (caller, method, route, response.content)

        for (route, method), endpoint in DECLARED.items():
            if endpoint.scope == "account":
                check(route, method, ("guest", "junk", "full key", "key and session"))
            if endpoint.service == "users":
                people = ["guest", "junk", "session", "cookie", "fallback", "jwt"]
                with_too_little = [] if "sessions.write" in endpoint.scopes else ["key"]
                check(route, method, (*people, *with_too_little))


class TestCredentials(FuzzTestCase):
    """Nothing that is not the credential is taken for it."""

    @examples(150)
    @given(st.data())
    def test_changed_credential_is_nobody(self, data: st.DataObject) -> None:
        caller = data.draw(st.sampled_from(sorted(SIGNED_IN)))
        ((name, value),) = self.credentials[caller].items()
        start = value.index("=") + 1 if caller == "cookie" else 20 if caller == "fallback" else 0
        place = data.draw(st.integers(start, len(value) - 6))
        replacement = data.draw(st.sampled_from("Aa0Zz_-+/.%"))
        changed = value[:place] + replacement + value[place + 1 :]
        response = ApiClient(headers={name: changed}).get("/account")
        if changed == value:
            assert response.status_code == 200
        else:
            assert response.status_code == 401, (changed, response.content)
