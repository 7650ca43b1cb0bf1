"""Small hand-made logs for the estimators' tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from recommender.estimators import Dataset

START = pd.Timestamp("2020-01-01")
# Enough for a sound answer on a few dozen rows, in a fraction of the time that the defaults take.
QUICK: dict[str, dict[str, Any]] = {
    "ease": {"regularization": 2.0},
    "als": {"n_components": 8, "regularization": 1.0, "alpha": 4.0},
    "item_knn": {"shrinkage": 1.0},
    "rp3beta": {"beta": 0.3},
    "lightfm": {"n_components": 8},
}


def ratings_frame(rows: list[tuple[Any, Any, float]], days: list[float] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
    frame["rated_at"] = START + pd.to_timedelta(days if days is not None else range(len(rows)), unit="D")
    return frame


def checkerboard(n: int = 24) -> Dataset:
    """Even users like even movies, odd ones odd movies, each but the movie of their own number."""
    rows = [(user, movie, 5.0) for user in range(n) for movie in range(n) if (user - movie) % 2 == 0 and user != movie]
    genres = [["Western"] if movie % 2 == 0 else ["Romance"] for movie in range(n)]
    movies = pd.DataFrame({"movie_id": range(n), "title": [f"Movie {movie}" for movie in range(n)], "genres": genres})
    return Dataset.from_frames(ratings_frame(rows), movies)


def tastes(
    seed: int = 0, n_users: int = 40, n_movies: int = 30, n_unrated: int = 4
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two groups of users and of movies; movies 0, 7, 14 ... 7 (n_movies - 1) are rated, further ones are not."""
    rng = np.random.default_rng(seed)
    ids = np.arange(n_movies + n_unrated) * 7
    rows = []
    for user in range(n_users):
        weights = np.where((np.arange(n_movies) + user) % 2 == 0, 4.0, 1.0) / (1 + np.arange(n_movies) / 10)
        for movie in rng.choice(n_movies, size=rng.integers(4, 12), replace=False, p=weights / weights.sum()):
            stars = 3 + 1.5 * ((movie + user) % 2 == 0) + rng.choice([-0.5, 0.0, 0.5])
            rows.append((user + 100, int(ids[movie]), float(stars)))
    movies = pd.DataFrame(
        {
            "movie_id": ids,
            "title": [f"Film {movie}" for movie in ids],
            "release_date": pd.Timestamp("2001-05-01") + pd.to_timedelta(ids, unit="D"),
            "genres": [["Drama", "War"] if at % 2 == 0 else ["Comedy"] for at in range(len(ids))],
            "keywords": [["trench"] if at % 2 == 0 else ["wedding"] for at in range(len(ids))],
            "cast": [[f"Actor {at % 5}"] for at in range(len(ids))],
            "directors": [[f"Director {at % 3}"] for at in range(len(ids))],
            "overview": ["Soldiers far from home." if at % 2 == 0 else "A cake, a bride." for at in range(len(ids))],
            "language": ["en"] * len(ids),
        }
    )
    return ratings_frame(rows, rng.uniform(0, 300, len(rows)).tolist()), movies
