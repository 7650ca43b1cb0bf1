"""Queries of the most frequent requests. Django compiles them once per process, and Postgres plans them once."""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

Row = tuple[Any, ...]

# InvalidSqlStatementName and DuplicatePreparedStatement occur if a connection pooler switches server connections per
# transaction. FeatureNotSupported occurs after a migration has changed a column's type.
_NOT_PREPARED = {"26000", "42P05", "0A000"}


class PreparedQuery:
    """A query with one parameter, compiled once.

    `make` returns the query for a value, which must use `values_list` or a union. It is compiled with `example`. Every
    SQL parameter equal to the example is later replaced by the value, so no constant of the query may equal it. If
    `converts` is False, rows contain the driver's raw values, which is faster and works for numbers and strings.
    """

    def __init__(self, make: Callable[[Any], QuerySet[Any, Any]], *, example: Any, converts: bool = True) -> None:
        self._make, self._example, self._converts = make, example, converts
        self._name = f"{make.__module__}.{make.__name__}".replace(".", "_")
        self._prepared: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()  # keyed by the driver's connections
        self._is_pooled = False

    def rows(self, value: Any) -> list[Row]:
        """Returns the same rows as the queryset, from the current state of the database."""
        sql, parameters, converters = self._statement
        connection = connections[DEFAULT_DB_ALIAS]
        rows = self._execute(connection, sql, parameters, value)
        for position, (functions, expression) in converters.items():
            for function in functions:
                rows = [_replaced(row, position, function(row[position], expression, connection)) for row in rows]
        return rows

    def _execute(self, connection: BaseDatabaseWrapper, sql: str, parameters: Row, value: Any) -> list[Row]:
        with connection.cursor() as cursor:
            # an error within a transaction could not be undone
            if connection.vendor == "postgresql" and not connection.in_atomic_block and not self._is_pooled:
                try:
                    return self._execute_prepared(cursor, connection.connection, sql, parameters, value)
                except Error as error:
                    if getattr(error.__cause__, "pgcode", None) not in _NOT_PREPARED:
                        raise
                    self._is_pooled = True
            cursor.execute(sql, [value if given == self._example else given for given in parameters])
            rows: list[Row] = cursor.fetchall()
            return rows

    def _execute_prepared(self, cursor: Any, connection: Any, sql: str, parameters: Row, value: Any) -> list[Row]:
        if connection not in self._prepared:
            # imported here, because an embedded site does not need the Postgres driver
            from psycopg2.extensions import AsIs

            own = [AsIs("$1") if given == self._example else given for given in parameters]
            cursor.execute(f"PREPARE {self._name} AS {cursor.mogrify(sql, own).decode()}")
            self._prepared[connection] = True
        cursor.execute(f"EXECUTE {self._name} (%s)", [value])
        rows: list[Row] = cursor.fetchall()
        return rows

    @cached_property
    def _statement(self) -> tuple[str, Row, dict[int, Any]]:
        compiler = self._make(self._example).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        columns = [column[0] for column in compiler.select] if self._converts else []
        return sql, tuple(parameters), compiler.get_converters(columns)


def _replaced(row: Row, position: int, value: Any) -> Row:
    return (*row[:position], value, *row[position + 1 :])
