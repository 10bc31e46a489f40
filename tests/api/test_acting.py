"""Staff act as a person, over HTTP: the way in, what is closed, the banner, the way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import engines
from django.test import AsyncClient, Client
from django.urls import include, path
from django.utils import timezone

from django_account.accounts.models import Account
from django_account.accounts.services import get_account
from django_account.administration.impersonation import hand_over, start_impersonation
from django_account.api.acting import acting_as, acting_cookie_name
from django_account.api.urls import urlpatterns as api_urlpatterns
from django_account.audit.models import LogEntry
from django_account.core.clients import ClientInfo
from django_account.identities.models import Identity
from django_account.sessions.models import Session
from django_account.sessions.provider_tokens import ProviderTokens
from tests.client import PASSWORD, ApiClient, assert_error

Project = Callable[..., None]

PAGE = "/v1/pages/impersonation"


def whoami(request: HttpRequest) -> JsonResponse:
    acting = acting_as(request)
    user = request.user
    return JsonResponse(
        {
            "user": user.get_username() if user.is_authenticated else None,
            "acting": "" if acting is None else acting.account.public_id,
        }
    )


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<html><body><p>A shop</p></body></html>", headers={"ETag": '"1"'})


async def page_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<html><body><p>A shop</p></body></html>")


def text(request: HttpRequest) -> HttpResponse:
    return HttpResponse("</body>", content_type="text/plain")


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(["<body>", "</body>"])


def packed(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<body></body>", headers={"Content-Encoding": "gzip"})


def tagged(request: HttpRequest) -> HttpResponse:
    template = engines["django"].from_string(
        "{% load django_account %}<body>{% acting_banner %}</body>"
    )
    return HttpResponse(template.render({}, request))


urlpatterns = [
    path("whoami", whoami),
    path("page", page),
    path("async", page_async),
    path("text", text),
    path("streamed", streamed),
    path("packed", packed),
    path("tagged", tagged),
    path("v1/", include("django_account.urls")),
    path("admin/", admin.site.urls),
]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


class Staff(ApiClient):
    """A member of staff, signed in to the admin."""

    def __init__(self, *permissions: str) -> None:
        super().__init__()
        self.user = User.objects.create_user("grace", "grace@example.org", PASSWORD, is_staff=True)
        self.user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        self.http.force_login(self.user)

    def act_as(self, account: Account, reason: str = "Ticket 12") -> Any:
        """What the act of the admin does, and the page that it leads to."""
        issued = start_impersonation(
            account=account, staff=self.user, reason=reason, client=ClientInfo()
        )
        store = self.http.session
        hand_over(store, issued)
        store.save()
        return self.http.get(PAGE)

    def stop(self) -> Any:
        form = self.http.get(PAGE).content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        assert token is not None
        return self.http.post(PAGE, {"csrfmiddlewaretoken": token[1]})


@pytest.fixture
def account(ada: ApiClient) -> Account:
    return get_account(ada.account["$id"])  # type: ignore[attr-defined]


@pytest.fixture
def staff(project: Project) -> Staff:
    project(ADMIN_IMPERSONATION=True)
    return Staff("impersonate_account")


@pytest.fixture
def acting(staff: Staff, account: Account) -> Staff:
    assert staff.act_as(account).status_code == 303
    return staff


class TestBegin:
    def test_the_browser_is_the_persons(self, acting: Staff, account: Account) -> None:
        assert acting.get("/account").json()["$id"] == account.public_id

    def test_the_admin_knows_its_staff(self, acting: Staff) -> None:
        assert acting.http.get("/admin/").status_code == 200
        assert "grace" in acting.http.get("/admin/").content.decode()

    def test_the_admins_cookie_stays(self, staff: Staff, account: Account) -> None:
        before = staff.http.cookies["sessionid"].value
        staff.act_as(account)
        assert staff.http.cookies["sessionid"].value == before

    def test_the_sites_own_views_see_the_person(self, acting: Staff, account: Account) -> None:
        found = acting.http.get("/whoami").json()
        assert found == {"user": account.user.get_username(), "acting": account.public_id}

    def test_the_sites_own_views_are_not_deceived(self, acting: Staff, account: Account) -> None:
        """Whoever drops the cookie that the banner goes by, or calls by JWT, still acts."""
        jwt = ApiClient(jwt=acting.post("/account/jwts").json()["jwt"])
        other_browser = ApiClient(session=acting.credential)
        for client in (jwt, other_browser):
            found = client.http.get("/whoami", headers=client.headers).json()
            assert found == {"user": account.user.get_username(), "acting": account.public_id}

    def test_the_person_acts_as_nobody(self, ada: ApiClient, account: Account) -> None:
        found = ada.http.get("/whoami").json()
        assert found == {"user": account.user.get_username(), "acting": ""}

    def test_once(self, staff: Staff, account: Account) -> None:
        response = staff.act_as(account)
        assert response["Location"] == "/"
        assert "a_session_demo" not in staff.http.get(PAGE).cookies

    def test_without_anything_handed_over(self, staff: Staff) -> None:
        response = staff.http.get(PAGE)
        assert response.status_code == 200
        assert not response.cookies

    def test_somebody_elses_hand_over_is_nobodys(self, staff: Staff, account: Account) -> None:
        """A credential of the person's own is not taken for one of a member of staff's."""
        from django_account.sessions.services import create_session

        issued = create_session(
            account=account, provider="email", factors=["password"], client=ClientInfo()
        )
        store = staff.http.session
        hand_over(store, issued)
        store.save()
        response = staff.http.get(PAGE)
        assert response.status_code == 200
        assert "a_session_demo" not in response.cookies

    def test_the_cookies_keep_to_themselves(self, staff: Staff, account: Account) -> None:
        response = staff.act_as(account)
        own = response.cookies[acting_cookie_name()]
        assert own["httponly"]
        assert own["samesite"] == "Lax"
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"

    def test_another_person_ends_the_first(self, acting: Staff) -> None:
        first = Session.objects.get(provider="impersonation")
        eve = get_account(ApiClient().sign_up("eve@example.org")["$id"])
        acting.act_as(eve)
        assert acting.get("/account").json()["$id"] == eve.public_id
        assert not Session.objects.filter(pk=first.pk).exists()


# A provider sends the browser there, whoever is signed in: it looks at no session.
BY_PROVIDER = {"oauth2_callback", "oauth2_callback_by_form"}

# Everything of the account API that staff who act as somebody may ask for.
OPEN = {
    "ping",
    "get_account",
    "get_prefs",
    "update_prefs",
    "update_name",
    "list_sessions",
    "get_session",
    "delete_session",
    "create_jwt",
    "list_logs",
    "list_identities",
    "list_mfa_factors",
}


def actions() -> list[tuple[str, str, str]]:
    """Each route's method, path and action."""
    found = []
    for pattern in api_urlpatterns:
        for method, action in getattr(pattern.callback, "actions", {}).items():
            route = re.sub(r"<str:(\w+)>", "current", str(pattern.pattern))
            if action not in BY_PROVIDER:
                found.append((method.upper(), f"/{route}", action))
    return [each for each in found if each[1].startswith(("/account", "/ping"))]


