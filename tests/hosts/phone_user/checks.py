"""Only for this host."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from tests.client import PASSWORD, ApiClient, assert_error


def test_site_user_has_no_address_to_sign_in_by(guest: ApiClient) -> None:
    get_user_model().objects.create_user("+14155550100", PASSWORD)
    for email in ("eve@example.org", "14155550100@users.invalid"):
        body = {"email": email, "password": PASSWORD}
        response = guest.post("/account/sessions/email", body)
        assert_error(response, 401, "user_invalid_credentials")


def test_people_without_a_number_do_not_share_one(guest: ApiClient) -> None:
    for number in range(3):
        guest.sign_up(f"ada{number}@example.org")
    assert get_user_model().objects.values("phone").distinct().count() == 3
