"""What a text asks for: as it is written, and as it may have been meant."""

from collections.abc import Sequence

from django.db.models import Case, Value, When
from django.db.models.expressions import Combinable

from catalog.models import Movie
from catalog.querysets import MovieQuerySet
from catalog.search.forms import BEGINNING, Asked, has_any, holds
from catalog.search.spelling import near_terms
from catalog.text import TERM_LENGTH, fold, whole_name

FEW = 5
MAX_WORDS = 20
MOST = 500  # a search is done after so many: nobody reads all that hold "the", and sorting them takes time
WELL_KNOWN = ("-rating_count", "id")


class Meaning:
    """Terms one letter away are meant too where fewer than FEW movies hold the words as written and none is called so.

    Whatever else is asked for besides: filters must not change the spelling.
    """

    def __init__(self, text: str) -> None:
        self._words = [word[:TERM_LENGTH] for word in fold(text).split()][:MAX_WORDS]
        if not self._words:
            return
        self._name = whole_name(" ".join(self._words))
        *whole, last = self._words
        written = Asked(tuple((word,) for word in (*whole, last + BEGINNING)), (self._name + BEGINNING,))
        self._written = self._meant = written
        if self._is_doubtful():
            self._meant = self._respelt()

    def of(self, movies: MovieQuerySet) -> MovieQuerySet:
        """Those of the movies that are meant, in the order they come; none by a text without a letter or digit."""
        return movies.filter(holds(self._meant)) if self._words else movies.none()

    def best_known(self, movies: MovieQuerySet, enough: int | None = None) -> list[int]:
        """Keys of at most MOST of them, and of those that are called just so. Where they are not respelt, and so all
        alike, `enough` of them will do."""
        if not self._words:
            return []
        most = enough if enough and self._meant == self._written else MOST
        keys = _first(self.of(movies), most)
        if len(keys) == most:
            keys += _first(movies.filter(holds(Asked((), (self._name,)))), most)
        return keys

    def order(self) -> Sequence[str | Combinable]:
        """Movies of this very name; of one a letter away, or that hold the words as written; then the others.

        Among equals the well-known come first.
        """
        if not self._words:
            return WELL_KNOWN
        ranks = [When(has_any([self._name]), then=Value(0))]
        if self._meant != self._written:
            ranks.append(When(holds(self._written._replace(names=self._meant.names)), then=Value(1)))
        return (Case(*ranks, default=Value(2)), *WELL_KNOWN)

    def _is_doubtful(self) -> bool:
        few = list(Movie.objects.filter(holds(self._written)).order_by().values_list("search_terms", flat=True)[:FEW])
        return len(few) < FEW and not any(f" {self._name} " in terms for terms in few)

    def _respelt(self) -> Asked:
        near = near_terms([self._name, *self._words])
        return Asked(
            tuple((*terms, *near[word]) for terms, word in zip(self._written.words, self._words, strict=True)),
            (*self._written.names, *near[self._name]),
        )


def _first(movies: MovieQuerySet, most: int) -> list[int]:
    return list(movies.order_by(*WELL_KNOWN).values_list("pk", flat=True)[:most])