class TestClosed:
    def test_the_list_of_what_is_open(self) -> None:
        """Whoever opens an endpoint says so here, too."""
        declared = {
            action
            for pattern in api_urlpatterns
            if hasattr(pattern.callback, "actions")
            for action in pattern.callback.actions.values()
            if getattr(pattern.callback.cls, action).endpoint.by_staff
        }
        assert declared == OPEN

    @pytest.mark.parametrize(("method", "route", "action"), actions())
    def test_every_endpoint(self, acting: Staff, method: str, route: str, action: str) -> None:
        before = (list(User.objects.values()), list(Account.objects.values()))
        response = acting.call(method, route, {"duration": 900})
        refused = (
            response["Content-Type"].startswith("application/json")
            and response.content
            and response.json().get("type") == "general_access_forbidden"
        )
        assert bool(refused) is (action not in OPEN), response.content
        if refused:
            assert response.status_code == 401
            assert (list(User.objects.values()), list(Account.objects.values())) == before

    def test_by_jwt_it_is_the_same(self, acting: Staff, account: Account) -> None:
        jwt = acting.post("/account/jwts", {"duration": 3600}).json()["jwt"]
        client = ApiClient(jwt=jwt)
        assert client.get("/account").json()["$id"] == account.public_id
        assert_error(client.delete("/account"), 401, "general_access_forbidden")
        assert_error(client.post("/account/jwts"), 403, "user_jwt_creation_denied")

    def test_nor_with_a_key(self, acting: Staff, account: Account) -> None:
        from django_account.api_keys.services import create_api_key

        acting.headers["X-Appwrite-Key"] = create_api_key(name="k", scopes=["users.read"]).secret
        acting.headers["X-Appwrite-Project"] = "demo"
        assert acting.patch("/account/password", {"password": "x" * 9}).status_code == 401
        assert acting.delete("/account").status_code == 401
        assert Account.objects.filter(pk=account.pk).exists()

    def test_the_person_cannot_extend_it_either(self, acting: Staff, ada: ApiClient) -> None:
        session = Session.objects.get(provider="impersonation")
        refused = ada.patch(f"/account/sessions/{session.public_id}")
        assert_error(refused, 401, "general_access_forbidden")
        session.refresh_from_db()
        assert session.expires_at < timezone.now() + timedelta(minutes=16)

    def test_the_persons_tokens_of_providers_are_not_shown(
        self, acting: Staff, account: Account
    ) -> None:
        tokens = ProviderTokens("planted-access", "planted-refresh")
        identity = Identity(account=account, provider="github", provider_uid="4711")
        identity.provider_tokens = tokens
        identity.save()
        session = Session.objects.exclude(provider="impersonation").get()
        session.provider_tokens = tokens
        session.save()
        lists = ["/account/identities", "/account/sessions"]
        for each in (*lists, f"/account/sessions/{session.public_id}"):
            response = acting.get(each)
            assert response.status_code == 200
            assert "planted" not in response.content.decode()

    def test_nobody_acts_as_a_third_person(self, acting: Staff, account: Account) -> None:
        eve = ApiClient().sign_up("eve@example.org")
        acting.headers["X-Appwrite-Impersonate-User-Id"] = eve["$id"]
        assert acting.get("/account").json()["$id"] == account.public_id


