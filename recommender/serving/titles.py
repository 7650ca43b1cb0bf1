"""The well-known titles that a new user is asked to rate. Without a model, they come from all genres in turn."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from catalog.models import Movie, MovieGenre
from recommender import estimators  # lazy, so that commands that serve no list start without scipy
from recommender.serving.candidates import Candidate
from recommender.serving.loaded_model import LoadedModel
from recommender.serving.request import ListRequest
from recommender.serving.trace import Outcome

if TYPE_CHECKING:
    from recommender.estimators import Recommender
    from recommender.estimators.elicitation import Elicitation

VARIED_POOL = 300  # most-rated movies from which `varied` chooses

_prepared: WeakKeyDictionary[Recommender, Elicitation] = WeakKeyDictionary()  # computed once per model in memory


def informative(loaded: LoadedModel, request: ListRequest) -> list[Candidate]:
    """Return the titles whose ratings would improve the user's lists most."""
    elicitation = _prepared.get(loaded.model)
    if elicitation is None:
        elicitation = _prepared[loaded.model] = estimators.Elicitation(loaded.model)
    chosen = elicitation.choose(request.profile.history(loaded.known), request.excluded, request.k)
    return [Candidate(movie, 0.0, "popular") for movie in chosen] or request.trace.nothing(Outcome.ALL_EXCLUDED)


def varied(request: ListRequest) -> list[Candidate]:
    """Return titles from each genre in turn, most-rated first."""
    known = Movie.objects.filter(rating_count__gt=0).order_by("-rating_count", "id")
    pool = [movie for movie in known.values_list("pk", flat=True)[:VARIED_POOL] if movie not in request.excluded]
    genres: dict[int, set[int]] = {}
    for genre, movie in MovieGenre.objects.filter(movie__in=pool).order_by("genre__name").values_list("genre", "movie"):
        genres.setdefault(genre, set()).add(movie)
    by_genre = [[movie for movie in pool if movie in of_genre] for of_genre in genres.values()] or [pool]
    in_turn = dict.fromkeys(movie for movie in chain.from_iterable(zip_longest(*by_genre)) if movie is not None)
    return [Candidate(movie, 0.0, "popular") for movie in [*in_turn][: request.k]]
