"""The served model: collaborative scores for rated movies, metadata for the others, and what is popular now.

Each component gives a score on one scale (an item-item model's prediction); `second_stage` makes of it the score that
ranks. What is not given is chosen on inner splits of the data: see `inner_splits` and `blend`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags_array, hstack

from recommender.estimators import histories as rows_of
from recommender.estimators.base import Recommender
from recommender.estimators.blend import Judged, choose_blend, learn_second_stage
from recommender.estimators.config import Config, check_number
from recommender.estimators.content import ContentRecommender
from recommender.estimators.dataset import Dataset
from recommender.estimators.explanation import Contribution
from recommender.estimators.features import regress_on_features
from recommender.estimators.inner_splits import inner_splits
from recommender.estimators.item_choice import DEFAULTS as ITEM_DEFAULTS
from recommender.estimators.item_choice import choose_parameters
from recommender.estimators.metadata_ease import MetadataEaseConfig, MetadataEaseRecommender
from recommender.estimators.newcomers import choose_newcomer_weight
from recommender.estimators.second_stage import NOW, SecondStage, traits_of_empty
from recommender.estimators.signals import AGE, SIGNALS, Genres, log_ages, movie_signals
from recommender.estimators.stars import MOVIE_SHRINKAGE

Array = np.ndarray[Any, Any]

VALIDATIONS = ("time", "random")
ITEM_PARAMETERS = tuple(ITEM_DEFAULTS)
CONTENT_PARAMETERS = ("regularization", "steepness")
BLEND_PARAMETERS = ("half_life_days", "popularity_weight", "newcomer_weight")
SIGNAL_REGULARIZATION = 10.0
BIAS_REGULARIZATION = 10.0
ITEM_SPLITS = 4  # are enough to choose the item parameters on


@dataclass(frozen=True)
class HybridConfig(MetadataEaseConfig):
    content_regularization: float | None = None  # of the content component; None: chosen on hidden movies
    content_steepness: float | None = None  # likewise
    half_life_days: float | None = None  # of the popularity in the blend; infinity: all time; None: chosen
    popularity_weight: float | None = None  # 0: none; None: chosen
    newcomer_weight: float | None = None  # more of it for people of few ratings; None: chosen
    second_stage: bool | None = None  # learn the score that ranks from late weeks; None: unless that ranks worse
    validation: str = "time"  # or "random": what the choice is made on

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("content_regularization", "content_steepness", "half_life_days"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), above=0)
        for name in ("popularity_weight", "newcomer_weight"):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), at_least=0)
        if self.validation not in VALIDATIONS:
            raise ValueError(f"validation: expected one of {', '.join(VALIDATIONS)}, got {self.validation!r}")


class HybridRecommender(Recommender):
    algorithm = "hybrid"
    config_class: ClassVar[type[Config]] = HybridConfig
    scores_new_movies = True
    uses_metadata = True

    def _fit(self, dataset: Dataset) -> None:
        parameters, stage = self._choose(dataset)
        seed = self.random_state
        items = {name: parameters[name] for name in ITEM_PARAMETERS}
        self.collaborative_ = MetadataEaseRecommender(
            random_state=seed, max_movies=self.config.max_movies, **items
        ).fit(dataset)
        of_content = {name: getattr(self.config, f"content_{name}") for name in CONTENT_PARAMETERS}
        self.content_ = ContentRecommender(random_state=seed, **of_content).fit(dataset)
        self.content_.keep_vectors(~self._is_collaborative)
        self.chosen_ |= {f"content_{name}": value for name, value in self.content_.chosen_.items()}
        rated = np.flatnonzero(dataset.is_rated)
        self._learn_signals(dataset, stage, parameters["half_life_days"], rated)
        self._shrink_biases(rated)

    def _learn_signals(self, dataset: Dataset, stage: SecondStage, half_life_days: float, rated: Array) -> None:
        self.now_ = dataset.now
        self.signals_ = movie_signals(dataset, half_life_days)
        self.stage_weights_, self.stage_traits_ = stage.weights, stage.traits
        self.newcomer_weight_ = stage.newcomer_weight
        self.stage_traits_[-1] = traits_of_empty(dataset.ratings, self.signals_)
        fitted = [
            regress_on_features(self.content_.features_[rated], self.signals_[signal, rated], SIGNAL_REGULARIZATION)
            for signal in self._expected_signals
        ]
        self.signal_means_ = np.array([mean for mean, _ in fitted], dtype=np.float32)
        self.signal_features_ = np.array([weights for _, weights in fitted], dtype=np.float32)
        self._expect_signals(np.flatnonzero(~dataset.is_rated))

    def _choose(self, dataset: Dataset) -> tuple[dict[str, Any], SecondStage]:
        """Parameters given and chosen, and the second stage; `chosen_` says what was chosen, and on what."""
        given = {name: getattr(self.config, name) for name in (*ITEM_PARAMETERS, *BLEND_PARAMETERS, "second_stage")}
        if None not in given.values() and not given["second_stage"]:
            return given, SecondStage.plain(given["popularity_weight"], given["newcomer_weight"])
        way, splits = inner_splits(dataset, self.config.validation, self.random_state)
        vocabulary, features = dataset.movie_features
        of_items = {name: given[name] for name in ITEM_PARAMETERS}
        found: dict[str, Any] = (
            choose_parameters(splits[:ITEM_SPLITS], features, of_items) if None in of_items.values() else {}
        )
        blend, learnt = {name: given[name] for name in BLEND_PARAMETERS}, None
        if None in blend.values() or (way == "time" and given["second_stage"] is not False):
            judged = [Judged.of(split, features, of_items | found) for split in splits]
            blend |= choose_blend(judged, blend, by_time=way == "time")
            if way == "time":
                learnt = learn_second_stage(
                    judged,
                    blend,
                    [Genres.of(features, vocabulary.names, split.train.popularity) for split in splits],
                    is_wanted=given["second_stage"],
                    random_state=self.random_state,
                )
        if given["newcomer_weight"] is None:
            # What is learnt from late weeks tells newcomers by how much they have rated; the plain form needs this.
            weight = 0.0 if learnt else choose_newcomer_weight(dataset, of_items | found, blend, self.random_state)
            blend["newcomer_weight"] = weight
        found |= blend | {"second_stage": learnt is not None}
        chosen = {name: value for name, value in found.items() if given[name] is None}
        if chosen:
            self.chosen_ = chosen | {"validation": way}
        stage = learnt or SecondStage.plain(blend["popularity_weight"])
        stage.newcomer_weight = float(blend["newcomer_weight"])
        return given | chosen, stage

    def _score_history(self, history: csr_matrix, columns: Array | None) -> Array:
        columns = np.arange(len(self.movie_ids_)) if columns is None else columns
        scores = np.empty((history.shape[0], len(columns)), dtype=np.float32)
        is_collaborative = self._is_collaborative[columns]
        if is_collaborative.any():
            fitted = rows_of.resized(history, self.n_fitted_movies_)
            scores[:, is_collaborative] = self.collaborative_._score_history(fitted, columns[is_collaborative])
        if not is_collaborative.all():
            scores[:, ~is_collaborative] = self.content_._score_history(history, columns[~is_collaborative])
        return self._stage.score(scores, history, self._positives(history), self.signals_, self._genres, columns)

    def _predict_stars(self, history: csr_matrix, columns: Array) -> Array:
        stars = super()._predict_stars(history, columns)
        is_collaborative = self._is_collaborative[columns]
        fitted = rows_of.resized(history, self.n_fitted_movies_)
        stars[:, is_collaborative] += self.collaborative_.predicted_residuals(fitted, columns[is_collaborative])
        return stars

    def _add_movies(self, movies: pd.DataFrame, columns: Array) -> None:
        self.content_ = self.content_.with_movies(movies)
        n_more = len(self.movie_ids_) - self.signals_.shape[1]
        self.signals_ = np.pad(self.signals_, ((0, 0), (0, n_more)))
        self.signals_[AGE, columns] = log_ages(movies["release_date"], self.now_)
        self._expect_signals(columns)
        self.movie_biases_[columns] = self._expected_biases(columns)

    def _expect_signals(self, columns: Array) -> None:
        """A movie without ratings trends as its metadata lets expect, within what the rated ones do."""
        if not len(self.signal_features_):
            return
        rated = self.signals_[:, self.is_rated_]
        expected = self.signal_means_[:, None] + (self.content_.features_[columns] @ self.signal_features_.T).T
        for signal, values in zip(self._expected_signals, expected, strict=True):
            self.signals_[signal, columns] = np.clip(values, rated[signal].min(), rated[signal].max())

    def _shrink_biases(self, rated: Array) -> None:
        """A movie's bias is shrunk towards what its metadata lets expect, and without a rating is just that."""
        self.bias_mean_, self.bias_weights_ = regress_on_features(
            self.content_.features_[rated], self.movie_biases_[rated], BIAS_REGULARIZATION
        )
        counts = np.bincount(self.histories_.indices, minlength=self.n_fitted_movies_)
        expected = self._expected_biases(np.arange(self.n_fitted_movies_))
        self.movie_biases_ = self.movie_biases_ + expected * MOVIE_SHRINKAGE / (counts + MOVIE_SHRINKAGE)

    def _expected_biases(self, columns: Array) -> Array:
        expected: Array = self.bias_mean_ + self.content_.features_[columns] @ self.bias_weights_
        return expected

    def _similarities(self, columns: Array) -> Array:
        """The mean of two cosines: of who liked both, and of the metadata."""
        similarities = self.content_._similarities(columns) / 2
        is_fitted = columns < self.n_fitted_movies_
        if is_fitted.any():
            similarities[is_fitted, : self.n_fitted_movies_] += super()._similarities(columns[is_fitted]) / 2
        return similarities

    def _feature_contributions(self, history: csr_matrix, column: int) -> list[Contribution]:
        """For a movie scored by metadata: what the score loses without each feature."""
        if self._is_collaborative[column]:
            return []
        columns = np.array([column])
        score = self.content_._score_history(history, columns)
        own = self._stage.weights_of(history, self.signals_)

        def lost(part: float) -> float:
            return float(self._stage.personal(own, score)[0, 0] - self._stage.personal(own, score - part)[0, 0])

        return [
            Contribution("feature", f"{kind}:{token}", f"{kind}: {token}", lost(part))
            for kind, token, part in self.content_.feature_shares(history, column)
        ]

    @cached_property
    def _stage(self) -> SecondStage:
        return SecondStage(self.stage_weights_, self.stage_traits_, self.newcomer_weight_)

    @property
    def _expected_signals(self) -> Array:
        """Those that count, and can only be expected of a movie without ratings."""
        counts: Array = np.any(self.stage_weights_[:, NOW:], axis=0)
        counts[AGE] = False
        counts[SIGNALS.index("now")] |= self.newcomer_weight_ > 0
        return np.flatnonzero(counts)

    @cached_property
    def _genres(self) -> Genres:
        return Genres.of(self.content_.features_, self.content_.feature_names_, self.popularity_)

    @cached_property
    def _is_collaborative(self) -> Array:
        mask = np.zeros(len(self.movie_ids_), dtype=bool)
        mask[self.collaborative_.modelled_] = True
        return mask

    def relevance(self, scores: Array) -> Array:
        return self._stage.chances(scores)

    @cached_property
    def _likeness_rows(self) -> csr_matrix:
        """By who rated them; movies without ratings are told apart by their metadata."""
        by_metadata = diags_array((~self.is_rated_).astype(np.float32)) @ self.content_._likeness_rows
        return hstack([super()._likeness_rows, by_metadata], format="csr")

    @cached_property
    def _prior_share(self) -> Array:
        return self.content_._prior_share
