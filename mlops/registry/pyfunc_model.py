"""The MLflow model, which can also be loaded outside the site: `mlflow.pyfunc.load_model("models:/movierec@champion")`.

MLflow stores this file and the artefact's folder ("models from code"). Nothing is pickled.
"""

from collections.abc import Iterable, Mapping
from math import nan
from numbers import Real
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel

from recommender.estimators import load_recommender
from recommender.estimators.batch import scored_ahead
from recommender.estimators.diversity import diverse_list

STARS = (0.5, 5.0)


class MovierecModel(PythonModel):
    """Recommends movies to users given by their ratings.

    Input: a column `history`; each row holds one user's ratings as a list of {"movie_id", "rating"}.
    Output: row (the input's row number), movie_id, title, score and rank; a list excludes the movies in its history.
    Params: k, and diversity, the strength of the diversification. The default of diversity is the site's setting when
    the version was logged.
    """

    def load_context(self, context: Any) -> None:
        self.model = load_recommender(context.artifacts["model"], mmap=True)
        self.places = {movie: place for place, movie in enumerate(self.model.movie_ids_.tolist())}

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Returns the lists. Raises ValueError for an unknown movie, a repeated movie or a rating outside 0.5 to 5."""
        options = params or {}
        k, strength = int(options.get("k", 10)), float(options.get("diversity", 0.0))
        histories = [self._read(row, ratings) for row, ratings in enumerate(model_input["history"])]
        rows = enumerate(zip(scored_ahead(self.model, histories), histories, strict=True))
        lists = [self._list(model, row, history, k, strength) for row, (model, history) in rows]
        return pd.concat(lists, ignore_index=True)

    def _read(self, row: int, ratings: Iterable[Mapping[str, Any]]) -> dict[int, float]:
        history: dict[int, float] = {}
        for given in ratings:
            movie, rating = int(given["movie_id"]), _number(given["rating"])
            if movie not in self.places:
                raise ValueError(f"Row {row}: the model does not know movie {movie}.")
            if movie in history:
                raise ValueError(f"Row {row}: movie {movie} is rated twice.")
            if not STARS[0] <= rating <= STARS[1]:
                raise ValueError(f"Row {row}, movie {movie}: expected a rating from 0.5 to 5, got {given['rating']!r}.")
            history[movie] = rating
        return history

    def _list(self, model: Any, row: int, history: dict[int, float], k: int, strength: float) -> pd.DataFrame:
        best, scores, kept = diverse_list(model, history, k, strength)
        movies = best[kept]
        titles = [str(self.model.titles_[self.places[movie]]) for movie in movies.tolist()]
        return pd.DataFrame(
            {
                "row": row,
                "movie_id": movies,
                "title": titles,
                "score": scores[kept],
                "rank": range(1, len(movies) + 1),
            }
        )


def _number(value: Any) -> float:
    """Returns the number, or NaN for other types, which then fails the range check."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else nan


mlflow.models.set_model(MovierecModel())