class TestWrittenDown:
    def test_what_they_change_names_them(self, acting: Staff, account: Account) -> None:
        assert acting.patch("/account/name", {"name": "Countess"}).status_code == 200
        entry = LogEntry.objects.latest("pk")
        actor = Account.objects.get(user=acting.user)
        assert (entry.event, entry.actor_id) == ("user.update", actor.public_id)
        assert entry.user_id == account.public_id
        assert entry.ip == ""

    def test_the_person_sees_it(self, acting: Staff, ada: ApiClient) -> None:
        sessions = ada.get("/account/sessions").json()["sessions"]
        assert [session["provider"] for session in sessions] == ["email", "impersonation"]
        entry = ada.get("/account/logs").json()["logs"][0]
        assert (entry["event"], entry["mode"]) == ("session.create", "admin")

    def test_the_person_ends_it(self, acting: Staff, ada: ApiClient) -> None:
        session = Session.objects.get(provider="impersonation")
        assert ada.delete(f"/account/sessions/{session.public_id}").status_code == 204
        assert acting.get("/account").status_code == 401

    def test_the_person_was_not_active(self, acting: Staff, account: Account) -> None:
        Account.objects.filter(pk=account.pk).update(accessed_at=None)
        acting.get("/account")
        account.refresh_from_db()
        assert account.accessed_at is None


