"""The base class of all recommenders. It checks input, maps ids, excludes movies, cuts lists, explains and saves.

A model implements `_fit` and `_score_history`. It may override `_similarities`, `_predict_ratings`,
`_feature_contributions`, `_input_weights` and `_add_movies` to improve on the defaults. Trained users are scored by
folding in their training history. Thus there is one code path, and a new rating counts in the next list.

Attributes that end in `_` are the fitted state, set in `fit` and saved by name. All other attributes are caches.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix

from recommender.estimators.artifact import save_artifact
from recommender.estimators.columns import MOVIE_ID
from recommender.estimators.config import Config, build_config, check_seed
from recommender.estimators.dataset import Dataset
from recommender.estimators.fitted_data import History
from recommender.estimators.ids import IdArray, id_array, join_ids, unique_ids
from recommender.estimators.interactions import Array
from recommender.estimators.lazy_pandas import pd
from recommender.estimators.movie_table import MovieTable, movie_table
from recommender.estimators.ranking import (
    check_k,
    cut_lists,
    list_frame,
    merge_repeated,
)
from recommender.estimators.scoring import Scorer


class Recommender(Scorer):
    """Abstract base class of all estimators: fitting, lists, scores, similar movies, explanations and saving.

    Instantiate one of `ESTIMATORS`, such as `ESTIMATORS["hybrid"]()`.

    Parameters
    ----------
    random_state
        Seed for all random draws. The same seed and data give the same model.
    **hyper_parameters
        Fields of the class's `config_class`. `fit` tunes some of those not given on inner splits of its data.

    Attributes
    ----------
    algorithm : str
        The key in `ESTIMATORS`.
    scores_new_movies : bool
        Whether movies that had no rating in `fit` are scored individually, from their metadata.
    user_ids_, movie_ids_ : numpy.ndarray
        Known ids, sorted.
    best_params_ : dict
        The hyper-parameters that `fit` tuned.

    Raises
    ------
    TypeError, ValueError
        A hyper-parameter does not exist, or its value is out of range.

    Examples
    --------
    >>> ESTIMATORS["ease"](regularization=100.0, random_state=1).config.regularization
    100.0
    """

    algorithm: ClassVar[str]
    is_personal: ClassVar[bool] = True  # False: the same list for everyone
    config_class: ClassVar[type[Config]] = Config

    def __init__(self, *, random_state: int = 0, **hyper_parameters: Any) -> None:
        self.config: Any = build_config(self.config_class, type(self).__name__, hyper_parameters)
        self.random_state = check_seed(random_state)

    # -- implemented by models ---------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, dataset: Dataset) -> None:
        """Set the model's own `..._` attributes. Those of the base class are already set."""

    def _add_movies(self, movies: MovieTable, item_idx: Array) -> None:
        """Add the metadata of unrated movies at positions `item_idx`. Called on the copy made by `with_movies`.

        Positions beyond the end of the fitted arrays are new. Replace the arrays instead of writing to them."""

    def fit(self, dataset: Dataset) -> Self:
        """Fit the model to a dataset. Any earlier fit is discarded.

        Parameters
        ----------
        dataset
            Ratings, of which at least one is a positive, and optional movie metadata.

        Returns
        -------
        Recommender
            The model itself, now with attributes such as `movie_ids_` and `best_params_`.

        Raises
        ------
        ValueError
            The dataset has no positives.

        Examples
        --------
        >>> ESTIMATORS["popularity"]().fit(dataset).movie_ids_.tolist()
        [1, 2, 3, 4, 5]
        """
        if not dataset.positives.nnz:
            reason = "no ratings" if not dataset.ratings.nnz else "no rating reaches implicit_threshold"
            raise ValueError(f"{type(self).__name__}: nothing to learn from: {reason}")
        self._forget(fitted=True)
        self._learn_data(dataset)
        self.best_params_: dict[str, Any] = {}
        self._fit(dataset)
        return self

    def with_movies(self, new_movies: pd.DataFrame | MovieTable) -> Self:
        """Return a copy of this model that also knows further movies, from their metadata alone.

        The model is not refitted and does not change. A row for a known movie replaces its metadata, but not what was
        learnt from ratings. If `scores_new_movies` is False, new movies get the user's lowest score.

        Parameters
        ----------
        new_movies
            A movie_id column, and any other columns that `Dataset.from_frames` reads.

        Returns
        -------
        Recommender
            The model with the new movies.

        Raises
        ------
        ValueError
            An id has another type than the fitted ids, or a column cannot be read.

        Examples
        --------
        >>> new = pd.DataFrame({"movie_id": [6], "title": ["Solaris"], "genres": [["Sci-Fi"]]})
        >>> content = ESTIMATORS["content"](random_state=0).fit(dataset).with_movies(new)
        >>> content.recommend(["ann", "dan"], k=1, candidates=[6])["movie_id"].tolist()
        [6, 6]
        """
        known = self._movies
        given = movie_table(new_movies)
        ids = id_array(given.ids, MOVIE_ID)
        join_ids(self.movie_ids_, ids, MOVIE_ID)  # raises ValueError for a mix of ints and strings
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

    def recommend(
        self,
        user_ids: Iterable[Any],
        k: int = 10,
        exclude_seen: bool = True,
        candidates: Iterable[Any] | None = None,
        exclude: Sequence[Iterable[Any]] | None = None,
    ) -> pd.DataFrame:
        """Return a list for each user.

        Parameters
        ----------
        user_ids
            Users. Repeated ids get one list. Users unknown to `fit` get the list for an empty history.
        k
            Maximum length of a list, 1 or more.
        exclude_seen
            Whether to leave out all movies that the user has rated, including low ratings.
        candidates
            Movies to choose from. None means all movies that had a rating in `fit`.
        exclude
            Further movie ids to leave out, one set per user.

        Returns
        -------
        pandas.DataFrame
            user_id, movie_id, score and rank (from 1, best first, ties by movie id), at most k rows per user.

        Raises
        ------
        ValueError
            A candidate is unknown, `k` is below 1, or `exclude` does not have one set per user.

        Examples
        --------
        >>> model.recommend(["ann", "dan"], k=1)[["user_id", "movie_id", "rank"]]
          user_id  movie_id  rank
        0     ann         3     1
        1     dan         1     1
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
        """Return a list for each history. The user need not be known: the history is folded in without a refit.

        Parameters
        ----------
        histories
            One {movie_id: rating} per user.
        k
            Maximum length of a list, 1 or more.
        exclude_seen
            Whether to leave out all movies that the user has rated, including low ratings.
        candidates
            Movies to choose from. None means all movies that had a rating in `fit`.
        exclude
            Further movie ids to leave out, one set per history.

        Returns
        -------
        pandas.DataFrame
            The columns of `recommend`, where user_id is the position in `histories`.

        Raises
        ------
        ValueError
            A movie is unknown, `k` is below 1, or `exclude` does not have one set per history.

        Examples
        --------
        >>> model.recommend_for_history([{1: 5.0}], k=2)["movie_id"].tolist()
        [2, 3]
        """
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
        """Return for each row the positions of the listed movies, and their scores."""
        k = check_k(k)
        item_idx = self._rated_idx if candidates is None else self._candidate_idx(candidates)
        return cut_lists(self._scores, history, item_idx, k, exclude_seen, excluded)

    def save(self, folder: str | Path) -> None:
        """Write the model atomically as an artefact: `manifest.json` and arrays, without pickle.

        Parameters
        ----------
        folder
            The folder to write. An existing artefact is replaced.

        Raises
        ------
        ArtifactError
            The folder holds something that is not an artefact.
        RuntimeError
            The model is not fitted.

        Examples
        --------
        >>> model.save(folder)
        >>> (folder / "manifest.json").is_file()
        True
        """
        self._require_fit()
        save_artifact(self, Path(folder))
