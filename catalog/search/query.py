"""A search as typed and as it may have been meant, and how each database matches it."""

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, Case, F, Func, Q, Value, When
from django.db.models.expressions import Combinable

from catalog.models import Movie, SearchTerm
from catalog.models.querysets import MovieQuerySet
from catalog.text import TERM_LENGTH, fold, whole_name

FEW = 5
MAX_WORDS = 20
MOST = 500  # a search stops here: no one reads every movie with "the", and sorting them takes time
SUGGESTED = 8
WELL_KNOWN = ("-rating_count", "id")
PREFIX = "*"  # at the end of a term: it may continue


class TermQuery(NamedTuple):
    """Matches movies with one term for each word, or with one of the names."""

    words: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]


class SearchQuery:
    """Also matches terms one letter away if fewer than FEW movies match the words and none has them as its name.

    Filters do not count for this: they must not change the spelling.
    """

    def __init__(self, text: str) -> None:
        self._words = [word[:TERM_LENGTH] for word in fold(text).split()][:MAX_WORDS]
        if not self._words:
            return
        self._name = whole_name(" ".join(self._words))
        *whole, last = self._words
        written = TermQuery(tuple((word,) for word in (*whole, last + PREFIX)), (self._name + PREFIX,))
        self._written = self._meant = written
        if self._is_doubtful():
            self._meant = self._respelt()

    def of(self, movies: MovieQuerySet) -> MovieQuerySet:
        """The matching movies, unordered; none for a text without letters or digits."""
        return movies.filter(matching(self._meant)) if self._words else movies.none()

    def best_known(self, movies: MovieQuerySet, enough: int | None = None) -> list[int]:
        """Keys of at most MOST matches, and of movies with exactly this name. If the words match as written, all
        matches rank alike and `enough` of them suffice."""
        if not self._words:
            return []
        most = enough if enough and self._meant == self._written else MOST
        keys = _first(self.of(movies), most)
        if len(keys) == most:
            keys += _first(movies.filter(matching(TermQuery((), (self._name,)))), most)
        return keys

    def order(self) -> Sequence[str | Combinable]:
        """Exact names first, then names one letter away and movies with the words as written, then the others.

        Within each rank, movies with more ratings come first.
        """
        if not self._words:
            return WELL_KNOWN
        ranks = [When(has_any([self._name]), then=Value(0))]
        if self._meant != self._written:
            ranks.append(When(matching(self._written._replace(names=self._meant.names)), then=Value(1)))
        return (Case(*ranks, default=Value(2)), *WELL_KNOWN)

    def _is_doubtful(self) -> bool:
        found = Movie.objects.filter(matching(self._written)).order_by()
        few = list(found.values_list("search_terms", flat=True)[:FEW])
        return len(few) < FEW and not any(f" {self._name} " in terms for terms in few)

    def _respelt(self) -> TermQuery:
        near = SearchTerm.objects.near([self._name, *self._words])
        return TermQuery(
            tuple((*terms, *near[word]) for terms, word in zip(self._written.words, self._words, strict=True)),
            (*self._written.names, *near[self._name]),
        )


def _first(movies: MovieQuerySet, most: int) -> list[int]:
    return list(movies.order_by(*WELL_KNOWN).values_list("pk", flat=True)[:most])


def suggest(text: str) -> MovieQuerySet:
    """Suggestions for an incomplete text, best first."""
    query = SearchQuery(text)
    keys = query.best_known(Movie.objects.all(), SUGGESTED)
    return Movie.objects.filter(pk__in=keys).order_by(*query.order())[:SUGGESTED]


class _Matches(Func):
    """Reads `search_vector`, which migration 0005 makes Postgres derive from `search_terms`; SQLite has none."""

    template = "(%(expressions)s::tsquery)"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        sql, parameters = super().as_sql(*args, **kwargs)
        return sql.replace('"search_terms"', '"search_vector"'), parameters


def matching(query: TermQuery) -> Q:
    """Uses the full-text index on Postgres; SQLite reads every row."""
    if connection.vendor == "postgresql":
        return Q(_Matches(F("search_terms"), Value(_tsquery(query))))
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
