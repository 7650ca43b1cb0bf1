"""Term matching per database: a full-text index on Postgres, a scan of the rows on SQLite."""

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, Value

PREFIX = "*"  # at the end of a term, matches any term with this beginning


class TermQuery(NamedTuple):
    """Matches rows that contain one term for each word, or any of the names."""

    words: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]


class _Matches(Func):
    """Matches `search_vector`, which Postgres generates from `search_terms` (see the migrations). SQLite lacks it."""

    template = "(%(expressions)s::tsquery)"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        sql, parameters = super().as_sql(*args, **kwargs)
        return sql.replace('"search_terms"', '"search_vector"'), parameters


def matching(query: TermQuery, *, of: str = "") -> Q:
    """Returns a filter for movies or people. `of="person__"` filters rows related to a person instead."""
    if connection.vendor == "postgresql":
        return Q(_Matches(F(f"{of}search_terms"), Value(_tsquery(query))))
    called = has_any(query.names, of=of)
    return called | reduce(and_, (has_any(terms, of=of) for terms in query.words)) if query.words else called


def has_any(terms: Sequence[str], *, of: str = "") -> Q:
    """Returns a filter on `search_terms` that does not use the index. Used on SQLite and for filtered rows."""
    return reduce(or_, (_contains(term, of) for term in terms))


def _tsquery(query: TermQuery) -> str:
    """Returns the tsquery. Terms contain only letters and digits, so they need no escaping."""
    words = " & ".join(f"({' | '.join(map(_lexeme, terms))})" for terms in query.words)
    return " | ".join([*map(_lexeme, query.names), *([f"({words})"] if words else [])])


def _lexeme(term: str) -> str:
    return f"'{term.removesuffix(PREFIX)}':*" if term.endswith(PREFIX) else f"'{term}'"


def _contains(term: str, of: str) -> Q:
    found = f" {term.removesuffix(PREFIX)}" + " " * (not term.endswith(PREFIX))
    return Q(**{f"{of}search_terms__contains": found})
