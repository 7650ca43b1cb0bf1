"""Replays recent requests with the new model and the champion before a promotion.

The replay uses the users' current histories. It records no impressions and no serving stats.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db.models import Max

from catalog.models import Rating, User
from mlops.evaluation.psi import population_stability_index
from mlops.gate.codes import ReplaySource
from mlops.gate.inputs import Replay
from mlops.models import ModelVersion
from mlops.registry.artifacts import load_version
from recommender.models import Impression
from recommender.serving import candidates
from recommender.serving.loaded_model import LoadedModel
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest

logger = logging.getLogger(__name__)

K = 10
PERSONAL, BLENDED, NEW = "personal", "blended", "new"
IMPRESSIONS_PER_REQUEST = 10  # impressions to read per replayed request; most lists on a page do not come from a model
SCORE_CLASSES = 10
SAMPLE = 6  # number of changed lists shown on the version's page
RATERS = 50  # users whose lists are replayed on a site that has no requests yet


@dataclass(frozen=True)
class Request:
    user_id: int
    k: int
    kind: str


@dataclass(frozen=True)
class Answer:
    """One model's list. `n_excluded` counts movies that the user has seen or dismissed, and should be 0."""

    movies: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    seconds: float = 0.0
    n_excluded: int = 0
    error: str = ""


@dataclass(frozen=True)
class Replayed:
    """One request with the answer of each model."""

    request: Request
    n_ratings: int
    answers: list[Answer]


def replay_requests(version: ModelVersion, champion: ModelVersion | None) -> dict[str, Any]:
    """Returns `figures` for the gate, and a `sample` of lists that would change.

    The result is JSON-serializable and contains neither names nor ids of users.
    """
    limit = settings.POLICY.gate.replay_requests
    requests, source = recent_requests(limit), ReplaySource.RECENT.value
    if not requests and limit:
        requests, source = lists_of_latest_raters(RATERS), ReplaySource.RATERS.value
    candidate, reference = _open(version), _open(champion) if champion else None
    if candidate is None:
        return {"figures": asdict(Replay(source, len(requests), len(requests), 0, None)), "sample": []}
    models = [candidate] if reference is None else [candidate, reference]
    # Users without a rated movie that the models know get popular movies, so their requests are skipped.
    found = [row for row in replay(requests, models) if any(answer.movies or answer.error for answer in row.answers)]
    return {"figures": asdict(_figures(found, source)), "sample": _sample(found)}


def _open(version: ModelVersion) -> LoadedModel | None:
    try:
        return load_version(version)
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        # Damaged files may raise any exception. If they are the candidate's, every request counts as an error.
        logger.warning("version %s cannot be loaded for the replay", version.pk, exc_info=True)
        return None


def recent_requests(limit: int) -> list[Request]:
    """Returns the latest requests whose lists came from a model, newest first."""
    rows = Impression.objects.filter(user__isnull=False).values_list("user", "items")
    return list(islice(_requests(rows[: IMPRESSIONS_PER_REQUEST * limit].iterator()), limit))


def lists_of_latest_raters(limit: int) -> list[Request]:
    """Returns requests for personal lists of the users who rated last. Used on a site without requests."""
    raters = Rating.objects.for_training().order_by().values("user").annotate(last=Max("rated_at")).order_by("-last")
    return [Request(row["user"], K, PERSONAL) for row in raters[:limit]]


def _requests(rows: Iterator[tuple[int, list[tuple[int, int, str]]]]) -> Iterator[Request]:
    for user_id, items in rows:
        sources = {source for _, _, source in items}
        if sources == {"new"}:
            yield Request(user_id, len(items), NEW)
        elif "personal" in sources:
            yield Request(user_id, len(items), BLENDED if "new" in sources else PERSONAL)


def replay(requests: Sequence[Request], models: Sequence[LoadedModel]) -> Iterator[Replayed]:
    """Sends each request to all models in turn, so that other load on the machine affects them equally."""
    users = User.objects.in_bulk({request.user_id for request in requests})
    for request in requests:
        if request.user_id in users:  # the account may have been deleted meanwhile
            profile = UserProfile.of(users[request.user_id])
            yield Replayed(request, len(profile.ratings), [_answer(loaded, profile, request) for loaded in models])


def _answer(loaded: LoadedModel, profile: UserProfile, request: Request) -> Answer:
    started = time.perf_counter()
    try:
        wanted = ListRequest.of(profile, request.k)
        if request.kind == NEW:
            found = candidates.new(loaded, wanted)
        else:
            found = candidates.personal(loaded, wanted, include_new=request.kind == BLENDED)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        # A model may raise any exception; the gate counts it instead of failing.
        logger.exception("Model %s failed to answer a replayed request", loaded.version)
        return Answer(seconds=time.perf_counter() - started, error=f"{type(error).__name__}: {error}")
    return Answer(
        movies=tuple(candidate.movie_id for candidate in found),
        scores=tuple(candidate.score for candidate in found),
        seconds=time.perf_counter() - started,
        n_excluded=sum(candidate.movie_id in profile.excluded for candidate in found),
    )


def _figures(found: Sequence[Replayed], source: str) -> Replay:
    candidate = [replayed.answers[0] for replayed in found]
    reference = [replayed.answers[1] for replayed in found if len(replayed.answers) > 1]
    pairs = [(own, other) for own, other in zip(candidate, reference, strict=False) if own.movies and other.movies]
    return Replay(
        source=source,
        n_requests=len(found),
        n_errors=sum(not answer.movies for answer in candidate),
        n_excluded=sum(answer.n_excluded for answer in candidate),
        latency_p95_ms=_p95_ms(candidate),
        champion_latency_p95_ms=_p95_ms(reference),
        overlap=float(np.mean([_overlap(own, other) for own, other in pairs])) if pairs else None,
        score_psi=_score_psi(pairs),
    )


def _p95_ms(answers: Sequence[Answer]) -> float | None:
    seconds = [answer.seconds for answer in answers if answer.movies]
    return round(1000 * float(np.quantile(seconds, 0.95)), 3) if seconds else None


def _overlap(own: Answer, other: Answer) -> float:
    first, second = set(own.movies[:K]), set(other.movies[:K])
    return len(first & second) / max(len(first), len(second))


def _score_psi(pairs: Sequence[tuple[Answer, Answer]]) -> float | None:
    """Returns the PSI of the candidate's scores, binned by deciles of the champion's, or None without scores."""
    own = np.array([score for answer, _ in pairs for score in answer.scores])
    other = np.array([score for _, answer in pairs for score in answer.scores])
    if not len(own) or not len(other):
        return None
    edges = np.unique(np.quantile(other, np.linspace(0, 1, SCORE_CLASSES + 1)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, scores), minlength=len(edges) + 1) for scores in (own, other)]
    return round(float(population_stability_index(*counts)), 4)


def _sample(found: Sequence[Replayed]) -> list[dict[str, Any]]:
    """Returns one changed list for each of the first `SAMPLE` users with a changed list."""
    sample: dict[int, dict[str, Any]] = {}
    for replayed in found:
        if len(replayed.answers) < 2:
            continue
        own, other = (answer.movies[:K] for answer in replayed.answers)
        comes, goes = [movie for movie in own if movie not in other], [movie for movie in other if movie not in own]
        if comes or goes:
            change = {"n_ratings": replayed.n_ratings, "comes": comes, "goes": goes, "n_stays": len(own) - len(comes)}
            sample.setdefault(replayed.request.user_id, change)
    return list(sample.values())[:SAMPLE]
