"""Lists for several people, and each person's predicted stars. Uses only ratings of people who consented."""

from collections.abc import Sequence

import numpy as np
from django.utils.translation import gettext as _

from catalog.models import User
from recommender import estimators  # lazy, so that processes that make no list start without scipy
from recommender.errors import InvalidRequest
from recommender.serving.candidates import Candidate, count_pool
from recommender.serving.loaded_model import LoadedModel
from recommender.serving.model_server import server
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest
from recommender.serving.trace import Outcome, Step


def companions_of(user: User, names: Sequence[str]) -> list[UserProfile]:
    """Return the profiles of these people.

    Raises InvalidRequest if a person does not exist or has not consented. The message is the same in both cases, so
    that it does not reveal who has an account.
    """
    names = [User.normalize_username(name) for name in names]
    found = User.objects.filter(username__in=names, is_active=True, taste_consent__isnull=False).exclude(pk=user.pk)
    people = {person.username: person for person in found}
    if missing := [name for name in names if name not in people]:
        text = _("cannot make a list with %(names)s: the user does not exist or has not allowed it")
        raise InvalidRequest("with", text % {"names": ", ".join(missing)})
    return [UserProfile.of(people[name]) for name in names]


def predicted_stars(profiles: Sequence[UserProfile], movie_ids: Sequence[int]) -> dict[int, list[float | None]]:
    """Return each person's predicted stars, keyed by movie.

    Skips movies that the served model does not know. The value is None for people without a history that it knows.
    """
    loaded = server.champion()
    known = [movie for movie in movie_ids if loaded and movie in loaded.known]
    if loaded is None or not known:
        return {}
    histories = [profile.history(loaded.known) for profile in profiles]
    stars = loaded.model.score_histories(histories, known)[1]
    lines = zip(known, stars.T.tolist(), strict=True)
    return {
        movie: [value if history else None for value, history in zip(line, histories, strict=True)]
        for movie, line in lines
    }


def together(loaded: LoadedModel, request: ListRequest) -> list[Candidate]:
    """Return a list for the user and their companions, ranked by "average without misery".

    Ignores people without a history that the model knows.
    """
    everyone = [person.history(loaded.known) for person in (request.profile, *request.companions)]
    histories = [history for history in everyone if history]
    if not histories:
        return request.trace.nothing(Outcome.NO_HISTORY)
    count_pool(loaded, request, Step.NOT_IN_MODEL, len(loaded.new))
    pool = loaded.rated
    if request.allowed is not None:
        pool = pool[np.isin(pool, np.fromiter(request.allowed, dtype=np.int64))]
        request.trace.count(Step.FILTERED, len(pool) - len(loaded.rated))
    request.count_excluded(pool)
    pool = pool[~np.isin(pool, np.fromiter(request.excluded, dtype=np.int64))]
    if not len(pool):
        return request.trace.nothing(Outcome.ALL_EXCLUDED)
    movies, values = estimators.group_list(loaded.model, histories, pool, request.k, *request.dial)
    rows = zip(movies.tolist(), values.tolist(), strict=True)
    found = [Candidate(movie, value, "personal") for movie, value in rows]
    return found or request.trace.nothing(Outcome.ALL_EXCLUDED)
