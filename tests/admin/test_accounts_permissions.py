"""Who may do what with whom in the admin of accounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry as AdminEntry
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.core.management import call_command
from django.test import Client

from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user, create_account
from django_account.admin import acts
from django_account.admin.acts import registry
from django_account.admin.rank import may_act_on
from django_account.core.clients import ClientInfo
from django_account.identities.models import Identity
from django_account.sessions.models import Session
from django_account.sessions.services import create_session
from tests.admin.staff import (
    LIST,
    account_of_superuser,
    act_page,
    change,
    do,
    do_many,
    form_of,
    member_of_staff,
    signed_in,
    staff,
)

pytestmark = pytest.mark.django_db(transaction=True)

OURS = [codename for codename, _ in Account._meta.permissions]
ALL = [
    *OURS,
    "view_account",
    "change_account",
    "add_account",
    "delete_account",
    "reset_rate_limits",
]
ANSWERS = {"password": "battery staple", "address": "email"}


@pytest.fixture(autouse=True)
def everything_is_offered(project: Callable[..., None]) -> None:
    project(ADMIN_SET_PASSWORDS=True, ADMIN_IMPERSONATION=True)


@pytest.fixture
def ada() -> Account:
    account = create_account(account_id="ada", email="ada@example.org", password="correct horse")
    create_session(account=account, provider="email", factors=["password"], client=ClientInfo())
    Identity.objects.create(account=account, provider="github", provider_uid="1")
    return account


def answers(account: Account) -> dict[str, str]:
    """What makes every act's form complete."""
    return {
        **ANSWERS,
        "session": account.sessions.values_list("public_id", flat=True).first() or "x",
        "identity": account.identities.values_list("public_id", flat=True).first() or "x",
    }


def state(account: Account) -> list[Any]:
    """Everything that acts change."""
    return [
        Account.objects.filter(pk=account.pk).values().get(),
        type(account.user)._default_manager.filter(pk=account.user_id).values().get(),
        list(Session.objects.values()),
        list(Identity.objects.values()),
        len(mail.outbox),
        AdminEntry.objects.count(),
    ]


class TestSupport:
    @pytest.fixture
    def support(self) -> Client:
        call_command("createsupportrole")
        user = member_of_staff(name="support")
        user.groups.add(Group.objects.get(name="Account support"))
        return signed_in(user)

    def test_sees(self, support: Client, ada: Account) -> None:
        page = support.get(change(ada)).content.decode()
        for fact in ("ada@example.org", "Sessions", "session.create", "Messages", "github"):
            assert fact in page
        for offered in ('name="_save"', "account-act", "<textarea", "/act/"):
            assert offered not in page
        listed = support.get(LIST).content.decode()
        assert "ada@example.org" in listed
        assert 'name="action"' not in listed
        assert "account/add/" not in listed

    def test_role_is_made_once(self, support: Client) -> None:
        group = Group.objects.get()
        group.permissions.add(Permission.objects.get(codename="block_account"))
        call_command("createsupportrole")
        assert Group.objects.count() == 1
        assert sorted(group.permissions.values_list("codename", flat=True)) == [
            "block_account",
            "view_account",
            "view_delivery",
            "view_logentry",
        ]
        call_command("createsupportrole", name="Helpers")
        assert Group.objects.get(name="Helpers").permissions.count() == 3


class TestActs:
    def test_every_permission_is_there(self) -> None:
        for act in registry.values():
            label, _, codename = act.permission.partition(".")
            assert Permission.objects.filter(
                content_type__app_label=label, codename=codename
            ).exists(), act.name

    @pytest.mark.parametrize("name", sorted(registry))
    def test_by_its_own_permission_alone(self, ada: Account, name: str) -> None:
        """With every other permission it is neither shown nor answered, with its own it is."""
        needed = registry[name].permission.partition(".")[2]
        others = signed_in(
            member_of_staff(*[each for each in ALL if each != needed], name="others")
        )
        before = state(ada)
        assert others.get(act_page(ada, name)).status_code == 403
        assert do(others, ada, name, **answers(ada)).status_code == 403
        page = do_many(others, name, ada, **answers(ada)).content.decode()
        assert f'value="{name}"' not in page
        assert f"/act/{name}/" not in others.get(change(ada)).content.decode()
        assert state(ada) == before
        only = signed_in(member_of_staff(*{needed, "view_account"}, name="only"))
        assert only.get(act_page(ada, name)).status_code == 200

    @pytest.mark.parametrize("name", sorted(registry))
    def test_not_without_seeing_the_account(self, ada: Account, name: str) -> None:
        needed = registry[name].permission.partition(".")[2]
        blind = staff(needed)
        assert blind.get(act_page(ada, name)).status_code == 403
        assert do(blind, ada, name, **answers(ada)).status_code == 403
        assert blind.get(LIST).status_code == 403

    def test_a_foreign_form_does_nothing(self, ada: Account, admin_client: Client) -> None:
        client = Client(enforce_csrf_checks=True)
        client.cookies = admin_client.cookies
        before = state(ada)
        assert client.post(act_page(ada, "block"), {"confirmed": "x"}).status_code == 403
        assert state(ada) == before

    def test_unknown(self, admin_client: Client, ada: Account) -> None:
        for path in (f"{LIST}{ada.pk}/act/fly/", f"{LIST}0/act/block/", f"{LIST}x/act/block/"):
            assert admin_client.get(path).status_code == 404
            assert admin_client.post(path, {"confirmed": "x"}).status_code == 404


