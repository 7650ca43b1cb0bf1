"""Validates a snapshot: runs the data checks, quarantines bad rows and stores the report."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from django.conf import settings
from django.utils import timezone
from scipy.sparse import csr_matrix

from catalog.models import Genre, Movie
from mlops.data.checks import CheckReport, check_frames, without_bad_rows
from mlops.data.codes import Counted, DataProblem, refusal_sentence, rules_sentence
from mlops.data.histories import in_canonical_order
from mlops.data.lookup import find_snapshot
from mlops.data.quarantine import BadRowsByPlace, bad_rows, quarantine, without_released_rows
from mlops.data.snapshots import is_by_history, read_snapshot
from mlops.errors import StepFailed
from mlops.findings import Finding, Outcome
from mlops.models import DatasetSnapshot
from recommender.estimators import Dataset
from recommender.export import MOVIE_COLUMNS

logger = logging.getLogger(__name__)

Checks = DatasetSnapshot.Checks


class DataRefused(StepFailed):
    """Raised if the data is not good enough for a training."""

    def __init__(self, problems: Sequence[Finding], broken_rules: Mapping[str, int]) -> None:
        self.details = {"findings": [problem.to_dict() for problem in problems], "rules": dict(broken_rules)}
        super().__init__(refusal_sentence(self.details))


def validate_snapshot(*, snapshot: str) -> tuple[DatasetSnapshot, CheckReport]:
    """Validates the snapshot with this hash prefix or folder. Raises SnapshotNotAvailable, DataRefused."""
    row = find_snapshot(snapshot)
    return row, checked_frames(row)[2]


def checked_frames(snapshot: DatasetSnapshot) -> tuple[pd.DataFrame, pd.DataFrame, CheckReport]:
    """Returns the ratings and movies without bad rows, and the report. Quarantines the bad rows and stores the report.

    Ratings and user numbers are in canonical order, except in snapshots from earlier versions. Raises
    SnapshotNotAvailable, or DataRefused with every problem.
    """
    ratings, movies, rows, report = _check(snapshot, timezone.now())
    quarantine(snapshot, rows, report)
    good_ratings, good_movies = _good(snapshot, ratings, movies, report)
    policy = settings.POLICY.data_checks
    shares = null_shares(movies)
    problems = null_problems(shares, policy.max_null_share) + _shrinkage(snapshot)
    if report.bad_share > policy.max_bad_share:
        params = {"n_bad": report.n_bad, "n_rows": report.n_rows}
        share, allowed = report.bad_share, policy.max_bad_share
        problems.insert(0, Finding(DataProblem.BAD_ROWS, Outcome.FAILED, share, allowed, params=params))
    else:
        dataset = Dataset.from_frames(good_ratings, good_movies, settings.POLICY.training.implicit_threshold)
        problems += matrix_problems(dataset.ratings, len(good_ratings))
    _keep(snapshot, report, problems, shares)
    if problems:
        raise DataRefused(problems, report.reasons)
    if report.n_bad:
        logger.warning("%s bad rows are left out: %s", report.n_bad, rules_sentence(report.reasons))
    return good_ratings, good_movies, report


def frames_as_of(snapshot: DatasetSnapshot, moment: datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the rows that a training at `moment` used. Rows released later are excluded. Stores nothing."""
    ratings, movies, _, report = _check(snapshot, moment)
    return _good(snapshot, ratings, movies, report)


def _good(
    snapshot: DatasetSnapshot, ratings: pd.DataFrame, movies: pd.DataFrame, report: CheckReport
) -> tuple[pd.DataFrame, pd.DataFrame]:
    ratings, movies = without_bad_rows(ratings, movies, report)
    return (in_canonical_order(ratings) if is_by_history(snapshot) else ratings), movies


def _check(
    snapshot: DatasetSnapshot, moment: datetime
) -> tuple[pd.DataFrame, pd.DataFrame, BadRowsByPlace, CheckReport]:
    ratings, movies = read_snapshot(snapshot)
    report = check_frames(ratings, movies, now=moment, genres=known_genres())
    rows = bad_rows(ratings, movies, report)
    return ratings, movies, rows, without_released_rows(report, rows, as_of=moment)


