"""How each database matches terms: by a full-text index on Postgres, row by row on SQLite."""

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, Value

PREFIX = "*"  # at the end of a term: it may continue


class TermQuery(NamedTuple):
    """Matches rows with one term for each word, or with one of the names."""

    words: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]


class _Matches(Func):
    """Reads `search_vector`, which migrations make Postgres derive from `search_terms`; SQLite has none."""

    template = "(%(expressions)s::tsquery)"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        sql, parameters = super().as_sql(*args, **kwargs)
        return sql.replace('"search_terms"', '"search_vector"'), parameters


def matching(query: TermQuery, *, of: str = "") -> Q:
    """Matches movies or people, or rows with a relation to them, as `of="person__"` says."""
    if connection.vendor == "postgresql":
        return Q(_Matches(F(f"{of}search_terms"), Value(_tsquery(query))))
    called = has_any(query.names, of=of)
    return called | reduce(and_, (has_any(terms, of=of) for terms in query.words)) if query.words else called


def has_any(terms: Sequence[str], *, of: str = "") -> Q:
    """Reads the column itself: for rows already found, and for SQLite."""
    return reduce(or_, (_contains(term, of) for term in terms))


def _tsquery(query: TermQuery) -> str:
    """Terms contain only letters and digits, so nothing needs escaping."""
    words = " & ".join(f"({' | '.join(map(_lexeme, terms))})" for terms in query.words)
    return " | ".join([*map(_lexeme, query.names), *([f"({words})"] if words else [])])


def _lexeme(term: str) -> str:
    return f"'{term.removesuffix(PREFIX)}':*" if term.endswith(PREFIX) else f"'{term}'"


def _contains(term: str, of: str) -> Q:
    found = f" {term.removesuffix(PREFIX)}" + " " * (not term.endswith(PREFIX))
    return Q(**{f"{of}search_terms__contains": found})
