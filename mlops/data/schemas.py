"""The rules of training data as pandera schemas; each check's error is the rule's code."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from catalog.models.rating import RATING_STEPS
from mlops.data.codes import FIRST_YEAR, LAST_YEAR, DataProblem, RowRule

_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka
    kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng
    nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su
    sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    cn mo sh xx
"""
# ISO 639-1, and what TMDB uses beside it: cn (Cantonese), mo (Moldavian), sh (Serbo-Croatian), xx (no language).
LANGUAGES = frozenset(_CODES.split())

CLOCK_TOLERANCE = timedelta(days=1)  # what the site itself lets pass when a rating is recorded


def rating_schema(movie_ids: "pd.Series[Any]", now: datetime) -> pa.DataFrameSchema:
    latest = pd.Timestamp(now + CLOCK_TOLERANCE)
    return pa.DataFrameSchema(
        {
            "user_id": pa.Column("int64"),
            "movie_id": pa.Column("int64", pa.Check.isin(set(movie_ids.tolist()), error=RowRule.UNKNOWN_MOVIE)),
            "rating": pa.Column(
                "float64",
                [
                    pa.Check(lambda column: np.isfinite(column), error=RowRule.NOT_FINITE, ignore_na=False),
                    pa.Check.isin(RATING_STEPS, error=RowRule.NOT_IN_STEPS),
                ],
                nullable=True,
            ),
            "rated_at": pa.Column(
                pd.DatetimeTZDtype("us", "UTC"),
                pa.Check(lambda column: column <= latest, error=RowRule.IN_FUTURE),
            ),
        },
        checks=pa.Check(
            lambda frame: ~frame.duplicated(["user_id", "movie_id"], keep="last"),
            error=RowRule.RATED_TWICE,
        ),
    )


def movie_schema(genres: Collection[str]) -> pa.DataFrameSchema:
    known = frozenset(genres)
    return pa.DataFrameSchema(
        {
            "movie_id": pa.Column(
                "int64", pa.Check(lambda column: ~column.duplicated(keep="last"), error=RowRule.MOVIE_TWICE)
            ),
            "title": pa.Column(nullable=True),
            "release_date": pa.Column(
                checks=pa.Check(
                    lambda column: column.dt.year.between(FIRST_YEAR, LAST_YEAR), error=RowRule.IMPLAUSIBLE_DATE
                ),
                nullable=True,
            ),
            "genres": pa.Column(
                checks=pa.Check(lambda column: column.map(known.issuperset), error=RowRule.UNKNOWN_GENRE),
                nullable=True,
            ),
            "language": pa.Column(
                checks=pa.Check(lambda column: column.isin(LANGUAGES) | (column == ""), error=RowRule.UNKNOWN_LANGUAGE),
                nullable=True,
            ),
        }
    )


def matrix_schema(shape: tuple[int, int]) -> pa.DataFrameSchema:
    """One row per entry of the training matrix; user and movie are positions in it."""
    n_users, n_movies = shape
    outside = DataProblem.MATRIX_OUTSIDE.value
    return pa.DataFrameSchema(
        {
            "user": pa.Column(
                checks=[
                    pa.Check.in_range(0, max(n_users - 1, 0), error=outside),
                    pa.Check(lambda column: column.nunique() == n_users, error=DataProblem.MATRIX_EMPTY_USER),
                ]
            ),
            "movie": pa.Column(checks=pa.Check.in_range(0, max(n_movies - 1, 0), error=outside)),
            "rating": pa.Column(
                float,
                pa.Check(lambda column: np.isfinite(column), error=DataProblem.MATRIX_NOT_FINITE, ignore_na=False),
                nullable=True,
            ),
        },
        checks=pa.Check(lambda frame: ~frame.duplicated(["user", "movie"]), error=DataProblem.MATRIX_DUPLICATE),
    )
