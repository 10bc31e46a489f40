"""Other people's identities, and the queries of both lists (users.md §3, mfa-oauth.md §5)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.identities.models import Identity
from django_account.sessions.models import Session
from django_account.sessions.provider_tokens import ProviderTokens
from django_account.targets.models import Target
from tests.client import ApiClient, assert_error

pytestmark = pytest.mark.django_db


def query(method: str, attribute: str | None = None, *values: Any) -> str:
    given = {"method": method, "attribute": attribute, "values": list(values)}
    return json.dumps({key: value for key, value in given.items() if value})


def path(base: str, *queries: str, **params: str) -> str:
    given = {f"queries[{number}]": text for number, text in enumerate(queries)} | params
    return f"{base}?{urlencode(given)}"


@pytest.fixture
def identities(ada: ApiClient) -> list[str]:
    """Three of Ada's; the second has a token."""
    account = Account.objects.get(email="ada@example.org")
    made = []
    for number, provider in enumerate(["github", "google", "gitlab"]):
        identity = Identity(
            account=account,
            provider=provider,
            provider_uid=str(number),
            provider_email=f"ada.{provider}@example.com",
        )
        if provider == "google":
            identity.provider_tokens = ProviderTokens(
                "access", expires_at=timezone.now() + timedelta(hours=1)
            )
        identity.save()
        made.append(identity.public_id)
    return made


BOTH_LISTS = pytest.mark.parametrize("base", ["/account/identities", "/users/identities"])


def ids(base: str, ada: ApiClient, site: ApiClient, *queries: str) -> list[str]:
    response = (ada if base.startswith("/account") else site).get(path(base, *queries))
    assert response.status_code == 200, response.content
    return [each["$id"] for each in response.json()["identities"]]


class TestListIdentities:
    @BOTH_LISTS
    @pytest.mark.parametrize(
        ("queries", "found"),
        [
            ([], [0, 1, 2]),
            ([query("equal", "provider", "github", "gitlab")], [0, 2]),
            ([query("equal", "providerUid", "1")], [1]),
            ([query("equal", "providerEmail", "ADA.github@example.com")], [0]),
            ([query("startsWith", "provider", "g"), query("limit", None, 2)], [0, 1]),
            ([query("isNotNull", "providerAccessTokenExpiry")], [1]),
            ([query("orderDesc", "provider")], [1, 2, 0]),
            ([query("orderDesc", "$sequence"), query("offset", None, 1)], [1, 0]),
        ],
    )
    def test_by_queries(
        self,
        ada: ApiClient,
        site: ApiClient,
        identities: list[str],
        base: str,
        queries: list[str],
        found: list[int],
    ) -> None:
        expected = [identities[number] for number in found]
        assert ids(base, ada, site, *queries) == expected

    @BOTH_LISTS
    def test_by_cursor(
        self, ada: ApiClient, site: ApiClient, identities: list[str], base: str
    ) -> None:
        assert ids(base, ada, site, query("cursorAfter", None, identities[0])) == identities[1:]

    def test_a_cursor_of_somebody_else_is_unknown(
        self, ada: ApiClient, identities: list[str]
    ) -> None:
        bob = ApiClient()
        bob.sign_up("bob@example.org")
        bob.sign_in("bob@example.org")
        response = bob.get(path("/account/identities", query("cursorAfter", None, identities[0])))
        assert_error(response, 400, "general_cursor_not_found")

    @BOTH_LISTS
    def test_attribute_that_it_has_not(self, ada: ApiClient, site: ApiClient, base: str) -> None:
        caller = ada if base.startswith("/account") else site
        response = caller.get(path(base, query("equal", "providerAccessToken", "access")))
        assert_error(response, 400, "general_argument_invalid")

    def test_total(self, site: ApiClient, identities: list[str]) -> None:
        assert site.get(path("/users/identities", query("limit", None, 1))).json()["total"] == 3
        body = site.get(path("/users/identities", total="false")).json()
        assert (body["total"], len(body["identities"])) == (0, 3)

    def test_cannot_be_searched(self, site: ApiClient) -> None:
        response = site.get(path("/users/identities", search="ada"))
        assert_error(response, 400, "general_query_invalid")

    def test_costs_the_same_for_many(
        self, site: ApiClient, identities: list[str], django_assert_num_queries: Any
    ) -> None:
        site.get("/ping")
        # The key, the page with its people, the total.
        with django_assert_num_queries(3):
            site.get("/users/identities")

    def test_impersonators_see_no_tokens(
        self, ada: ApiClient, site: ApiClient, identities: list[str]
    ) -> None:
        Account.objects.update(impersonator=True)
        tokens = ProviderTokens("access", "refresh", timezone.now())
        session = Session.objects.get()
        session.provider_tokens = tokens
        session.save()
        user_sessions = f"/users/{ada.account['$id']}/sessions"
        for caller, seen in ((site, ["access"]), (ada, [])):
            [session_seen] = caller.get(user_sessions).json()["sessions"]
            told = caller.get("/users/identities").json()["identities"]
            assert [each["$id"] for each in told] == identities
            given = [each["providerAccessToken"] for each in told]
            assert [token for token in given if token] == seen
            assert [session_seen["providerAccessToken"]] == (seen or [""])
            assert bool(session_seen["providerRefreshToken"]) == bool(seen)


