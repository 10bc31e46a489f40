"""Only for this host: its own views are as it set them, ours are not."""

from __future__ import annotations

import pytest
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from tests.client import ApiClient


def test_the_hosts_own_views_do_as_it_says() -> None:
    assert api_settings.NON_FIELD_ERRORS_KEY == "oops"
    with pytest.raises(RuntimeError, match="own handler"):
        APIView.as_view()(APIRequestFactory().get("/"))


@pytest.mark.parametrize("query", ["", "?total=camel", "?format=xml", "?page=9", "?search=x"])
def test_query_that_the_hosts_views_would_obey(ada: ApiClient, query: str) -> None:
    response = ada.get(f"/account/prefs{query}")
    assert (response.status_code, response.content) == (200, b"{}")


@pytest.mark.parametrize("accept", ["application/camel+json", "text/html", "nonsense", "*/*; v=9"])
def test_accept_header_changes_nothing(ada: ApiClient, accept: str) -> None:
    response = ada.get("/account", Accept=accept)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json; charset=UTF-8"


def test_letters_outside_ascii_stay(ada: ApiClient) -> None:
    response = ada.patch("/account/name", {"name": "Ädä"})
    assert '"name":"Ädä"' in response.content.decode()
