"""Only for this host."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from tests.client import ApiClient


def test_new_people_have_the_tenant_of_the_setting(guest: ApiClient) -> None:
    guest.sign_up()
    assert guest.post("/account/sessions/anonymous").status_code == 201
    names = {user.tenant.name for user in get_user_model().objects.all()}
    assert names == {"from the account API"}
