"""The data checks before training. They collect every failure instead of stopping at the first."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from scipy.sparse import csr_matrix

from mlops.data.codes import DataProblem, RowRule, rules_sentence
from mlops.data.schemas import matrix_schema, movie_schema, rating_schema
from mlops.findings import Finding, Outcome

METADATA = ("title", "release_date", "genres", "keywords", "cast", "directors", "overview", "language")

BadRows = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class CheckReport:
    """`bad_ratings` and `bad_movies` map positions in the frames to the codes of the rules that the row breaks.

    `problems` concern the data as a whole.
    """

    n_rows: int
    bad_ratings: BadRows = field(default_factory=dict)
    bad_movies: BadRows = field(default_factory=dict)
    problems: tuple[Finding, ...] = ()
    null_shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows break each rule."""
        rows = (*self.bad_ratings.values(), *self.bad_movies.values())
        return dict(Counter(rule for rules in rows for rule in rules))

    @property
    def n_bad(self) -> int:
        return len(self.bad_ratings) + len(self.bad_movies)

    @property
    def bad_share(self) -> float:
        return self.n_bad / self.n_rows if self.n_rows else 0.0

    def sentence(self) -> str:
        return rules_sentence(self.reasons)

    def without_rows(self, ratings: Collection[int], movies: Collection[int]) -> "CheckReport":
        """The report without these rows; each is named by its position in the frame."""
        return replace(
            self,
            bad_ratings={row: rules for row, rules in self.bad_ratings.items() if row not in ratings},
            bad_movies={row: rules for row, rules in self.bad_movies.items() if row not in movies},
        )


def check_frames(
    ratings: pd.DataFrame, movies: pd.DataFrame, *, now: datetime, genres: Collection[str] = ()
) -> CheckReport:
    """Takes frames indexed from 0. Every row of a frame with wrong columns is bad."""
    return CheckReport(
        n_rows=len(ratings) + len(movies),
        bad_ratings=_by_row(_failures(rating_schema(movies["movie_id"], now), ratings)),
        bad_movies=_by_row(_failures(movie_schema(genres), movies)),
        null_shares=null_shares(movies),
    )


def null_shares(movies: pd.DataFrame) -> dict[str, float]:
    """The share of movies with metadata that lack each part; metadata that may not train is missing on purpose."""
    present = pd.DataFrame({name: _is_present(movies[name]) for name in METADATA if name in movies})
    described = present[present.any(axis=1)]
    if described.empty:
        return {}
    return {str(name): round(float(1 - described[name].mean()), 6) for name in described}


def null_problems(shares: Mapping[str, float], allowed: Mapping[Any, float]) -> list[Finding]:
    return [
        Finding(DataProblem.NULL_SHARE, Outcome.FAILED, shares[name], limit, subject=name)
        for name, limit in allowed.items()
        if shares.get(name, 0.0) > limit
    ]


def shrinkage_problems(now: Mapping[str, int], before: Mapping[str, int], min_ratio: float) -> list[Finding]:
    """Counts that fell below `min_ratio` of the count before, by code of the rows counted."""
    return [
        Finding(
            DataProblem.SHRINKAGE,
            Outcome.FAILED,
            now[name],
            min_ratio * n,
            params={"before": n, "ratio": min_ratio},
            subject=name,
        )
        for name, n in before.items()
        if now[name] < min_ratio * n
    ]


def matrix_problems(matrix: csr_matrix, n_ratings: int) -> list[Finding]:
    """Problems of the training matrix that was made of `n_ratings` checked ratings."""
    # Reads the parts of the matrix: scipy's own conversion would fail on the damage that is searched for.
    users = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    frame = pd.DataFrame({"user": users, "movie": matrix.indices, "rating": matrix.data.astype(np.float64)})
    codes = {code for code, _ in _failures(matrix_schema(matrix.shape), frame)}
    problems = [Finding(code, Outcome.FAILED) for code in sorted(codes)]
    if matrix.nnz != n_ratings:
        problems.append(Finding(DataProblem.MATRIX_COUNT, Outcome.FAILED, matrix.nnz, n_ratings))
    return problems


def without_bad_rows(
    ratings: pd.DataFrame, movies: pd.DataFrame, report: CheckReport
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return (
        ratings.drop(index=sorted(report.bad_ratings)).reset_index(drop=True),
        movies.drop(index=sorted(report.bad_movies)).reset_index(drop=True),
    )


def _is_present(column: "pd.Series[Any]") -> "pd.Series[bool]":
    if column.dtype == object or pd.api.types.is_string_dtype(column):
        return column.map(lambda value: not _is_missing(value)).astype(bool)
    return column.notna()


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value)) or len(value) == 0


def _by_row(failures: set[tuple[str, int]]) -> dict[int, tuple[str, ...]]:
    rows: dict[int, list[str]] = {}
    for rule, row in sorted(failures):
        rows.setdefault(row, []).append(rule)
    return {row: tuple(rules) for row, rules in rows.items()}


def _failures(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> set[tuple[str, int]]:
    """(code of the rule, row) of every failure."""
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
        return f"{RowRule.MISSING}:{case.column}"
    return f"{RowRule.WRONG_TYPE}:{case.column}" if rule.startswith("dtype(") else rule
