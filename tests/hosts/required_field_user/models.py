"""People who cannot be without a tenant."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models


class Tenant(models.Model):
    name = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Django's own ways of making a user know no tenant."""
        if self.tenant_id is None:
            self.tenant = default_tenant()
        super().save(*args, **kwargs)


def default_tenant() -> Tenant:
    return Tenant.objects.get_or_create(name="default")[0]


def new_user_fields(
    *, account_id: str, email: str | None, phone: str | None, name: str
) -> dict[str, Any]:
    """What DJANGO_ACCOUNT's NEW_USER_FIELDS names."""
    return {"tenant": Tenant.objects.get_or_create(name="from the account API")[0]}


class Basket(models.Model):
    """What hangs on a session of ours."""

    session = models.ForeignKey("django_account.Session", on_delete=models.CASCADE)

    def __str__(self) -> str:
        return f"the basket of {self.session}"
