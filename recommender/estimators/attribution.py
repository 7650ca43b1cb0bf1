"""Attribution: how much each of a user's ratings adds to the scores of movies, and which ratings are plausible reasons.

The user's weights are fixed (the input value of each rating, and the weights of the blend), and so is the contribution
of genres and years, which depends on all likes. The personal score is then linear in the history. The parts of all
ratings sum exactly to the score, and removing a rating lowers the score by its part. In contrast, `explain` folds the
user in again without the rating, which also changes weights and taste. With few ratings, that shifts the scores of all
movies.

A part is a plausible reason if the rated movie is similar to the recommended one, by audience or by metadata.
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
AUDIENCE_USERS = 20_000  # limits memory; movies with few raters have neighbours by metadata


class Attribution(NamedTuple):
    """The attribution for one user. Rows are the requested movies, columns the user's ratings."""

    movie_ids: IdArray
    rated_ids: IdArray
    parts: Array  # each rating's part of the personal score; a row sums to the score
    falls: Array  # drop in the final score without the part
    is_near: Array  # whether the rated movie is among the N_NEIGHBORS nearest by audience or by metadata

    @property
    def personal_scores(self) -> Array:
        return np.asarray(self.parts.sum(axis=1))


class Attributing(Explaining):
    """The attribution part of the base class. Personal models implement `_input_weights`."""

    scores_new_movies: ClassVar[bool]

    def _inputs(self, history: csr_matrix) -> csr_matrix:
        """Return the input value of each rating of a history. The default is 1 for a positive."""
        return self._positives(history)

    def _input_weights(self, rated: Array, item_idx: Array) -> Array:
        """Return the effect of one unit of each input on the personal scores (rated, item_idx)."""
        return np.zeros((len(rated), len(item_idx)))

    def _parts(self, history: csr_matrix, item_idx: Array) -> Array:
        """Return the parts (ratings, item_idx) of a single history."""
        inputs = self._inputs(history)
        parts = np.zeros((history.nnz, len(item_idx)))
        of_inputs = self._input_weights(inputs.indices, item_idx)
        parts[np.searchsorted(history.indices, inputs.indices)] = inputs.data[:, None] * of_inputs
        return parts

    def _falls(self, history: csr_matrix, parts: Array) -> Array:
        """Return the drop in the final score without each part. By default, the final score is the personal score."""
        return parts

    def attribute(self, history: History | HistoryRows, movie_ids: Iterable[Any]) -> Attribution:
        """Return the effect of each rating of the history on the scores of the given movies."""
        row, item_idx = self.history_row(history), self._item_idx(movie_ids, "movie_ids")
        if self.scores_new_movies:
            parts = self._parts(row, item_idx)
        else:  # new movies get the same score for any history
            parts = np.zeros((row.nnz, len(item_idx)))
            is_scored, is_input = self.is_rated_[item_idx], row.indices < self.n_fitted_movies_
            parts[np.ix_(is_input, is_scored)] = self._parts(resized(row, self.n_fitted_movies_), item_idx[is_scored])
        is_near = self._is_near(item_idx.tolist(), row.indices)
        rated_ids, falls = self.movie_ids_[row.indices], self._falls(row, parts)
        return Attribution(self.movie_ids_[item_idx], rated_ids, parts.T, falls.T, is_near)

    def attribute_features(self, history: History | HistoryRows, movie_id: Any) -> list[Contribution]:
        """Return the drop in a movie's score without each feature, for models that score it by features."""
        [found] = self._feature_contributions(self.history_row(history), self._item_idx([movie_id], "movie_id"))
        return found

    def named_features(self, history: History | HistoryRows, movie_ids: Iterable[Any]) -> list[Contribution | None]:
        """Return for each movie the most important feature that several liked movies share.

        A feature is a genre, a keyword or a person. The result is None if there is no such feature.
        """
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
        """Return the features that can be named as a reason and that at least two liked movies have."""
        return set()

    def _genre_contributions(self, history: csr_matrix, item_idx: Array) -> list[list[Contribution]]:
        """Return the drop in each score without each genre, for models that add a genre taste to the score."""
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
        """Return the positions of the nearest movies by audience (cosine of the raters) and by metadata."""
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
        """Return the cosines of the movie's metadata with all movies, or None if the model has no metadata."""
        return None

    @cached_property
    def _audience_rows(self) -> csr_matrix:
        """Return unit rows of each movie's raters, from an even sample of at most AUDIENCE_USERS users."""
        return self._raters(AUDIENCE_USERS)

    @cached_property
    def _neighbors(self) -> dict[int, Array]:
        """Cache of neighbours, keyed by position, because lists often show the same movies."""
        return {}


def _nearest(likeness: Array, column: int) -> Array:
    """Return the N_NEIGHBORS nearest positions, without movies of likeness 0."""
    likeness[column] = EXCLUDED
    best = top_k(likeness, N_NEIGHBORS)
    return best[likeness[best] > 0]
