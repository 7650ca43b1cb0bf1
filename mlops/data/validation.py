"""The data checks of a snapshot: reads it, checks it, quarantines bad rows and keeps the report on its row."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
from django.conf import settings
from django.utils import timezone

from catalog.models import Genre
from mlops.data.checks import (
    CheckReport,
    check_frames,
    matrix_problems,
    null_problems,
    shrinkage_problems,
    without_bad_rows,
)
from mlops.data.codes import Counted, DataProblem, refusal_sentence
from mlops.data.lookup import find_snapshot
from mlops.data.quarantine import BadRowsByPlace, bad_rows, quarantine, without_released_rows
from mlops.data.snapshots import read_snapshot
from mlops.errors import StepFailed
from mlops.findings import Finding, Outcome
from mlops.models import DatasetSnapshot
from recommender.estimators import Dataset

logger = logging.getLogger(__name__)

Checks = DatasetSnapshot.Checks


class DataRefused(StepFailed):
    """No model should learn from the data."""

    def __init__(self, problems: Sequence[Finding], broken_rules: Mapping[str, int]) -> None:
        self.details = {"findings": [problem.to_dict() for problem in problems], "rules": dict(broken_rules)}
        super().__init__(refusal_sentence(self.details))


def validate_snapshot(*, snapshot: str) -> tuple[DatasetSnapshot, CheckReport]:
    """`snapshot` is the beginning of a hash, or a folder. Raises SnapshotNotAvailable, and DataRefused for bad data."""
    row = find_snapshot(snapshot)
    return row, checked_frames(row)[2]


def checked_frames(snapshot: DatasetSnapshot) -> tuple[pd.DataFrame, pd.DataFrame, CheckReport]:
    """Ratings and movies without the bad rows, which are quarantined. The report is kept on the snapshot's row.

    Raises SnapshotNotAvailable, and DataRefused with every problem.
    """
    ratings, movies, rows, report = _check(snapshot, timezone.now())
    quarantine(snapshot, rows, report)
    good_ratings, good_movies = without_bad_rows(ratings, movies, report)
    policy = settings.POLICY.data_checks
    problems = null_problems(report.null_shares, policy.max_null_share) + _shrinkage(snapshot)
    if report.bad_share > policy.max_bad_share:
        params = {"n_bad": report.n_bad, "n_rows": report.n_rows}
        share, allowed = report.bad_share, policy.max_bad_share
        problems.insert(0, Finding(DataProblem.BAD_ROWS, Outcome.FAILED, share, allowed, params=params))
    else:
        problems += _matrix(good_ratings, good_movies)
    report = replace(report, problems=tuple(problems))
    _keep(snapshot, report)
    if problems:
        raise DataRefused(problems, report.reasons)
    if report.n_bad:
        logger.warning("%s bad rows are left out: %s", report.n_bad, report.sentence())
    return good_ratings, good_movies, report


def frames_as_of(snapshot: DatasetSnapshot, moment: datetime) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that a training at that time learnt from, without rows released since. Keeps nothing."""
    ratings, movies, _, report = _check(snapshot, moment)
    return without_bad_rows(ratings, movies, report)


def _check(
    snapshot: DatasetSnapshot, moment: datetime
) -> tuple[pd.DataFrame, pd.DataFrame, BadRowsByPlace, CheckReport]:
    ratings, movies = read_snapshot(snapshot)
    report = check_frames(ratings, movies, now=moment, genres=known_genres())
    rows = bad_rows(ratings, movies, report)
    return ratings, movies, rows, without_released_rows(report, rows, as_of=moment)


def known_genres() -> list[str]:
    """The genres that the policy lists, or those of the catalogue."""
    named = settings.POLICY.data_checks.genres
    return list(Genre.objects.values_list("name", flat=True)) if named is None else named


def figures_of(report: CheckReport) -> dict[str, Any]:
    return {"rows": report.n_rows, "bad_rows": report.n_bad, "bad_share": report.bad_share} | report.reasons


def _shrinkage(snapshot: DatasetSnapshot) -> list[Finding]:
    before = (
        DatasetSnapshot.objects.filter(checks=Checks.PASSED, withdrawn_at=None, exported_at__lt=snapshot.exported_at)
        .exclude(pk=snapshot.pk)
        .first()
    )
    if before is None:
        return []
    return shrinkage_problems(_counts(snapshot), _counts(before), settings.POLICY.data_checks.min_row_ratio)


def _counts(snapshot: DatasetSnapshot) -> Mapping[str, int]:
    return {Counted.RATINGS.value: snapshot.n_ratings, Counted.MOVIES.value: snapshot.n_movies}


def _matrix(ratings: pd.DataFrame, movies: pd.DataFrame) -> list[Finding]:
    dataset = Dataset.from_frames(ratings, movies, settings.POLICY.training.implicit_threshold)
    return matrix_problems(dataset.ratings, len(ratings))


def _keep(snapshot: DatasetSnapshot, report: CheckReport) -> None:
    snapshot.checks = Checks.FAILED if report.problems else Checks.PASSED
    snapshot.check_report = figures_of(report) | {
        "problems": [problem.to_dict() for problem in report.problems],
        "null_shares": dict(report.null_shares),
        "checked_at": timezone.now().isoformat(),
    }
    snapshot.save(update_fields=["checks", "check_report"])
