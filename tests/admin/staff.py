"""Members of staff, by what they may do, and people they deal with."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from django_account.accounts.models import Account
from django_account.accounts.services import adopt_user

LIST = "/admin/django_account/account/"


def member_of_staff(*codenames: str, name: str = "staff", **fields: Any) -> Any:
    """A user of the admin with some of our permissions."""
    user = get_user_model().objects.create_user(name, password="x", is_staff=True, **fields)
    given = Permission.objects.filter(
        content_type__app_label="django_account", codename__in=codenames
    )
    assert len(given) == len(codenames)
    user.user_permissions.set(given)
    return user


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def staff(*codenames: str) -> Client:
    """Somebody with some of our permissions, signed in to the admin."""
    return signed_in(member_of_staff(*codenames))


def account_of_superuser() -> Account:
    """Whom nobody but superusers may touch."""
    users: Any = get_user_model().objects
    return adopt_user(users.create_superuser("root", "root@example.org", "x"))


def change(account: Account) -> str:
    return f"{LIST}{account.pk}/change/"


def act_page(account: Account, act: str, **item: str) -> str:
    query = "".join(f"?{name}={value}" for name, value in item.items())
    return f"{LIST}{account.pk}/act/{act}/{query}"


def do(client: Client, account: Account, act: str, **values: Any) -> Any:
    """Confirm an act; the page that follows."""
    return client.post(act_page(account, act), {**values, "confirmed": "x"}, follow=True)


def do_many(client: Client, act: str, *accounts: Account, **values: Any) -> Any:
    """Confirm an act of the list; the page that follows."""
    chosen = {"action": act, "_selected_action": [account.pk for account in accounts]}
    return client.post(LIST, {**chosen, **values, "confirmed": "x"}, follow=True)


def errors_on(page: Any) -> list[str]:
    """What a page says went wrong, above its content."""
    return [str(each) for each in page.context["messages"] if each.level_tag == "error"]


def form_of(account: Account, **changes: Any) -> dict[str, Any]:
    """What a browser sends of the account's form."""
    values = {
        "name": account.name,
        "email": account.email or "",
        "phone": account.phone or "",
        "labels": " ".join(account.labels),
        "prefs": "{}",
    }
    if account.mfa_enabled:
        values["mfa_enabled"] = "on"
    return values | changes
