"""MovieTweetings by week: ratings, and lists made for each week's users by a model of earlier weeks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import movietweetings
from recommender.estimators import Dataset
from recommender.estimators.ease import EaseRecommender

Array = np.ndarray[Any, Any]

BEGIN, N_TRAIN = 8, 12  # weeks skipped, because every user is new in them, and weeks for training
NEW_FOR = pd.Timedelta(days=28)
PEOPLE_A_WEEK, K, POSITIVE = 500, 10, 7.0


@dataclass(frozen=True)
class Weeks:
    """Data by week. `rows` has columns of ratings. `shown` has lists, their mean scores and hits of positives."""

    numbers: list[int]
    rows: dict[int, dict[str, Array]]
    genres: dict[int, list[int]]
    genre_names: list[str]
    list_weeks: list[int]
    shown: dict[int, dict[str, Any]]
    scores_at_random: Array

    @property
    def lists_shown(self) -> list[Array]:
        return [movies for week in self.list_weeks for movies in self.shown[week]["lists"]]

    @property
    def movies_of_one_genre(self) -> list[Array]:
        by_genre = [
            [movie for movie, found in self.genres.items() if found == [at]] for at in range(len(self.genre_names))
        ]
        return [np.array(movies) for movies in by_genre if len(movies) >= K]


def read_weeks(folder: Path) -> Weeks:
    ratings, movies = movietweetings(folder)
    ratings = ratings.sort_values("rated_at", kind="stable").reset_index(drop=True)
    ratings["week"] = (ratings["rated_at"] - ratings["rated_at"].min()) // pd.Timedelta(days=7)
    names = sorted({name for found in movies["genres"] for name in found})
    numbers_of = {name: at for at, name in enumerate(names)}
    genres = {
        int(movie): [numbers_of[name] for name in found]
        for movie, found in zip(movies["movie_id"], movies["genres"], strict=True)
    }
    numbers = list(range(BEGIN, int(ratings["week"].max())))  # the last week is incomplete
    shown, at_random = _lists_of_weeks(ratings, numbers)
    return Weeks(numbers, _columns(ratings, numbers), genres, names, sorted(shown), shown, at_random)


def _columns(ratings: pd.DataFrame, numbers: list[int]) -> dict[int, dict[str, Array]]:
    for column in ("user_id", "movie_id"):
        first = ratings.groupby(column)["rated_at"].transform("min")
        ratings[f"new_{column}"] = (ratings["rated_at"] - first < NEW_FOR).astype(int)
    found = {}
    for number in numbers:
        week = ratings[ratings["week"] == number]
        found[number] = {
            "user": week["user_id"].to_numpy(),
            "movie": week["movie_id"].to_numpy(),
            "stars": week["rating"].to_numpy().astype(int),  # 0 to 10: half stars
            "source": np.zeros(len(week), dtype=int),
            "new_user": week["new_user_id"].to_numpy(),
            "new_movie": week["new_movie_id"].to_numpy(),
        }
    return found


def _lists_of_weeks(ratings: pd.DataFrame, numbers: list[int]) -> tuple[dict[int, dict[str, Any]], Array]:
    """Makes lists with one model of the first weeks, and histories as of the start of each later week."""
    until = numbers[0] + N_TRAIN
    train = ratings[ratings["week"] < until]
    model = EaseRecommender(regularization=200.0).fit(Dataset.from_frames(train, None, implicit_threshold=POSITIVE))
    known = set(model.movie_ids_.tolist())
    rng, found = np.random.default_rng(0), {}
    for number in [number for number in numbers if number >= until]:
        week, before = ratings[ratings["week"] == number], ratings[ratings["week"] < number]
        people = rng.permutation(np.intersect1d(week["user_id"].unique(), before["user_id"].unique()))[:PEOPLE_A_WEEK]
        found[number] = _shown(model, known, people, week, before)
    movies = rng.permutation(sorted(known))
    lengths = rng.choice(before.groupby("user_id").size().to_numpy(), PEOPLE_A_WEEK)
    random_histories = [{int(movie): 8.0 for movie in rng.choice(movies, min(n, 50))} for n in lengths]
    return found, _scores(model.recommend_for_history(random_histories, k=K))


def _shown(model: Any, known: set[int], people: Array, week: pd.DataFrame, before: pd.DataFrame) -> dict[str, Any]:
    earlier = before[before["user_id"].isin(people) & before["movie_id"].isin(known)]
    histories = {
        user: dict(zip(rows["movie_id"], rows["rating"], strict=True)) for user, rows in earlier.groupby("user_id")
    }
    frame = model.recommend_for_history(list(histories.values()), k=K)
    lists = {
        user: rows["movie_id"].to_numpy() for user, (_, rows) in zip(histories, frame.groupby("user_id"), strict=True)
    }
    positives = week[(week["rating"] >= POSITIVE) & week["user_id"].isin(lists)]
    hits = [int(movie in lists[user]) for user, movie in zip(positives["user_id"], positives["movie_id"], strict=True)]
    return {"lists": list(lists.values()), "scores": _scores(frame), "hits": np.array(hits)}


def _scores(lists: pd.DataFrame) -> Array:
    return lists.groupby("user_id")["score"].mean().to_numpy()
