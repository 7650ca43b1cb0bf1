"""The contract of every recommender: this class checks, translates ids, excludes, cuts, explains and saves.

A model fills `_fit` and `_score_history`, and where it can do better than the defaults `_similarities`,
`_predict_ratings`, `_feature_contributions`, `_input_weights` and `_add_movies`. Trained users are scored by folding in
their own training history, so that there is one code path and a rating counts in the next list.

Attributes that end in `_` are the fitted state, set in `fit` and saved by name; other attributes are caches.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.artifact import save_artifact
from recommender.estimators.attribution import Attributing, Contribution
from recommender.estimators.bias import user_biases
from recommender.estimators.columns import MOVIE_ID
from recommender.estimators.config import Config, build_config, check_seed
from recommender.estimators.dataset import Dataset
from recommender.estimators.fitted_data import History
from recommender.estimators.ids import IdArray, id_array, join_ids, unique_ids
from recommender.estimators.interactions import Array, products_of_rows, resized
from recommender.estimators.lazy_pandas import pd
from recommender.estimators.movie_table import MovieTable, movie_table
from recommender.estimators.ranking import (
    BATCH_USERS,
    EXCLUDED,
    SCORE_BITS,
    Scoring,
    check_k,
    cut_lists,
    list_frame,
    merge_repeated,
    round_scores,
    scores_without_each,
    top_k,
)


class Recommender(Attributing, ABC):
    algorithm: ClassVar[str]
    config_class: ClassVar[type[Config]] = Config
    scores_new_movies: ClassVar[bool] = False
    # Added to every score as this times the movie's share of the most popular one's positives: an empty history
    # is then ranked by popularity and ties are broken by it, without a second code path.
    popularity_prior: ClassVar[float] = 1e-6
    score_bits: ClassVar[int] = SCORE_BITS

    def __init__(self, *, random_state: int = 0, **hyper_parameters: Any) -> None:
        self.config: Any = build_config(self.config_class, type(self).__name__, hyper_parameters)
        self.random_state = check_seed(random_state)

    # -- what a model fills ------------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, dataset: Dataset) -> None:
        """Set the model's own `..._` attributes; those of the base class are there already."""

    @abstractmethod
    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        """Finite scores (users, len(columns)) for rows of ratings; columns None means all movies.

        A user's score of a movie must not depend on who and what is scored with it, to the last bit: elementwise
        arithmetic and `ordered_product` keep that promise, BLAS does not.
        With `scores_new_movies` the movies are those of `movie_ids_`; without it those of fit alone,
        to which the history is cut.
        """

    def _similarities(self, item_idx: Array) -> Array:
        """Scores (len(columns), movies); here the cosine of who liked both."""
        by_movie = self._positives_by_movie
        together = products_of_rows(by_movie, item_idx).astype(np.float64)
        norms = np.sqrt(np.maximum(np.diff(by_movie.indptr), 1.0))
        return np.asarray(together / norms[item_idx][:, None] / norms)

    def _predict_ratings(self, history: csr_matrix, item_idx: Array) -> Array:
        """Stars (users, len(columns)), not yet clipped; here mean + user bias + movie bias."""
        of_users = user_biases(history, self._scale, self.rating_mean_, self.movie_biases_)
        return np.asarray(self.rating_mean_ + of_users[:, None] + self.movie_biases_[item_idx])

    def _add_movies(self, movies: MovieTable, item_idx: Array) -> None:
        """Called on the copy that `with_movies` makes: metadata of unrated movies at those columns,
        of which the ones beyond the arrays of fit are new. Replace arrays, never write into them."""

    def fit(self, dataset: Dataset) -> Self:
        """Learn from the dataset alone, forgetting any earlier fit."""
        if not dataset.positives.nnz:
            reason = "no ratings" if not dataset.ratings.nnz else "no rating reaches implicit_threshold"
            raise ValueError(f"{type(self).__name__}: nothing to learn from: {reason}")
        self._forget(fitted=True)
        self._learn_data(dataset)
        self.best_params_: dict[str, Any] = {}
        self._fit(dataset)
        return self

    def with_movies(self, new_movies: pd.DataFrame | MovieTable) -> Self:
        """This model knowing further movies, from their metadata alone; no refit, and this one stays as it is.

        Rows of known movies replace their metadata; what was learnt from ratings stays. A model that does
        not score new movies learns the ids and gives them the minimum.
        """
        known = self._movies
        given = movie_table(new_movies)
        ids = id_array(given.ids, MOVIE_ID)
        join_ids(self.movie_ids_, ids, MOVIE_ID)  # refuses a mix of ints and strings
        new = unique_ids(ids[known.positions(ids) < 0])
        model = copy.copy(self)
        model._forget(fitted=False)
        model._extend(new)
        at = model._movies.positions(ids)
        for column, title in zip(at.tolist(), given["title"], strict=True):
            model.titles_[column] = title
        unrated = ~model.is_rated_[at]
        model._add_movies(given.take(np.flatnonzero(unrated)), at[unrated])
        return model

    # -- lists -------------------------------------------------------------------------------------------------

    def recommend(
        self,
        user_ids: Iterable[Any],
        k: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Sequence[Iterable[Any]] | None = None,
    ) -> pd.DataFrame:
        """At most k rows a user: user_id, movie_id, score, rank (from 1, best first, ties by movie id).

        A user whom fit never saw gets the list of an empty history; a user named twice gets one list.
        `candidates` None means the movies that had a rating at fit. `exclude` holds one set a user.
        """
        users = id_array(user_ids, "user_ids")
        users, excluded = merge_repeated(users, self._excluded(exclude, len(users)))
        return self._lists(users, self._history_of(users), k, exclude_seen, candidates, excluded)

    def recommend_for_history(
        self,
        histories: Sequence[History],
        k: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Sequence[Iterable[Any]] | None = None,
    ) -> pd.DataFrame:
        """`recommend` for {movie_id: rating} of users who need not be known; user_id is the list index."""
        history = self._from_mappings(histories)
        excluded = self._excluded(exclude, history.shape[0])
        return self._lists(np.arange(history.shape[0]), history, k, exclude_seen, candidates, excluded)

    def _lists(
        self,
        users: IdArray,
        history: csr_matrix,
        k: int,
        exclude_seen: bool,
        candidates: Iterable[Any] | None,
        excluded: list[Array] | None,
    ) -> pd.DataFrame:
        picked, scores = self._cut(history, k, exclude_seen, candidates, excluded)
        return list_frame(users, self.movie_ids_, picked, scores)

    def _cut(
        self,
        history: csr_matrix,
        k: int,
        exclude_seen: bool,
        candidates: Iterable[Any] | None,
        excluded: list[Array] | None,
    ) -> tuple[list[Array], list[Array]]:
        """Of each row the positions of its list's movies, and their scores."""
        k = check_k(k)
        item_idx = self._rated_idx if candidates is None else self._candidate_idx(candidates)
        return cut_lists(self._scores, history, item_idx, k, exclude_seen, excluded)

    # -- scores ------------------------------------------------------------------------------------------------

    def score_candidates(self, user_ids: Iterable[Any], movie_ids: Iterable[Any]) -> Array:
        """Scores (users, movies), all finite; nothing is excluded."""
        return self._in_batches(user_ids, movie_ids, self._scores)

    def predict_ratings(self, user_ids: Iterable[Any], movie_ids: Iterable[Any]) -> Array:
        """Stars (users, movies) on the 0.5-5 scale, within the data's own range (see RatingScale)."""
        stars = self._in_batches(user_ids, movie_ids, self._predict_ratings)
        return self._scale.clip(stars)

    def score_histories(self, histories: Sequence[History], movie_ids: Iterable[Any]) -> tuple[Array, Array, Array]:
        """For users who need not be known: scores and stars (users, movies), and the stars each gives on average."""
        history, item_idx = self._from_mappings(histories), self._item_idx(movie_ids, "movie_ids")
        stars = self._scale.clip(self._predict_ratings(history, item_idx))
        means = self.rating_mean_ + user_biases(history, self._scale, self.rating_mean_, self.movie_biases_)
        return self._scores(history, item_idx), stars, np.asarray(means)

    def _in_batches(self, user_ids: Iterable[Any], movie_ids: Iterable[Any], compute: Scoring) -> Array:
        history = self._history_of(id_array(user_ids, "user_ids"))
        item_idx = self._item_idx(movie_ids, "movie_ids")
        result = np.empty((history.shape[0], len(item_idx)))
        if len(item_idx):
            for start in range(0, history.shape[0], BATCH_USERS):
                result[start : start + BATCH_USERS] = compute(history[start : start + BATCH_USERS], item_idx)
        return result

    def _scores(self, history: csr_matrix, item_idx: Array) -> Array:
        """Checked float64 scores, with the popularity prior, of any known movies."""
        compute = self._score_history if self.scores_new_movies else self._score_fitted
        everything = len(item_idx) == len(self.movie_ids_) and bool((item_idx == np.arange(len(item_idx))).all())
        scores = round_scores(compute(history, None if everything else item_idx), self.score_bits)
        if self.popularity_prior:
            scores += self.popularity_prior * self._prior_share[item_idx]
        if not np.isfinite(scores).all():
            raise FloatingPointError(f"{type(self).__name__}: a score is not finite")
        return scores

    def _score_fitted(self, history: csr_matrix, item_idx: Array | None) -> Array:
        """For a model that scores no new movies: those get the user's minimum over the rated ones."""
        history = resized(history, self.n_fitted_movies_)
        if item_idx is None:
            item_idx = np.arange(len(self.movie_ids_))
        is_new = ~self.is_rated_[item_idx]
        if not is_new.any():
            everything = len(item_idx) == self.n_fitted_movies_ == self.is_rated_.sum()
            return self._score_history(history, None if everything else item_idx)
        scores = self._score_history(history, None)
        lowest = scores[:, self.is_rated_[: self.n_fitted_movies_]].min(axis=1)
        result = np.repeat(lowest[:, None], len(item_idx), axis=1)
        result[:, ~is_new] = scores[:, item_idx[~is_new]]
        return result

    def similar(self, movie_ids: Iterable[Any], k: int = 10) -> pd.DataFrame:
        """movie_id, similar_id, score, rank; never the movie itself."""
        k = check_k(k)
        item_idx = pd.unique(self._item_idx(movie_ids, "movie_ids"))
        lists = [self._similar(int(column), k) for column in item_idx]
        picked, scores = [best for best, _ in lists], [scores for _, scores in lists]
        frame = list_frame(self.movie_ids_[item_idx], self.movie_ids_, picked, scores)
        return frame.set_axis(["movie_id", "similar_id", "score", "rank"], axis=1)

    def similar_to(self, movie_id: Any, k: int = 10) -> tuple[IdArray, Array]:
        """`similar` of one movie: the movies and their scores."""
        [column] = self._item_idx([movie_id], "movie_ids")
        picked, scores = self._similar(int(column), check_k(k))
        return self.movie_ids_[picked], scores

    def _similar(self, column: int, k: int) -> tuple[Array, Array]:
        """Positions of the most similar movies, and their scores."""
        candidates = self._id_order if self.scores_new_movies else self._rated_idx
        line = round_scores(self._similarity(column)[candidates], self.score_bits)
        line += self.popularity_prior * self._prior_share[candidates]
        line[candidates == column] = EXCLUDED
        best = top_k(line, k)
        return candidates[best], line[best]

    def _similarity(self, column: int) -> Array:
        n_modelled = len(self.movie_ids_) if self.scores_new_movies else self.n_fitted_movies_
        line = np.zeros(len(self.movie_ids_))
        if column < n_modelled:
            line[:n_modelled] = self._similarities(np.array([column]))[0]
        return line

    def explain(self, user_id_or_history: Any, movie_id: Any) -> pd.DataFrame:
        """`explanation` as a frame."""
        rows = self.explanation(user_id_or_history, movie_id)
        return pd.DataFrame(rows, dtype=object).astype({"contribution": float})

    def explanation(self, user_id_or_history: Any, movie_id: Any) -> list[Contribution]:
        """kind, id, name, contribution, summing to the score of `score_candidates`; the largest effect first.

        `movie`: by how much the score falls when that one rating is taken out of the user's history.
        `interaction`, the last row: what no single rating accounts for, the score of an empty history included.
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
        """This model with that user's weights for every history; a model without weights by user returns itself.

        The history scores the same. A rating taken out of it then changes only what it says of taste, not how active
        the user is, which moves the scores of all movies together.
        """
        return self

    def save(self, folder: str | Path) -> None:
        """Write the artefact folder, whole or not at all; `load_recommender` reads it."""
        self._require_fit()
        save_artifact(self, Path(folder))
