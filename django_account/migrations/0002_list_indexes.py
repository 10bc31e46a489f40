"""Indexes for lists of accounts: those that no model can declare for every database, and two of the
site's own table of users."""

import logging

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import DatabaseError, migrations, models, transaction

logger = logging.getLogger("django_account")

TABLE = "django_account_account"

# Columns of which a part is empty: lists show that part first (api/queries.py).
PARTLY_EMPTY = ["accessed_at", "password_changed_at", "email", "phone"]

# What a search looks through, as Django's icontains spells it.
SEARCHED = ["public_id", "name", "email", "phone"]

# Whom the admin's filters look for in the site's own table of users, who are few: the index's name,
# the column, and its value.
OF_USERS = [
    ("django_account_user_blocked", "is_active", False),
    ("django_account_user_staff", "is_staff", True),
]


def create_indexes(apps, schema_editor):
    """Make them; on PostgreSQL also those for labels, and for searching where it has pg_trgm."""
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    nulls = " ASC NULLS FIRST" if on_postgresql else ""
    for column in PARTLY_EMPTY:
        # Elsewhere the unique columns have an index that is as good.
        if on_postgresql or column not in SEARCHED:
            schema_editor.execute(
                f"CREATE INDEX account_by_{column} ON {TABLE} ({column}{nulls}, id)"
            )
    if on_postgresql:
        schema_editor.execute(
            f"CREATE INDEX account_by_labels ON {TABLE} USING gin (labels jsonb_path_ops)"
        )
        create_search_indexes(schema_editor)
    create_user_indexes(apps, schema_editor)


def create_search_indexes(schema_editor):
    """Search by trigrams. Without them searching works all the same, only slower."""
    connection = schema_editor.connection
    try:
        # Whoever migrates may not be allowed to, or the extension may not be there.
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for column in SEARCHED:
                cursor.execute(
                    f"CREATE INDEX account_search_{column} ON {TABLE} "
                    f"USING gin (upper({column}::text) gin_trgm_ops)"
                )
    except DatabaseError as error:
        logger.warning(
            "Searching accounts has no trigram index: %s. docs/servers.md says how to make it later.",
            error,
        )


def create_user_indexes(apps, schema_editor):
    """Find the blocked and the staff. Without them the list reads past everybody else."""
    for user, index in user_indexes(apps, schema_editor):
        if not has_index(schema_editor, user, index):
            attempt(schema_editor, schema_editor.add_index, user, index)


def drop_user_indexes(apps, schema_editor):
    """Drop them, unless the site has."""
    for user, index in user_indexes(apps, schema_editor):
        if has_index(schema_editor, user, index):
            attempt(schema_editor, schema_editor.remove_index, user, index)


def user_indexes(apps, schema_editor):
    """The indexes that the user table as it is now can have, each with its model.

    Only PostgreSQL. SQLite drops no column that an index knows of, so that a later migration of the
    site could not take it away, and reads a million users in 50 ms. MariaDB and MySQL have no index
    of a part: one of the whole finds staff faster, and the blocked more slowly.
    """
    user = apps.get_model(settings.AUTH_USER_MODEL)
    if schema_editor.connection.vendor != "postgresql" or not user._meta.managed:
        return
    for name, column, value in OF_USERS:
        try:
            field = user._meta.get_field(column)
        except FieldDoesNotExist:
            continue
        # Not what another table has, such as a parent's.
        is_own = field in user._meta.local_concrete_fields
        if is_own and isinstance(field, models.BooleanField):
            condition = models.Q(**{column: value})
            yield user, models.Index(fields=[user._meta.pk.name], name=name, condition=condition)


def has_index(schema_editor, model, index):
    """Whether a table has an index."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    return index.name in found


def attempt(schema_editor, change, user, index):
    """Change the site's table, whose owner may be another than who migrates."""
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            change(user, index)
    except DatabaseError as error:
        logger.warning(
            "The index %s stays as it was: %s. docs/servers.md says what it is for.",
            index.name,
            error,
        )


def drop_indexes(apps, schema_editor):
    """Drop what create_indexes made. The extension stays: others may use it."""
    drop_user_indexes(apps, schema_editor)
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    names = [
        f"account_by_{column}" for column in PARTLY_EMPTY if on_postgresql or column not in SEARCHED
    ]
    if on_postgresql:
        names += ["account_by_labels", *(f"account_search_{column}" for column in SEARCHED)]
    on_table = f" ON {TABLE}" if schema_editor.connection.vendor == "mysql" else ""
    for name in names:
        if_exists = "" if on_table else "IF EXISTS "
        schema_editor.execute(f"DROP INDEX {if_exists}{name}{on_table}")


class Migration(migrations.Migration):
    dependencies = [("django_account", "0001_initial")]

    # Where DDL cannot be rolled back (MariaDB, MySQL) Django runs none inside of a transaction.
    # Elsewhere the whole migration is one all the same.
    operations = [migrations.RunPython(create_indexes, drop_indexes, atomic=False)]
