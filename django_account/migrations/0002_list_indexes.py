"""Indexes for lists of accounts that models cannot declare for every database."""

import logging

from django.db import DatabaseError, migrations, transaction

logger = logging.getLogger("django_account")

TABLE = "django_account_account"

# Columns of which a part is empty: lists show that part first (api/queries.py).
PARTLY_EMPTY = ["accessed_at", "password_changed_at", "email", "phone"]

# What a search looks through, as Django's icontains spells it.
SEARCHED = ["public_id", "name", "email", "phone"]


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


def drop_indexes(apps, schema_editor):
    """Drop what create_indexes made. The extension stays: others may use it."""
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
