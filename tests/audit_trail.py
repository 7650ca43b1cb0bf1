"""The way around the triggers that keep the audit trail: tests make up yesterday, and remove all rows after a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model, QuerySet

from mlops.migrations._append_only import creations, drops


@contextmanager
def unguarded() -> Iterator[None]:
    """Without the triggers, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        connection.check_constraints()  # Postgres alters no table that has checks to come
        for statement in drops(apps, connection.vendor):
            cursor.execute(statement)
        yield
        for statement in creations(apps, connection.vendor):
            cursor.execute(statement, None)


class _Unguarded(QuerySet[Any]):
    def update(self, **values: Any) -> int:
        with unguarded():
            return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        with unguarded():
            return super().delete()


def trail(model: type[Model]) -> QuerySet[Any]:
    """The rows of a trail, which can be changed."""
    return _Unguarded(model)


def let_flush_pass() -> None:
    """`flush`, by which Django empties the tables after a transactional test, goes around the triggers."""
    operations = type(connection.ops)
    sql_flush = _delete_all if connection.vendor == "postgresql" else operations.sql_flush

    @wraps(sql_flush)
    def unguarded_flush(self: Any, style: Any, tables: Any, **options: Any) -> list[str]:
        rows = sql_flush(self, style, tables, **options)
        return [*drops(apps, connection.vendor), *rows, *creations(apps, connection.vendor)]

    operations.sql_flush = unguarded_flush


def _delete_all(operations: Any, style: Any, tables: Any, **options: Any) -> list[str]:
    """To truncate every table of Postgres takes 1.6 s, to delete the few rows that there are 20 ms.

    Django's foreign keys are checked at the end of a transaction, so that the order is free.
    """
    return [f"DELETE FROM {operations.quote_name(table)}" for table in tables]
