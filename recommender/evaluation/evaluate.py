"""Evaluates one model on one set of lists."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from typing import Any, Self

import numpy as np
import pandas as pd

from recommender.estimators import Recommender
from recommender.evaluation.bootstrap import Interval, bootstrap_mean
from recommender.evaluation.list_metrics import describe_lists
from recommender.evaluation.metrics import METRICS, accuracy, rmse
from recommender.evaluation.requests import Requests
from recommender.evaluation.slices import HISTORY_SLICES, NEW_MOVIES, SLICES, in_history_slice, movie_slices, slice_of


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one model, pooled over cuts.

    Attributes
    ----------
    k : int
        Length of the lists.
    lists : pandas.DataFrame
        One row per list: user_id, cut, n_history, weight, ndcg, recall, precision.
    positives : pandas.DataFrame
        One row per relevant movie: list (row of `lists`), movie_id, movie_slice, rank (0 if not shown).
    catalogue : dict of str to float
        The result of `describe_lists`, averaged over cuts.
    stars : pandas.DataFrame
        user_id, cut, rating, predicted, n_history (ratings before the cut), movie_slice.
    new_movies : pandas.DataFrame or None
        Like `lists`, for lists of new movies only. None if the model cannot score new movies.
    shown : pandas.Series
        How often each movie is shown in users' last lists, keyed by movie id.
    seconds : dict of str to float
        Duration of `fit` and `score`.

    Examples
    --------
    >>> comparison["ease"].lists.columns.tolist()
    ['user_id', 'cut', 'n_history', 'weight', 'ndcg', 'recall', 'precision']
    """

    k: int
    lists: pd.DataFrame
    positives: pd.DataFrame
    catalogue: dict[str, float]
    stars: pd.DataFrame
    new_movies: pd.DataFrame | None = None
    shown: pd.Series = field(default_factory=lambda: pd.Series(dtype=np.int64))
    seconds: dict[str, float] = field(default_factory=dict)

    def per_user(self, part: str | None = None) -> pd.DataFrame:
        """Return the weighted means of each user's lists.

        Parameters
        ----------
        part
            One of SLICES; None means all lists. In a movie slice only its movies are relevant.

        Returns
        -------
        pandas.DataFrame
            user_id, cut, n_history (of the first list), ndcg, recall, precision.

        Raises
        ------
        ValueError
            `part` is unknown.

        Examples
        --------
        >>> len(comparison["ease"].per_user())
        1
        """
        if part not in self._users:
            lists = self._part(part)
            self._users[part] = _weighted_means(lists[lists["ndcg"].notna()])
        return self._users[part]

    @cached_property
    def _users(self) -> dict[str | None, pd.DataFrame]:
        """Cache of `per_user`, which summaries, slices, intervals and comparisons share."""
        return {}

    def _part(self, part: str | None) -> pd.DataFrame:
        if part is None:
            return self.lists
        if part not in SLICES:
            raise ValueError(f"slice: expected one of {', '.join(SLICES)}, got {part!r}")
        if part in HISTORY_SLICES:
            return self.lists[in_history_slice(self.lists["n_history"], part)]
        if part == NEW_MOVIES and self.new_movies is not None:
            return self.new_movies
        return self._of_positives(self.positives["movie_slice"] == part)

    def among(self, movie_ids: Iterable[Any]) -> Self:
        """Return the evaluation of the same lists with only some movies as relevant.

        Parameters
        ----------
        movie_ids
            The relevant movies.

        Returns
        -------
        Evaluation
            A new evaluation. This one does not change.

        Examples
        --------
        >>> comparison["ease"].among([4, 5]).k
        10
        """
        return replace(self, lists=self._of_positives(self.positives["movie_id"].isin(list(movie_ids))))

    def _of_positives(self, is_right: pd.Series) -> pd.DataFrame:
        chosen = self.positives[is_right]
        return self.lists.assign(**accuracy(chosen["list"], chosen["rank"], len(self.lists), self.k))

    def interval(self, metric: str = "ndcg", part: str | None = None, **options: Any) -> Interval:
        """Compute the mean over users and cuts, and its interval.

        Parameters
        ----------
        metric
            One of METRICS.
        part
            One of SLICES; None means all lists.
        **options
            Options of `bootstrap_mean`.

        Returns
        -------
        Interval
            Values from 0 to 1, like the metric.

        Raises
        ------
        ValueError
            `metric` or `part` is unknown.

        Examples
        --------
        >>> comparison["ease"].interval("recall").n_users
        1
        """
        if metric not in METRICS:
            raise ValueError(f"metric: expected one of {', '.join(METRICS)}, got {metric!r}")
        users = self.per_user(part)
        return bootstrap_mean(users[metric].to_numpy(), users["user_id"].to_numpy(), **options)

    def summary(self) -> dict[str, float]:
        """Return the means over users and cuts, the metrics of `describe_lists`, and counts.

        Returns
        -------
        dict of str to float
            METRICS, rmse (stars), the keys of `describe_lists`, n_users, n_lists, n_stars.

        Examples
        --------
        >>> "ndcg" in comparison["ease"].summary()
        True
        """
        values, counts = self._values_and_counts()
        return values | self.catalogue | counts

    def slices(self) -> dict[str, dict[str, float]]:
        """Return the metrics of each slice.

        Returns
        -------
        dict of str to dict
            METRICS, rmse (stars), n_users, n_lists and n_stars, keyed by slice.

        Examples
        --------
        >>> list(comparison["ease"].slices())[:2]
        ['history_0', 'history_1_4']
        """
        found = {}
        for part in SLICES:
            values, counts = self._values_and_counts(part)
            found[part] = values | counts
        return found

    def _values_and_counts(self, part: str | None = None) -> tuple[dict[str, float], dict[str, int]]:
        users, stars = self.per_user(part), self._stars(part)
        rmse_of_stars = rmse(stars["predicted"].to_numpy(), stars["rating"].to_numpy())
        values = {name: float(users[name].mean()) for name in METRICS} | {"rmse": rmse_of_stars}
        n_lists = int(self._part(part)["ndcg"].notna().sum())
        return values, {"n_users": users["user_id"].nunique(), "n_lists": n_lists, "n_stars": len(stars)}

    def _stars(self, part: str | None) -> pd.DataFrame:
        if part is not None and part not in HISTORY_SLICES:
            return self.stars[self.stars["movie_slice"] == part]
        known = self.stars[self.stars["movie_slice"] != NEW_MOVIES]  # new movies have their own slice
        return known if part is None else known[in_history_slice(known["n_history"], part)]

    def to_dict(self) -> dict[str, Any]:
        """Return the summary and slices as JSON-compatible values.

        Returns
        -------
        dict
            k, summary, slices and seconds. A metric without a value is None.

        Examples
        --------
        >>> comparison["ease"].to_dict()["k"]
        10
        """
        slices = {name: _plain(values) for name, values in self.slices().items()}
        return {"k": self.k, "summary": _plain(self.summary()), "slices": slices, "seconds": _plain(self.seconds)}


