"""Bypasses the triggers that protect the audit trail, to backdate rows and to remove them after a test."""

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
    """Disables the triggers in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        connection.check_constraints()  # Postgres cannot alter a table with pending checks
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
    """Returns the rows of an audit trail without protection against changes."""
    return _Unguarded(model)


def let_flush_pass() -> None:
    """Lets `flush`, which Django calls after a transactional test, bypass the triggers."""
    operations = type(connection.ops)
    sql_flush = _delete_all if connection.vendor == "postgresql" else operations.sql_flush

    @wraps(sql_flush)
    def unguarded_flush(self: Any, style: Any, tables: Any, **options: Any) -> list[str]:
        rows = sql_flush(self, style, tables, **options)
        return [*drops(apps, connection.vendor), *rows, *creations(apps, connection.vendor)]

    operations.sql_flush = unguarded_flush


def _delete_all(operations: Any, style: Any, tables: Any, **options: Any) -> list[str]:
    """Deletes all rows. Truncating every table of Postgres takes 1.6 s, deleting the few rows 20 ms.

    Django's foreign keys are checked at the end of a transaction, so the order does not matter.
    """
    return [f"DELETE FROM {operations.quote_name(table)}" for table in tables]
