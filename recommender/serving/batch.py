"""Makes lists for many users. A few queries read all profiles, and one matrix product scores each block of users.

Each list equals the one that `services.recommend` returns for that user.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from django.db.models import Value

from catalog.models import Rating, User, Viewing
from recommender import estimators  # lazy, so that processes that make no list start without scipy
from recommender.logs import log_once_a_minute
from recommender.models import Dismissal
from recommender.serving import candidates
from recommender.serving.fallback_chain import NEWEST, POPULAR, Source
from recommender.serving.lists import RecommendationList, make_list
from recommender.serving.loaded_model import LoadedModel
from recommender.serving.model_server import server
from recommender.serving.profile import UserProfile
from recommender.serving.request import ListRequest

logger = logging.getLogger(__name__)

BLOCK = 100  # users scored together; bounds memory (users x movies)


class Wanted(NamedTuple):
    """One user's request in a batch."""

    user_id: int
    k: int = 10
    include_new: bool = False


def make_lists(wanted: Sequence[Wanted], *, surface: str) -> Iterator[RecommendationList | None]:
    """Yield the list for each request, in order, or None if the user does not exist."""
    for start in range(0, len(wanted), BLOCK):
        yield from _block(wanted[start : start + BLOCK], surface)


def _block(wanted: Sequence[Wanted], surface: str) -> Iterator[RecommendationList | None]:
    profiles, models = profiles_of({one.user_id for one in wanted}), server.models()
    began = time.perf_counter()
    scored = _scored_ahead(models[0], profiles) if models else {}
    seconds = (time.perf_counter() - began) / max(len(scored), 1)
    for one in wanted:
        profile = profiles.get(one.user_id)
        if profile is None:
            yield None
            continue
        own = scored.get(one.user_id)
        sources = _sources([own, *models[1:]] if own else models, one.include_new)
        yield make_list(sources, ListRequest.of(profile, one.k), surface=surface, seconds=seconds if own else 0.0)


def _sources(models: Sequence[LoadedModel], include_new: bool) -> list[Source]:
    get = partial(candidates.personal, include_new=include_new)
    return [*(Source(loaded.slot, partial(get, loaded), loaded) for loaded in models), POPULAR, NEWEST]


def _scored_ahead(loaded: LoadedModel, profiles: dict[int, UserProfile]) -> dict[int, LoadedModel]:
    """Return the model with precomputed scores, keyed by user. Skips users without a history that it knows."""
    histories = {user: profile.history(loaded.known) for user, profile in profiles.items()}
    users = [user for user, history in histories.items() if history]
    if not users:
        return {}
    try:
        models = list(estimators.scored_ahead(loaded.model, [histories[user] for user in users]))
    except Exception:
        # Each list is then scored separately, and falls back to the next source if that fails too.
        log_once_a_minute(logger.exception, "Model %s failed to score a batch", loaded.version)
        return {}
    return {user: replace(loaded, model=model) for user, model in zip(users, models, strict=True)}


def profiles_of(user_ids: set[int]) -> dict[int, UserProfile]:
    """Return the profiles of existing users, keyed by id. They equal those of `UserProfile.of`."""
    ratings: dict[int, dict[int, float]] = defaultdict(dict)
    rows = Rating.objects.filter(user__in=user_ids).order_by("user", "-rated_at", "-id")
    for user, movie, rating in rows.values_list("user_id", "movie_id", "rating"):
        ratings[user][movie] = rating
    others: dict[tuple[str, int], set[int]] = defaultdict(set)
    dismissed = Dismissal.objects.filter(user__in=user_ids).values_list("user_id", "movie_id", Value("dismissed"))
    watched = Viewing.objects.filter(user__in=user_ids).order_by()
    for user, movie, kind in dismissed.union(watched.values_list("user_id", "movie_id", Value("watched"))):
        others[kind, user].add(movie)
    return {
        user: UserProfile(
            user_id=user,
            ratings=ratings[user],
            dismissed=frozenset(others["dismissed", user]),
            watched=frozenset(others["watched", user]).difference(ratings[user]),
        )
        for user in User.objects.filter(pk__in=user_ids).values_list("pk", flat=True)
    }
