"""Each step of the ladder: how it picks movies. Empty means that the step has nothing to say to this person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self

import numpy as np
from django.conf import settings
from django.db.models import QuerySet

from catalog.models import Movie
from recommender.serving.model_server import Ids, Served
from recommender.serving.profile import Viewer

SourceName = Literal["personal", "new", "similar", "popular", "newest"]


class Pick(NamedTuple):
    movie_id: int
    score: float
    source: SourceName


@dataclass(frozen=True)
class Wish:
    """What is asked for: at most `k` movies, none of `hidden`, all of one genre if that is given."""

    k: int
    hidden: frozenset[int]
    genre_id: int | None = None
    of_genre: frozenset[int] = frozenset()

    def beyond(self, listed: Iterable[int]) -> Self:
        """What is still wanted when those are listed already."""
        ids = frozenset(listed)
        return replace(self, k=self.k - len(ids), hidden=self.hidden | ids)


def personal(served: Served, viewer: Viewer, wish: Wish, *, include_new: bool) -> list[Pick]:
    """Movies rated in the model's snapshot, with a policy's share of new ones among them if asked."""
    if not viewer.history(served.known):
        return []
    fresh = (new(served, viewer, wish) or newest_new(served, wish)) if include_new else []
    n_fresh = min(len(fresh), round(wish.k * settings.POLICY.serving.new_share))
    candidates = served.candidates if wish.genre_id is None else served.rated
    rated = _ranked(served, viewer, replace(wish, k=wish.k - n_fresh), candidates, "personal")
    return blend(rated, fresh, wish.k)


def new(served: Served, viewer: Viewer, wish: Wish) -> list[Pick]:
    """Movies without a rating in the model's snapshot, by taste."""
    if not served.model.scores_new_movies or not viewer.history(served.known):
        return []
    return _ranked(served, viewer, wish, served.new, "new")


def _ranked(served: Served, viewer: Viewer, wish: Wish, candidates: Ids | None, source: SourceName) -> list[Pick]:
    if candidates is not None and wish.genre_id is not None:
        candidates = candidates[np.isin(candidates, np.fromiter(wish.of_genre, dtype=np.int64))]
    if not wish.k or (candidates is not None and not len(candidates)):
        return []
    # Here, so that processes which make no list start without pandas.
    from recommender.estimators.diversity import choose_diverse, pool_size

    history = viewer.history(served.known)
    unwanted = (wish.hidden & served.known).difference(history)  # what they rated is left out by the model itself
    strength = settings.POLICY.serving.diversity
    n_candidates = len(served.rated if candidates is None else candidates)
    k = pool_size(wish.k, n_candidates) if strength else wish.k
    frame = served.model.recommend_for_history(
        [history], k=k, candidates=candidates, exclude=[np.fromiter(unwanted, dtype=np.int64)]
    )
    movies, scores = frame["movie_id"].to_numpy(), frame["score"].to_numpy()
    kept = choose_diverse(served.model, movies, scores, wish.k, strength)
    rows = zip(movies[kept].tolist(), scores[kept].tolist(), strict=True)
    return [Pick(movie, score, source) for movie, score in rows]


def blend(rated: list[Pick], fresh: list[Pick], k: int) -> list[Pick]:
    """Filled up to k with the best new ones, spread evenly over the list."""
    n_fresh = min(len(fresh), k - len(rated))
    length = len(rated) + n_fresh
    slots = {(2 * i + 1) * length // (2 * n_fresh) for i in range(n_fresh)}
    queues = (iter(rated), iter(fresh))
    return [next(queues[place in slots]) for place in range(length)]


def similar(served: Served, movie_id: int, wish: Wish) -> list[Pick]:
    is_scored = movie_id in served.known and (served.model.scores_new_movies or movie_id in served.rated)
    if not is_scored:
        return []
    frame = served.model.similar([movie_id], k=wish.k + len(wish.hidden))
    rows = zip(frame["similar_id"].tolist(), frame["score"].tolist(), strict=True)
    return [Pick(movie, score, "similar") for movie, score in rows if movie not in wish.hidden][: wish.k]


def newest_new(served: Served, wish: Wish) -> list[Pick]:
    """New movies for people of unknown taste: the latest released first."""
    allowed = (movie for movie in served.new.tolist() if wish.genre_id is None or movie in wish.of_genre)
    movies = [movie for movie in allowed if movie not in wish.hidden][: wish.k]
    years = dict(Movie.objects.filter(pk__in=movies).values_list("pk", "year"))
    return [Pick(movie, float(years[movie] or 0), "newest") for movie in movies if movie in years]


def popular(wish: Wish) -> list[Pick]:
    """Popular now: rated movies, recent ratings counting more. Kept on each movie, so that this needs no model."""
    movies = Movie.objects.filter(rating_count__gt=0).order_by("-popularity", "id")
    return [Pick(movie, score, "popular") for movie, score in _first(movies, wish, "popularity")]


def newest(wish: Wish) -> list[Pick]:
    """The latest release first; the score is its year."""
    return [Pick(movie, float(year or 0), "newest") for movie, year in _first(Movie.objects.newest(), wish, "year")]


def _first(movies: QuerySet[Movie], wish: Wish, score: str) -> list[tuple[int, float]]:
    if wish.genre_id is not None:
        movies = movies.filter(genres=wish.genre_id)
    rows = movies.values_list("pk", score)[: wish.k + len(wish.hidden)]
    return [row for row in rows if row[0] not in wish.hidden][: wish.k]
