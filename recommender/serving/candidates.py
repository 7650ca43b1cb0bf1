"""How each source of the fallback chain finds candidates. An empty list passes the request on to the next source."""

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from django.conf import settings

from catalog.models import Movie
from catalog.models.querysets import MovieQuerySet
from recommender import estimators  # lazy: processes that make no list start without pandas
from recommender.reasons import MainReason
from recommender.serving.loaded_model import Ids, LoadedModel
from recommender.serving.movies import listed_movies
from recommender.serving.request import ListRequest
from recommender.serving.trace import Outcome, Step

CandidateSource = Literal["personal", "new", "similar", "popular", "newest"]


class Candidate(NamedTuple):
    """`reason` is that of a personal or new movie."""

    movie_id: int
    score: float
    source: CandidateSource
    reason: MainReason | None = None


def personal(loaded: LoadedModel, request: ListRequest, *, include_new: bool) -> list[Candidate]:
    """Movies rated in the model's snapshot; with `include_new`, the policy's share of new ones among them."""
    history = request.profile.history(loaded.known)
    if not history:
        return request.trace.nothing(Outcome.NO_HISTORY)
    fresh = (new(loaded, request) or newest_new(loaded, request)) if include_new else []
    n_fresh = min(len(fresh), round(request.k * settings.POLICY.serving.new_share))
    count_pool(loaded, request, Step.NOT_IN_MODEL, len(loaded.new))
    candidates = loaded.candidates if request.allowed is None else loaded.rated
    rated = _ranked(loaded, replace(request, k=request.k - n_fresh), history, candidates, "personal")
    return blend(rated, fresh, request) if include_new else rated


def new(loaded: LoadedModel, request: ListRequest) -> list[Candidate]:
    """Movies without a rating in the model's snapshot, by the user's taste."""
    if not loaded.model.scores_new_movies:
        return request.trace.nothing(Outcome.NEW_NOT_SCORED)
    history = request.profile.history(loaded.known)
    if not history:
        return request.trace.nothing(Outcome.NO_HISTORY)
    count_pool(loaded, request, Step.NOT_NEW, len(loaded.rated))
    return _ranked(loaded, request, history, loaded.new, "new")


def _ranked(
    loaded: LoadedModel,
    request: ListRequest,
    history: dict[int, float],
    candidates: Ids | None,
    source: CandidateSource,
) -> list[Candidate]:
    pool = loaded.rated if candidates is None else candidates
    if request.allowed is not None:
        candidates = pool[np.isin(pool, np.fromiter(request.allowed, dtype=np.int64))]
        request.trace.count(Step.FILTERED, len(candidates) - len(pool))
        pool = candidates
    if not request.k or not len(pool):
        return request.trace.nothing(_reason_for_no_pool(request, source))
    request.count_excluded(pool)
    strength, novelty = request.dial
    movies, scores, kept = estimators.diverse_list(
        loaded.model,
        history,
        request.k,
        strength,
        novelty=novelty,
        candidates=candidates,
        exclude=np.fromiter(request.excluded & loaded.known, dtype=np.int64),
        exclude_seen=False,  # the request says whether it wants them
    )
    request.trace.count(Step.RANKED, len(movies))
    request.trace.count(Step.DIVERSE, len(kept))
    rows = dict(zip(movies[kept].tolist(), scores[kept].tolist(), strict=True))
    reasons = loaded.main_reasons(request.profile.ratings, history, [*rows])
    found = [Candidate(movie, score, source, reasons.get(movie)) for movie, score in rows.items()]
    return found or request.trace.nothing(Outcome.ALL_EXCLUDED)


def count_pool(loaded: LoadedModel, request: ListRequest, removed: Step, n_removed: int) -> None:
    request.trace.count(Step.CATALOG, len(loaded.rated) + len(loaded.new))
    request.trace.count(removed, -n_removed)


