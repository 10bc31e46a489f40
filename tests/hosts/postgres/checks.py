"""The indexes that the migration makes in the site's own table of users, whatever its shape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.state import ModelState, ProjectState

OF_USERS = {"django_account_user_blocked", "django_account_user_staff"}


def migrate(*to: str) -> None:
    call_command("migrate", "django_account", *to, verbosity=0)


def ours(model: Any) -> set[str]:
    """The names of the indexes that we made in a table of the site's."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return {name for name in found if name.startswith("django_account_user_")}


@pytest.mark.django_db(transaction=True)
class TestIndexesOfTheSitesUsers:
    def test_come_and_go(self) -> None:
        assert ours(get_user_model()) == OF_USERS
        migrate("0001")
        assert ours(get_user_model()) == set()
        migrate()
        assert ours(get_user_model()) == OF_USERS

    def test_that_the_site_has_dropped(self) -> None:
        with connection.schema_editor() as editor:
            name = "django_account_user_blocked"
            editor.remove_index(get_user_model(), models.Index(fields=["id"], name=name))
        migrate("0001")
        migrate()
        assert ours(get_user_model()) == OF_USERS

    def test_that_the_site_has_made(self) -> None:
        migrate("0001")
        with connection.schema_editor() as editor:
            name = "django_account_user_blocked"
            editor.add_index(get_user_model(), models.Index(fields=["is_active"], name=name))
        migrate()
        assert ours(get_user_model()) == OF_USERS


KEY: dict[str, Any] = {"id": models.AutoField(primary_key=True)}
FLAGS: dict[str, Any] = {"is_active": models.BooleanField(), "is_staff": models.BooleanField()}


class Site:
    """A site whose users are of another shape."""

    def __init__(self, migration: Any) -> None:
        self.migration = migration
        self.state = ProjectState()

    def add(self, name: str, fields: dict[str, Any], *bases: str, **meta: Any) -> Any:
        """Add a model, and return it."""
        copies = [(each, field.clone()) for each, field in fields.items()]
        self.state.add_model(ModelState("shapes", name, copies, meta, bases or None))
        return self.state.apps.get_model("shapes", name)

    @contextmanager
    def tables(self) -> Iterator[None]:
        """The tables are there meanwhile."""
        made = self.state.apps.get_models()
        with connection.schema_editor() as editor:
            for model in made:
                editor.create_model(model)
        try:
            yield
        finally:
            with connection.schema_editor() as editor:
                for model in reversed(made):
                    editor.delete_model(model)

    def index(self) -> None:
        """As the migration does."""
        with connection.schema_editor() as editor:
            self.migration.create_user_indexes(self.state.apps, editor)

    def unindex(self) -> None:
        """As the migration does backwards."""
        with connection.schema_editor() as editor:
            self.migration.drop_user_indexes(self.state.apps, editor)


@pytest.fixture
def site(transactional_db: None) -> Iterator[Site]:
    migration = import_module("django_account.migrations.0002_list_indexes")
    # The names are those of the whole database.
    migrate("0001")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migration, "settings", SimpleNamespace(AUTH_USER_MODEL="shapes.User"))
        yield Site(migration)
    migrate()


def test_users_may_lose_a_field(site: Site) -> None:
    user = site.add("User", KEY | FLAGS)
    with site.tables():
        site.index()
        with connection.schema_editor() as editor:
            editor.remove_field(user, user._meta.get_field("is_staff"))
        assert "django_account_user_staff" not in ours(user)


class TestUsersOfAnotherShape:
    def test_other_names(self, site: Site) -> None:
        fields = {
            "number": models.UUIDField(primary_key=True, db_column="the key"),
            "is_active": models.BooleanField(db_column="may sign in"),
            "is_staff": models.BooleanField(db_column="order"),
        }
        user = site.add("User", fields, db_table="people of the site")
        with site.tables():
            site.index()
            assert ours(user) == OF_USERS
            site.unindex()
            assert ours(user) == set()

    def test_without_the_fields(self, site: Site) -> None:
        """A later migration of the site adds them."""
        user = site.add("User", KEY)
        with site.tables():
            site.index()
            assert ours(user) == set()

    def test_with_fields_of_another_type(self, site: Site) -> None:
        others = {"is_active": models.DateField(), "is_staff": models.CharField(max_length=9)}
        user = site.add("User", KEY | others)
        with site.tables():
            site.index()
            assert ours(user) == set()

    def test_fields_in_the_table_of_a_parent(self, site: Site) -> None:
        parent = site.add("Person", KEY | FLAGS)
        link = models.OneToOneField(
            "shapes.Person", models.CASCADE, primary_key=True, parent_link=True
        )
        user = site.add("User", {"person": link}, "shapes.Person")
        with site.tables():
            site.index()
            assert ours(user) == ours(parent) == set()

    def test_a_table_that_django_does_not_manage(self, site: Site) -> None:
        user = site.add("User", KEY | FLAGS, managed=False)
        with site.tables():
            site.index()
            assert ours(user) == set()

    def test_a_table_that_cannot_be_indexed(
        self, site: Site, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A view, as good as a table of which somebody else is the owner."""
        people = site.add("Person", KEY | FLAGS)
        with site.tables(), connection.cursor() as cursor:
            cursor.execute(f"CREATE VIEW users AS SELECT * FROM {people._meta.db_table}")
            try:
                site.add("User", KEY | FLAGS, db_table="users")
                site.index()
                site.unindex()
            finally:
                cursor.execute("DROP VIEW users")
        told = [text.split()[2] for text in caplog.messages]
        assert set(told) == OF_USERS
