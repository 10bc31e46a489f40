"""Migrations, forwards and back, on databases of every kind."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection


@pytest.mark.django_db(transaction=True)
def test_where_ddl_cannot_be_rolled_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """MariaDB and MySQL: Django refuses to run DDL inside of a transaction there."""
    monkeypatch.setattr(connection.features, "can_rollback_ddl", False)
    call_command("migrate", "django_account", "0001", verbosity=0)
    call_command("migrate", "django_account", verbosity=0)
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "django_account_account")
    assert "account_by_accessed_at" in found


@pytest.mark.django_db
def test_users_get_indexes_on_postgresql_alone() -> None:
    """SQLite would let a site remove no column that one knows of (hosts/postgres/checks.py)."""
    with connection.cursor() as cursor:
        table = get_user_model()._meta.db_table
        found = connection.introspection.get_constraints(cursor, table)
    has_ours = any(name.startswith("django_account_user_") for name in found)
    assert has_ours == (connection.vendor == "postgresql")
