"""One model evaluated on one set of lists."""

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
from recommender.evaluation.metrics import METRICS, accuracy, describe_lists, rmse
from recommender.evaluation.requests import Requests
from recommender.evaluation.slices import HISTORY_SLICES, NEW_MOVIES, SLICES, in_history_slice, movie_slices, slice_of

RATING_USERS = 64  # users x movies predicted at a time


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one model, pooled over cuts.

    `lists`: a row a list: user_id, cut, n_history, weight, ndcg, recall, precision.
    `positives`: a row a right movie: list (row of `lists`), movie_id, movie_slice, rank (0: not shown).
    `new_movies`: like `lists`, for lists of new movies alone; None where the model cannot score those.
    `stars`: user_id, cut, rating, predicted, n_history (ratings before the cut), movie_slice.
    `catalogue`: coverage and the like, mean over cuts.
    `shown`: how often each movie is shown, by id, over each user's last list.
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
        """user_id, cut, n_history (at the first list), ndcg, recall, precision: weighted means of the user's lists.

        `part` names one of SLICES. Of movie slices only those movies count as right.
        """
        if part not in self._users:
            lists = self._part(part)
            self._users[part] = _weighted_means(lists[lists["ndcg"].notna()])
        return self._users[part]

    @cached_property
    def _users(self) -> dict[str | None, pd.DataFrame]:
        """Asked for by every summary, slice and interval, and against every other model."""
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
        """The same lists, with only these movies counting as right."""
        return replace(self, lists=self._of_positives(self.positives["movie_id"].isin(list(movie_ids))))

    def _of_positives(self, is_right: pd.Series) -> pd.DataFrame:
        chosen = self.positives[is_right]
        return self.lists.assign(**accuracy(chosen["list"], chosen["rank"], len(self.lists), self.k))

    def interval(self, metric: str = "ndcg", part: str | None = None, **options: Any) -> Interval:
        """The mean over users and cuts; `options` are those of `bootstrap_mean`."""
        if metric not in METRICS:
            raise ValueError(f"metric: expected one of {', '.join(METRICS)}, got {metric!r}")
        users = self.per_user(part)
        return bootstrap_mean(users[metric].to_numpy(), users["user_id"].to_numpy(), **options)

    def summary(self) -> dict[str, float]:
        """Means over users and cuts, what the lists are like, and the counts behind them."""
        values, counts = self._values_and_counts()
        return values | self.catalogue | counts

    def slices(self) -> dict[str, dict[str, float]]:
        """For each of SLICES METRICS, rmse, n_users, n_lists and n_stars."""
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
        known = self.stars[self.stars["movie_slice"] != NEW_MOVIES]  # those have a slice of their own
        return known if part is None else known[in_history_slice(known["n_history"], part)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; a metric without a value is None."""
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
    """Ask the model for the lists of the requests and evaluate them; see `evaluate_lists`."""
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
    """`shown`: request, movie_id, rank, as `requests.ask` answers."""
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


def predict_stars(model: Recommender, test: pd.DataFrame, train: pd.DataFrame, cut: str = "") -> pd.DataFrame:
    """A row for each row of `test`, whose movies the model must know; see `Evaluation.stars`."""
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


def no_stars() -> pd.DataFrame:
    """An empty table with the columns of `Evaluation.stars`."""
    return pd.DataFrame(columns=["user_id", "cut", "rating", "predicted", "n_history", "movie_slice"])


def pool(evaluations: list[Evaluation]) -> Evaluation:
    """Cuts of one model as one evaluation."""
    starts = np.cumsum([0] + [len(evaluation.lists) for evaluation in evaluations])
    positives = [
        evaluation.positives.assign(list=evaluation.positives["list"] + start)
        for evaluation, start in zip(evaluations, starts[:-1], strict=True)
    ]
    new_movies = [evaluation.new_movies for evaluation in evaluations if evaluation.new_movies is not None]
    return Evaluation(
        k=evaluations[0].k,
        lists=_stack([evaluation.lists for evaluation in evaluations]),
        positives=_stack(positives),
        catalogue=dict(pd.DataFrame([evaluation.catalogue for evaluation in evaluations]).mean()),
        stars=_stack([evaluation.stars for evaluation in evaluations]),
        new_movies=_stack(new_movies) if new_movies else None,
        shown=pd.concat([evaluation.shown for evaluation in evaluations]).groupby(level=0).sum(),
        seconds=dict(pd.DataFrame([evaluation.seconds for evaluation in evaluations]).sum()),
    )


def _find(requests: Requests, shown: pd.DataFrame) -> pd.DataFrame:
    """list, movie_id, rank of each right movie; 0 where the list does not show it."""
    ranks = shown[["request", "movie_id", "rank"]]
    result = requests.relevant.merge(ranks, how="left", on=["request", "movie_id"], validate="one_to_one")
    return result.rename(columns={"request": "list"}).fillna({"rank": 0}).astype({"rank": np.int64})


def _last_lists(requests: Requests) -> Any:
    """The number of each user's last list: one list a user, so that a user with many lists does not weigh more."""
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


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else frames[0]


def _plain(values: dict[str, float]) -> dict[str, float | int | None]:
    """Python's own numbers; None instead of NaN."""
    return {name: np.asarray(value).item() if math.isfinite(value) else None for name, value in values.items()}