class TestDeleteIdentity:
    def test_takes_it_away_also_the_last_way_in(
        self, site: ApiClient, identities: list[str]
    ) -> None:
        for identity_id in identities:
            assert site.delete(f"/users/identities/{identity_id}").status_code == 204
        assert not Identity.objects.exists()

    def test_unknown(self, site: ApiClient) -> None:
        assert_error(site.delete("/users/identities/nope"), 404, "user_identity_not_found")


class TestAddressesOnIdentities:
    """users.md §3: an address that somebody's identity has is nobody else's."""

    TAKEN = "ada.github@example.com"

    def test_of_a_new_person(self, site: ApiClient, identities: list[str]) -> None:
        response = site.post("/users", {"userId": "unique()", "email": self.TAKEN})
        assert_error(response, 409, "user_email_already_exists")

    def test_of_an_imported_person(self, site: ApiClient, identities: list[str]) -> None:
        body = {"userId": "unique()", "email": self.TAKEN, "password": "0" * 32}
        assert_error(site.post("/users/md5", body), 409, "user_email_already_exists")

    def test_given_to_another_person(
        self, site: ApiClient, identities: list[str], person: dict[str, Any]
    ) -> None:
        response = site.patch(f"/users/{person['$id']}/email", {"email": self.TAKEN})
        assert_error(response, 409, "user_email_already_exists")

    def test_before_the_target_and_the_policy(
        self, site: ApiClient, identities: list[str], person: dict[str, Any], settings: Any
    ) -> None:
        """endpoints-users.yaml: the identity is looked at first, the kind of address last."""
        Identity.objects.filter(provider="github").update(provider_email="ada@example.org")
        response = site.patch(f"/users/{person['$id']}/email", {"email": "ada@example.org"})
        assert_error(response, 409, "user_email_already_exists")
        Identity.objects.all().delete()
        settings.DJANGO_ACCOUNT = {**settings.DJANGO_ACCOUNT, "BLOCK_EMAILS": ["free"]}
        Target.objects.filter(identifier="ada@example.org").update(identifier="x@gmail.com")
        response = site.patch(f"/users/{person['$id']}/email", {"email": "x@gmail.com"})
        assert_error(response, 409, "user_target_already_exists")

    def test_given_to_its_owner(
        self, site: ApiClient, ada: ApiClient, identities: list[str]
    ) -> None:
        response = site.patch(f"/users/{ada.account['$id']}/email", {"email": self.TAKEN})
        assert response.json()["email"] == self.TAKEN
