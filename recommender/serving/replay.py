"""Recent requests replayed on models that are not served: their lists, and how fast they make them.

Users' histories are the current ones. Nothing is recorded as an impression or in the serving stats.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db.models import Max

from catalog.models import Rating, User
from recommender.models import Impression, ServedModel
from recommender.serving import candidates
from recommender.serving.candidates import Candidate
from recommender.serving.loaded_model import LoadedModel, load_model
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest

logger = logging.getLogger(__name__)

K = 10
PERSONAL, BLENDED, NEW = "personal", "blended", "new"
IMPRESSIONS_PER_REQUEST = 10  # read for each request wanted: most lists of a page are not made by a model


@dataclass(frozen=True)
class Request:
    user_id: int
    k: int
    kind: str


@dataclass(frozen=True)
class Answer:
    """`n_excluded`: movies in the list although the user has seen or dismissed them."""

    movies: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    seconds: float = 0.0
    n_excluded: int = 0
    error: str = ""


@dataclass(frozen=True)
class Replayed:
    """One request with the answer of each model, in the order of the models."""

    request: Request
    n_ratings: int
    answers: list[Answer]


def recent_requests(limit: int) -> list[Request]:
    """The latest lists requested that take a model, the latest first."""
    rows = Impression.objects.filter(user__isnull=False).values_list("user", "items")
    return list(islice(_requests(rows[: IMPRESSIONS_PER_REQUEST * limit].iterator()), limit))


def lists_of_latest_raters(limit: int) -> list[Request]:
    """Personal lists for the latest raters, for a site without requests so far."""
    raters = Rating.objects.for_training().order_by().values("user").annotate(last=Max("rated_at")).order_by("-last")
    return [Request(row["user"], K, PERSONAL) for row in raters[:limit]]


def _requests(rows: Iterator[tuple[int, list[tuple[int, int, str]]]]) -> Iterator[Request]:
    for user_id, items in rows:
        sources = {source for _, _, source in items}
        if sources == {"new"}:
            yield Request(user_id, len(items), NEW)
        elif "personal" in sources:
            yield Request(user_id, len(items), BLENDED if "new" in sources else PERSONAL)


def open_model(*, version: int, algorithm: str, artifact: str) -> LoadedModel:
    """Loaded as in a web process."""
    return load_model(
        ServedModel(slot=ServedModel.Slot.CHAMPION, version=version, algorithm=algorithm, artifact=artifact)
    )


def replay(requests: Sequence[Request], models: Sequence[LoadedModel]) -> Iterator[Replayed]:
    """Ask all models each request in turn, so that other load on the machine slows them alike."""
    users = User.objects.in_bulk({request.user_id for request in requests})
    for request in requests:
        if request.user_id in users:  # an account may have been deleted since
            profile = UserProfile.of(users[request.user_id])
            yield Replayed(request, len(profile.ratings), [_answer(loaded, profile, request) for loaded in models])


def _answer(loaded: LoadedModel, profile: UserProfile, request: Request) -> Answer:
    started = time.perf_counter()
    try:
        found = _candidates(loaded, ListRequest.of(profile, request.k), request.kind)
    except Exception as error:
        # Any exception of a model is a finding.
        logger.exception("Model %s failed to answer a replayed request", loaded.version)
        return Answer(seconds=time.perf_counter() - started, error=f"{type(error).__name__}: {error}")
    return Answer(
        movies=tuple(candidate.movie_id for candidate in found),
        scores=tuple(candidate.score for candidate in found),
        seconds=time.perf_counter() - started,
        n_excluded=sum(candidate.movie_id in profile.excluded for candidate in found),
    )


def _candidates(loaded: LoadedModel, request: ListRequest, kind: str) -> list[Candidate]:
    if kind == NEW:
        return candidates.new(loaded, request)
    return candidates.personal(loaded, request, include_new=kind == BLENDED)
