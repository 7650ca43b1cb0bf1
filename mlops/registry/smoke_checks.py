"""Smoke checks that every model must pass before it is served. Does not use Django.

A check that raises an error counts as failed, and the other checks still run.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from mlops.registry.smoke_test_input import History, SmokeTestInput
from recommender.estimators import Recommender

K = 10
DEEP = 50  # list length at which two users' lists are compared
LIST_COLUMNS = ["user_id", "movie_id", "score", "rank"]
TOP_SHARE = 0.1  # liked movies are expected in this top share of the ranked catalogue
TOLERANCE = 1e-3  # relative tolerance of scores, because batches may sum in different orders


class SmokeChecks:
    """Runs the checks. `run` returns their outcomes, keyed by name. `errors` holds errors raised by checks."""

    def __init__(self, model: Recommender, given: SmokeTestInput) -> None:
        self.model, self.given = model, given
        self.known = set(model.movie_ids_.tolist())
        self.rated = model.movie_ids_[model.is_rated_]
        self.histories = known_parts(given.histories, self.known)
        self.errors: dict[str, str] = {}

    @cached_property
    def lists(self) -> pd.DataFrame:
        return self.model.recommend_for_history(self.histories, k=K)

    def run(self) -> dict[str, bool]:
        checks: dict[str, Callable[[], bool]] = {
            "algorithm_as_registered": lambda: self.model.algorithm == self.given.algorithm,
            "learnt_from_the_snapshot": lambda: self.model.data_fingerprint_ == self.given.fingerprint,
            "knows_every_rated_movie": lambda: len(self.rated) == self.given.n_rated_movies,
            "list_for_new_user": lambda: not self.model.recommend_for_history([{}], k=K).empty,
            "as_many_as_asked_for": self._full_lists,
            "same_answer_twice": self._same_twice,
            "same_answer_alone": self._same_alone,
            "lists_depend_on_the_person": self._personal,
            "no_excluded_movies": self._excludes,
            "candidates_alone": self._candidates,
            "takes_in_new_movies": self._new_movies,
            "similar_movies": self._similar,
            "reasons_sum_to_the_score": self._reasons,
        }
        found = {name: self._outcome(name, check) for name, check in checks.items()}
        try:
            return found | check_lists(self.lists, self.histories, self.known)
        except Exception as error:
            # A broken model may raise any exception. It becomes the result.
            return found | {"answers": self._failed("answers", error)}

    def liked_share(self) -> tuple[float | None, int]:
        """Returns the share of liked movies ranked in the first tenth of the catalogue, and their number."""
        wanted = {(row, movie) for row, movies in enumerate(self.given.liked) for movie in movies}
        if not wanted:
            return None, 0
        k = max(K, int(TOP_SHARE * len(self.rated)))
        shown = _pairs(self.model.recommend_for_history(self.histories, k=k))
        return len(wanted.intersection(shown)) / len(wanted), len(wanted)

    def _outcome(self, name: str, check: Callable[[], bool]) -> bool:
        try:
            return bool(check())
        except Exception as error:
            # A broken model may raise any exception. It becomes the result.
            return self._failed(name, error)

    def _failed(self, name: str, error: Exception) -> bool:
        self.errors[name] = f"{type(error).__name__}: {error}"[:500]
        return False

    def _full_lists(self) -> bool:
        rated = set(self.rated.tolist())
        lengths = self.lists.groupby("user_id").size().reindex(range(len(self.histories)), fill_value=0)
        wanted = [min(K, len(rated.difference(history))) for history in self.histories]
        return lengths.tolist() == wanted

    def _same_twice(self) -> bool:
        return self.lists.equals(self.model.recommend_for_history(self.histories, k=K))

    def _same_alone(self) -> bool:
        """Returns whether a user's scores are the same alone, as on the site, and in a batch, as in evaluation."""
        for row, history in enumerate(self.histories[:10]):
            alone = self.model.recommend_for_history([history], k=K)["score"].to_numpy()
            together = self.lists.loc[self.lists["user_id"] == row, "score"].to_numpy()
            absolute = TOLERANCE * float(np.abs(together).max(initial=0))
            if not np.allclose(alone, together, rtol=TOLERANCE, atol=absolute):
                return False
        return True

    def _personal(self) -> bool:
        histories = [history for history in self.histories if history]
        lists = self.model.recommend_for_history(histories, k=DEEP, exclude_seen=False)
        orders = {tuple(movies) for _, movies in lists.groupby("user_id")["movie_id"]}
        return len(histories) < 2 or len(orders) > 1

    def _excludes(self) -> bool:
        unwanted = [self._shown(row)[:3] for row in range(len(self.histories))]
        shown = set(_pairs(self.model.recommend_for_history(self.histories, k=K, exclude=unwanted)))
        return shown.isdisjoint((row, movie) for row, movies in enumerate(unwanted) for movie in movies)

    def _candidates(self) -> bool:
        allowed = self.rated[::2]
        lists = self.model.recommend_for_history(self.histories, k=K, candidates=allowed)
        return set(allowed.tolist()).issuperset(lists["movie_id"].tolist())

    def _new_movies(self) -> bool:
        """Returns whether the model accepts new movies, which the site adds to the served model every few minutes."""
        new = max(self.known) + 1
        model = self.model.with_movies(pd.DataFrame({"movie_id": [new], "title": ["An unknown movie"]}))
        lists = model.recommend_for_history(self.histories[:3], k=K, candidates=[new])
        return bool(np.isfinite(lists["score"]).all()) and set(lists["movie_id"]) == {new}

    def _similar(self) -> bool:
        movies = self._shown(0)[:3]
        found = self.model.similar(movies, k=K)
        is_same = found["movie_id"].to_numpy() == found["similar_id"].to_numpy()
        return bool(np.isfinite(found["score"]).all()) and not is_same.any()

    def _reasons(self) -> bool:
        filled = [row for row, history in enumerate(self.histories) if history]
        row = min(filled, key=lambda row: len(self.histories[row]), default=0)
        best = self.lists[self.lists["user_id"] == row].iloc[0]
        total = float(self.model.explain(self.histories[row], int(best["movie_id"]))["contribution"].sum())
        return abs(total - best["score"]) <= TOLERANCE * max(1.0, abs(best["score"]))

    def _shown(self, row: int) -> list[int]:
        return [int(movie) for movie in self.lists.loc[self.lists["user_id"] == row, "movie_id"]]


