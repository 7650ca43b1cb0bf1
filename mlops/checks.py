"""The data checks before training: every failure is collected, and too many of them stop the training."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from catalog.models.rating import RATING_STEPS

CLOCK_TOLERANCE = timedelta(days=1)  # what the site itself lets pass when a rating is recorded


@dataclass(frozen=True)
class CheckReport:
    """`reasons` counts the bad rows by rule; `bad_ratings` and `bad_movies` are positions in the frames."""

    n_rows: int
    reasons: dict[str, int] = field(default_factory=dict)
    bad_ratings: frozenset[int] = frozenset()
    bad_movies: frozenset[int] = frozenset()

    @property
    def n_bad(self) -> int:
        return len(self.bad_ratings) + len(self.bad_movies)

    @property
    def bad_share(self) -> float:
        return self.n_bad / self.n_rows if self.n_rows else 0.0

    def sentence(self) -> str:
        return "; ".join(f"{rule}: {n} rows" for rule, n in sorted(self.reasons.items()))


def check_frames(ratings: pd.DataFrame, movies: pd.DataFrame, *, now: datetime) -> CheckReport:
    """Frames indexed from 0. A frame whose columns are wrong altogether counts as bad in every row."""
    of_ratings = _failures(_rating_schema(movies["movie_id"], now), ratings)
    of_movies = _failures(_movie_schema(), movies)
    return CheckReport(
        n_rows=len(ratings) + len(movies),
        reasons=dict(Counter(rule for rule, _ in (*of_ratings, *of_movies))),
        bad_ratings=frozenset(row for _, row in of_ratings),
        bad_movies=frozenset(row for _, row in of_movies),
    )


def _failures(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> set[tuple[str, int]]:
    """(rule, row) of every failure."""
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        failures: set[tuple[str, int]] = set()
        for case in error.failure_cases.itertuples(index=False):
            rows = range(len(frame)) if pd.isna(case.index) else [int(case.index)]
            failures.update((_rule(case), row) for row in rows)
        return failures
    return set()


def _rule(case: Any) -> str:
    rule = str(case.check)
    if rule == "not_nullable":
        return f"{case.column}: missing"
    return f"{case.column}: expected {rule}" if rule.startswith("dtype(") else rule


def without_bad_rows(
    ratings: pd.DataFrame, movies: pd.DataFrame, report: CheckReport
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return (
        ratings.drop(index=sorted(report.bad_ratings)).reset_index(drop=True),
        movies.drop(index=sorted(report.bad_movies)).reset_index(drop=True),
    )


def _rating_schema(movie_ids: "pd.Series[Any]", now: datetime) -> pa.DataFrameSchema:
    latest = pd.Timestamp(now + CLOCK_TOLERANCE)
    known = set(movie_ids.tolist())
    return pa.DataFrameSchema(
        {
            "user_id": pa.Column("int64"),
            "movie_id": pa.Column("int64", pa.Check.isin(known, error="rating of an unknown movie")),
            "rating": pa.Column(
                "float64",
                [
                    pa.Check(lambda column: np.isfinite(column), error="rating is not finite", ignore_na=False),
                    pa.Check.isin(RATING_STEPS, error="rating is not one of 0.5 to 5 in halves"),
                ],
                nullable=True,
            ),
            "rated_at": pa.Column(
                pd.DatetimeTZDtype("us", "UTC"), pa.Check(lambda column: column <= latest, error="rated in the future")
            ),
        },
        checks=pa.Check(
            lambda frame: ~frame.duplicated(["user_id", "movie_id"], keep="last"),
            error="a user rated a movie twice",
        ),
    )


def _movie_schema() -> pa.DataFrameSchema:
    return pa.DataFrameSchema(
        {
            "movie_id": pa.Column(
                "int64",
                pa.Check(lambda column: ~column.duplicated(keep="last"), error="a movie is there twice"),
            ),
            "title": pa.Column(checks=pa.Check(lambda column: column.str.len() > 0, error="movie without a title")),
            "release_date": pa.Column(nullable=True),
        }
    )