def known_genres() -> list[str] | None:
    """Returns the genres in the policy or, by default, those of the catalogue. Returns None without a catalogue."""
    if (named := settings.POLICY.data_checks.genres) is not None:
        return named
    return list(Genre.objects.values_list("name", flat=True)) if Movie.objects.exists() else None


def null_shares(movies: pd.DataFrame) -> dict[str, float]:
    """Returns the share of missing values per field. Ignores movies without any metadata."""
    present = movies[[name for name in MOVIE_COLUMNS[1:] if name in movies]].map(_is_present)
    described = present[present.any(axis=1)]
    return {str(name): round(float(1 - described[name].mean()), 6) for name in described if len(described)}


def _is_present(value: Any) -> bool:
    return len(value) > 0 if isinstance(value, str | list) else bool(pd.notna(value))


def null_problems(shares: Mapping[str, float], allowed: Mapping[Any, float]) -> list[Finding]:
    return [
        Finding(DataProblem.NULL_SHARE, Outcome.FAILED, shares[name], limit, subject=name)
        for name, limit in allowed.items()
        if shares.get(name, 0.0) > limit
    ]


def shrinkage_problems(now: Mapping[str, int], before: Mapping[str, int], ratio: float) -> list[Finding]:
    """Returns a finding for each count that fell below `ratio` times its earlier value. Counts are keyed by code."""
    code, outcome = DataProblem.SHRINKAGE, Outcome.FAILED
    return [
        Finding(code, outcome, now[name], ratio * n, params={"before": n, "ratio": ratio}, subject=name)
        for name, n in before.items()
        if now[name] < ratio * n
    ]


def _shrinkage(snapshot: DatasetSnapshot) -> list[Finding]:
    passed = DatasetSnapshot.objects.filter(checks=Checks.PASSED, withdrawn_at=None)
    before = passed.filter(exported_at__lt=snapshot.exported_at).exclude(pk=snapshot.pk).first()
    if before is None:
        return []
    return shrinkage_problems(_counts(snapshot), _counts(before), settings.POLICY.data_checks.min_row_ratio)


def _counts(snapshot: DatasetSnapshot) -> Mapping[str, int]:
    return {Counted.RATINGS.value: snapshot.n_ratings, Counted.MOVIES.value: snapshot.n_movies}


def matrix_problems(matrix: csr_matrix, n_ratings: int) -> list[Finding]:
    """Returns the problems of the training matrix, which was built from `n_ratings` checked ratings."""
    # Read the arrays of the matrix directly, because scipy's conversion fails on damaged arrays.
    n_users, n_movies = matrix.shape
    users = np.repeat(np.arange(n_users), np.diff(matrix.indptr))
    places = pd.DataFrame({"user": users, "movie": matrix.indices})
    is_broken = {
        DataProblem.MATRIX_DUPLICATE: places.duplicated().any(),
        DataProblem.MATRIX_EMPTY_USER: places["user"].nunique() < n_users,
        DataProblem.MATRIX_NOT_FINITE: not np.isfinite(matrix.data).all(),
        DataProblem.MATRIX_OUTSIDE: not places["movie"].between(0, n_movies - 1).all(),
    }
    problems = [Finding(code, Outcome.FAILED) for code, found in is_broken.items() if found]
    if matrix.nnz != n_ratings:
        problems.append(Finding(DataProblem.MATRIX_COUNT, Outcome.FAILED, matrix.nnz, n_ratings))
    return problems


def _keep(
    snapshot: DatasetSnapshot, report: CheckReport, problems: Sequence[Finding], shares: Mapping[str, float]
) -> None:
    snapshot.checks = Checks.FAILED if problems else Checks.PASSED
    snapshot.check_report = report.figures | {
        "problems": [problem.to_dict() for problem in problems],
        "null_shares": dict(shares),
        "checked_at": timezone.now().isoformat(),
    }
    snapshot.save(update_fields=["checks", "check_report"])
