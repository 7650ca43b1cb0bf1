"""How much each rating of one user adds to the scores of movies, with weights held fixed, and which are plausible.

A personal score is linear in the history once its weights are held: what each rating counts as, and those of the blend.
What genres and years add by the taste of all likes is held too. Each rating's part then sums with the others' to the
personal score, exactly and however few ratings there are, and the score falls by that part when the rating is taken
away. (`explain` folds the user in again without the rating, which changes weights and taste too. With few ratings that
moves the scores of all movies together.)

A part is a plausible reason where the rated movie is near the recommended one, by audience or by metadata.
"""

from collections.abc import Iterable
from functools import cached_property
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.explaining import Contribution, Explaining
from recommender.estimators.fitted_data import History
from recommender.estimators.ids import IdArray
from recommender.estimators.interactions import Array, HistoryRows, resized
from recommender.estimators.ranking import EXCLUDED, top_k

N_NEIGHBORS = 50
AUDIENCE_USERS = 20_000  # bound the memory; movies of few raters find their neighbours by metadata


class Attribution(NamedTuple):
    """Of one user: a row for each movie asked about, a column for each rating."""

    movie_ids: IdArray
    rated_ids: IdArray
    parts: Array  # of the personal scores, to which they sum
    falls: Array  # by how much the score that ranks falls without the part
    is_near: Array  # the rated movie is one of the N_NEIGHBORS nearest by audience, or by metadata

    @property
    def personal_scores(self) -> Array:
        return np.asarray(self.parts.sum(axis=1))


class Attributing(Explaining):
    """The part of the contract on attributions. A model fills `_input_weights`, or else nothing is personal."""

    scores_new_movies: ClassVar[bool]

    def _inputs(self, history: csr_matrix) -> csr_matrix:
        """What each rating of a history counts as: 1 for a positive."""
        return self._positives(history)

    def _input_weights(self, rated: Array, item_idx: Array) -> Array:
        """What one unit of each input adds to the personal scores (rated, columns), for a history of those inputs."""
        return np.zeros((len(rated), len(item_idx)))

    def _parts(self, history: csr_matrix, item_idx: Array) -> Array:
        """(ratings of the one history, columns)."""
        inputs = self._inputs(history)
        parts = np.zeros((history.nnz, len(item_idx)))
        of_inputs = self._input_weights(inputs.indices, item_idx)
        parts[np.searchsorted(history.indices, inputs.indices)] = inputs.data[:, None] * of_inputs
        return parts

    def _falls(self, history: csr_matrix, parts: Array) -> Array:
        """The fall of the scores without each part of the personal score; here the personal score is the score."""
        return parts

    def attribute(self, history: History | HistoryRows, movie_ids: Iterable[Any]) -> Attribution:
        """What each rating of the history adds to the scores of those movies."""
        row, item_idx = self.history_row(history), self._item_idx(movie_ids, "movie_ids")
        if self.scores_new_movies:
            parts = self._parts(row, item_idx)
        else:  # new movies get the same score from any history
            parts = np.zeros((row.nnz, len(item_idx)))
            is_scored, is_input = self.is_rated_[item_idx], row.indices < self.n_fitted_movies_
            parts[np.ix_(is_input, is_scored)] = self._parts(resized(row, self.n_fitted_movies_), item_idx[is_scored])
        is_near = self._is_near(item_idx.tolist(), row.indices)
        rated_ids, falls = self.movie_ids_[row.indices], self._falls(row, parts)
        return Attribution(self.movie_ids_[item_idx], rated_ids, parts.T, falls.T, is_near)

    def attribute_features(self, history: History | HistoryRows, movie_id: Any) -> list[Contribution]:
        """The loss of a movie's score without each of its features, for models that score it by features."""
        [found] = self._feature_contributions(self.history_row(history), self._item_idx([movie_id], "movie_id"))
        return found

    def named_features(self, history: History | HistoryRows, movie_ids: Iterable[Any]) -> list[Contribution | None]:
        """Of each movie: the genre, keyword or person of several liked ones without which its score would fall most."""
        row, item_idx = self.history_row(history), self._item_idx(movie_ids, "movie_ids")
        genres = self._genre_contributions(row, item_idx)
        found = [
            [part for part in of_features or of_genres if part.contribution > 0]
            for of_features, of_genres in zip(self._feature_contributions(row, item_idx), genres, strict=True)
        ]
        ids = {part.id for parts in found for part in parts}
        shared = self._shared_features(self._positives(row).indices, ids) if ids else set()
        largest = attrgetter("contribution")
        return [max((part for part in parts if part.id in shared), key=largest, default=None) for parts in found]

    def _shared_features(self, liked: Array, ids: set[str]) -> set[str]:
        """Those of the features that a reason may name, and that at least two of the liked movies have."""
        return set()

    def _genre_contributions(self, history: csr_matrix, item_idx: Array) -> list[list[Contribution]]:
        """What each score loses without each genre, for models that add a taste to what they score otherwise."""
        return [[] for _ in item_idx]

    def _is_near(self, columns: list[int], rated: Array) -> Array:
        place = np.full(len(self.movie_ids_), -1, dtype=np.int64)
        place[rated] = np.arange(len(rated))
        is_near = np.zeros((len(columns), len(rated)), dtype=bool)
        for row, column in enumerate(columns):
            found = place[self.neighbors(column)]
            is_near[row, found[found >= 0]] = True
        return is_near

    def neighbors(self, column: int) -> Array:
        """Positions of the movies nearest to one by audience (the cosine of who rated both) and by metadata."""
        known = self._neighbors.get(column)
        if known is None:
            kinds = (self._audience_likeness(column), self._metadata_likeness(column))
            found = [_nearest(likeness, column) for likeness in kinds if likeness is not None]
            known = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *found])).astype(np.int32)
            self._neighbors[column] = known
        return known

    def _audience_likeness(self, column: int) -> Array:
        return np.asarray(self._audience_rows @ self._audience_rows[column].toarray()[0])

    def _metadata_likeness(self, column: int) -> Array | None:
        """The cosines of its metadata, for models that have any."""
        return None

    @cached_property
    def _audience_rows(self) -> csr_matrix:
        """Rows whose products are cosines: who of at most AUDIENCE_USERS users, evenly taken, rated each movie."""
        return self._raters(AUDIENCE_USERS)

    @cached_property
    def _neighbors(self) -> dict[int, Array]:
        """By position, filled as lists ask: they show the same movies again and again."""
        return {}


def _nearest(likeness: Array, column: int) -> Array:
    """Without movies that have nothing in common with it."""
    likeness[column] = EXCLUDED
    best = top_k(likeness, N_NEIGHBORS)
    return best[likeness[best] > 0]
