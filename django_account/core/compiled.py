"""An ORM query whose SQL is written once.

Building SQL from a queryset costs more than PostgreSQL needs to answer it (design.md §8). The
statements of the hottest path are therefore compiled at their first use and run with new values;
each stands beside the queryset it equals, and a test holds both to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.models import QuerySet

Converter = tuple[int, list[Callable[..., Any]], Any]


class CompiledQuery:
    """A ``values_list`` queryset with exactly one parameter.

    Args:
        build: given the parameter, returns the queryset.
    """

    # No value of a real column: it marks the parameter's place in the compiled statement.
    _MARK = "\N{SNOWMAN}parameter"

    def __init__(self, build: Callable[[str], QuerySet[Any]]) -> None:
        self.build = build
        self._compiled: dict[str, tuple[str, list[Any], int, list[Converter]]] = {}

    def _compile(self, alias: str) -> tuple[str, list[Any], int, list[Converter]]:
        compiler = self.build(self._MARK).using(alias).query.get_compiler(alias)
        sql, params = compiler.as_sql()
        columns = [expression for expression, _, _ in compiler.select or ()]
        converters = [
            (position, functions, expression)
            for position, (functions, expression) in compiler.get_converters(columns).items()
        ]
        statement = (sql, list(params), list(params).index(self._MARK), converters)
        self._compiled[alias] = statement
        return statement

    def rows(self, alias: str, parameter: str) -> list[tuple[Any, ...]]:
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
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        if not converters:
            return rows
        converted = [list(row) for row in rows]
        for position, functions, expression in converters:
            for row in converted:
                for function in functions:
                    row[position] = function(row[position], expression, connection)
        return [tuple(row) for row in converted]
