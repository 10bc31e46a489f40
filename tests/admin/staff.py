"""Staff with few permissions."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client


def staff_with(*permissions: str) -> Client:
    """Somebody of the staff, signed in, who may do that much: ``staff_with("view_tally")``."""
    user = get_user_model().objects.create_user("staff", password="x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in=permissions, content_type__app_label="django_account"
        )
    )
    client = Client()
    client.force_login(user)
    return client
