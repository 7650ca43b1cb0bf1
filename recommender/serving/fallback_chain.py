"""The ladder: champion, previous champion, popular now, newest. The first step with something to say makes the list."""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils import timezone

from catalog.models import Movie
from recommender import metrics
from recommender.logs import log_once_a_minute
from recommender.models import Impression, ServedModel
from recommender.reasons import Reason, explain_movies
from recommender.serving import candidates
from recommender.serving.candidates import Pick, Wish
from recommender.serving.impressions import buffer
from recommender.serving.model_server import Served, server
from recommender.serving.profile import Viewer
from recommender.serving.stats import tally

logger = logging.getLogger(__name__)

CHAMPION = ServedModel.Slot.CHAMPION.value
NO_MODEL = "none"


@dataclass(frozen=True)
class Recommendation:
    movie: Movie
    score: float
    rank: int
    source: str
    reasons: list[Reason]


@dataclass(frozen=True)
class RecommendationList:
    """A list as it is shown; `fallback` is the step that made it where that is not the one that was asked for."""

    results: list[Recommendation]
    model_version: int | None
    fallback: str | None
    request_id: uuid.UUID


class Step(NamedTuple):
    name: str
    pick: Callable[[Wish], list[Pick]]
    served: Served | None = None


POPULAR = Step("popular", candidates.popular)
NEWEST = Step("newest", candidates.newest)


def model_steps(pick: Callable[[Served, Wish], list[Pick]]) -> list[Step]:
    """One step for each model that is loaded, the champion first."""
    return [Step(served.step, _bound(pick, served), served) for served in server.served()]


def _bound(pick: Callable[[Served, Wish], list[Pick]], served: Served) -> Callable[[Wish], list[Pick]]:
    return lambda wish: pick(served, wish)


def make_list(
    steps: Sequence[Step], wish: Wish, viewer: Viewer, *, surface: str, asked: str = CHAMPION, explain: bool = False
) -> RecommendationList:
    """Climb, fetch the movies, say why if asked, keep the list as an impression."""
    started = time.perf_counter()
    step, picked = _climb(steps, wish)
    picked, movies = _with_movies(picked, wish, [later for later in steps if later.served is None])
    reasons = _reasons(step.served, viewer, picked) if explain and step.served else {}
    made = RecommendationList(
        results=[
            Recommendation(movies[pick.movie_id], pick.score, rank, pick.source, reasons.get(pick.movie_id, []))
            for rank, pick in enumerate(picked, start=1)
        ],
        model_version=step.served.version if step.served else None,
        fallback=None if step.name == asked else step.name,
        request_id=uuid.uuid4(),
    )
    _count(made, time.perf_counter() - started)
    _keep(made, viewer, surface)
    return made


def _climb(steps: Sequence[Step], wish: Wish) -> tuple[Step, list[Pick]]:
    for step in steps:
        picked = _attempt(step, wish)
        if picked:
            return step, picked
    return steps[-1], []


def _attempt(step: Step, wish: Wish) -> list[Pick]:
    started = time.perf_counter()
    try:
        picked = step.pick(wish)
    except Exception:
        metrics.STEP_ERRORS.labels(step.name).inc()
        log_once_a_minute(logger, "Step %s of the recommendations failed, the next one answers", step.name)
        if step.served:
            tally.failed(step.served.version)
        return []
    if picked and step.served:
        tally.served(step.served.version, time.perf_counter() - started)
    return picked


def _with_movies(picked: list[Pick], wish: Wish, fill: Iterable[Step]) -> tuple[list[Pick], dict[int, Movie]]:
    """The movies in one query. What is missing from k, for the model had no more or movies were deleted meanwhile,
    is made up for by the steps without a model, so that k come back whenever k exist."""
    movies = _movies(picked)
    found = [pick for pick in picked if pick.movie_id in movies]
    for step in fill:
        if len(found) >= wish.k:
            break
        more = _attempt(step, wish.beyond(movies))
        added = _movies(more)
        movies |= added
        found += [pick for pick in more if pick.movie_id in added]
    return found, movies


def _movies(picked: list[Pick]) -> dict[int, Movie]:
    if not picked:
        return {}
    return Movie.objects.in_bulk([pick.movie_id for pick in picked])


def _reasons(served: Served, viewer: Viewer, picked: list[Pick]) -> dict[int, list[Reason]]:
    try:
        return explain_movies(served, viewer, [pick.movie_id for pick in picked])
    except Exception:
        log_once_a_minute(logger, "Model %s cannot explain its list", served.version)
        return {}


def _count(made: RecommendationList, seconds: float) -> None:
    metrics.PREDICTION_SECONDS.observe(seconds)
    if made.fallback:
        metrics.FALLBACKS.labels(made.fallback).inc()
    if made.results:
        [(source, _)] = Counter(result.source for result in made.results).most_common(1)
        version = NO_MODEL if made.model_version is None else str(made.model_version)
        metrics.PREDICTIONS.labels(source, version).inc()


def _keep(made: RecommendationList, viewer: Viewer, surface: str) -> None:
    if made.results:
        buffer.add(
            Impression(
                request_id=made.request_id,
                user_id=viewer.user_id,
                surface=surface,
                model_version=made.model_version,
                fallback=made.fallback or "",
                items=[[result.movie.pk, result.rank, result.source] for result in made.results],
                shown_at=timezone.now(),
            )
        )
