"""The contract of every recommender: this class checks, translates ids, excludes, cuts, explains and saves.

A model fills `_fit` and `_score_history`, and where it can do better than the defaults `_similarities`,
`_predict_stars`, `_feature_contributions` and `_add_movies`. Trained users are scored by folding in their
own training history, so that there is one code path and a rating counts in the next list.

Attributes that end in `_` are the fitted state, set in `fit` and saved by name; other attributes are caches.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from recommender.estimators import columns as frame_columns
from recommender.estimators import histories as rows_of
from recommender.estimators.artifact import save_artifact
from recommender.estimators.config import Config, build_config, check_seed
from recommender.estimators.dataset import Dataset, positives_of
from recommender.estimators.explanation import Contribution, explanation_frame
from recommender.estimators.ids import IdArray, IdIndex, id_array, join_ids, unique_ids
from recommender.estimators.ranking import EXCLUDED, check_k, top_k
from recommender.estimators.stars import StarScale, fit_biases, user_biases

Array = np.ndarray[Any, Any]
History = Mapping[Any, float]

BATCH_USERS = 256


class Recommender(ABC):
    algorithm: ClassVar[str]
    config_class: ClassVar[type[Config]] = Config
    scores_new_movies: ClassVar[bool] = False
    uses_metadata: ClassVar[bool] = False
    # Added to every score as this times the movie's share of the most popular one's positives: an empty history
    # is then ranked by popularity and ties are broken by it, without a second code path.
    popularity_prior: ClassVar[float] = 1e-6

    def __init__(self, *, random_state: int = 0, **hyper_parameters: Any) -> None:
        self.config: Any = build_config(self.config_class, type(self).__name__, hyper_parameters)
        self.random_state = check_seed(random_state)

    # -- what a model fills ------------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, dataset: Dataset) -> None:
        """Set the model's own `..._` attributes; those of the base class are there already."""

    @abstractmethod
    def _score_history(self, history: csr_matrix, columns: Array | None) -> Array:
        """Finite scores (users, len(columns)) for rows of ratings; columns None means all movies.

        With `scores_new_movies` the movies are those of `movie_ids_`; without it those of fit alone,
        to which the history is cut.
        """

    def _similarities(self, columns: Array) -> Array:
        """Scores (len(columns), movies); here the cosine of who liked both."""
        by_movie = self._positives_by_movie
        together = np.asarray((by_movie[columns] @ by_movie.T).todense(), dtype=np.float64)
        norms = np.sqrt(np.maximum(np.diff(by_movie.indptr), 1.0))
        scores: Array = together / norms[columns][:, None] / norms
        return scores

    def _predict_stars(self, history: csr_matrix, columns: Array) -> Array:
        """Stars (users, len(columns)), not yet clipped; here mean + user bias + movie bias."""
        of_users = user_biases(history, self._scale, self.star_mean_, self.movie_biases_)
        stars: Array = self.star_mean_ + of_users[:, None] + self.movie_biases_[columns]
        return stars

    def _feature_contributions(self, history: csr_matrix, column: int) -> list[Contribution]:
        """Further rows for `explain` (kind, id, name, contribution), from one user's history."""
        return []

    def _add_movies(self, movies: pd.DataFrame, columns: Array) -> None:  # noqa: B027 - an optional hook
        """Called on the copy that `with_movies` makes: metadata of unrated movies at those columns,
        of which the ones beyond the arrays of fit are new. Replace arrays, never write into them."""

    # -- learning ----------------------------------------------------------------------------------------------

    def fit(self, dataset: Dataset) -> Self:
        """Learn from the dataset alone, forgetting any earlier fit."""
        if not dataset.positives.nnz:
            reason = "no ratings" if not dataset.ratings.nnz else "no rating reaches implicit_threshold"
            raise ValueError(f"{type(self).__name__}: nothing to learn from: {reason}")
        for name in list(vars(self)):
            if name not in ("config", "random_state"):
                delattr(self, name)
        self.user_ids_ = dataset.user_ids
        self.movie_ids_ = dataset.movie_ids
        self.n_fitted_movies_ = dataset.n_movies
        self.is_rated_ = dataset.is_rated
        self.titles_ = dataset.movies["title"].tolist()
        self.histories_ = dataset.ratings
        self.implicit_threshold_ = dataset.implicit_threshold
        self.data_fingerprint_ = dataset.fingerprint()
        self.popularity_ = np.bincount(dataset.positives.indices, minlength=dataset.n_movies).astype(np.float64)
        scale = StarScale.of(dataset.ratings.data)
        self.star_scale_ = [scale.unit, scale.offset, scale.low, scale.high]
        self.star_mean_, self.movie_biases_ = fit_biases(dataset.ratings, scale)
        self.chosen_: dict[str, Any] = {}
        self._fit(dataset)
        return self

    @property
    def is_fitted(self) -> bool:
        return hasattr(self, "chosen_")

    def with_movies(self, new_movies: pd.DataFrame) -> Self:
        """This model knowing further movies, from their metadata alone; no refit, and this one stays as it is.

        Rows of known movies replace their metadata; what was learnt from ratings stays. A model that does
        not score new movies learns the ids and gives them the minimum.
        """
        self._require_fit()
        given = frame_columns.read_movies(new_movies)
        ids = id_array(given[frame_columns.MOVIE_ID].to_numpy(), frame_columns.MOVIE_ID)
        join_ids(self.movie_ids_, ids, frame_columns.MOVIE_ID)  # refuses a mix of ints and strings
        new = unique_ids(ids[self._movies.positions(ids) < 0])
        model = copy.copy(self)
        for name in [name for name in vars(model) if not name.endswith("_")]:
            if name not in ("config", "random_state"):
                delattr(model, name)
        model._extend(new)
        at = model._movies.positions(ids)
        for column, title in zip(at.tolist(), given["title"], strict=True):
            model.titles_[column] = title
        unrated = ~model.is_rated_[at]
        model._add_movies(given[unrated].reset_index(drop=True), at[unrated])
        return model

    def _extend(self, new: IdArray) -> None:
        if len(new):
            kind = np.int64 if self.movie_ids_.dtype == new.dtype == np.int64 else object
            self.movie_ids_ = np.concatenate([self.movie_ids_.astype(kind), new.astype(kind)])
        self.titles_ = [*self.titles_, *[""] * len(new)]
        self.is_rated_ = np.append(self.is_rated_, np.zeros(len(new), dtype=bool))
        self.popularity_ = np.append(self.popularity_, np.zeros(len(new)))
        self.movie_biases_ = np.append(self.movie_biases_, np.zeros(len(new)))
        self.histories_ = rows_of.resized(self.histories_, len(self.movie_ids_))

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
        self._require_fit()
        users = id_array(user_ids, "user_ids")
        excluded = self._excluded(exclude, len(users))
        if len(set(users.tolist())) < len(users):
            users, excluded = _merge_repeated(users, excluded)
        history = rows_of.take_rows(self.histories_, self._users.positions(users))
        return self._lists(users, history, k, exclude_seen, candidates, excluded)

    def recommend_for_history(
        self,
        histories: Sequence[History],
        k: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Sequence[Iterable[Any]] | None = None,
    ) -> pd.DataFrame:
        """`recommend` for {movie_id: rating} of users who need not be known; user_id is the list index."""
        self._require_fit()
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
        k = check_k(k)
        columns = self._rated_columns if candidates is None else self._candidate_columns(candidates)
        at = np.full(len(self.movie_ids_), -1, dtype=np.int64)
        at[columns] = np.arange(len(columns))
        picked: list[Array] = []
        scores: list[Array] = []
        for start in range(0, history.shape[0] if len(columns) else 0, BATCH_USERS):
            batch = history[start : start + BATCH_USERS]
            matrix = self._scores(batch, columns)
            for row in range(batch.shape[0]):
                line = matrix[row]
                if exclude_seen:
                    _strike(line, at[batch.indices[batch.indptr[row] : batch.indptr[row + 1]]])
                if excluded is not None:
                    _strike(line, at[excluded[start + row]])
                best = top_k(line, k)
                picked.append(columns[best])
                scores.append(line[best])
        return self._list_frame(users, picked, scores)

    def _list_frame(self, users: IdArray, picked: list[Array], scores: list[Array]) -> pd.DataFrame:
        lengths = [len(columns) for columns in picked] or [0] * len(users)
        return pd.DataFrame(
            {
                "user_id": np.repeat(users, lengths),
                "movie_id": self.movie_ids_[_joined(picked, np.int64)],
                "score": _joined(scores, np.float64),
                "rank": _joined([np.arange(1, length + 1) for length in lengths], np.int64),
            }
        )

    # -- scores ------------------------------------------------------------------------------------------------

    def score_candidates(self, user_ids: Iterable[Any], movie_ids: Iterable[Any]) -> Array:
        """Scores (users, movies), all finite; nothing is excluded."""
        self._require_fit()
        history = rows_of.take_rows(self.histories_, self._users.positions(id_array(user_ids, "user_ids")))
        columns = self._columns(movie_ids, "movie_ids")
        return self._in_batches(history, columns, self._scores)

    def predict_ratings(self, user_ids: Iterable[Any], movie_ids: Iterable[Any]) -> Array:
        """Stars (users, movies) on the 0.5-5 scale, within the data's own range (see StarScale)."""
        self._require_fit()
        history = rows_of.take_rows(self.histories_, self._users.positions(id_array(user_ids, "user_ids")))
        columns = self._columns(movie_ids, "movie_ids")
        return self._scale.clip(self._in_batches(history, columns, self._predict_stars))

    def _in_batches(self, history: csr_matrix, columns: Array, compute: Any) -> Array:
        result = np.empty((history.shape[0], len(columns)))
        if len(columns):
            for start in range(0, history.shape[0], BATCH_USERS):
                result[start : start + BATCH_USERS] = compute(history[start : start + BATCH_USERS], columns)
        return result

    def _scores(self, history: csr_matrix, columns: Array) -> Array:
        """Checked float64 scores, with the popularity prior, of any known movies."""
        compute = self._score_history if self.scores_new_movies else self._score_fitted
        everything = len(columns) == len(self.movie_ids_) and bool((columns == np.arange(len(columns))).all())
        scores = np.array(compute(history, None if everything else columns), dtype=np.float64)
        if self.popularity_prior:
            scores += self._prior[columns]
        if not np.isfinite(scores).all():
            raise FloatingPointError(f"{type(self).__name__}: a score is not finite")
        return scores

    def _score_fitted(self, history: csr_matrix, columns: Array | None) -> Array:
        """For a model that scores no new movies: those get the user's minimum over the rated ones."""
        history = rows_of.resized(history, self.n_fitted_movies_)
        if columns is None:
            columns = np.arange(len(self.movie_ids_))
        is_new = ~self.is_rated_[columns]
        if not is_new.any():
            everything = len(columns) == self.n_fitted_movies_ == self.is_rated_.sum()
            return self._score_history(history, None if everything else columns)
        scores = self._score_history(history, None)
        lowest = scores[:, self.is_rated_[: self.n_fitted_movies_]].min(axis=1)
        result = np.repeat(lowest[:, None], len(columns), axis=1)
        result[:, ~is_new] = scores[:, columns[~is_new]]
        return result

    # -- similar movies and reasons ----------------------------------------------------------------------------

    def similar(self, movie_ids: Iterable[Any], k: int = 10) -> pd.DataFrame:
        """movie_id, similar_id, score, rank; never the movie itself."""
        self._require_fit()
        k = check_k(k)
        columns = self._columns(movie_ids, "movie_ids")
        columns = columns[np.sort(np.unique(columns, return_index=True)[1])]
        candidates = self._id_order if self.scores_new_movies else self._rated_columns
        picked: list[Array] = []
        scores: list[Array] = []
        for column in columns:
            line = self._similarity(int(column))[candidates] + self.popularity_prior * self._prior_share[candidates]
            line[candidates == column] = EXCLUDED
            best = top_k(line, k)
            picked.append(candidates[best])
            scores.append(line[best])
        frame = self._list_frame(self.movie_ids_[columns], picked, scores)
        return frame.set_axis(["movie_id", "similar_id", "score", "rank"], axis=1)

    def _similarity(self, column: int) -> Array:
        n_modelled = len(self.movie_ids_) if self.scores_new_movies else self.n_fitted_movies_
        line = np.zeros(len(self.movie_ids_))
        if column < n_modelled:
            line[:n_modelled] = self._similarities(np.array([column]))[0]
        return line

    def explain(self, user_id_or_history: Any, movie_id: Any) -> pd.DataFrame:
        """kind, id, name, contribution, summing to the score of `score_candidates`.

        `movie`: by how much the score falls when that one rating is taken out of the user's history.
        `interaction`: what no single rating accounts for, the score of an empty history included.
        """
        self._require_fit()
        columns = self._columns([movie_id], "movie_id")
        history = self._history_row(user_id_or_history)
        score = float(self._scores(history, columns)[0, 0])
        rows = [
            Contribution("movie", self.movie_ids_[column], self.titles_[column], score - rest)
            for column, rest in zip(history.indices, self._scores_without_each(history, columns), strict=True)
        ]
        rows += self._feature_contributions(history, int(columns[0]))
        return explanation_frame(rows, score)

    def _scores_without_each(self, history: csr_matrix, columns: Array) -> list[float]:
        scores: list[float] = []
        for start in range(0, history.nnz, BATCH_USERS):
            removed = np.arange(start, min(start + BATCH_USERS, history.nnz))
            scores += self._scores(rows_of.without_each(history, removed), columns)[:, 0].tolist()
        return scores

    def _history_row(self, user_id_or_history: Any) -> csr_matrix:
        if isinstance(user_id_or_history, Mapping):
            return self._from_mappings([user_id_or_history])
        return rows_of.take_rows(self.histories_, self._users.positions(id_array([user_id_or_history], "user_id")))

    # -- saving ------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Write the artefact folder, whole or not at all; `load_recommender` reads it."""
        self._require_fit()
        save_artifact(self, Path(folder))

    # -- ids and caches ----------------------------------------------------------------------------------------

    def _require_fit(self) -> None:
        if not self.is_fitted:
            raise RuntimeError(f"{type(self).__name__} has not learnt anything yet: call fit first")

    def _positives(self, history: csr_matrix) -> csr_matrix:
        return positives_of(history, self.implicit_threshold_)

    def _columns(self, movie_ids: Iterable[Any], name: str) -> Array:
        return rows_of.movie_columns(self._movies, id_array(movie_ids, name), name)

    def _candidate_columns(self, candidates: Iterable[Any]) -> Array:
        columns = np.unique(self._columns(candidates, "candidates"))
        return columns[np.argsort(self._id_rank[columns])]

    def _excluded(self, exclude: Sequence[Iterable[Any]] | None, n_users: int) -> list[Array] | None:
        if exclude is None:
            return None
        sets = list(exclude)
        if len(sets) != n_users:
            raise ValueError(f"exclude: expected one set of movie ids for each of {n_users} users, got {len(sets)}")
        return [self._columns(ids, "exclude") for ids in sets]

    def _from_mappings(self, histories: Sequence[History]) -> csr_matrix:
        if isinstance(histories, (Mapping, str)):
            raise ValueError("histories: expected a list of {movie_id: rating}, one a user")
        return rows_of.from_mappings(self._movies, list(histories), len(self.movie_ids_))

    @cached_property
    def _users(self) -> IdIndex:
        return IdIndex(self.user_ids_)

    @cached_property
    def _movies(self) -> IdIndex:
        return IdIndex(self.movie_ids_)

    @cached_property
    def _id_order(self) -> Array:
        """Columns in the order of the movie ids, which differs from theirs after `with_movies`."""
        return np.argsort(self.movie_ids_, kind="stable")

    @cached_property
    def _id_rank(self) -> Array:
        rank = np.empty(len(self.movie_ids_), dtype=np.int64)
        rank[self._id_order] = np.arange(len(rank))
        return rank

    @cached_property
    def _rated_columns(self) -> Array:
        return self._id_order[self.is_rated_[self._id_order]]

    @cached_property
    def _prior_share(self) -> Array:
        return self.popularity_ / max(float(self.popularity_.max()), 1.0)

    @cached_property
    def _prior(self) -> Array:
        return self.popularity_prior * self._prior_share

    @cached_property
    def _positives_by_movie(self) -> csr_matrix:
        return rows_of.resized(self._positives(self.histories_), self.n_fitted_movies_).T.tocsr()

    @cached_property
    def _scale(self) -> StarScale:
        return StarScale(*self.star_scale_)


def _joined(parts: list[Array], kind: Any) -> Array:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)


def _strike(scores: Array, positions: Array) -> None:
    scores[positions[positions >= 0]] = EXCLUDED


def _merge_repeated(users: IdArray, excluded: list[Array] | None) -> tuple[IdArray, list[Array] | None]:
    """Each user once, in the order of first mention, with everything excluded for any mention."""
    first: dict[Any, int] = {}
    merged: list[list[Array]] = []
    for position, user in enumerate(users.tolist()):
        if first.setdefault(user, len(first)) == len(merged):
            merged.append([])
        if excluded is not None:
            merged[first[user]].append(excluded[position])
    unique = id_array(list(first), "user_ids")
    return unique, None if excluded is None else [np.concatenate(parts) for parts in merged]
