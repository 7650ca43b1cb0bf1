"""What the rest of the site asks of the model operations; the rooms behind it are one file each.

Only the functions below load what learning needs, when they are called: pandera, pyarrow, scipy and MLflow stay out of
web processes.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.champion_watch import watch_champion
from mlops.data_remote import push_data, restore_data
from mlops.freshness import beat_heartbeat, check_freshness
from mlops.models import (
    Backtest,
    DatasetSnapshot,
    DriftReport,
    GateVerdict,
    ModelVersion,
    PipelineRun,
    TuningStudy,
    TuningTrial,
)
from mlops.promotion import get_version, promote, refuse, roll_back
from mlops.quarantine import release
from mlops.registry import sync_registry
from mlops.retention import prune
from mlops.retraining import check_retraining
from mlops.run_queue import is_resumable
from mlops.runs import cancel_run, find_snapshot, resume_run, start_training
from mlops.schedules import ensure_schedules
from mlops.sweeper import sweep_runs
from mlops.test_score.collect import collect_evidence
from mlops.test_score.evidence import record_file as record_evidence
from mlops.test_score.score import ml_test_score
from mlops.tuning.choices import adopt_parameters, withdraw_parameters
from mlops.withdrawals import withdraw_snapshot

if TYPE_CHECKING:
    from mlops.checks import CheckReport
    from mlops.dependencies import Look
    from mlops.reproduction import Reproduction

__all__ = [
    "adopt_parameters",
    "backtest",
    "beat_heartbeat",
    "cancel_run",
    "check_dependencies",
    "check_drift",
    "check_freshness",
    "check_retraining",
    "check_serving",
    "collect_evidence",
    "copy_artifact",
    "ensure_schedules",
    "evaluate_version",
    "export_snapshot",
    "get_version",
    "is_resumable",
    "ml_test_score",
    "promote",
    "prune",
    "push_data",
    "record_evidence",
    "refuse",
    "release",
    "reproduce_version",
    "restore_data",
    "resume_run",
    "roll_back",
    "run_training",
    "score_live_quality",
    "start_training",
    "sweep_runs",
    "sync_registry",
    "tune",
    "validate_snapshot",
    "watch_champion",
    "withdraw_parameters",
    "withdraw_snapshot",
]


def run_training(*, run_id: int, on_progress: Callable[[str, str], None] | None = None) -> PipelineRun:
    from mlops import pipeline

    return pipeline.run_training(run_id=run_id, on_progress=on_progress)


def copy_artifact(*, version: ModelVersion, out: Path) -> None:
    from mlops import artifacts, snapshots

    snapshots.copy_folder(artifacts.folder_of(version), out)


def evaluate_version(*, version: int, on_progress: Callable[[str, int, int], None] | None = None) -> GateVerdict:
    from mlops import reevaluation

    return reevaluation.evaluate_version(version=version, on_progress=on_progress)


def export_snapshot(*, out: Path | None = None, on_rows: Callable[[int], None] | None = None) -> DatasetSnapshot:
    from mlops import snapshots

    return snapshots.export_snapshot(out=out, on_rows=on_rows)


def validate_snapshot(*, snapshot: str) -> "tuple[DatasetSnapshot, CheckReport]":
    """`snapshot` is the beginning of a hash, or a folder. Raises SnapshotNotAvailable, and StepFailed for bad data."""
    from mlops import validation

    row = find_snapshot(snapshot)
    return row, validation.checked_frames(row)[2]


def reproduce_version(*, version: int, on_progress: Callable[[str], None] | None = None) -> "Reproduction":
    from mlops import reproduction

    return reproduction.reproduce_version(version=version, on_progress=on_progress)


def check_drift(*, now: datetime | None = None) -> DriftReport:
    from mlops.drift import report

    return report.check_drift(now=now)


def score_live_quality(*, now: datetime | None = None) -> dict[str, int]:
    from mlops import live_quality

    return live_quality.score_live_quality(now=now)


def check_dependencies() -> "list[Look]":
    from mlops import dependencies

    return dependencies.check_dependencies()


def backtest(*, kind: str, on_progress: Callable[[str], None] | None = None) -> Backtest:
    """Raises NothingToTest, SnapshotNotAvailable, StepFailed."""
    from mlops.backtests import run

    return run.backtest(kind=kind, on_progress=on_progress)


def check_serving() -> dict[str, bool]:
    from mlops import serving_checks

    return {finding.name: finding.passed for finding in serving_checks.check_serving()}


def tune(
    *,
    algorithm: str | None = None,
    n_trials: int | None = None,
    snapshot: str | None = None,
    restart: bool = False,
    on_trial: Callable[[TuningStudy, TuningTrial], None] | None = None,
) -> TuningStudy:
    from mlops.tuning import search

    return search.tune(algorithm=algorithm, n_trials=n_trials, snapshot=snapshot, restart=restart, on_trial=on_trial)
