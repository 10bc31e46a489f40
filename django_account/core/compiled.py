"""ORM queries whose SQL is written once.

Building SQL from a queryset costs more than PostgreSQL needs to answer it (design.md §8). The
statements of the hottest paths are therefore compiled at their first use and run with new values;
each stands beside the queryset it equals, and a test holds both to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.models import Model, QuerySet
from django.db.models.sql import InsertQuery

Converter = tuple[int, list[Callable[..., Any]], Any]


class CompiledQuery:
    """A ``values_list`` queryset with exactly one parameter.

    Args:
        build: given the parameter, returns the queryset.
        mark: what marks the parameter's place in the compiled statement; of the column's type, and
            no value that a column really has.
    """

    TEXT = "\N{SNOWMAN}parameter"
    NUMBER = -(2**61)

    def __init__(self, build: Callable[[Any], QuerySet[Any]], mark: str | int = TEXT) -> None:
        self.build, self.mark = build, mark
        self._compiled: dict[str, tuple[str, list[Any], int, list[Converter]]] = {}

    def _compile(self, alias: str) -> tuple[str, list[Any], int, list[Converter]]:
        compiler = self.build(self.mark).using(alias).query.get_compiler(alias)
        sql, params = compiler.as_sql()
        columns = [expression for expression, _, _ in compiler.select or ()]
        converters = [
            (position, functions, expression)
            for position, (functions, expression) in compiler.get_converters(columns).items()
        ]
        statement = (sql, list(params), list(params).index(self.mark), converters)
        self._compiled[alias] = statement
        return statement

    def rows(self, alias: str, parameter: str | int) -> list[tuple[Any, ...]]:
        """Run the statement.

        Args:
            alias: the database.
            parameter: the value of the one parameter.

        Returns:
            rows of Python values, in the order of the queryset's columns.
        """
        sql, params, place, converters = self._compiled.get(alias) or self._compile(alias)
        connection = connections[alias]
        with connection.cursor() as cursor:
            cursor.execute(sql, [*params[:place], parameter, *params[place + 1 :]])
            # A tuple on MySQL.
            rows: list[tuple[Any, ...]] = list(cursor.fetchall())
        if not converters:
            return rows
        converted = [list(row) for row in rows]
        for position, functions, expression in converters:
            for row in converted:
                for function in functions:
                    row[position] = function(row[position], expression, connection)
        return [tuple(row) for row in converted]


class CompiledInsert:
    """The INSERT of one new row, as ``bulk_create`` makes it.

    No signal of Django's is sent, and the key that the database makes is not read back.

    Args:
        model: of one table.
    """

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.fields = [
            field
            for field in model._meta.local_concrete_fields
            if not (field.primary_key or field.generated)
        ]
        self._compiled: dict[str, str] = {}

    def _compile(self, alias: str) -> str:
        query = InsertQuery(self.model)
        # Any row does: where each value goes is the same for all.
        query.insert_values(self.fields, [self.model()])
        sql: str
        ((sql, _),) = query.get_compiler(alias).as_sql()
        self._compiled[alias] = sql
        return sql

    def run(self, alias: str, instance: Model) -> None:
        """Insert a row.

        Args:
            alias: the database.
            instance: a new one, whose values are plain ones: no expressions.
        """
        connection = connections[alias]
        values = [
            field.get_db_prep_save(field.pre_save(instance, add=True), connection)
            for field in self.fields
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._compiled.get(alias) or self._compile(alias), values)
        instance._state.adding = False
        instance._state.db = alias


class Columns:
    """All columns of several joined models, and how to make instances of a row of them.

    Args:
        parts: for each model the path that leads to it from the first, such as
            ``("account__user__", User)``.
    """

    def __init__(self, *parts: tuple[str, type[Model]]) -> None:
        self.paths: list[str] = []
        self._parts: list[tuple[type[Model], list[str], slice]] = []
        for prefix, model in parts:
            names = [field.attname for field in model._meta.concrete_fields]
            columns = slice(len(self.paths), len(self.paths) + len(names))
            self._parts.append((model, names, columns))
            self.paths += [prefix + name for name in names]

    def instances(self, alias: str, row: tuple[Any, ...]) -> list[Any]:
        """One instance of each model, as if it had been queried.

        Returns:
            in the order of the parts; None for a model that an outer join did not find.
        """
        return [
            None if row[columns.start] is None else model.from_db(alias, names, row[columns])
            for model, names, columns in self._parts
        ]
