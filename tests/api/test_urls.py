"""Paths that are words to one route and somebody's id to another (users.md §3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import resolve

from django_account.api.urls import urlpatterns
from django_account.api.views import AccountViewSet
from django_account.api_keys.models import GRANTABLE_SCOPES
from django_account.api_keys.services import create_api_key
from tests.accounts.vectors import VECTORS
from tests.client import ApiClient, assert_error

PLACEHOLDER = re.compile(r"<str:(\w+)>")

WORDS = {
    *("usage", "identities", "argon2", "bcrypt", "md5", "phpass", "sha", "scrypt"),
    "scrypt-modified",
}

# Where two routes have the method, too, the one without a placeholder wins.
COLLISIONS = {
    ("GET", "users/usage"): "get_usage",
    ("GET", "users/identities"): "list_identities",
}


def declared() -> Iterator[tuple[str, str, Any, str]]:
    """Every route with its method, viewset and action."""
    for pattern in urlpatterns:
        for method, action in getattr(pattern.callback, "actions", {}).items():
            yield str(pattern.pattern), method.upper(), pattern.callback.cls, action


OF_PEOPLE = [each for each in declared() if each[0].startswith("users/<str:userId>")]
OF_WORDS = [each for each in declared() if each[0].removeprefix("users/") in WORDS]
OF_SESSIONS = [each for each in declared() if each[0] == "account/sessions/<str:sessionId>"]
BESIDE_SESSIONS = [
    each
    for each in declared()
    if re.fullmatch(r"account/sessions/[\w-]+", each[0]) and each[1] != "GET"
]


@pytest.fixture
def led(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, str]]]:
    """Where requests are led: the viewset, the action and what the path names."""
    found: list[tuple[str, str, dict[str, str]]] = []

    def dispatch(view: Any, request: Any, **named: str) -> HttpResponse:
        found.append((type(view).__name__, view.action_map[request.method.lower()], named))
        return HttpResponse()

    monkeypatch.setattr(AccountViewSet, "dispatch", dispatch)
    return found


def test_the_words_are_those_of_the_routes() -> None:
    fixed = [route for route, *_ in declared() if re.fullmatch(r"users/[\w-]+", route)]
    assert {route.removeprefix("users/") for route in fixed} == WORDS
    assert len(OF_PEOPLE) > 30
    assert len(BESIDE_SESSIONS) == 8


@pytest.mark.parametrize("word", sorted(WORDS))
@pytest.mark.parametrize("route", OF_PEOPLE, ids=lambda route: f"{route[1]} {route[0]}")
def test_somebody_with_a_word_for_an_id(led: Any, word: str, route: Any) -> None:
    pattern, method, viewset, action = route
    names = {name: word if name == "userId" else "any" for name in PLACEHOLDER.findall(pattern)}
    path = PLACEHOLDER.sub(lambda found: names[found[1]], pattern)
    ApiClient().call(method, f"/{path}")
    if (method, path) in COLLISIONS:
        assert led[0][1:] == (COLLISIONS[method, path], {})
    else:
        assert led == [(viewset.__name__, action, names)]


@pytest.mark.parametrize("route", OF_WORDS, ids=lambda route: f"{route[1]} {route[0]}")
def test_the_words_themselves(led: Any, route: Any) -> None:
    pattern, method, viewset, action = route
    ApiClient().call(method, f"/{pattern}")
    ApiClient().call(method, f"/{pattern}/")
    assert led == [(viewset.__name__, action, {})] * 2


def test_identities(led: Any) -> None:
    ApiClient().delete("/users/identities/0123456789abcdef")
    assert led == [("UserIdentityViewSet", "delete_identity", {"identityId": "0123456789abcdef"})]


@pytest.mark.parametrize("beside", BESIDE_SESSIONS, ids=lambda route: f"{route[1]} {route[0]}")
def test_sessions(led: Any, beside: Any) -> None:
    """The Account API has such paths, too, though no session has a word for an id."""
    path, method, viewset, action = beside
    ApiClient().call(method, f"/{path}")
    assert led.pop() == (viewset.__name__, action, {})
    for _, method, viewset, action in OF_SESSIONS:
        ApiClient().call(method, f"/{path}")
        assert led.pop() == (viewset.__name__, action, {"sessionId": path.rpartition("/")[2]})


class TestOverHTTP:
    @pytest.fixture
    def site(self, db: None) -> ApiClient:
        return ApiClient(key=create_api_key(name="site", scopes=GRANTABLE_SCOPES).secret)

    @pytest.mark.parametrize("word", sorted(WORDS))
    def test_read_changed_and_deleted(self, site: ApiClient, word: str) -> None:
        assert site.post("/users", {"userId": word}).status_code == 201
        assert site.patch(f"/users/{word}/name", {"name": "Eve"}).json()["$id"] == word
        assert site.delete(f"/users/{word}/sessions").status_code == 204
        for path in (f"/users/{word}", f"/users/{word}/"):
            body = site.get(path).json()
            assert ("GET", f"users/{word}") in COLLISIONS or body["$id"] == word
            assert site.call("HEAD", path).status_code == 200
        assert_error(ApiClient().delete(f"/users/{word}"), 401, "general_unauthorized_scope")
        assert site.delete(f"/users/{word}").status_code == 204
        assert_error(site.delete(f"/users/{word}"), 404, "user_not_found")

    def test_one_of_that_id_is_imported(self, site: ApiClient) -> None:
        body = {"userId": "md5", "email": "a@example.org", "password": VECTORS["md5"].hashed}
        assert site.post("/users/md5", body).json()["$id"] == "md5"
        assert site.get("/users/md5").json()["hash"] == "md5"

    @pytest.mark.parametrize("path", ["/users/md5", "/users/identities/sessions"])
    def test_no_such_method(self, site: ApiClient, path: str) -> None:
        for method in ("PUT", "PATCH", "TRACE"):
            assert_error(site.call(method, path), 404, "general_route_not_found")

    @pytest.mark.parametrize("path", ["/users/md5", "/users/identities/sessions"])
    def test_preflight(self, guest: ApiClient, path: str) -> None:
        response = guest.call("OPTIONS", path, Origin="http://localhost")
        assert response.status_code == 204
        assert response["Access-Control-Allow-Origin"] == "http://localhost"

    def test_open_to_the_sites_middleware_like_any_other(self) -> None:
        view: Any = resolve("/v1/users/md5").func
        assert (view.csrf_exempt, view.login_required) == (True, False)
