"""Explains a score by the user's ratings and by features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from scipy.sparse import csr_matrix

from recommender.estimators.fitted_data import FittedData
from recommender.estimators.ids import id_array
from recommender.estimators.interactions import Array
from recommender.estimators.lazy_pandas import pd
from recommender.estimators.ranking import scores_without_each


class Contribution(NamedTuple):
    """A reason for a score. Each is a row of `explain`."""

    kind: str  # movie, feature or interaction
    id: Any
    name: str
    contribution: float


class Explaining(FittedData, ABC):
    """The explanation part of the base class. Models may add features with `_feature_contributions`."""

    @abstractmethod
    def _scores(self, history: csr_matrix, item_idx: Array) -> Array:
        """Return checked scores (users, item_idx)."""

    def _feature_contributions(self, history: csr_matrix, item_idx: Array) -> list[list[Contribution]]:
        """Return additional rows of `explain` for each movie, given one user's history."""
        return [[] for _ in item_idx]

    def explain(self, user_id_or_history: Any, movie_id: Any) -> pd.DataFrame:
        """Explain a score by the user's ratings, like `explanation`, as a data frame.

        Parameters
        ----------
        user_id_or_history
            A user's id, or {movie_id: rating}.
        movie_id
            The movie whose score is explained.

        Returns
        -------
        pandas.DataFrame
            kind (`movie`, `feature` or `interaction`), id, name and contribution. Contributions sum to the score.

        Raises
        ------
        ValueError
            The movie is unknown.

        Examples
        --------
        >>> model.explain("ann", 3)["kind"].tolist()
        ['movie', 'movie', 'interaction']
        """
        rows = self.explanation(user_id_or_history, movie_id)
        return pd.DataFrame(rows, dtype=object).astype({"contribution": float})

    def explanation(self, user_id_or_history: Any, movie_id: Any) -> list[Contribution]:
        """Explain a score by leave-one-out differences, largest effect first.

        The contribution of a movie is the drop in the score if its rating is removed from the history. The last row,
        of kind `interaction`, is the remainder, so that all rows sum to the score of `score_candidates`.

        Parameters
        ----------
        user_id_or_history
            A user's id, or {movie_id: rating}.
        movie_id
            The movie whose score is explained.

        Returns
        -------
        list of Contribution
            Tuples (kind, id, name, contribution).

        Raises
        ------
        ValueError
            The movie is unknown.

        Examples
        --------
        >>> rows = model.explanation({1: 5.0, 2: 4.0}, 3)
        >>> [row.name for row in rows], round(sum(row.contribution for row in rows), 2)
        (['Alien', 'Aliens', ''], 0.4)
        """
        item_idx = self._item_idx([movie_id], "movie_id")
        is_history, one = isinstance(user_id_or_history, Mapping), [user_id_or_history]
        history = self._from_mappings(one) if is_history else self._history_of(id_array(one, "user_id"))
        score = float(self._scores(history, item_idx)[0, 0])
        rows = [
            Contribution("movie", self.movie_ids_[column], self.titles_[column], score - rest)
            for column, rest in zip(history.indices, scores_without_each(self._scores, history, item_idx), strict=True)
        ]
        rows += self._feature_contributions(history, item_idx)[0]
        rows.sort(key=lambda row: -abs(row.contribution))
        rows.append(Contribution("interaction", None, "", score - sum(row.contribution for row in rows)))
        return rows

    def with_weights_of(self, history: Mapping[Any, float]) -> Self:
        """Return a copy of this model that uses one user's weights for every history.

        The scores of that history stay the same. If a rating is removed, scores change only because of the taste it
        expresses, not because of the user's activity, which would shift the scores of all movies.

        Parameters
        ----------
        history
            The user's {movie_id: rating}.

        Returns
        -------
        Recommender
            A model with fixed weights, or the model itself if its weights are the same for all users.

        Examples
        --------
        >>> model.with_weights_of({1: 5.0}) is model
        True
        """
        return self
