"""Movie metadata by column, without pandas. A served model receives new movies in this form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from recommender.estimators.columns import (
    LIST_COLUMNS,
    MOVIE_COLUMNS,
    MOVIE_ID,
    RELEASE_DATE,
    TEXT_COLUMNS,
    read_movies,
)
from recommender.estimators.ids import IdArray, id_array
from recommender.estimators.interactions import Array
from recommender.estimators.lazy_pandas import pd


class MovieTable:
    """All MOVIE_COLUMNS, with one row per id. Ids are an array, others lists. A date may be None."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self._columns = {name: columns[name] for name in MOVIE_COLUMNS}

    @classmethod
    def of_values(
        cls, movie_ids: Iterable[int], release_dates: Iterable[Any], others: Mapping[str, Sequence[Any]]
    ) -> Self:
        """Build a table. `release_dates` are values that numpy accepts or None, `others` are text and list columns."""
        dates = np.array(list(release_dates), dtype="datetime64[us]").tolist()
        texts = {name: [value.strip() for value in others[name]] for name in TEXT_COLUMNS}
        lists = {name: [_stripped(values) for values in others[name]] for name in LIST_COLUMNS}
        return cls({MOVIE_ID: id_array(movie_ids, MOVIE_ID), RELEASE_DATE: dates} | texts | lists)

    @property
    def columns(self) -> tuple[str, ...]:
        return MOVIE_COLUMNS

    @property
    def ids(self) -> IdArray:
        return self._columns[MOVIE_ID]  # type: ignore[no-any-return]

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: Array) -> Self:
        """Return these rows, in the given order."""
        wanted = places.tolist()
        return type(self)(
            {name: [values[place] for place in wanted] for name, values in self._columns.items()}
            | {MOVIE_ID: self.ids[places]}
        )


def _stripped(values: Iterable[str]) -> list[str]:
    return [text for value in values if (text := value.strip())]


def movie_table(movies: pd.DataFrame | MovieTable) -> MovieTable:
    """Return the movies as a table, like `read_movies` but without pandas types."""
    if isinstance(movies, MovieTable):
        return movies
    frame = read_movies(movies)
    columns = {name: frame[name].tolist() for name in MOVIE_COLUMNS[1:] if name != RELEASE_DATE}
    dates = frame[RELEASE_DATE].to_numpy(dtype="datetime64[us]").tolist()
    return MovieTable(columns | {MOVIE_ID: frame[MOVIE_ID].to_numpy(), RELEASE_DATE: dates})
