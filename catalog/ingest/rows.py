"""Inserts many rows with plain SQL, six times as fast as `bulk_create`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from django.db import connection
from django.db.models import DateField, Model

ROWS_A_STATEMENT = 2000
PARAMETERS_A_STATEMENT = 30_000  # below SQLite's limit


def insert_rows(
    model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, ignore_conflicts: bool = False
) -> None:
    """Inserts rows. `columns` are database columns. Skips model defaults and signals."""
    size = min(ROWS_A_STATEMENT, PARAMETERS_A_STATEMENT // len(columns))
    marks = f"({', '.join(['%s'] * len(columns))})"
    insert = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES "
    end = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    adapted = _adapted(model, columns, rows)
    with connection.cursor() as cursor:
        while batch := list(islice(adapted, size)):
            cursor.execute(insert + ", ".join([marks] * len(batch)) + end, list(chain.from_iterable(batch)))


def _adapted(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Converts dates and times for the database driver."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    adapters = [fields[name].get_db_prep_value if isinstance(fields[name], DateField) else None for name in columns]
    if not any(adapters):
        return iter(rows)
    pairs = (zip(adapters, row, strict=True) for row in rows)
    return ([adapt(value, connection) if adapt else value for adapt, value in pair] for pair in pairs)
