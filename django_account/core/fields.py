"""Column types."""

from __future__ import annotations

from typing import Any

from django.db import models


class ExactCharField(models.CharField):
    """A CharField that compares byte for byte on every database.

    MySQL and MariaDB fold case and accents and overlook blanks at the end unless told otherwise,
    which would make two ids, digests or provider uids the same that are not.
    """

    def db_type(self, connection: Any) -> str | None:
        column = super().db_type(connection)
        if connection.vendor != "mysql":
            return column
        # Not utf8mb4_bin: to it "a" and "a " are equal.
        collation = "utf8mb4_nopad_bin" if connection.mysql_is_mariadb else "utf8mb4_0900_bin"
        return f"{column} CHARACTER SET utf8mb4 COLLATE {collation}"


class Bytes(models.Func):
    """A text, to be compared byte for byte by a database that folds case otherwise."""

    arity = 1
    template = "%(expressions)s"

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="CAST(%(expressions)s AS BINARY)", **context
        )


class SealedField(models.TextField):
    """Holds what :func:`core.crypto.encrypt` makes; empty when there is nothing.

    It stays encrypted until somebody decrypts it. ``manage.py reencrypt`` finds every such column.

    Args:
        purpose: the one that its texts are encrypted for.
    """

    def __init__(self, *, purpose: str, **kwargs: Any) -> None:
        self.purpose = purpose
        super().__init__(**{"editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "purpose": self.purpose}
