"""Every address of ours in the admin: who gets in, and what it makes of nonsense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core import mail
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from django_account.accounts.models import Account
from django_account.admin.acts import registry
from django_account.api_keys.services import create_api_key
from django_account.audit.models import LogEntry
from django_account.audit.tallies import Tally
from django_account.notifications.models import Delivery
from tests.admin.staff import form_of, member_of_staff, signed_in
from tests.administration.people import somebody

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everything_is_offered(project: Any) -> None:
    project(ADMIN_SET_PASSWORDS=True, ADMIN_IMPERSONATION=True)


@pytest.fixture
def ada() -> Account:
    """Somebody with one of everything, and a message that failed."""
    account, _ = somebody()
    Delivery.objects.update(state=Delivery.State.FAILED)
    create_api_key(name="web", scopes=["users.read"])
    return account


def ours() -> list[type[Model]]:
    """The models that have a page."""
    found = [model for model in admin.site._registry if model._meta.app_label == "django_account"]
    assert len(found) >= 7
    return found


def routes(object_id: object, acts: Iterable[str] = registry) -> Iterator[tuple[str, str]]:
    """Every address of ours with an id in the place of each id, and the name it has."""
    for model in ours():
        for pattern in admin.site._registry[model].get_urls():
            route = str(pattern.pattern)
            # Django's old address of a page only leads to the present one.
            if pattern.name is None:
                continue
            names = [*acts] if "name" in pattern.pattern.converters else [None]
            for name in names:
                given = {"object_id": str(object_id), "name": name}
                kwargs = {key: given[key] for key in pattern.pattern.converters}
                yield reverse(f"admin:{pattern.name}", kwargs=kwargs), route


def id_of(model: type[Model]) -> object:
    row = model._base_manager.order_by("pk").first()
    return row.pk if row is not None else 1


def addresses(acts: Iterable[str] = registry) -> list[str]:
    """Every address of a row that there is, and of each list."""
    found = []
    for model in ours():
        prefix = reverse("admin:app_list", args=["django_account"]) + f"{model._meta.model_name}/"
        found += [path for path, _ in routes(id_of(model), acts) if path.startswith(prefix)]
    return found


def everything() -> dict[str, Any]:
    """Every row of ours, of the site's users and of the admin's log; and what was mailed. Hours
    that have been counted up are nobody's doing."""
    models: list[Any] = [
        *apps.get_app_config("django_account").get_models(),
        apps.get_model("auth", "User"),
        apps.get_model("admin", "LogEntry"),
    ]
    rows: dict[str, Any] = {
        model._meta.label: [
            {name: value for name, value in row.items() if name != "last_login"}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in models
        if model is not Tally
    }
    return rows | {"mail": len(mail.outbox)}


def bodies(account: Account, path: str) -> list[dict[str, Any]]:
    """What makes the form of every page complete, all at once; to a list, with each action."""
    delivery, log = Delivery.objects.get(), LogEntry.objects.latest("pk")
    common = {
        **form_of(account, name="Eve", email="eve@example.org"),
        "confirmed": "x",
        "post": "yes",
        "_save": "Save",
        "password": "battery staple",
        "address": "email",
        "reason": "Ticket 12",
        "session": account.sessions.get().public_id,
        "identity": account.identities.get().public_id,
        "who": account.public_id,
        "scopes": ["users.write"],
        "expires_at_0": "",
        "expires_at_1": "",
        "recipient": "eve@example.org",
        "state": "waiting",
        "event": "user.delete",
    }
    if path.count("/") > 4:
        return [common]
    actions = [*registry, "delete_selected", "send_again"]
    chosen = [account.pk, delivery.pk, log.pk, id_of(apps.get_model("django_account", "ApiKey"))]
    # Django does no action where a form is saved.
    without = {name: value for name, value in common.items() if name != "_save"}
    return [common] + [
        {**without, "action": action, "_selected_action": chosen} for action in actions
    ]


@pytest.mark.django_db(transaction=True)
class TestWhoMayNot:
    @pytest.fixture
    def support(self) -> Client:
        call_command("createsupportrole")
        user = member_of_staff(name="support")
        user.groups.add(Group.objects.get(name="Account support"))
        return signed_in(user)

    def test_support_looks_and_changes_nothing(self, support: Client, ada: Account) -> None:
        seen = {
            path
            for path in addresses()
            if any(f"/{model}/" in path for model in ("account", "logentry", "delivery"))
            and not any(f"/{page}/" in path for page in ("add", "delete", "act"))
        }
        before = everything()
        for path in addresses():
            assert support.get(path).status_code == (200 if path in seen else 403), path
        assert everything() == before
        for path in addresses():
            for body in bodies(ada, path):
                answer = support.post(path, body)
                assert answer.status_code in ({200, 302, 403} if path in seen else {403}), path
                assert everything() == before, (path, body.get("action"))

    @pytest.mark.parametrize("kind", ["nobody", "person", "staff without permissions"])
    def test_others_see_nothing(self, ada: Account, kind: str) -> None:
        client = Client()
        if kind == "person":
            client.force_login(ada.user)
        elif kind != "nobody":
            client.force_login(member_of_staff())
        before = everything()
        for path in addresses():
            sent = [client.post(path, body) for body in bodies(ada, path)]
            for answer in (client.get(path), *sent):
                if kind == "staff without permissions":
                    assert answer.status_code == 403, path
                else:
                    assert answer["Location"].startswith("/admin/login/"), path
            assert everything() == before, path

    def test_looking_at_one_kind_changes_nothing_of_it(self, ada: Account) -> None:
        """Of keys, whose page is the one with a form that Django makes."""
        client = signed_in(member_of_staff("view_apikey"))
        before = everything()
        for path in [path for path in addresses() if "/apikey/" in path]:
            client.get(path)
            for body in bodies(ada, path):
                client.post(path, body)
        assert everything() == before


IDS = [
    *("0", "-1", "x", "9" * 19, "9" * 30, "9" * 5000, "x" * 9000, "%00", "1%00", "1.0", "1e3"),
    *("%ED%A0%80", "%C3%A9", "_5F", "_", "1/2", "..", "1%2F..%2F2", "None", "true"),
    *("%22%3E%3Cscript%3E", "1;drop", "1%20OR%201=1", "%25s", "%0d%0aX:%20y"),
]

QUERIES = [
    *("p=-1", "p=0", "p=99999", "p=x", "p=" + "9" * 5000, "p=%00", "p=1.5"),
    *("o=99", "o=-99", "o=1.2.3", "o=..", "o=-", "o=%00", "o=" + "9" * 5000),
    *("q=%00", "q=%ED%A0%80", "q=" + "x" * 9000, "q=label:%00", "q=%2B%00", "q=%00@%00", "q=%5C"),
    *("status=x", "verified=%00", "mfa=", "provider=%00", "kind=x", "state__exact=%00"),
    *("accessed_at__gte=junk", "accessed_at__gte=9999-99-99", "accessed_at__isnull=x"),
    *("accessed_at__gte=%00", "created_at__lt=junk", "at__gte=0001-01-01", "at__lt=junk"),
    *("expires_at__isnull=7", "expires_at=", "event=%00", "outcome=%00", "channel=%00"),
    *("nonsense=1", "pk=1", "pk__in=x", "%00=%00", "e=1", "all=", "_popup=1", "_to_field=x"),
    *("_facets=True", "range=%00", "who=%00", "session=%00", "identity=" + "x" * 9000),
]


class TestNonsense:
    @pytest.mark.parametrize("object_id", IDS, ids=lambda object_id: object_id[:20])
    def test_ids(self, admin_client: Client, ada: Account, object_id: str) -> None:
        before = everything()
        for path, route in routes("OBJECT", acts=("end_session",)):
            if "OBJECT" not in path:
                continue
            url = path.replace("OBJECT", object_id)
            for answer in (admin_client.get(url), admin_client.post(url, {"confirmed": "x"})):
                assert answer.status_code in (301, 302, 400, 403, 404), (url[:200], route)
        assert everything() == before

    @pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:30])
    def test_questions(self, admin_client: Client, ada: Account, query: str) -> None:
        for path in addresses(acts=("end_session",)):
            answer = admin_client.get(f"{path}?{query}")
            assert answer.status_code in (200, 302, 400, 403, 404), path

    @pytest.mark.parametrize(
        "query",
        [
            "account/?imported_hash__startswith=planted",
            "account/?password_history__icontains=planted",
            "account/?user__password__startswith=md5",
            "account/?sessions__secret_digest__startswith=a",
            "account/?user__django_account_authenticators__seed__gt=a",
            "delivery/?payload__gt=a",
            "delivery/?account__imported_hash__startswith=planted",
            "apikey/?secret_digest__startswith=a",
        ],
    )
    def test_questions_after_what_no_page_shows(
        self, admin_client: Client, ada: Account, query: str
    ) -> None:
        """Whoever may ask whether it begins with a letter has it after some more."""
        assert admin_client.get(f"/admin/django_account/{query}").status_code == 400

    def test_a_question_that_postgresql_cannot_hold(
        self, admin_client: Client, ada: Account
    ) -> None:
        for path in ("delivery/?state__exact=%00", "account/?accessed_at__gte=%00"):
            assert admin_client.get(f"/admin/django_account/{path}").status_code == 400
