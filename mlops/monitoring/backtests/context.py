"""What every backtest works with: the champion's recipe and the last temporal cut of its own data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from django.conf import settings

from recommender.estimators import Dataset
from recommender.evaluation import Evaluation, LaterData, fitter

Progress = Callable[[str], None]


@dataclass(frozen=True)
class BacktestContext:
    """The champion's recipe, and the last cut of its own data. Models are judged on what came after it."""

    algorithm: str
    parameters: Mapping[str, Any]
    movies: pd.DataFrame
    later: LaterData
    progress: Progress

    def judged(self, name: str, data: LaterData) -> Evaluation:
        """A model that learnt from `data`, asked what all of them are asked."""
        self.progress(name)
        model = fitter(self.algorithm, settings.POLICY.training.random_state, **self.parameters)(data.dataset)
        return data.evaluate(model, settings.POLICY.evaluation.k)

    def learnt_from(self, ratings: pd.DataFrame, movies: pd.DataFrame) -> Dataset:
        """Metadata of the movies that are rated there: encoders learn nothing from later ones."""
        known = movies[movies["movie_id"].isin(ratings["movie_id"].unique())]
        return Dataset.from_frames(ratings, known, settings.POLICY.training.implicit_threshold)
