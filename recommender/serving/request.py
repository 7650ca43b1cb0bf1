"""A request for a list: how many movies, for whom, and which ones are excluded."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.models import Genre, MovieGenre
from recommender.errors import GenreNotFound, InvalidRequest
from recommender.serving.profile import UserProfile
from recommender.serving.trace import ListTrace, Step

MAX_K = 100
MAX_EXCLUDED = 1000


@dataclass(frozen=True)
class ListRequest:
    """At most `k` movies, none of `excluded`, all of one genre if `genre_id` is given."""

    k: int
    profile: UserProfile
    excluded: frozenset[int]
    genre_id: int | None = None
    genre_movies: frozenset[int] = frozenset()
    trace: ListTrace = field(default_factory=ListTrace, compare=False)

    @classmethod
    def of(
        cls,
        profile: UserProfile,
        k: int,
        *,
        genre: str | None = None,
        exclude: Iterable[int] = (),
        trace: ListTrace | None = None,
    ) -> Self:
        """The validated request; `genre` is a name or slug. Raises InvalidRequest."""
        if not 1 <= k <= MAX_K:
            raise InvalidRequest("k", _("expected a number from 1 to %(max)d, got %(k)d") % {"max": MAX_K, "k": k})
        excluded = frozenset(exclude)
        if len(excluded) > MAX_EXCLUDED:
            values = {"max": MAX_EXCLUDED, "n": len(excluded)}
            raise InvalidRequest("exclude", _("expected at most %(max)d movies, got %(n)d") % values)
        genre_id, movies = (None, frozenset[int]()) if genre is None else _movies_of_genre(genre)
        return cls(k, profile, profile.excluded | excluded, genre_id, movies, trace or ListTrace())

    def remaining(self, listed: Iterable[int]) -> Self:
        """The rest of the request once those movies are listed."""
        ids = frozenset(listed)
        return replace(self, k=self.k - len(ids), excluded=self.excluded | ids)

    def count_excluded(self, pool: Iterable[int]) -> None:
        """Trace how many of these candidates are excluded, each for the first reason that applies."""
        if not self.trace.is_detailed:
            return
        left = set(pool)
        reasons = {
            Step.SEEN: self.profile.seen,
            Step.DISMISSED: self.profile.dismissed,
            Step.REQUESTED: self.excluded,
        }
        for step, movies in reasons.items():
            self.trace.count(step, -len(left & movies))
            left -= movies
        self.trace.count(Step.ELIGIBLE, len(left))


def _movies_of_genre(genre: str) -> tuple[int, frozenset[int]]:
    named = Q(genre__slug=genre.lower()) | Q(genre__name__iexact=genre)
    links = list(MovieGenre.objects.filter(named).values_list("genre_id", "movie_id"))
    if links:
        return links[0][0], frozenset(movie for _, movie in links)
    known = Genre.objects.filter(Q(slug=genre.lower()) | Q(name__iexact=genre)).first()
    if known is None:
        message = _("there is no genre %(genre)r; expected the name or slug of a genre") % {"genre": genre}
        raise GenreNotFound("genre", message)
    return known.pk, frozenset()
