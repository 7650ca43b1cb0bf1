"""The fallback chain: champion, previous champion, popular now, newest. Uses the first source with candidates."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from catalog.models import Movie
from recommender.logs import log_once_a_minute
from recommender.serving import stored_order, titles
from recommender.serving.candidates import Candidate
from recommender.serving.loaded_model import LoadedModel
from recommender.serving.model_server import server
from recommender.serving.movies import listed_movies
from recommender.serving.request import ListRequest
from recommender.serving.trace import Outcome, Step

logger = logging.getLogger(__name__)


class Source(NamedTuple):
    name: str
    get: Callable[[ListRequest], list[Candidate]]
    loaded: LoadedModel | None = None


POPULAR = Source("popular", stored_order.popular)
NEWEST = Source("newest", stored_order.newest)
VARIED = Source("popular", titles.varied)  # takes titles from all genres


def model_sources(get: Callable[[LoadedModel, ListRequest], list[Candidate]]) -> list[Source]:
    """Return one source per loaded model, champion first."""
    return [Source(loaded.slot, partial(get, loaded), loaded) for loaded in server.models()]


def find_movies(sources: Sequence[Source], request: ListRequest) -> tuple[Source, list[Candidate], dict[int, Movie]]:
    """Return the first source that has candidates, the candidates, and the movies keyed by id.

    The movies include those mentioned in reasons. If the source returns too few candidates, or some of their movies
    have been deleted, later sources that need no model fill the remaining places.
    """
    place, found = first_non_empty(sources, request)
    movies = _movies(found, request)
    found = [candidate for candidate in found if candidate.movie_id in movies]
    for source in sources[place + 1 :]:
        if len(found) >= request.k:
            break
        if source.loaded is None:
            more = _ask(source, request.remaining(candidate.movie_id for candidate in found))
            movies |= _movies(more, request)
            found += [candidate for candidate in more if candidate.movie_id in movies]
    return sources[place], [row._replace(reason=row.reason and row.reason.named(movies)) for row in found], movies


def first_non_empty(sources: Sequence[Source], request: ListRequest) -> tuple[int, list[Candidate]]:
    """Return the index of the first source that has candidates, and its candidates."""
    for place, source in enumerate(sources):
        if found := _ask(source, request):
            return place, found
    return len(sources) - 1, []


def _ask(source: Source, request: ListRequest) -> list[Candidate]:
    attempt = request.trace.start(source.name, source.loaded.version if source.loaded else None, request.k)
    started = time.perf_counter()
    try:
        found = source.get(request)
    except Exception:
        attempt.outcome = Outcome.SOURCE_FAILED
        message = "Source %s of the fallback chain failed; the next one answers"
        log_once_a_minute(logger.exception, message, source.name)
        return []
    if found:
        attempt.outcome = Outcome.ANSWERED
        attempt.seconds = time.perf_counter() - started
    return found


def _movies(found: list[Candidate], request: ListRequest) -> dict[int, Movie]:
    if not found:
        return {}
    listed = {candidate.movie_id for candidate in found}
    named = {candidate.reason.movie_id for candidate in found if candidate.reason and candidate.reason.movie_id}
    movies = listed_movies.get(listed | named)
    n_left = len(listed & movies.keys())
    if n_left < len(found):
        request.trace.count(Step.DELETED, n_left - len(found))
    request.trace.count(Step.LISTED, n_left)
    return movies
