"""Reads the ratings of two windows: the latest full weeks, and a reference window before them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Count, Min, Q

from catalog.models import MovieGenre, Rating
from mlops.monitoring.drift.statistics import category_weights, row_weights
from mlops.monitoring.personal_lists import evenly_sampled
from mlops.policy import DriftPolicy

Array = np.ndarray[Any, Any]

WEEK = timedelta(days=7)
NEW_FOR = timedelta(days=28)  # users and movies count as new for this period after their first rating
ACTIVITY_WEEKS = 12  # maximum number of reference weeks in the activity check


@dataclass(frozen=True)
class Window:
    """The ratings after `start` up to `end`, evenly sampled if there are more than the policy allows."""

    start: datetime
    end: datetime
    users: Array
    movies: Array
    ratings: Array
    sources: Array
    weights: Array
    is_new_user: Array
    is_new_movie: Array

    def __len__(self) -> int:
        return len(self.users)

    def category_weights(self, categories: Array, n_categories: int) -> Array:
        return category_weights(self.users, categories, self.weights, n_categories)

    def genre_weights(self, genres_of: dict[int, list[int]], n_genres: int) -> tuple[Array, int]:
        """Returns the category weights by genre, and the number of ratings of movies with a genre.

        A rating's weight is split equally between the genres of its movie.
        """
        lists = [genres_of.get(movie, []) for movie in self.movies.tolist()]
        lengths = np.array([len(found) for found in lists], dtype=np.int64)
        rows = np.repeat(np.arange(len(lists)), lengths)
        categories = np.array([genre for found in lists for genre in found], dtype=np.int64)
        weights = self.weights[rows] / lengths[rows]
        return category_weights(self.users[rows], categories, weights, n_genres), int((lengths > 0).sum())


def windows(end: datetime, policy: DriftPolicy) -> tuple[Window, Window]:
    """Returns the last `window_weeks` weeks and the reference before them.

    The reference is equally long, or extends further back until it contains `reference_ratings` ratings.
    """
    start = end - policy.window_weeks * WEEK
    return read_window(start, end, policy), read_window(_reference_start(start, policy), start, policy)


def weekly_counts(end: datetime, policy: DriftPolicy) -> tuple[Array, Array]:
    """Returns the numbers of ratings per week, latest last: in the window, and in the weeks before it.

    The weeks before start with the first rating and number at most ACTIVITY_WEEKS.
    """
    start = end - policy.window_weeks * WEEK
    first = _rated().aggregate(first=Min("rated_at"))["first"] or end
    n_before = min(ACTIVITY_WEEKS, max(0, math.floor((start - first) / WEEK)))
    counts = _count_weeks(end, policy.window_weeks + n_before)
    return counts[n_before:], counts[:n_before]


def read_window(start: datetime, end: datetime, policy: DriftPolicy) -> Window:
    rows = evenly_sampled(_rated().filter(rated_at__gt=start, rated_at__lte=end), policy.max_ratings)
    fields = ("user_id", "movie_id", "rating", "source", "rated_at")
    columns = list(zip(*rows.values_list(*fields).iterator(chunk_size=10_000), strict=True)) or [()] * len(fields)
    users, movies = (np.array(column, dtype=np.int64) for column in columns[:2])
    moments = np.array([moment.timestamp() for moment in columns[4]])
    weeks = ((end.timestamp() - moments) // WEEK.total_seconds()).astype(np.int64)
    return Window(
        start,
        end,
        users,
        movies,
        np.array(columns[2], dtype=np.float64),
        np.array(columns[3], dtype=object),
        row_weights(users, weeks, policy.ratings_per_person) if len(users) else np.empty(0),
        _is_new("user_id", users, moments, start, end),
        _is_new("movie_id", movies, moments, start, end),
    )


def genres_of_movies() -> tuple[dict[int, list[int]], list[str]]:
    """Returns the genre indices of each movie, and the genre names."""
    links = MovieGenre.objects.order_by("genre__name", "movie").values_list("movie_id", "genre__name")
    numbers: dict[str, int] = {}
    found: dict[int, list[int]] = defaultdict(list)
    for movie, name in links.iterator():
        found[movie].append(numbers.setdefault(name, len(numbers)))
    return dict(found), list(numbers)


def _rated() -> Any:
    return Rating.objects.for_training().order_by()


def _reference_start(start: datetime, policy: DriftPolicy) -> datetime:
    usual = start - policy.window_weeks * WEEK
    earlier = _rated().filter(rated_at__lte=start).order_by("-rated_at").values_list("rated_at", flat=True)
    reached: datetime | None = earlier[policy.reference_ratings - 1 : policy.reference_ratings].first()
    if reached is None:
        reached = earlier.last()
    if reached is None or reached > usual:
        return usual
    return start - math.ceil((start - reached) / WEEK + 1e-9) * WEEK  # full weeks, including the week of `reached`


def _count_weeks(end: datetime, n_weeks: int) -> Array:
    spans = [(end - (at + 1) * WEEK, end - at * WEEK) for at in reversed(range(n_weeks))]
    of_weeks = {
        f"week{at}": Count("pk", filter=Q(rated_at__gt=since, rated_at__lte=until))
        for at, (since, until) in enumerate(spans)
    }
    rows = _rated().filter(rated_at__gt=spans[0][0], rated_at__lte=end)
    return np.array(list(rows.aggregate(**of_weeks).values()), dtype=np.int64)


def _is_new(field: str, ids: Array, moments: Array, start: datetime, end: datetime) -> Array:
    """Returns for each rating whether it came within four weeks of its user's or movie's first rating.

    If the first rating was removed between the queries, the rating itself counts as the first.
    """
    present = _rated().filter(rated_at__gt=start, rated_at__lte=end).values(field)
    firsts = dict(_rated().filter(**{f"{field}__in": present}).values_list(field).annotate(first=Min("rated_at")))
    own = zip(ids.tolist(), moments.tolist(), strict=True)
    since = np.array([firsts[row].timestamp() if row in firsts else moment for row, moment in own])
    return np.asarray(moments - since < NEW_FOR.total_seconds(), dtype=np.int64)