def known_parts(histories: Sequence[History], known: Collection[int]) -> list[History]:
    """Returns the histories without movies unknown to the model."""
    return [{movie: rating for movie, rating in history.items() if movie in known} for history in histories]


def _pairs(lists: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(lists["user_id"].tolist(), lists["movie_id"].tolist(), strict=True))


def check_lists(lists: pd.DataFrame, histories: Sequence[History], known: set[int]) -> dict[str, bool]:
    if list(lists.columns) != LIST_COLUMNS:
        return {"columns": False}
    scores = lists["score"].to_numpy(dtype=np.float64)
    seen = {(row, movie) for row, history in enumerate(histories) for movie in history}
    shown = _pairs(lists)
    ranks = lists.groupby("user_id")["rank"]
    return {
        "columns": True,
        "finite_scores": bool(np.isfinite(scores).all()),
        "no_seen_movies": not seen.intersection(shown),
        "no_unknown_movies": known.issuperset(lists["movie_id"].tolist()),
        "no_repeated_movies": len(set(shown)) == len(shown),
        "at_most_k": bool((ranks.size() <= K).all()),
        "ranks_from_one": bool(((ranks.min() == 1) & (ranks.max() == ranks.size())).all()),
        "descending_scores": bool((lists.groupby("user_id")["score"].diff().dropna() <= 0).all()),
        "a_list_for_each": len(ranks.size()) == sum(len(history) < len(known) for history in histories),
    }
