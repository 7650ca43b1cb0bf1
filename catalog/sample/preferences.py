"""Generates ratings that follow each user's preferences."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.sample.catalogue import DIMENSIONS, LOG_END, LOG_START, Catalogue, Floats

ARCHETYPES = 14
VISITS = 5  # maximum per user; months or years apart
BIN_DAYS = 14
CELLS = 1 << 22  # users times movies per chunk; limits memory

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Users:
    taste: Floats  # shape (users, DIMENSIONS)
    visits: Floats  # shape (users, VISITS): days since LOG_START
    shares: Floats  # shape (users, VISITS): share of the user's activity in each visit
    mood: Floats  # the user's mean deviation
    whole_stars: NDArray[np.bool_]


def make_ratings(catalogue: Catalogue, *, users: int, ratings: int, rng: np.random.Generator) -> pd.DataFrame:
    """Returns exactly `ratings` rows sorted by time, with at most one per user and movie.

    Each user samples movies without replacement, by weight = fame x exp(taste . position) x currency at the visit.
    Currency falls from a movie's release to the movie's own floor. The rating depends on the same taste, the movie's
    quality, the user's mood and chance, so that a user's past ratings predict later ones.
    """
    people = _make_users(users, rng)
    movies = len(catalogue.released_on)
    fame = (1.35 * rng.normal(size=movies) + 0.45 * catalogue.quality).astype(np.float32)
    currency = _currency(catalogue.released_on, rng)
    n_each = _activity(users, ratings, cap=max(movies // 2, 1), rng=rng)
    # Sort users by activity, so that each chunk contains similar users.
    order = np.argsort(-n_each, kind="stable")
    step = max(CELLS // movies, 1)
    pieces = [
        _rate(order[start : start + step], n_each, people, catalogue, fame, currency, rng)
        for start in range(0, users, step)
    ]
    user, movie, rating, seconds = (np.concatenate(column) for column in zip(*pieces, strict=True))
    by_time = np.argsort(seconds, kind="stable")
    rated_at = np.datetime64(LOG_START, "s") + seconds[by_time].astype("timedelta64[s]")
    return pd.DataFrame(
        {
            "user_id": user[by_time].astype(np.int64) + 1,
            "movie_id": movie[by_time].astype(np.int64) + 1,
            "rating": rating[by_time].astype(np.float64),
            "rated_at": pd.DatetimeIndex(rated_at).tz_localize("UTC"),
        }
    )


def _make_users(n: int, rng: np.random.Generator) -> _Users:
    archetypes = rng.normal(size=(ARCHETYPES, DIMENSIONS))
    taste = archetypes[rng.integers(ARCHETYPES, size=n)] + 0.6 * rng.normal(size=(n, DIMENSIONS))
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)  # position has unit variance, so the product does too
    days = (LOG_END - LOG_START).days
    joined = rng.uniform(0, 0.75, size=(n, 1)) * days
    stays = rng.uniform(0.6, 1, size=(n, 1)) * (days - joined)
    visits = np.sort(joined + rng.uniform(size=(n, VISITS)) * stays, axis=1)
    shares = rng.dirichlet([1.5] * VISITS, size=n)
    return _Users(
        taste.astype(np.float32),
        visits.astype(np.float32),
        shares.astype(np.float32),
        (0.35 * rng.normal(size=n)).astype(np.float32),
        rng.random(n) < 0.25,
    )


def _currency(released_on: Ints, rng: np.random.Generator) -> Floats:
    """Returns currency, shape (time bins, movies): 0 before the release, then 1, falling to the movie's floor.

    The floor of a classic is near 1.
    """
    bins = np.arange(0, (LOG_END - LOG_START).days + BIN_DAYS, BIN_DAYS)
    age = (bins[:, None] - released_on[None, :]).astype(np.float32)
    floor = rng.beta(1.0, 4.0, size=len(released_on)).astype(np.float32)
    scale = rng.uniform(90, 500, size=len(released_on)).astype(np.float32)
    return np.where(age > 0, floor + (1 - floor) * np.exp(-np.maximum(age, 0) / scale), 0).astype(np.float32)


def _bin(days: Floats) -> Ints:
    """Returns the bin that starts at or before the day, so that its movies have been released."""
    return days.astype(np.int64) // BIN_DAYS


def _activity(users: int, ratings: int, *, cap: int, rng: np.random.Generator) -> Ints:
    """Returns the number of ratings per user: long-tailed, from `low` to `cap`, and `ratings` in total."""
    low = min(ratings // users // 4, 20)
    weight = rng.lognormal(sigma=1.0, size=users)
    n_each = np.full(users, low, dtype=np.int64)
    while (left := ratings - int(n_each.sum())) > 0:
        room = n_each < cap
        n_each[room] += np.floor(left * weight[room] / weight[room].sum()).astype(np.int64)
        n_each = np.minimum(n_each, cap)
        if (rest := ratings - int(n_each.sum())) < users:
            n_each[rng.permutation(np.flatnonzero(n_each < cap))[:rest]] += 1
    return n_each


def _rate(
    rows: Ints,
    n_each: Ints,
    people: _Users,
    catalogue: Catalogue,
    fame: Floats,
    currency: Floats,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats, NDArray[np.int32]]:
    """Returns user, movie, rating and seconds since LOG_START for all ratings of the users in `rows`."""
    liking = people.taste[rows] @ catalogue.position.T
    bins = _bin(people.visits[rows])
    weight = np.zeros_like(liking)
    for visit in range(VISITS):
        weight += people.shares[rows, visit, None] * currency[bins[:, visit]]
    weight *= np.exp(fame + 1.35 * liking)
    # The k smallest exponentials over weights are a weighted sample without replacement (Efraimidis, Spirakis 2006).
    arrival = rng.standard_exponential(size=weight.shape, dtype=np.float32) / np.maximum(weight, 1e-30)
    most = int(n_each[rows].max())
    first = np.argpartition(arrival, most - 1, axis=1)[:, :most] if most else np.empty((len(rows), 0), dtype=np.int64)
    first = np.take_along_axis(first, np.take_along_axis(arrival, first, axis=1).argsort(axis=1), axis=1)
    row, place = np.nonzero(np.arange(most) < n_each[rows, None])
    movie, user = first[row, place], rows[row]
    visited = _visit(user, movie, people, currency, rng)
    score = (
        3.1
        + people.mood[user]
        + 0.35 * catalogue.quality[movie]
        + 0.4 * liking[row, movie]
        + 0.6 * rng.standard_normal(len(row), dtype=np.float32)
    )
    rating = np.where(people.whole_stars[user], np.round(score), np.round(score * 2) / 2)
    rating = np.clip(rating, 0.5, 5.0).astype(np.float32)
    seconds = _seconds(user, visited, people, rng)
    return user.astype(np.int32), movie.astype(np.int32), rating, seconds.astype(np.int32)


def _visit(user: Ints, movie: Ints, people: _Users, currency: Floats, rng: np.random.Generator) -> Ints:
    """Returns the visit of each rating, which is never before the movie's release."""
    weight = people.shares[user] * np.stack(
        [currency[_bin(people.visits[user, visit]), movie] for visit in range(VISITS)], axis=1
    )
    gumbel = rng.gumbel(size=weight.shape).astype(np.float32)
    return np.asarray((np.log(np.maximum(weight, 1e-30)) + gumbel).argmax(axis=1))


def _seconds(user: Ints, visit: Ints, people: _Users, rng: np.random.Generator) -> Ints:
    """Returns the time of each rating. Ratings of a visit are twenty to eighty seconds apart."""
    start = (people.visits[user, visit].astype(np.float64) * 86_400).astype(np.int64)
    order = np.lexsort((rng.random(len(user)), visit, user))
    group = np.flatnonzero(np.diff(user[order] * VISITS + visit[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(group, np.diff(np.append(group, len(order))))
    pause = np.empty(len(order), dtype=np.int64)
    pause[order] = place * 50 + rng.integers(20, 50, size=len(order))
    return np.asarray(start + pause)