class TestWithdrawn:
    """What is withdrawn is withdrawn at the next request, by cookie and by JWT."""

    def refused(self, acting: Staff, withdraw: Callable[[], Any]) -> None:
        jwt = ApiClient(jwt=acting.post("/account/jwts").json()["jwt"])
        assert jwt.get("/account").status_code == 200
        withdraw()
        assert_error(acting.get("/account"), 401, "general_unauthorized_scope")
        assert_error(jwt.get("/account"), 401, "general_unauthorized_scope")
        assert acting.http.get("/whoami").json() == {"user": "grace", "acting": ""}

    def test_the_permission(self, acting: Staff) -> None:
        self.refused(acting, acting.user.user_permissions.clear)

    def test_the_setting(self, acting: Staff, project: Project) -> None:
        self.refused(acting, lambda: project(ADMIN_IMPERSONATION=False))

    def test_the_person_becomes_staff(self, acting: Staff, account: Account) -> None:
        people = User.objects.filter(pk=account.user.pk)
        self.refused(acting, lambda: people.update(is_superuser=True))

    def test_the_time_is_up(self, acting: Staff) -> None:
        with time_machine.travel(timezone.now() + timedelta(seconds=901)):
            assert acting.get("/account").status_code == 401


class TestStop:
    def test_ends_it(self, acting: Staff) -> None:
        credential = acting.credential
        assert acting.stop().status_code == 303
        assert not Session.objects.filter(provider="impersonation").exists()
        assert ApiClient(session=credential).get("/account").status_code == 401
        assert acting_cookie_name() not in {
            name for name, morsel in acting.http.cookies.items() if morsel.value
        }

    def test_the_admin_is_as_it_was(self, acting: Staff) -> None:
        acting.stop()
        assert acting.http.get("/admin/").status_code == 200

    def test_gives_the_own_session_back(self, staff: Staff, account: Account) -> None:
        staff.sign_up("grace.hopper@example.org")
        own = staff.sign_in("grace.hopper@example.org")
        staff.act_as(account)
        assert staff.get("/account").json()["$id"] == account.public_id
        # As one who acts as one person after the other.
        staff.act_as(get_account(ApiClient().sign_up("eve@example.org")["$id"]))
        staff.stop()
        assert staff.get("/account").json()["$id"] == own["userId"]
        assert own["$id"] in staff.get("/account/sessions").content.decode()

    def test_and_nothing_where_there_was_none(self, acting: Staff) -> None:
        acting.stop()
        assert acting.get("/account").status_code == 401

    def test_is_written_down(self, acting: Staff) -> None:
        actor = Session.objects.get(provider="impersonation").actor_id
        acting.stop()
        entry = LogEntry.objects.latest("pk")
        assert (entry.event, entry.actor_id) == ("session.delete", actor)

    def test_a_foreign_page_cannot(self, acting: Staff) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = acting.http.cookies
        assert strict.post(PAGE).status_code == 403
        assert Session.objects.filter(provider="impersonation").exists()

    def test_a_session_signed_in_since_stays(self, acting: Staff) -> None:
        """The time is up, the member of staff signs in as themselves, then the banner clears up."""
        Session.objects.filter(provider="impersonation").delete()
        acting.sign_up("grace.hopper@example.org")
        own = acting.sign_in("grace.hopper@example.org")
        acting.http.get("/page")
        assert acting.get("/account").json()["$id"] == own["userId"]

    def test_by_leaving_the_admin(self, acting: Staff) -> None:
        credential = acting.credential
        acting.http.post("/admin/logout/")
        assert not Session.objects.filter(provider="impersonation").exists()
        assert ApiClient(session=credential).get("/account").status_code == 401

    def test_others_leave_without_ending_anything(self, acting: Staff) -> None:
        another_browser = Client()
        another_browser.force_login(acting.user)
        another_browser.post("/admin/logout/")
        assert Session.objects.filter(provider="impersonation").exists()

    def test_when_there_is_nothing_to_stop(self, staff: Staff) -> None:
        assert staff.http.post(PAGE).status_code == 303

    def test_what_nobody_can_read(self, acting: Staff) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = acting.http.cookies
        broken = strict.post(PAGE, b"--x", "multipart/form-data; boundary=")
        assert broken.status_code in (400, 403)
        assert Session.objects.filter(provider="impersonation").exists()

    def test_other_methods(self, staff: Staff) -> None:
        assert staff.http.put(PAGE).status_code == 405


