"""How each database matches the search terms of movies."""

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, TextField, Value

PREFIX = "*"  # at the end of a term: it may continue


class TermQuery(NamedTuple):
    """Matches movies with one term for each word, or with one of the names."""

    words: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]


class _Vector(Func):
    """The column `search_vector`, which migration 0005 makes Postgres derive from `search_terms`; SQLite has none."""

    template = "%(expressions)s"
    output_field = TextField()

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        column, parameters = super().as_sql(*args, **kwargs)
        return column.replace('"search_terms"', '"search_vector"'), parameters


class _TsQuery(Func):
    template = "%(expressions)s::tsquery"
    output_field = TextField()


class _Matches(Func):
    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()


def matching(query: TermQuery) -> Q:
    """Uses the full-text index on Postgres; SQLite reads every row."""
    if connection.vendor == "postgresql":
        return Q(_Matches(_Vector(F("search_terms")), _TsQuery(Value(_tsquery(query)))))
    called = has_any(query.names)
    return called | reduce(and_, map(has_any, query.words)) if query.words else called


def has_any(terms: Sequence[str]) -> Q:
    """Reads the column itself: for rows already found, and for SQLite."""
    return reduce(or_, map(_contains, terms))


def _tsquery(query: TermQuery) -> str:
    """Terms contain only letters and digits, so nothing needs escaping."""
    words = " & ".join(f"({' | '.join(map(_lexeme, terms))})" for terms in query.words)
    return " | ".join([*map(_lexeme, query.names), *([f"({words})"] if words else [])])


def _lexeme(term: str) -> str:
    return f"'{term.removesuffix(PREFIX)}':*" if term.endswith(PREFIX) else f"'{term}'"


def _contains(term: str) -> Q:
    return Q(search_terms__contains=f" {term.removesuffix(PREFIX)}" + " " * (not term.endswith(PREFIX)))
