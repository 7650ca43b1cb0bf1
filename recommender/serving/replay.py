"""Recent requests asked again of models that need not be served: what they would have answered, and how fast.

Histories are those of this moment. Nothing is kept as an impression and nothing is counted as served.
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
from recommender.serving.candidates import Pick, Wish
from recommender.serving.model_server import Served, load
from recommender.serving.profile import Viewer

logger = logging.getLogger(__name__)

K = 10
PERSONAL, BLENDED, NEW = "personal", "blended", "new"
LOOKED_AT = 10  # impressions for each request that is wanted: most lists of a page are no model's


@dataclass(frozen=True)
class Request:
    user_id: int
    k: int
    kind: str


@dataclass(frozen=True)
class Answer:
    """`n_hidden`: movies that the person has seen or dismissed and is shown all the same."""

    movies: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    seconds: float = 0.0
    n_hidden: int = 0
    error: str = ""


@dataclass(frozen=True)
class Replayed:
    """One request with an answer of each model, in the order in which they were given."""

    request: Request
    n_ratings: int
    answers: list[Answer]


def recent_requests(limit: int) -> list[Request]:
    """The latest lists that were asked for and that a model has to make, the last one first."""
    rows = Impression.objects.filter(user__isnull=False).values_list("user", "items")[: LOOKED_AT * limit]
    return list(islice(_requests(rows.iterator()), limit))


def lists_of_latest_raters(limit: int) -> list[Request]:
    """What those would ask for who rated last: for a site where no list was asked for yet."""
    raters = Rating.objects.for_training().order_by().values("user").annotate(last=Max("rated_at")).order_by("-last")
    return [Request(row["user"], K, PERSONAL) for row in raters[:limit]]


def _requests(rows: Iterator[tuple[int, list[tuple[int, int, str]]]]) -> Iterator[Request]:
    for user_id, items in rows:
        sources = {source for _, _, source in items}
        if sources == {"new"}:
            yield Request(user_id, len(items), NEW)
        elif "personal" in sources:
            yield Request(user_id, len(items), BLENDED if "new" in sources else PERSONAL)


def open_model(*, version: int, algorithm: str, artifact: str) -> Served:
    """As a web process would load it."""
    return load(ServedModel(slot=ServedModel.Slot.CHAMPION, version=version, algorithm=algorithm, artifact=artifact))


def replay(requests: Sequence[Request], models: Sequence[Served]) -> Iterator[Replayed]:
    """Each request of all models in turn, so that what slows the machine down slows all of them."""
    users = User.objects.in_bulk({request.user_id for request in requests})
    for request in requests:
        if request.user_id in users:  # an account may have gone since
            viewer = Viewer.of(users[request.user_id])
            yield Replayed(request, len(viewer.ratings), [_answer(served, viewer, request) for served in models])


def _answer(served: Served, viewer: Viewer, request: Request) -> Answer:
    wish = Wish(request.k, viewer.hidden)
    started = time.perf_counter()
    try:
        picked = _pick(served, viewer, wish, request.kind)
    except Exception as error:
        # Whatever a model raises is the finding.
        logger.exception("Model %s cannot answer a recent request", served.version)
        return Answer(seconds=time.perf_counter() - started, error=f"{type(error).__name__}: {error}")
    return Answer(
        movies=tuple(pick.movie_id for pick in picked),
        scores=tuple(pick.score for pick in picked),
        seconds=time.perf_counter() - started,
        n_hidden=sum(pick.movie_id in viewer.hidden for pick in picked),
    )


def _pick(served: Served, viewer: Viewer, wish: Wish, kind: str) -> list[Pick]:
    if kind == NEW:
        return candidates.new(served, viewer, wish)
    return candidates.personal(served, viewer, wish, include_new=kind == BLENDED)
