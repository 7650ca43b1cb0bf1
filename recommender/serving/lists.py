"""Makes a list through the fallback chain and records it in metrics, serving stats and impressions."""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Movie
from recommender import metrics
from recommender.explanations import Reason, explain_movies
from recommender.logs import log_once_a_minute
from recommender.models import Impression, ServedModel
from recommender.reasons import MainReason
from recommender.serving.candidates import Candidate
from recommender.serving.fallback_chain import Source, find_movies
from recommender.serving.list_ids import new_list_id
from recommender.serving.loaded_model import LoadedModel
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest
from recommender.serving.stats import serving_stats
from recommender.serving.trace import ListTrace, Outcome
from recommender.serving.write_behind import WriteBehindBuffer

logger = logging.getLogger(__name__)

CHAMPION, NO_MODEL = ServedModel.Slot.CHAMPION.value, "none"


def write_impressions(batch: list[Impression]) -> None:
    """Write the impressions, except those whose user has been deleted."""
    try:
        with transaction.atomic():
            Impression.objects.bulk_create(batch)
    except (DataError, IntegrityError):
        if len(batch) == 1:
            metrics.IMPRESSIONS_DROPPED.inc()
            return
        for impression in batch:
            write_impressions([impression])


impressions = WriteBehindBuffer(
    "impressions", write_impressions, seconds=1.0, capacity=10_000, on_drop=metrics.IMPRESSIONS_DROPPED.inc
)


@dataclass(frozen=True)
class Recommendation:
    movie: Movie
    score: float
    rank: int
    source: str
    reasons: list[Reason]
    reason: MainReason | None


@dataclass(frozen=True)
class RecommendationList:
    """A list and the model that made it. `fallback` is the source if it is not the requested one, else None."""

    results: list[Recommendation]
    model_version: int | None
    fallback: str | None
    request_id: uuid.UUID

    @property
    def version_label(self) -> str:
        """The model version for headers and metrics."""
        return NO_MODEL if self.model_version is None else str(self.model_version)


def make_list(
    sources: Sequence[Source],
    request: ListRequest,
    *,
    surface: str | None,
    asked: str = CHAMPION,
    explain: bool = False,
    seconds: float = 0.0,  # time already spent on the first source, for example on scoring a batch
) -> RecommendationList:
    """Find movies, explain them if `explain` is set, and record the list if a `surface` shows it."""
    started = time.perf_counter() - seconds
    source, found, movies = find_movies(sources, request)
    request.trace.attempts[0].seconds += seconds
    reasons = _reasons(source.loaded, request, found) if explain and source.loaded else {}
    results = [
        Recommendation(movies[row.movie_id], row.score, rank, row.source, reasons.get(row.movie_id, []), row.reason)
        for rank, row in enumerate(found, start=1)
    ]
    recommendations = RecommendationList(
        results=results,
        model_version=source.loaded.version if source.loaded else None,
        fallback=None if source.name == asked else source.name,
        request_id=new_list_id(request.profile.user_id),
    )
    if surface is not None:
        metrics.PREDICTION_SECONDS.observe(time.perf_counter() - started)
        _record(recommendations, request, surface)
    return recommendations


def note(recommendations: RecommendationList, profile: UserProfile) -> str:
    """Return a line that tells the user how the list was made."""
    source = next((result.source for result in recommendations.results), "")
    if recommendations.model_version is not None:
        kinds = {"similar": _("similar movies"), "new": _("matched to your taste")}
        values = {"version": recommendations.model_version, "kind": kinds.get(source, _("personal"))}
        standing_in = _("Model %(version)s · %(kind)s (fallback for the current model)")
        return (standing_in if recommendations.fallback else _("Model %(version)s · %(kind)s")) % values
    if recommendations.fallback is None:
        return ""
    shown = {"shown": _("Popular now") if source == "popular" else _("Latest releases")}
    if profile.ratings:
        return _("%(shown)s (no model is available to personalize this list)") % shown
    return _("%(shown)s (rate a few movies to personalize this list)") % shown


def _reasons(loaded: LoadedModel, request: ListRequest, found: list[Candidate]) -> dict[int, list[Reason]]:
    history = request.profile.history(loaded.known)
    try:
        return explain_movies(loaded.model, history, [c.movie_id for c in found if c.movie_id in loaded.known])
    except Exception:
        log_once_a_minute(logger.exception, "Model %s failed to explain its list", loaded.version)
        return {}


def _record(recommendations: RecommendationList, request: ListRequest, surface: str) -> None:
    _count_attempts(request.trace)
    if recommendations.fallback:
        metrics.FALLBACKS.labels(recommendations.fallback).inc()
    if not recommendations.results:
        _record_empty(request, surface)
        return
    [(source, _)] = Counter(result.source for result in recommendations.results).most_common(1)
    metrics.PREDICTIONS.labels(source, recommendations.version_label).inc()
    impression = Impression(
        request_id=recommendations.request_id,
        user_id=request.profile.user_id,
        surface=surface,
        model_version=recommendations.model_version,
        fallback=recommendations.fallback or "",
        items=[[result.movie.pk, result.rank, result.source] for result in recommendations.results],
        shown_at=timezone.now(),
    )
    impressions.put(impression.request_id, impression)


def _count_attempts(trace: ListTrace) -> None:
    for attempt in trace.attempts:
        is_failed = attempt.outcome == Outcome.SOURCE_FAILED
        if is_failed:
            metrics.SOURCE_ERRORS.labels(attempt.source).inc()
        if attempt.version is not None and is_failed:
            serving_stats.record_failure(attempt.version)
        elif attempt.version is not None and attempt.outcome == Outcome.ANSWERED:
            serving_stats.record_served(attempt.version, attempt.seconds)


def _record_empty(request: ListRequest, surface: str) -> None:
    reason = request.trace.empty_reason.value
    metrics.EMPTY_LISTS.labels(surface, reason).inc()
    message = "Empty list on %s for user %s: %s (%s); see manage.py explain_list"
    values = (surface, request.profile.user_id, reason, request.trace.summary())
    log_once_a_minute(logger.info, message, *values, key=(surface, reason))
