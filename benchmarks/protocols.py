"""Functions for published protocols: splits, lists of trained users, and AUC."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from recommender.estimators import Recommender
from recommender.evaluation.evaluate import Evaluation, evaluate_lists, no_stars
from recommender.evaluation.folds import predict_stars
from recommender.evaluation.requests import Requests
from recommender.evaluation.splits import TimeSplit, check_share, in_time_order

Array = np.ndarray[Any, Any]

WEEK = pd.Timedelta(days=7)


@dataclass(frozen=True)
class Split:
    train: pd.DataFrame
    test: pd.DataFrame


@dataclass(frozen=True)
class ColdSplit(Split):
    """A split by movie. `test` has all rows of `cold_movies` (sorted ids), `train` those of the others."""

    cold_movies: Array


def leave_ratings_out(ratings: pd.DataFrame, train_share: float = 0.75, seed: int = 42) -> Split:
    """Split each movie's c ratings at random: the first round(train_share * c) for training, the rest for testing.

    Random numbers come from NumPy's legacy generator, one per row in order. Halves round to even.
    """
    check_share(train_share, "train_share")
    draws = np.random.RandomState(seed).rand(len(ratings))
    movies, _ = pd.factorize(ratings["movie_id"], sort=True)
    order = np.lexsort((draws, movies))
    counts = np.bincount(movies)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    in_movie = np.arange(len(ratings)) - first[movies[order]]
    is_train = np.empty(len(ratings), dtype=bool)
    is_train[order] = in_movie < np.round(train_share * counts)[movies[order]]
    return Split(train=ratings[is_train], test=ratings[~is_train])


def hide_cold_movies(positives: pd.DataFrame, share: float = 0.2, seed: int = 0) -> ColdSplit:
    """Hide all rows of a random share of the movies, as if they had been released after training."""
    check_share(share, "share")
    movies = np.sort(positives["movie_id"].unique())
    cold = np.random.default_rng(seed).permutation(len(movies))[: int(share * len(movies))]
    is_cold = positives["movie_id"].isin(movies[cold])
    return ColdSplit(train=positives[~is_cold], test=positives[is_cold], cold_movies=np.sort(movies[cold]))


def rolling_weeks(ratings: pd.DataFrame, n_weeks: int = 8) -> list[TimeSplit]:
    """Return splits at the last weeks of the log, oldest first, each with all earlier data for training."""
    log = in_time_order(ratings)
    if log.empty:
        return []
    end = log["rated_at"].iloc[-1]
    splits = []
    for weeks_left in range(n_weeks, 0, -1):
        start = end - weeks_left * WEEK
        before, until = log["rated_at"] <= start, log["rated_at"] <= start + WEEK
        if before.any() and (until & ~before).any():
            splits.append(TimeSplit(train=log[before], test=log[until & ~before], cut=start))
    return splits


def one_list_a_user(test: pd.DataFrame, known: pd.DataFrame, cut: str = "") -> Requests:
    """Return one list per user of `test`, folded in from their rows of `known`. All their test movies are relevant."""
    users, ids = pd.factorize(test["user_id"], sort=True)
    n_history = pd.Series(ids).map(known.groupby("user_id").size()).fillna(0).astype(np.int64)
    table = pd.DataFrame({"user_id": ids, "cut": cut, "n_history": n_history.to_numpy(), "weight": 1.0})
    relevant = pd.DataFrame({"request": users, "movie_id": test["movie_id"].to_numpy()}).drop_duplicates()
    rows_of = known.groupby("user_id").groups

    def histories(start: int, stop: int) -> list[dict[Any, float]]:
        rows = [known.loc[rows_of.get(user, [])] for user in ids[start:stop]]
        return [dict(zip(own["movie_id"].tolist(), own["rating"].tolist(), strict=True)) for own in rows]

    return Requests(table, relevant.reset_index(drop=True), histories)


def ask_by_user(requests: Requests, model: Recommender, k: int, candidates: Any = None) -> pd.DataFrame:
    """Return lists of users that the model was trained on: request, movie_id, score, rank."""
    users = requests.table["user_id"]
    lists = model.recommend(users, k=k, candidates=candidates)
    numbers = pd.Series(np.arange(len(users)), index=pd.Index(users))
    return lists.assign(request=lists["user_id"].map(numbers)).drop(columns="user_id")


def evaluate(
    model: Recommender,
    test: pd.DataFrame,
    train: pd.DataFrame,
    *,
    k: int = 10,
    candidates: Any = None,
    with_stars: bool = True,
    cut: str = "",
) -> Evaluation:
    """Evaluate lists of the users of `test`, whose rows are all relevant. `train` is the model's training data.

    `cut` names the split, so that several can be pooled.
    """
    requests = one_list_a_user(test, train, cut)
    stars = predict_stars(model, test, train, cut) if with_stars else no_stars()
    started = perf_counter()
    shown = ask_by_user(requests, model, k, candidates)
    seconds = {"score": perf_counter() - started}
    return evaluate_lists(shown, requests, train, k=k, stars=stars, seconds=seconds)


def auc(scores: Array, is_relevant: Array) -> Array:
    """Return, per row (users, movies), the probability that a relevant movie scores above another. Ties count half.

    Uses the rank sum of Mann and Whitney, 1947. NaN if a row has only relevant or no relevant movies.
    """
    relevant = is_relevant.sum(axis=1)
    others = is_relevant.shape[1] - relevant
    above = (rankdata(scores, axis=1) * is_relevant).sum(axis=1) - relevant * (relevant + 1) / 2
    pairs = (relevant * others).astype(np.float64)
    found: Array = np.divide(above, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return found
