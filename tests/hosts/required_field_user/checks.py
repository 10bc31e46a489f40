"""Only for this host."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import get_user_model

from django_account.sessions.models import Session
from tests.client import ApiClient
from tests.hosts.required_field_user.models import Basket


def test_new_people_have_the_tenant_of_the_setting(guest: ApiClient) -> None:
    guest.sign_up()
    assert guest.post("/account/sessions/anonymous").status_code == 201
    names = {user.tenant.name for user in get_user_model().objects.all()}
    assert names == {"from the account API"}


def test_what_the_site_hangs_on_a_session_goes_with_it(
    ada: ApiClient, project: Callable[..., None]
) -> None:
    """Also when the session goes because there are too many."""
    project(SESSION_LIMIT=1)
    Basket.objects.create(session=Session.objects.get())
    ApiClient().sign_in()
    assert Session.objects.count() == 1
    assert not Basket.objects.exists()
