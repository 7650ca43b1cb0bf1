"""The served model, which combines collaborative scores for rated movies, metadata for the others, and popularity.

All components score on the scale of an item-item model's prediction, which `reranker` turns into the final score.
Parameters that are not given are tuned on inner splits of the data; see `inner_splits` and `tune_reranker`.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix, diags_array, hstack

from recommender.estimators.base import Recommender
from recommender.estimators.bias import MOVIE_SHRINKAGE
from recommender.estimators.config import Config, number
from recommender.estimators.content import ContentRecommender
from recommender.estimators.dataset import Dataset
from recommender.estimators.ease import MetadataEaseConfig, MetadataEaseRecommender
from recommender.estimators.explaining import Contribution
from recommender.estimators.inner_splits import inner_splits
from recommender.estimators.interactions import Array, once, resized
from recommender.estimators.item_features import AGE, ITEM_FEATURES, Genres, Tastes, item_features_of, log_ages
from recommender.estimators.metadata_regression import regress_on_features
from recommender.estimators.movie_table import MovieTable
from recommender.estimators.reranker import NOW, Reranker, empty_user_features
from recommender.estimators.tune_items import DEFAULTS as ITEM_DEFAULTS
from recommender.estimators.tune_items import tune_items
from recommender.estimators.tune_reranker import ScoredSplit, learn_reranker, tune_blend, tune_cold_user_weight

VALIDATIONS = ("time", "random")
ITEM_PARAMETERS = tuple(ITEM_DEFAULTS)
CONTENT_PARAMETERS = ("regularization", "steepness")
BLEND_PARAMETERS = ("half_life_days", "popularity_weight", "cold_user_weight")
EXPECTED_REGULARIZATION = 10.0
BIAS_REGULARIZATION = 10.0
TASTE_RATINGS = 5.0
ITEM_SPLITS = 4  # splits for tuning the item parameters; more do not help


@dataclass(frozen=True)
class HybridConfig(MetadataEaseConfig):
    content_regularization: float | None = number(None, above=0)  # of the content component
    content_steepness: float | None = number(None, above=0)  # of the content component
    half_life_days: float | None = number(None, above=0)  # of popularity in the blend; infinity means all time
    popularity_weight: float | None = number(None, at_least=0)  # of popularity in the blend
    cold_user_weight: float | None = number(None, at_least=0)  # extra weight for users with few ratings
    reranker: bool | None = None  # whether to learn the final score from the latest weeks; None: if it ranks no worse
    # Weight of liked genres and years next to the item-item model for a user without ratings. TASTE_RATINGS ratings
    # halve it. The learnt form has separate weights for genres.
    taste_weight: float = number(0.1, at_least=0)
    validation: str = "time"  # the inner split on which parameters are tuned, "time" or "random"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.validation not in VALIDATIONS:
            raise ValueError(f"validation: expected one of {', '.join(VALIDATIONS)}, got {self.validation!r}")


class HybridRecommender(Recommender):
    algorithm = "hybrid"
    config_class: ClassVar[type[Config]] = HybridConfig
    scores_new_movies = True
    taste_weight_ = 0.0  # default for artefacts of earlier releases
    _n_rated_held: int | None = None

    def _fit(self, dataset: Dataset) -> None:
        parameters, reranker = self._choose(dataset)
        seed = self.random_state
        limits = {name: getattr(self.config, name) for name in ("max_movies", "max_weights")}
        items = limits | {name: parameters[name] for name in ITEM_PARAMETERS}
        self.collaborative_ = MetadataEaseRecommender(random_state=seed, **items).fit(dataset)
        of_content = {name: getattr(self.config, f"content_{name}") for name in CONTENT_PARAMETERS}
        self.content_ = ContentRecommender(random_state=seed, **of_content).fit(dataset)
        self.content_.keep_vectors(~self._is_collaborative)
        self.best_params_ |= {f"content_{name}": value for name, value in self.content_.best_params_.items()}
        rated = np.flatnonzero(dataset.is_rated)
        self.taste_weight_ = 0.0 if reranker.is_learnt else float(self.config.taste_weight)
        self._learn_item_features(dataset, reranker, parameters["half_life_days"], rated)
        self._shrink_biases(rated)

    def _learn_item_features(self, dataset: Dataset, reranker: Reranker, half_life_days: float, rated: Array) -> None:
        self.now_ = dataset.now
        self.item_features_ = item_features_of(dataset, half_life_days)
        self.reranker_weights_, self.reranker_user_features_ = reranker.weights, reranker.user_features
        self.cold_user_weight_ = reranker.cold_user_weight
        self.reranker_user_features_[-1] = empty_user_features(dataset.ratings, self.item_features_)
        features = self.content_.features_[rated]
        expected = self.item_features_[self._expected_item_features][:, rated]
        fitted = [regress_on_features(features, values, EXPECTED_REGULARIZATION) for values in expected]
        self.item_feature_means_ = np.array([mean for mean, _ in fitted], dtype=np.float32)
        self.item_feature_weights_ = np.array([weights for _, weights in fitted], dtype=np.float32)
        self._expect_item_features(np.flatnonzero(~dataset.is_rated))

    def _choose(self, dataset: Dataset) -> tuple[dict[str, Any], Reranker]:
        """Return given and tuned parameters, and the re-ranker. Stores the tuned ones in `best_params_`."""
        given = {name: getattr(self.config, name) for name in (*ITEM_PARAMETERS, *BLEND_PARAMETERS, "reranker")}
        if None not in given.values() and not given["reranker"]:
            return given, Reranker.plain(given["popularity_weight"], given["cold_user_weight"])
        way, splits = inner_splits(dataset, self.config.validation, self.random_state)
        features = dataset.movie_features[1]
        items, blend = ({name: given[name] for name in names} for names in (ITEM_PARAMETERS, BLEND_PARAMETERS))
        learnt = None
        if None in items.values():
            items |= tune_items(splits[:ITEM_SPLITS], features, items)
        if None in blend.values() or (way == "time" and given["reranker"] is not False):
            scored = [ScoredSplit(split, features, items) for split in splits]
            blend |= tune_blend(scored, blend, by_time=way == "time")
            if way == "time":
                learnt = learn_reranker(scored, blend, dataset.movie_features, given["reranker"], self.random_state)
        if given["cold_user_weight"] is None:
            # The learnt form recognizes cold-start users by their activity. The plain form needs this weight.
            weight = 0.0 if learnt else tune_cold_user_weight(dataset, items, blend, self.random_state)
            blend["cold_user_weight"] = weight
        result = items | blend | {"reranker": learnt is not None}
        chosen = {name: value for name, value in result.items() if given[name] is None}
        if chosen:
            self.best_params_ = chosen | {"validation": way}
        reranker = learnt or Reranker.plain(blend["popularity_weight"])
        reranker.cold_user_weight = float(blend["cold_user_weight"])
        return given | chosen, reranker

    def _score_history(self, history: csr_matrix, item_idx: Array | None) -> Array:
        item_idx = np.arange(len(self.movie_ids_)) if item_idx is None else item_idx
        scores = self._personal_scores(history, item_idx)
        liked = self._positives(history)
        result = self._reranker.score(scores, history, liked, self.item_features_, self._genres, item_idx)
        if self.taste_weight_:
            result += self._taste_weights(history) * self._tastes.match(*self._taste_evidence(liked), item_idx)
        return result

    def _taste_evidence(self, liked: csr_matrix) -> tuple[Array, Array]:
        return once(liked, (self, "taste"), lambda: self._tastes.evidence(liked))

    def _personal_scores(self, history: csr_matrix, item_idx: Array) -> Array:
        """Return the float32 personal score of each item, from the component that models it."""
        is_collaborative = self._is_collaborative[item_idx]
        fitted = resized(history, self.n_fitted_movies_)
        if is_collaborative.all():
            return self.collaborative_._score_history(fitted, item_idx)
        scores = np.empty((history.shape[0], len(item_idx)), dtype=np.float32)
        if is_collaborative.any():
            scores[:, is_collaborative] = self.collaborative_._score_history(fitted, item_idx[is_collaborative])
        scores[:, ~is_collaborative] = self.content_._score_history(history, item_idx[~is_collaborative])
        return scores

    def _taste_weights(self, history: csr_matrix) -> Array:
        """Return weights (users, 1), see HybridConfig. They fall with the number of ratings."""
        n_rated = np.diff(history.indptr) if self._n_rated_held is None else self._n_rated_held
        shares = TASTE_RATINGS / (TASTE_RATINGS + n_rated * np.ones(history.shape[0]))
        return np.asarray(self.taste_weight_ * shares[:, None], dtype=np.float32)

    def _predict_ratings(self, history: csr_matrix, item_idx: Array) -> Array:
        stars = super()._predict_ratings(history, item_idx)
        is_collaborative = self._is_collaborative[item_idx]
        fitted = resized(history, self.n_fitted_movies_)
        stars[:, is_collaborative] += self.collaborative_.predicted_residuals(fitted, item_idx[is_collaborative])
        return stars

    def _add_movies(self, movies: MovieTable, item_idx: Array) -> None:
        self.content_ = self.content_.with_movies(movies)
        n_more = len(self.movie_ids_) - self.item_features_.shape[1]
        self.item_features_ = np.pad(self.item_features_, ((0, 0), (0, n_more)))
        self.item_features_[AGE, item_idx] = log_ages(movies["release_date"], self.now_)
        self._expect_item_features(item_idx)
        self.movie_biases_[item_idx] = self._expected_biases(item_idx)

    def _expect_item_features(self, item_idx: Array) -> None:
        """Set the expected trends of movies without ratings from their metadata, within the range of rated movies."""
        if not len(self.item_feature_weights_):
            return
        rated = self.item_features_[:, self.is_rated_]
        of_features = self.content_.features_[item_idx] @ self.item_feature_weights_.T
        expected = self.item_feature_means_[:, None] + of_features.T
        for row, values in zip(self._expected_item_features, expected, strict=True):
            self.item_features_[row, item_idx] = np.clip(values, rated[row].min(), rated[row].max())

    def _shrink_biases(self, rated: Array) -> None:
        """Shrink each movie's bias towards its expected value from metadata. Unrated movies get the expected value."""
        self.bias_mean_, self.bias_weights_ = regress_on_features(
            self.content_.features_[rated], self.movie_biases_[rated], BIAS_REGULARIZATION
        )
        counts = np.bincount(self.interactions_.indices, minlength=self.n_fitted_movies_)
        expected = self._expected_biases(np.arange(self.n_fitted_movies_))
        self.movie_biases_ = self.movie_biases_ + expected * MOVIE_SHRINKAGE / (counts + MOVIE_SHRINKAGE)

    def _expected_biases(self, item_idx: Array) -> Array:
        return np.asarray(self.bias_mean_ + self.content_.features_[item_idx] @ self.bias_weights_)

    def _similarities(self, item_idx: Array) -> Array:
        """Return the mean of two cosines, by users who liked each movie and by metadata."""
        similarities = self.content_._similarities(item_idx) / 2
        is_fitted = item_idx < self.n_fitted_movies_
        if is_fitted.any():
            similarities[is_fitted, : self.n_fitted_movies_] += super()._similarities(item_idx[is_fitted]) / 2
        return similarities

    def _parts(self, history: csr_matrix, item_idx: Array) -> Array:
        parts = np.zeros((history.nnz, len(item_idx)))
        is_collaborative, is_fitted = self._is_collaborative[item_idx], history.indices < self.n_fitted_movies_
        if is_collaborative.any():
            fitted = resized(history, self.n_fitted_movies_)
            parts[np.ix_(is_fitted, is_collaborative)] = self.collaborative_._parts(fitted, item_idx[is_collaborative])
        if not is_collaborative.all():
            parts[:, ~is_collaborative] = self.content_._parts(history, item_idx[~is_collaborative])
        return parts

    def _falls(self, history: csr_matrix, parts: Array) -> Array:
        own, scores = self._reranker.weights_of(history, self.item_features_), parts.sum(axis=0)
        return self._reranker.personal(own, scores[None]) - self._reranker.personal(own, scores - parts)

    def _metadata_likeness(self, column: int) -> Array:
        return self.content_._metadata_likeness(column)

    def with_weights_of(self, history: Mapping[Any, float]) -> Self:
        weights = np.zeros_like(self.reranker_weights_)
        weights[:1] = self._reranker.weights_of(self._from_mappings([history]), self.item_features_)
        model = copy.copy(self)
        model._reranker = Reranker(weights, self.reranker_user_features_)
        model._n_rated_held = len(history)
        return model

    def _feature_contributions(self, history: csr_matrix, item_idx: Array) -> list[list[Contribution]]:
        """Return the drop in the score without each feature, for movies scored by metadata."""
        found: list[list[Contribution]] = [[] for _ in item_idx]
        by_metadata = np.flatnonzero(~self._is_collaborative[item_idx])
        if not len(by_metadata):
            return found
        columns, own = item_idx[by_metadata], self._reranker.weights_of(history, self.item_features_)
        scores, genres = self.content_._score_history(history, columns)[0], self._genre_contributions(history, columns)
        features = zip(by_metadata, scores, genres, self.content_._feature_contributions(history, columns), strict=True)
        for at, score, of_genres, parts in features:
            lost = np.array([0.0, *(part.contribution for part in parts)], dtype=np.float32)
            left = self._reranker.personal(own, score - lost[None])[0]
            values, of_taste = (left[0] - left[1:]).tolist(), {part.id: part.contribution for part in of_genres}
            pairs = zip(parts, values, strict=True)
            found[at] = [part._replace(contribution=value + of_taste.get(part.id, 0.0)) for part, value in pairs]
        return found

    @cached_property
    def _reranker(self) -> Reranker:
        return Reranker(self.reranker_weights_, self.reranker_user_features_, self.cold_user_weight_)

    @property
    def _expected_item_features(self) -> Array:
        """Indices of the weighted item features that must be estimated for movies without ratings."""
        counts: Array = np.any(self.reranker_weights_[:, NOW:], axis=0)
        counts[AGE] = False
        counts[ITEM_FEATURES.index("now")] |= self.cold_user_weight_ > 0
        return np.flatnonzero(counts)

    def _shared_features(self, liked: Array, ids: set[str]) -> set[str]:
        return self.content_._shared_features(liked, ids)

    def _genre_contributions(self, history: csr_matrix, item_idx: Array) -> list[list[Contribution]]:
        if not self.taste_weight_:
            return super()._genre_contributions(history, item_idx)
        evidence = float(self._taste_weights(history)[0, 0]) * self._taste_evidence(self._positives(history))[0][0]
        return [
            [Contribution("feature", f"genre:{name}", f"genre: {name}", float(evidence[at])) for at, name in genres]
            for genres in map(self._genres_of, item_idx.tolist())
        ]

    def _genres_of(self, column: int) -> list[tuple[int, str]]:
        of_movies = self._tastes.of_movies
        places = of_movies.indices[of_movies.indptr[column] : of_movies.indptr[column + 1]].tolist()
        return [(at, self._genre_names[at]) for at in places if at < self._tastes.n_genres]

    @cached_property
    def _genre_names(self) -> list[str]:
        return [name for kind, name in self.content_.feature_names_ if kind == "genre"]

    @cached_property
    def _tastes(self) -> Tastes:
        return Tastes.of(self.content_.features_, self.content_.feature_names_, self.popularity_)

    @cached_property
    def _genres(self) -> Genres:
        return Genres.of(self.content_.features_, self.content_.feature_names_, self.popularity_)

    @cached_property
    def _is_collaborative(self) -> Array:
        mask = np.zeros(len(self.movie_ids_), dtype=bool)
        mask[self.collaborative_.modelled_] = True
        return mask

    def relevance(self, scores: Array) -> Array:
        return self._reranker.probabilities(scores)

    @cached_property
    def _likeness_rows(self) -> csr_matrix:
        """Rows of each movie's raters, or of its metadata if it has no ratings."""
        by_metadata = diags_array((~self.is_rated_).astype(np.float32)) @ self.content_._likeness_rows
        return hstack([super()._likeness_rows, by_metadata], format="csr")

    @cached_property
    def _prior_share(self) -> Array:
        return self.content_._prior_share
