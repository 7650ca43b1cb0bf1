"""The context of a backtest: the champion's recipe and the last temporal cut of its own data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from django.conf import settings

from recommender.estimators import Dataset
from recommender.evaluation.baselines import fitter
from recommender.evaluation.comparison import TemporalFold
from recommender.evaluation.evaluate import Evaluation

Progress = Callable[[str], None]


@dataclass(frozen=True)
class BacktestContext:
    """The champion's recipe and the last cut of its own data; models are evaluated on the data after it."""

    algorithm: str
    parameters: Mapping[str, Any]
    movies: pd.DataFrame
    later: TemporalFold
    progress: Progress

    def fit_and_evaluate(self, name: str, data: TemporalFold) -> Evaluation:
        """Fits the recipe on `data` and evaluates it."""
        self.progress(name)
        model = fitter(self.algorithm, settings.POLICY.training.random_state, **self.parameters)(data.dataset)
        return data.evaluate(model, settings.POLICY.evaluation.k)

    def training_dataset(self, ratings: pd.DataFrame, movies: pd.DataFrame) -> Dataset:
        """These ratings with the metadata of their movies only: encoders must not learn from later movies."""
        known = movies[movies["movie_id"].isin(ratings["movie_id"].unique())]
        return Dataset.from_frames(ratings, known, settings.POLICY.training.implicit_threshold)
