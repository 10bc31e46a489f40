"""Column types."""

from __future__ import annotations

from typing import Any

from django.db import models


class ExactCharField(models.CharField):
    """A CharField that compares byte for byte on every database.

    MySQL and MariaDB fold case and accents unless told otherwise, which would make two ids, digests
    or provider uids the same that are not.
    """

    def db_type(self, connection: Any) -> str | None:
        column = super().db_type(connection)
        if connection.vendor == "mysql":
            return f"{column} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        return column


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
