"""Runs the benchmark of tastes on a small set of clear tastes."""

import numpy as np
import pandas as pd

from benchmarks import tastes
from recommender.estimators import ESTIMATORS, Dataset


def test_lists_and_reasons_are_counted_for_each_taste(monkeypatch):
    monkeypatch.setattr(tastes, "MIN_RATINGS", 1)
    rng = np.random.default_rng(0)
    genres = ["Western", "Musical"]
    movies = pd.DataFrame({"movie_id": range(80), "title": [f"Film {n}" for n in range(80)]})
    movies["genres"] = [[genres[n % 2]] for n in range(80)]
    movies["release_date"] = pd.to_datetime([f"{1971 + n % 8}-05-01" for n in range(80)])
    rows = [(user, int(movie) * 2 + user % 2, 5.0) for user in range(60) for movie in rng.permutation(40)[:12]]
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
    ratings["rated_at"] = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(np.arange(len(rows)), unit="h")
    dataset = Dataset.from_frames(ratings, movies, tastes.THRESHOLD)
    model = ESTIMATORS["ease"](regularization=2.0).fit(dataset)

    likes = tastes.tastes(dataset, movies)
    assert list(likes) == [("Musical", 1970), ("Western", 1970)]
    assert likes == tastes.tastes(dataset, movies)
    assert all(movies["genres"][movie] == [genre] for (genre, _), own in likes.items() for movie in own)
    found = tastes.measure(model, dataset, movies)
    assert [row["on taste"] for row in found] == [10, 10]
    assert all(row["movie named"] + row["feature named"] <= 10 for row in found)
    total = tastes.summary(found)
    assert (total["tastes"], total["least"], total["shared by two tastes"]) == (2, 10, 0.0)
    assert 0.5 < total["reason named, share"] <= 1
