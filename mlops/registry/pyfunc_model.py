"""The model as MLflow loads it, also outside the site: `mlflow.pyfunc.load_model("models:/movierec@champion")`.

MLflow keeps this file and the artefact's folder ("models from code"); nothing is pickled.
"""

from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel

from recommender.estimators import load_recommender


class MovierecModel(PythonModel):
    """Input: a column `user_id`. Output: user_id, movie_id, score, rank. Params: k, exclude_seen."""

    def load_context(self, context: Any) -> None:
        self.model = load_recommender(context.artifacts["model"], mmap=True)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        options = params or {}
        return self.model.recommend(
            model_input["user_id"].tolist(),
            k=int(options.get("k", 10)),
            exclude_seen=bool(options.get("exclude_seen", True)),
        )


mlflow.models.set_model(MovierecModel())
