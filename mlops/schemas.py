"""What data must look like to be learnt from, as pandera schemas; each rule's name is the sentence people read."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from catalog.models.rating import RATING_STEPS
from mlops.data_rules import (
    FIRST_YEAR,
    IMPLAUSIBLE_DATE,
    IN_THE_FUTURE,
    LAST_YEAR,
    MOVIE_TWICE,
    NOT_FINITE,
    NOT_IN_STEPS,
    RATED_TWICE,
    UNKNOWN_GENRE,
    UNKNOWN_LANGUAGE,
    UNKNOWN_MOVIE,
)
from mlops.vocabularies import LANGUAGES

CLOCK_TOLERANCE = timedelta(days=1)  # what the site itself lets pass when a rating is recorded


def rating_schema(movie_ids: "pd.Series[Any]", now: datetime) -> pa.DataFrameSchema:
    latest = pd.Timestamp(now + CLOCK_TOLERANCE)
    return pa.DataFrameSchema(
        {
            "user_id": pa.Column("int64"),
            "movie_id": pa.Column("int64", pa.Check.isin(set(movie_ids.tolist()), error=UNKNOWN_MOVIE)),
            "rating": pa.Column(
                "float64",
                [
                    pa.Check(lambda column: np.isfinite(column), error=NOT_FINITE, ignore_na=False),
                    pa.Check.isin(RATING_STEPS, error=NOT_IN_STEPS),
                ],
                nullable=True,
            ),
            "rated_at": pa.Column(
                pd.DatetimeTZDtype("us", "UTC"), pa.Check(lambda column: column <= latest, error=IN_THE_FUTURE)
            ),
        },
        checks=pa.Check(
            lambda frame: ~frame.duplicated(["user_id", "movie_id"], keep="last"),
            error=RATED_TWICE,
        ),
    )


def movie_schema(genres: Collection[str]) -> pa.DataFrameSchema:
    known = frozenset(genres)
    return pa.DataFrameSchema(
        {
            "movie_id": pa.Column("int64", pa.Check(lambda column: ~column.duplicated(keep="last"), error=MOVIE_TWICE)),
            "title": pa.Column(nullable=True),
            "release_date": pa.Column(
                checks=pa.Check(lambda column: column.dt.year.between(FIRST_YEAR, LAST_YEAR), error=IMPLAUSIBLE_DATE),
                nullable=True,
            ),
            "genres": pa.Column(
                checks=pa.Check(lambda column: column.map(known.issuperset), error=UNKNOWN_GENRE), nullable=True
            ),
            "language": pa.Column(
                checks=pa.Check(lambda column: column.isin(LANGUAGES) | (column == ""), error=UNKNOWN_LANGUAGE),
                nullable=True,
            ),
        }
    )


def matrix_schema(shape: tuple[int, int]) -> pa.DataFrameSchema:
    """The training matrix's entries, one a row: user and movie are places in it."""
    n_users, n_movies = shape
    outside = "an entry outside of the matrix"
    return pa.DataFrameSchema(
        {
            "user": pa.Column(
                checks=[
                    pa.Check.in_range(0, max(n_users - 1, 0), error=outside),
                    pa.Check(lambda column: column.nunique() == n_users, error="a user without an entry"),
                ]
            ),
            "movie": pa.Column(checks=pa.Check.in_range(0, max(n_movies - 1, 0), error=outside)),
            "rating": pa.Column(
                float,
                pa.Check(lambda column: np.isfinite(column), error="an entry is not finite", ignore_na=False),
                nullable=True,
            ),
        },
        checks=pa.Check(lambda frame: ~frame.duplicated(["user", "movie"]), error="a user and a movie are there twice"),
    )