def _reason_for_no_pool(request: ListRequest, source: CandidateSource) -> Outcome:
    if request.allowed is not None:
        return Outcome.NO_MATCH
    return Outcome.NO_NEW_MOVIES if source == "new" else Outcome.NO_MOVIES


def blend(rated: list[Candidate], fresh: list[Candidate], request: ListRequest) -> list[Candidate]:
    """The rated movies, filled up to k with the best new ones, which are spread evenly over the list."""
    n_fresh = min(len(fresh), request.k - len(rated))
    request.trace.count(Step.BLENDED, n_fresh)
    length = len(rated) + n_fresh
    slots = {(2 * i + 1) * length // (2 * n_fresh) for i in range(n_fresh)}
    queues = (iter(rated), iter(fresh))
    return [next(queues[place in slots]) for place in range(length)]


def similar(loaded: LoadedModel, movie_id: int, request: ListRequest) -> list[Candidate]:
    if movie_id not in loaded.known or not (loaded.model.scores_new_movies or movie_id in loaded.rated):
        return request.trace.nothing(Outcome.UNKNOWN_MOVIE)
    movies, scores = (found.tolist() for found in loaded.model.similar_to(movie_id, request.k + len(request.excluded)))
    request.trace.count(Step.LIKE_THIS, len(movies))
    request.count_excluded(movies)
    kept = [row for row in zip(movies, scores, strict=True) if row[0] not in request.excluded][: request.k]
    return [Candidate(*row, "similar") for row in kept] or request.trace.nothing(Outcome.ALL_EXCLUDED)


def newest_new(loaded: LoadedModel, request: ListRequest) -> list[Candidate]:
    """New movies for users of unknown taste: the latest release first."""
    count_pool(loaded, request, Step.NOT_NEW, len(loaded.rated))
    pool = [movie for movie in loaded.new.tolist() if request.allowed is None or movie in request.allowed]
    if not pool:
        return request.trace.nothing(_reason_for_no_pool(request, "new"))
    request.count_excluded(pool)
    movies = [movie for movie in pool if movie not in request.excluded][: request.k]
    if not movies:
        return request.trace.nothing(Outcome.ALL_EXCLUDED)
    known = listed_movies.get(movies)
    found = [Candidate(movie, float(known[movie].year or 0), "newest") for movie in movies if movie in known]
    return found or request.trace.nothing(Outcome.MOVIES_DELETED)


def popular(request: ListRequest) -> list[Candidate]:
    """Popular now: rated movies, recent ratings counting more. Stored with each movie, so no model is needed."""
    return [Candidate(*row, "popular") for row in _first(_by_popularity(), request, "popularity")]


def popular_movies() -> list[int]:
    """All rated movies in that order."""
    return list(_by_popularity().values_list("pk", flat=True))


def _by_popularity() -> MovieQuerySet:
    return Movie.objects.filter(rating_count__gt=0).order_by("-popularity", "id")


def newest(request: ListRequest) -> list[Candidate]:
    """The latest release first; the score is its year."""
    years = _first(Movie.objects.newest(), request, "year")
    return [Candidate(movie, float(year or 0), "newest") for movie, year in years]


def _first(movies: MovieQuerySet, request: ListRequest, score: str) -> list[tuple[int, float]]:
    if request.trace.is_detailed:
        _count_query(movies, request, Step.WITH_RATINGS if score == "popularity" else Step.CATALOG)
    movies = request.filters.narrow(movies)
    rows = list(movies.values_list("pk", score)[: request.k + len(request.excluded)])
    if not rows:
        return request.trace.nothing(_reason_for_no_pool(request, "popular"))
    kept = [row for row in rows if row[0] not in request.excluded][: request.k]
    return kept or request.trace.nothing(Outcome.ALL_EXCLUDED)


def _count_query(movies: MovieQuerySet, request: ListRequest, pool: Step) -> None:
    request.trace.count(pool, movies.count())
    if request.filters:
        movies = request.filters.narrow(movies)
        request.trace.count(Step.MATCHING, movies.count())
    request.count_excluded(movies.values_list("pk", flat=True))
