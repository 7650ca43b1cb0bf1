"""Candidate sources of the fallback chain. If a source returns an empty list, the next one is tried."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from django.conf import settings

from recommender import estimators  # lazy, so that processes that make no list start without scipy
from recommender.logs import log_once_a_minute
from recommender.reasons import FEATURE_SHARE, MainReason, main_reasons
from recommender.serving.loaded_model import Ids, LoadedModel
from recommender.serving.movies import listed_movies
from recommender.serving.request import ListRequest
from recommender.serving.trace import Outcome, Step

if TYPE_CHECKING:
    from recommender.estimators.interactions import HistoryRows

logger = logging.getLogger(__name__)

CandidateSource = Literal["personal", "new", "similar", "popular", "newest"]


class Candidate(NamedTuple):
    """A movie that may be listed. Only personal and new movies have a `reason`."""

    movie_id: int
    score: float
    source: CandidateSource
    reason: MainReason | None = None


def personal(loaded: LoadedModel, request: ListRequest, *, include_new: bool) -> list[Candidate]:
    """Return the best movies rated in the model's snapshot. `include_new` blends in the policy's share of new ones."""
    history = _history(loaded, request)
    if not history.nnz:
        return request.trace.nothing(Outcome.NO_HISTORY)
    fresh = (_new(loaded, request, history) or newest_new(loaded, request)) if include_new else []
    n_fresh = min(len(fresh), round(request.k * settings.POLICY.serving.new_share))
    count_pool(loaded, request, Step.NOT_IN_MODEL, len(loaded.new))
    candidates = loaded.candidates if request.allowed is None else loaded.rated
    rated = _ranked(loaded, replace(request, k=request.k - n_fresh), history, candidates, "personal")
    rated = _with_reasons(loaded, request, history, rated, len(rated))
    if not include_new:
        return rated
    n_fresh = min(len(fresh), request.k - len(rated))  # exceeds the share if too few rated movies are left
    request.trace.count(Step.BLENDED, n_fresh)
    return blend(rated, _with_reasons(loaded, request, history, fresh, n_fresh))


def new(loaded: LoadedModel, request: ListRequest) -> list[Candidate]:
    """Return the best movies without ratings in the model's snapshot, for this user."""
    history = _history(loaded, request)
    found = _new(loaded, request, history)
    return _with_reasons(loaded, request, history, found, len(found))


def _history(loaded: LoadedModel, request: ListRequest) -> HistoryRows:
    """Return the user's history as the matrix row that the model scores."""
    return loaded.model.history_row(request.profile.history(loaded.known))


def _new(loaded: LoadedModel, request: ListRequest, history: HistoryRows) -> list[Candidate]:
    if not loaded.model.scores_new_movies:
        return request.trace.nothing(Outcome.NEW_NOT_SCORED)
    if not history.nnz:
        return request.trace.nothing(Outcome.NO_HISTORY)
    count_pool(loaded, request, Step.NOT_NEW, len(loaded.rated))
    return _ranked(loaded, request, history, loaded.new, "new")


def _ranked(
    loaded: LoadedModel,
    request: ListRequest,
    history: HistoryRows,
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
        exclude_seen=False,  # `request.excluded` contains seen movies unless the request includes them
    )
    request.trace.count(Step.RANKED, len(movies))
    request.trace.count(Step.DIVERSE, len(kept))
    rows = zip(movies[kept].tolist(), scores[kept].tolist(), strict=True)
    return [Candidate(*row, source) for row in rows] or request.trace.nothing(Outcome.ALL_EXCLUDED)


def _with_reasons(
    loaded: LoadedModel, request: ListRequest, history: HistoryRows, found: list[Candidate], n_shown: int
) -> list[Candidate]:
    """Return the first `n_shown` candidates, each with its main reason.

    Reasons for the others would double the time. If the model fails to give reasons, the list has none.
    """
    shown = found[:n_shown]
    movies = [row.movie_id for row in shown if row.source in ("personal", "new")]
    if not movies:
        return shown
    try:
        n_features = round(FEATURE_SHARE * len(found))
        reasons = main_reasons(loaded.model, request.profile.ratings, history, movies, n_features)
    except Exception:
        log_once_a_minute(logger.exception, "Model %s failed to give reasons for its list", loaded.version)
        return shown
    return [row._replace(reason=reasons.get(row.movie_id)) for row in shown]


def count_pool(loaded: LoadedModel, request: ListRequest, removed: Step, n_removed: int) -> None:
    request.trace.count(Step.CATALOG, len(loaded.rated) + len(loaded.new))
    request.trace.count(removed, -n_removed)


def _reason_for_no_pool(request: ListRequest, source: CandidateSource) -> Outcome:
    if request.allowed is not None:
        return Outcome.NO_MATCH
    return Outcome.NO_NEW_MOVIES if source == "new" else Outcome.NO_MOVIES


def blend(rated: list[Candidate], fresh: list[Candidate]) -> list[Candidate]:
    """Merge two lists, spreading the new movies evenly among the rated ones."""
    n_fresh, length = len(fresh), len(rated) + len(fresh)
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
    """Return new movies, latest release first, for users whose taste the model does not know."""
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
