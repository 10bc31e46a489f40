"""Only for this host."""

from __future__ import annotations

import pytest

from tests.client import ApiClient, assert_error


def test_the_sites_own_page_is_closed_to_guests(guest: ApiClient) -> None:
    response = guest.http.get("/")
    assert (response.status_code, response["Location"]) == (302, "/login/?next=/")


def test_the_sites_own_page_is_open_to_people_of_the_api(ada: ApiClient) -> None:
    assert ada.http.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/nope", "/account/nope/nope", "/", "/account/"])
def test_no_route_is_no_login_page(guest: ApiClient, path: str) -> None:
    response = guest.get(path)
    assert response.status_code in {401, 404}
    assert response["Content-Type"].startswith("application/json")


def test_doubled_slash(guest: ApiClient) -> None:
    assert_error(guest.get("//account"), 401, "general_unauthorized_scope")


def test_preflight(guest: ApiClient) -> None:
    for path in ("/account", "/nope"):
        response = guest.call("OPTIONS", path, Origin="http://localhost")
        assert response.status_code == 204