def evaluate_requests(
    model: Recommender,
    requests: Requests,
    train: pd.DataFrame,
    *,
    k: int,
    candidates: Any = None,
    stars: pd.DataFrame | None = None,
) -> Evaluation:
    """Request the lists from the model and evaluate them (see `evaluate_lists`)."""
    started = perf_counter()
    shown = requests.ask(model, k, candidates)
    return evaluate_lists(shown, requests, train, k=k, stars=stars, seconds={"score": perf_counter() - started})


def evaluate_lists(
    shown: pd.DataFrame,
    requests: Requests,
    train: pd.DataFrame,
    *,
    k: int,
    stars: pd.DataFrame | None = None,
    seconds: dict[str, float] | None = None,
) -> Evaluation:
    """Evaluate lists. `shown` has the columns request, movie_id and rank, like the result of `requests.ask`."""
    positives = _find(requests, shown)
    lists = requests.table.assign(**accuracy(positives["list"], positives["rank"], len(requests), k))
    positives["movie_slice"] = slice_of(positives["movie_id"], movie_slices(train))
    last = shown[shown["request"].isin(_last_lists(requests))]
    return Evaluation(
        k=k,
        lists=lists,
        positives=positives[["list", "movie_id", "movie_slice", "rank"]],
        catalogue=describe_lists(last, train),
        stars=no_stars() if stars is None else stars,
        shown=last["movie_id"].value_counts(),
        seconds=seconds or {},
    )


def no_stars() -> pd.DataFrame:
    """Return an empty table with the columns of `Evaluation.stars`."""
    return pd.DataFrame(columns=["user_id", "cut", "rating", "predicted", "n_history", "movie_slice"])


def _find(requests: Requests, shown: pd.DataFrame) -> pd.DataFrame:
    """Return list, movie_id and rank of each relevant movie, with rank 0 if the list does not show it."""
    ranks = shown[["request", "movie_id", "rank"]]
    result = requests.relevant.merge(ranks, how="left", on=["request", "movie_id"], validate="one_to_one")
    return result.rename(columns={"request": "list"}).fillna({"rank": 0}).astype({"rank": np.int64})


def _last_lists(requests: Requests) -> Any:
    """Return the number of each user's last list. With one list per user, all users have the same weight."""
    return requests.table.groupby("user_id")["n_history"].idxmax()


def _weighted_means(lists: pd.DataFrame) -> pd.DataFrame:
    weighted = lists[list(METRICS)].mul(lists["weight"], axis=0)
    by_user = weighted.assign(weight=lists["weight"], n_history=lists["n_history"]).groupby(
        [lists["user_id"], lists["cut"]]
    )
    sums = by_user[[*METRICS, "weight"]].sum()
    means = sums[list(METRICS)].div(sums["weight"], axis=0)
    means.insert(0, "n_history", by_user["n_history"].min())
    return means.reset_index()


def _plain(values: dict[str, float]) -> dict[str, float | int | None]:
    """Return the values as Python numbers, with None for NaN."""
    return {name: np.asarray(value).item() if math.isfinite(value) else None for name, value in values.items()}
