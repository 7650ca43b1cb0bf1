"""Evaluates models at one cut of the log: they learn from the data before it and are tested on requests after it."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd

from recommender.estimators import Dataset, Recommender
from recommender.evaluation.evaluate import Evaluation, evaluate_requests
from recommender.evaluation.requests import Requests, Sampling, later_positives
from recommender.evaluation.slices import movie_slices, slice_of
from recommender.evaluation.splits import TimeSplit

RATING_USERS = 64  # users whose ratings are predicted at a time; bounds memory (users x movies)


@dataclass(frozen=True)
class TemporalFold:
    """A cut with the training data before it (`dataset`) and the requests after it."""

    split: TimeSplit
    dataset: Dataset
    catalogue: pd.DataFrame
    requests: Requests
    of_new_movies: Requests
    new_movies: list[Any]

    @classmethod
    def after(
        cls, split: TimeSplit, movies: pd.DataFrame | None, threshold: float | None, sampling: Sampling | None
    ) -> Self:
        rated_later = split.test["movie_id"].unique()
        known = set(split.train["movie_id"].unique())
        requests = later_positives(split, threshold, sampling=sampling)
        if not len(requests):
            raise ValueError(f"cut {split.cut}: no later positive of a movie that was rated before")
        return cls(
            split=split,
            dataset=training_dataset(split.train, movies, threshold),
            catalogue=_catalogue(movies, split),
            requests=requests,
            of_new_movies=later_positives(split, threshold, of_new_movies=True, sampling=sampling),
            new_movies=[movie for movie in rated_later.tolist() if movie not in known],
        )

    def evaluate(self, model: Recommender, k: int) -> Evaluation:
        """Evaluate a model fitted to `dataset` on lists of k movies. New movies have their own slice."""
        # Later histories contain movies added after the cut. The model must know their ids, as on a running site.
        model = model.with_movies(self.catalogue)
        users = self.requests.table["user_id"].unique()
        test = self.split.test[self.split.test["user_id"].isin(users)]
        stars = predict_stars(model, test, self.split.train, self.split.cut.isoformat())
        evaluation = evaluate_requests(model, self.requests, self.split.train, k=k, stars=stars)
        if not model.scores_new_movies or not len(self.of_new_movies):
            return evaluation
        new = evaluate_requests(model, self.of_new_movies, self.split.train, k=k, candidates=self.new_movies)
        return replace(evaluation, new_movies=new.lists)


def training_dataset(train: pd.DataFrame, movies: pd.DataFrame | None, threshold: float | None) -> Dataset:
    """Return a dataset of the ratings and the metadata of their movies. Encoders must not learn from later movies."""
    known = None if movies is None else movies[movies["movie_id"].isin(train["movie_id"].unique())]
    return Dataset.from_frames(train, known, threshold)


def _catalogue(movies: pd.DataFrame | None, split: TimeSplit) -> pd.DataFrame:
    """Return `movies`, with an added row of only the id for each missing rated movie."""
    rated = pd.concat([split.train["movie_id"], split.test["movie_id"]]).drop_duplicates()
    if movies is None:
        return pd.DataFrame({"movie_id": rated})
    return pd.concat([movies, pd.DataFrame({"movie_id": rated[~rated.isin(movies["movie_id"])]})], ignore_index=True)


def predict_stars(model: Recommender, test: pd.DataFrame, train: pd.DataFrame, cut: str = "") -> pd.DataFrame:
    """Return one row per row of `test`; see `Evaluation.stars`. The model must know all movies of `test`."""
    test = test.sort_values("user_id", kind="stable")
    rows, users = pd.factorize(test["user_id"])
    predicted = np.empty(len(test))
    for start in range(0, len(users), RATING_USERS):
        chosen = (rows >= start) & (rows < start + RATING_USERS)
        columns, movies = pd.factorize(test["movie_id"][chosen])
        stars = model.predict_ratings(users[start : start + RATING_USERS], movies)
        predicted[chosen] = stars[rows[chosen] - start, columns]
    n_history = test["user_id"].map(train["user_id"].value_counts()).fillna(0).astype(np.int64)
    told = pd.DataFrame({"user_id": test["user_id"], "rating": test["rating"], "n_history": n_history})
    told["movie_slice"] = slice_of(test["movie_id"], movie_slices(train))
    return told.assign(cut=cut, predicted=predicted).reset_index(drop=True)
