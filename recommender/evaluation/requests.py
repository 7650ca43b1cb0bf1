"""The lists to request from a model, and the relevant movies of each list.

For each positive after a cut, a list is requested for the user's ratings before that positive, as on a live site. The
model knows only data before the cut, but the history includes later ratings. Cold-start users are included, at first
without ratings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recommender.estimators import Recommender
from recommender.evaluation.splits import TimeSplit, in_time_order

Array = np.ndarray[Any, Any]
Histories = Callable[[int, int], list[dict[Any, float]]]

BATCH_LISTS = 1024
LONG_HISTORY = 20  # with this many earlier ratings or more, a user's positives are sampled


@dataclass(frozen=True)
class Sampling:
    """Limits the number of lists in an evaluation.

    Attributes
    ----------
    max_users : int or None
        If there are more users, this many are drawn. None means no limit.
    max_positives : int
        Maximum number of positives drawn per user among those with LONG_HISTORY or more earlier ratings. They are
        weighted so that their weighted mean represents all of them.
    max_lists : int
        Maximum number of lists in total. If there are more, the same limit is set for every user, and the lists are
        drawn at random.
    seed : int
        Seed for the draws.

    Examples
    --------
    >>> Sampling(max_users=100).max_lists
    10000
    """

    max_users: int | None = 5000
    max_positives: int = 10
    max_lists: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class Requests:
    """The requested lists.

    `table` has one row per list, numbered from 0: user_id, cut, n_history, weight (number of positives it represents).
    `relevant` has one row per relevant movie: request (number of the list), movie_id. `histories(start, stop)` returns
    the histories, {movie_id: rating}, of these lists.
    """

    table: pd.DataFrame
    relevant: pd.DataFrame
    histories: Histories

    def __len__(self) -> int:
        return len(self.table)

    def ask(self, model: Recommender, k: int, candidates: Any = None) -> pd.DataFrame:
        """Return the model's lists with columns request, movie_id, score and rank."""
        parts = []
        for start in range(0, len(self), BATCH_LISTS):
            histories = self.histories(start, min(start + BATCH_LISTS, len(self)))
            lists = model.recommend_for_history(histories, k=k, candidates=candidates)
            parts.append(lists.assign(request=lists["user_id"] + start).drop(columns="user_id"))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["request", "movie_id", "rank"])


def later_positives(
    split: TimeSplit, implicit_threshold: float | None, *, of_new_movies: bool = False, sampling: Sampling | None = None
) -> Requests:
    """Return one list per positive after the cut. The movie must have been rated before the cut, or must be new.

    A user's repeated rating of a movie is not a new positive. `of_new_movies` selects new movies.
    """
    log = _logs_of_later_users(split)
    is_new = ~log["movie_id"].isin(split.train["movie_id"].unique())
    is_target = log["is_later"] & log["is_first"] & (is_new if of_new_movies else ~is_new)
    if implicit_threshold is not None:
        is_target &= log["rating"] >= implicit_threshold
    targets = _sample(log[is_target], sampling or Sampling())
    table = pd.DataFrame(
        {
            "user_id": targets["user_id"].to_numpy(),
            "cut": split.cut.isoformat(),
            "n_history": targets["n_history"].to_numpy(),
            "weight": targets["weight"].to_numpy(),
        }
    )
    relevant = pd.DataFrame({"request": np.arange(len(targets)), "movie_id": targets["movie_id"].to_numpy()})
    return Requests(table, relevant, _earlier_ratings(log, targets.index.to_numpy()))


def _logs_of_later_users(split: TimeSplit) -> pd.DataFrame:
    """Return all rows of users with ratings after the cut, sorted by user and time and numbered from 0.

    `n_history` is the number of movies that the user had rated before.
    """
    train = split.train[split.train["user_id"].isin(split.test["user_id"].unique())]
    log = in_time_order(pd.concat([train.assign(is_later=False), split.test.assign(is_later=True)]))
    log = log.sort_values("user_id", kind="stable").reset_index(drop=True)
    log["is_first"] = ~log.duplicated(["user_id", "movie_id"])
    so_far = log.groupby("user_id")["is_first"].cumsum()
    return log.assign(n_history=so_far - log["is_first"])


def _sample(targets: pd.DataFrame, sampling: Sampling) -> pd.DataFrame:
    rng = np.random.default_rng(sampling.seed)
    users = targets["user_id"].unique()
    if sampling.max_users is not None and len(users) > sampling.max_users:
        chosen = users[np.sort(rng.permutation(len(users))[: sampling.max_users])]
        targets = targets[targets["user_id"].isin(chosen)]
    is_long = targets["n_history"] >= LONG_HISTORY
    drawn = pd.Series(rng.random(len(targets)), index=targets.index)[is_long]
    owners = targets["user_id"][is_long]
    kept = drawn.groupby(owners).rank(method="first") <= sampling.max_positives
    result = kept.groupby(owners).transform("size") / kept.groupby(owners).transform("sum")
    targets = targets.assign(weight=result.reindex(targets.index, fill_value=1.0))
    return _thin(targets[kept.reindex(targets.index, fill_value=True)], sampling.max_lists, rng)


def _thin(targets: pd.DataFrame, max_lists: int, rng: np.random.Generator) -> pd.DataFrame:
    """Keep at least one list per user. Weights do not change, because they only relate lists of the same user."""
    if len(targets) <= max_lists:
        return targets
    per_user = np.sort(targets.groupby("user_id").size().to_numpy())
    kept_in_all = [int(np.minimum(per_user, most).sum()) for most in range(1, int(per_user[-1]) + 1)]
    most = max(1, int(np.searchsorted(kept_in_all, max_lists, side="right")))
    places = pd.Series(rng.random(len(targets)), index=targets.index).groupby(targets["user_id"]).rank(method="first")
    return targets[places <= most]


def _earlier_ratings(log: pd.DataFrame, rows: Array) -> Histories:
    """Return the histories: the user's rows before each of `rows` in `log`. The latest rating of a movie counts."""
    rows_of_users = pd.Series(np.arange(len(log))).groupby(log["user_id"])
    first_row = rows_of_users.transform("first").to_numpy()
    movies, ratings = log["movie_id"].to_numpy(), log["rating"].to_numpy(dtype=np.float64)

    def histories(start: int, stop: int) -> list[dict[Any, float]]:
        spans = [(int(first_row[row]), int(row)) for row in rows[start:stop]]
        return [dict(zip(movies[a:b].tolist(), ratings[a:b].tolist(), strict=True)) for a, b in spans]

    return histories
