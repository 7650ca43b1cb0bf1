"""EASE as an MLflow model. The column `history` holds a person's liked movies. The output is ten movie ids per row."""

from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel

K = 10


class Ease(PythonModel):
    def load_context(self, context: Any) -> None:
        self.weights = np.load(context.artifacts["weights"], mmap_mode="r")
        self.movies = np.load(context.artifacts["movies"])
        self.places = {movie: place for place, movie in enumerate(self.movies.tolist())}

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> list[list[int]]:
        return [self._list(history) for history in model_input["history"]]

    def _list(self, history: list[int]) -> list[int]:
        liked = [self.places[movie] for movie in history if movie in self.places]
        scores = self.weights[liked].sum(axis=0)
        scores[liked] = -np.inf
        best = np.argpartition(-scores, K)[:K]
        found: list[int] = self.movies[best[np.argsort(-scores[best])]].tolist()
        return found


mlflow.models.set_model(Ease())
