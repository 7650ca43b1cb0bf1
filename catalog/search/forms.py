"""What is asked of the movies' terms, and how each database is asked for it."""

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, TextField, Value

BEGINNING = "*"  # at the end of a term: it may go on


class Asked(NamedTuple):
    """Movies that hold a term of each word, or one of the names."""

    words: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]


class _Vector(Func):
    """The column `search_vector`, which migration 0005 makes Postgres derive from `search_terms`; SQLite has none."""

    template = "%(expressions)s"
    output_field = TextField()

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        column, parameters = super().as_sql(*args, **kwargs)
        return column.replace('"search_terms"', '"search_vector"'), parameters


class _Asks(Func):
    template = "%(expressions)s::tsquery"
    output_field = TextField()


class _Matches(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()


def holds(asked: Asked) -> Q:
    """A full text query by index on Postgres; SQLite reads every row."""
    if connection.vendor == "postgresql":
        return Q(_Matches(_Vector(F("search_terms")), _Asks(Value(_tsquery(asked)))))
    called = has_any(asked.names)
    return called | reduce(and_, map(has_any, asked.words)) if asked.words else called


def has_any(terms: Sequence[str]) -> Q:
    """Reads the column itself: for rows that are found already, and for SQLite."""
    return reduce(or_, map(_contains, terms))


def _tsquery(asked: Asked) -> str:
    """Terms are letters and digits alone, so that nothing in them needs escaping."""
    words = " & ".join(f"({' | '.join(map(_lexeme, terms))})" for terms in asked.words)
    return " | ".join([*map(_lexeme, asked.names), *([f"({words})"] if words else [])])


def _lexeme(term: str) -> str:
    return f"'{term.removesuffix(BEGINNING)}':*" if term.endswith(BEGINNING) else f"'{term}'"


def _contains(term: str) -> Q:
    return Q(search_terms__contains=f" {term.removesuffix(BEGINNING)}" + " " * (not term.endswith(BEGINNING)))
