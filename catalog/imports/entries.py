"""The ratings, viewings, watchlist items and lists that a user exports."""

from collections.abc import Iterator
from datetime import date, datetime
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import QuerySet

from catalog.imports.fields import Kind
from catalog.models import Movie, MovieList, User

READ_AT_ONCE = 1000  # rows
NOT_WRITTEN = [f"movie__{name}" for name in ("overview", "search_title", "search_terms", "field_sources")]


class Entry(NamedTuple):
    """A rating, viewing, watchlist item or movie of a list to export. `number` counts them from 1."""

    kind: Kind
    number: int
    movie: Movie
    recorded_at: datetime
    rating: float | None = None
    watched_on: date | None = None
    is_rewatch: bool = False


class Entries:
    """All ratings, viewings and watchlist items of a user, each oldest first. Every iteration reads them in batches.

    `lists` are not part of the iteration.
    """

    def __init__(self, user: User) -> None:
        self.lists: QuerySet[MovieList] = user.lists.order_by("created_at", "pk")
        self._rows: dict[Kind, QuerySet[Any]] = {
            Kind.RATED: user.ratings.order_by("rated_at", "pk"),
            Kind.WATCHED: user.viewings.order_by("watched_on", "pk"),
            Kind.WANTED: user.watchlist.order_by("added_at", "pk"),
        }

    def __iter__(self) -> Iterator[Entry]:
        return chain.from_iterable(map(self.of, self._rows))

    def of(self, kind: Kind) -> Iterator[Entry]:
        rows = self._rows[kind].select_related("movie").defer(*NOT_WRITTEN)
        for n, row in enumerate(rows.iterator(READ_AT_ONCE), 1):
            yield _entry(kind, n, row)

    def of_list(self, movie_list: MovieList) -> Iterator[Entry]:
        """The movies of a list in its order."""
        items = movie_list.items.select_related("movie").defer(*NOT_WRITTEN)
        for n, item in enumerate(items.iterator(READ_AT_ONCE), 1):
            yield Entry(Kind.LISTED, n, item.movie, item.added_at)


def _entry(kind: Kind, number: int, row: Any) -> Entry:
    if kind == Kind.RATED:
        return Entry(kind, number, row.movie, row.rated_at, rating=row.rating)
    if kind == Kind.WANTED:
        return Entry(kind, number, row.movie, row.added_at)
    return Entry(kind, number, row.movie, row.recorded_at, watched_on=row.watched_on, is_rewatch=row.is_rewatch)