class TestBanner:
    def shown(self, client: Client, url: str) -> str:
        return client.get(url).content.decode()

    def test_on_every_page(self, acting: Staff) -> None:
        found = self.shown(acting.http, "/page")
        assert "You are acting as <strong>ada@example.org</strong> until" in found
        assert f'href="{PAGE}"' in found
        assert found.endswith("</body></html>")
        assert "You are acting as" in self.shown(acting.http, "/admin/")

    def test_until_when(self, acting: Staff) -> None:
        until = timezone.localtime(Session.objects.get(provider="impersonation").expires_at)
        assert f"until {until:%H:%M}" in self.shown(acting.http, "/page")

    def test_a_page_of_its_own_that_nobody_keeps(self, acting: Staff) -> None:
        response = acting.http.get("/page")
        assert not response.has_header("ETag")
        assert response["Cache-Control"] == "private, no-store"
        assert int(response["Content-Length"]) == len(response.content)

    def test_a_name_is_no_markup(self, acting: Staff, account: Account) -> None:
        Account.objects.filter(pk=account.pk).update(email=None, name="<script>1</script>")
        assert "<script>1" not in self.shown(acting.http, "/page")

    def test_works_under_a_strict_policy(self, acting: Staff) -> None:
        told = self.shown(acting.http, "/tagged")
        assert not re.search(r"<script|<style|style=|\son\w+=", told)

    @pytest.mark.parametrize("url", ["/text", "/packed", "/v1/account", "/whoami", PAGE])
    def test_nowhere_else(self, acting: Staff, url: str) -> None:
        assert "django-account-acting" not in self.shown(acting.http, url)

    def test_not_in_what_is_streamed(self, acting: Staff) -> None:
        response: Any = acting.http.get("/streamed")
        assert b"".join(response.streaming_content) == b"<body></body>"

    def test_by_a_tag(self, acting: Staff, settings: Any) -> None:
        settings.MIDDLEWARE = [
            name for name in settings.MIDDLEWARE if not name.endswith(".ImpersonationMiddleware")
        ]
        client = Client()
        client.cookies = acting.http.cookies
        assert "You are acting as" in self.shown(client, "/tagged")
        assert "You are acting as" not in self.shown(client, "/page")

    def test_for_nobody_else(self, ada: ApiClient, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            assert "acting as" not in self.shown(ada.http, "/page")
            assert "acting as" not in self.shown(ada.http, "/tagged")

    def test_a_cookie_that_says_so_is_not_believed(self, ada: ApiClient) -> None:
        ada.http.cookies[acting_cookie_name()] = "forged"
        assert "acting as" not in self.shown(ada.http, "/page")
        assert ada.get("/account").status_code == 200

    def test_asynchronously(self, acting: Staff) -> None:
        client = AsyncClient()
        client.cookies = acting.http.cookies
        response = async_to_sync(client.get)("/async")
        assert b"You are acting as" in response.content

    def test_goes_with_the_time_and_gives_the_own_session_back(
        self, staff: Staff, account: Account
    ) -> None:
        staff.sign_up("grace.hopper@example.org")
        own = staff.sign_in("grace.hopper@example.org")
        staff.act_as(account)
        Session.objects.filter(provider="impersonation").update(expires_at=timezone.now())
        assert "acting as" not in self.shown(staff.http, "/page")
        assert staff.get("/account").json()["$id"] == own["userId"]

    def test_without_a_stylesheet(self, acting: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
        """A site that has not collected its static files yet."""

        def missing(name: str) -> str:
            raise ValueError(name)

        monkeypatch.setattr("django_account.api.acting.static", missing)
        found = self.shown(acting.http, "/page")
        assert "You are acting as" in found
        assert "<link" not in found
