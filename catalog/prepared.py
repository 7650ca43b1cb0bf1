"""Queries of the hottest requests, whose SQL Django makes once in a process and not for each request."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet

Row = tuple[Any, ...]


class PreparedQuery:
    """`make` gives the query, of `values_list` or a union of them, for a value; `example` is one that it may be given.

    Every parameter of the SQL that equals the example stands for the value, so no constant of the query may equal it.
    Without `converts` the rows are as the database's driver gives them: quicker, for numbers and texts.
    """

    def __init__(self, make: Callable[[Any], QuerySet[Any, Any]], *, example: Any, converts: bool = True) -> None:
        self._make, self._example, self._converts = make, example, converts

    def rows(self, value: Any) -> list[Row]:
        """As the query set returns them, of the database as it is now."""
        sql, parameters, converters = self._statement
        connection = connections[DEFAULT_DB_ALIAS]
        with connection.cursor() as cursor:
            cursor.execute(sql, [value if given == self._example else given for given in parameters])
            rows: list[Row] = cursor.fetchall()
        for position, (functions, expression) in converters.items():
            for function in functions:
                rows = [_replaced(row, position, function(row[position], expression, connection)) for row in rows]
        return rows

    @cached_property
    def _statement(self) -> tuple[str, tuple[Any, ...], dict[int, Any]]:
        compiler = self._make(self._example).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        columns = [column[0] for column in compiler.select] if self._converts else []
        return sql, tuple(parameters), compiler.get_converters(columns)


def _replaced(row: Row, position: int, value: Any) -> Row:
    return (*row[:position], value, *row[position + 1 :])
