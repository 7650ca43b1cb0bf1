"""Personal lists: those shown to signed-in users, and those that the champion computes for a given time."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import F, QuerySet

from catalog.models import Rating
from mlops.policy import DriftPolicy
from recommender.models import Impression, ServedModel
from recommender.serving.loaded_model import load_model

Array = np.ndarray[Any, Any]

K = 10  # number of top positions that are evaluated
PERSONAL = ("home:for-you", "api:recommendations", "api:recommend")  # surfaces
IDS_PER_QUERY = 900  # below SQLite's limit on parameters in older versions


def personal_lists() -> QuerySet[Impression]:
    """Returns the personal lists that a champion made for signed-in users."""
    rows = Impression.objects.filter(surface__in=PERSONAL, user__isnull=False, fallback="")
    return rows.filter(model_version__isnull=False)


def evenly_sampled(rows: QuerySet[Any], limit: int) -> QuerySet[Any]:
    """Returns all rows, or an even sample of about `limit` rows."""
    every = math.ceil(rows.count() / limit)
    return rows.annotate(part=F("pk") % every).filter(part=0) if every > 1 else rows


def lists_shown(start: datetime, end: datetime, policy: DriftPolicy) -> list[Array]:
    """Returns the first ten movies of each list shown in the period, or of an even sample of `max_lists` lists."""
    rows = personal_lists().filter(shown_at__gt=start, shown_at__lte=end).order_by()
    found = evenly_sampled(rows, policy.max_lists).values_list("items", flat=True).iterator()
    return [np.array([item[0] for item in items[:K]], dtype=np.int64) for items in found if items]


def champion_scores(people: Array, moment: datetime, policy: DriftPolicy) -> Array:
    """Returns the mean score of each user's first ten movies, computed from ratings up to `moment`."""
    row = ServedModel.champion()
    if row is None:
        return np.empty(0)
    served = load_model(row)
    chosen = np.random.default_rng(0).permutation(np.unique(people))[: policy.max_lists]
    histories = [known for known in _histories(chosen.tolist(), moment, served.known) if known]
    if not histories:
        return np.empty(0)
    lists = served.model.recommend_for_history(histories, k=K, candidates=served.candidates)
    return lists.groupby("user_id")["score"].mean().to_numpy(dtype=np.float64)


def _histories(users: list[int], moment: datetime, known: frozenset[int]) -> list[dict[int, float]]:
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for start in range(0, len(users), IDS_PER_QUERY):
        rows = Rating.objects.filter(user_id__in=users[start : start + IDS_PER_QUERY], rated_at__lte=moment)
        for user, movie, rating in rows.order_by().values_list("user_id", "movie_id", "rating"):
            if movie in known:
                found[user][movie] = rating
    return list(found.values())
