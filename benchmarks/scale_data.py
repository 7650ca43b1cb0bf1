"""Generates ratings of any size in seconds, similar to the sample generator. Users of a group share preferences.

`catalog.sample` computes a weight for each pair of user and movie. Here a user draws from the distribution of a group,
by inverting its cumulative weights. Popularity and activity are long-tailed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from catalog.sample.catalogue import DIMENSIONS, LOG_END, LOG_START, make_catalogue

Array = np.ndarray[Any, Any]

GROUPS = 64
FAME_SPREAD = 2.0  # wider than in a small catalogue, because most of 60,000 movies are hardly known
DRAWS_PER_RATING = 2.2  # repeated pairs are dropped
DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Size:
    """A size like MovieLens: users grow in proportion to ratings, movies more slowly."""

    ratings: int
    users: int
    movies: int

    @classmethod
    def of(cls, ratings: int) -> Size:
        share = ratings / 25_000_000
        return cls(ratings, max(round(160_000 * share), 100), max(round(60_000 * share**0.35), 500))


def generate(size: Size, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return ratings (user_id, movie_id, rating, rated_at) sorted by time, and movies with metadata."""
    rng = np.random.default_rng(seed)
    catalogue = make_catalogue(size.movies, rng)
    group_taste = rng.normal(size=(GROUPS, DIMENSIONS)).astype(np.float32)
    liking = (group_taste / np.linalg.norm(group_taste, axis=1, keepdims=True)) @ catalogue.position.T
    fame = FAME_SPREAD * rng.normal(size=size.movies) + 0.45 * catalogue.quality
    users, groups = _raters(size, rng)
    movies = _drawn(users, groups, np.exp(fame + 1.35 * liking), rng)
    users, movies = _without_repetition(users, movies, size)
    score = 3.1 + 0.35 * catalogue.quality[movies] + 0.4 * liking[groups[users], movies]
    score += 0.35 * rng.standard_normal(size.users, dtype=np.float32)[users]
    score += 0.6 * rng.standard_normal(len(users), dtype=np.float32)
    seconds = _seconds(users, catalogue.released_on[movies], size, rng)
    order = np.argsort(seconds, kind="stable")
    rated_at = np.datetime64(LOG_START, "s") + seconds[order].astype("timedelta64[s]")
    frame = pd.DataFrame(
        {
            "user_id": users[order].astype(np.int64) + 1,
            "movie_id": movies[order].astype(np.int64) + 1,
            "rating": np.clip(np.round(score[order] * 2) / 2, 0.5, 5.0).astype(np.float64),
            "rated_at": pd.DatetimeIndex(rated_at).tz_localize("UTC"),
        }
    )
    return frame, catalogue.frame


def write(size: Size, folder: Path) -> None:
    ratings, movies = generate(size)
    folder.mkdir()
    ratings.to_parquet(folder / "ratings.parquet")
    movies.to_parquet(folder / "movies.parquet")


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(folder / "ratings.parquet"), pd.read_parquet(folder / "movies.parquet")


def _raters(size: Size, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the user of each draw and the group of each user. There are more draws than ratings."""
    activity = np.minimum(rng.lognormal(sigma=1.0, size=size.users), 20)
    n_each = np.ceil(DRAWS_PER_RATING * size.ratings * activity / activity.sum()).astype(np.int64)
    users = np.repeat(np.arange(size.users, dtype=np.int32), np.minimum(n_each, size.movies // 2) + 8)
    return users, rng.integers(GROUPS, size=size.users)


def _drawn(users: Array, groups: Array, weights: Array, rng: np.random.Generator) -> Array:
    movies = np.empty(len(users), dtype=np.int32)
    of_draw = groups[users]
    for group in range(GROUPS):
        cumulated = np.cumsum(weights[group])
        draws = np.flatnonzero(of_draw == group)
        found = np.searchsorted(cumulated, rng.random(len(draws)) * cumulated[-1])
        movies[draws] = np.minimum(found, len(cumulated) - 1)
    return movies


def _without_repetition(users: Array, movies: Array, size: Size) -> tuple[Array, Array]:
    """Return distinct pairs, cut evenly across users to the number of ratings."""
    pairs = users.astype(np.int64) * size.movies + movies
    pairs.sort()
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])]
    kept = np.linspace(0, len(pairs) - 1, min(size.ratings, len(pairs))).astype(np.int64)
    return (pairs[kept] // size.movies).astype(np.int32), (pairs[kept] % size.movies).astype(np.int32)


def _seconds(users: Array, released_on: Array, size: Size, rng: np.random.Generator) -> Array:
    """Return the time since LOG_START, within the user's activity and not before the movie's release."""
    days = (LOG_END - LOG_START).days
    joined = rng.uniform(0, 0.75, size=size.users) * days
    stays = rng.uniform(0.6, 1, size=size.users) * (days - joined)
    moment = joined[users] + stays[users] * rng.random(len(users))
    moment = np.maximum(moment, released_on + rng.exponential(60, size=len(users)))
    return (np.minimum(moment, days) * DAY_SECONDS).astype(np.int64)