class TestRank:
    """Nobody acts on people above them."""

    @pytest.mark.parametrize("name", sorted(registry))
    def test_superusers_are_out_of_reach(self, name: str) -> None:
        root = account_of_superuser()
        client = signed_in(member_of_staff(*ALL))
        before = state(root)
        assert client.get(act_page(root, name)).status_code == 403
        assert do(client, root, name, **answers(root)).status_code == 403
        do_many(client, name, root, **answers(root))
        assert state(root) == before
        assert f"/act/{name}/" not in client.get(change(root)).content.decode()

    def test_nor_are_their_addresses(self) -> None:
        root = account_of_superuser()
        client = signed_in(member_of_staff(*ALL))
        before = state(root)
        answer = client.post(change(root), form_of(root, email="eve@example.org"))
        assert answer.status_code == 403
        assert state(root) == before
        assert 'name="_save"' not in client.get(change(root)).content.decode()

    def test_in_a_crowd(self, ada: Account) -> None:
        root = account_of_superuser()
        client = signed_in(member_of_staff(*ALL))
        page = do_many(client, "block", root, ada).content.decode()
        assert "Somebody with more rights than you" in page
        root.user.refresh_from_db()
        ada.user.refresh_from_db()
        assert (root.user.is_active, ada.user.is_active) == (True, False)

    def test_superusers_reach_superusers(self, admin_client: Client) -> None:
        root = account_of_superuser()
        do(admin_client, root, "block")
        root.user.refresh_from_db()
        assert not root.user.is_active

    @pytest.mark.parametrize(
        ("theirs", "mine", "allowed"),
        [
            ([], [], True),
            (["view_account"], ["view_account"], True),
            (["view_account"], ["view_account", "block_account"], True),
            (["block_account"], ["view_account"], False),
        ],
    )
    @pytest.mark.parametrize("by_group", [False, True])
    @pytest.mark.parametrize("blocked", [False, True])
    def test_other_staff(
        self, theirs: list[str], mine: list[str], allowed: bool, by_group: bool, blocked: bool
    ) -> None:
        colleague = member_of_staff(*theirs, name="colleague", is_active=not blocked)
        if by_group:
            group = Group.objects.create(name="x")
            group.permissions.set(colleague.user_permissions.all())
            colleague.user_permissions.clear()
            colleague.groups.add(group)
        assert may_act_on(member_of_staff(*mine, name="me"), adopt_user(colleague)) is allowed

    def test_oneself(self) -> None:
        me = member_of_staff("view_account", "change_account")
        assert may_act_on(me, adopt_user(me))


class TestFields:
    def test_mfa_needs_its_own_right(self, ada: Account) -> None:
        Account.objects.update(mfa_enabled=True)
        client = signed_in(member_of_staff("view_account", "change_account"))
        assert 'name="mfa_enabled"' not in client.get(change(ada)).content.decode()
        assert client.post(change(ada), form_of(ada, name="Ada")).status_code == 302
        now = Account.objects.get()
        assert (now.name, now.mfa_enabled) == ("Ada", True)

    def test_impersonators_are_made_by_superusers(self, ada: Account, admin_client: Client) -> None:
        client = signed_in(member_of_staff(*ALL))
        client.post(change(ada), form_of(ada, impersonator="on"))
        assert not Account.objects.get().impersonator
        admin_client.post(change(ada), form_of(ada, impersonator="on"))
        assert Account.objects.get().impersonator

    def test_adding_needs_its_right(self) -> None:
        client = signed_in(member_of_staff("view_account", "change_account"))
        body = {"name": "", "email": "eve@example.org", "phone": ""}
        assert client.post(f"{LIST}add/", body).status_code == 403
        assert not Account.objects.exists()


def test_a_site_adds_its_own(ada: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/admin.md has it: one class, by a permission of the site's own."""
    done: list[str] = []

    class Congratulate(acts.Act):
        name = "congratulate"
        label = "Congratulate"
        description = "A card goes to the person."
        done = "Congratulated."
        permission = "auth.view_group"
        event = ""

        def run(self, request: Any, account: Account, values: Any) -> None:
            done.append(account.public_id)

    monkeypatch.setitem(registry, "congratulate", Congratulate())
    user = member_of_staff("view_account")
    client = signed_in(user)
    assert do(client, ada, "congratulate").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_group"))
    assert "Congratulate" in client.get(change(ada)).content.decode()
    do(client, ada, "congratulate")
    do_many(client, "congratulate", ada)
    assert done == ["ada", "ada"]
    assert {entry.change_message for entry in AdminEntry.objects.all()} == {"Congratulated."}


def test_authenticators_have_no_page_of_django_otps(admin_client: Client) -> None:
    """A site that has django-otp's admin sees its devices, not our seeds."""
    from django.contrib import admin

    from django_account.mfa.models import Authenticator

    assert Authenticator not in admin.site._registry
