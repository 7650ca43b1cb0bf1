"""The services of `mlops`: the only functions that views, tasks, commands and admin actions call.

The functions below import their module when they are called: pandera, pyarrow, scipy and MLflow stay out of web
processes.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.data.erasure import withdraw_snapshot
from mlops.data.lookup import find_snapshot
from mlops.data.quarantine import release
from mlops.findings import Finding, Outcome
from mlops.models import (
    Backtest,
    DatasetSnapshot,
    DriftReport,
    GateDecision,
    ModelVersion,
    PipelineRun,
    TuningStudy,
    TuningTrial,
)
from mlops.monitoring.auto_rollback import auto_rollback
from mlops.monitoring.retraining import check_retraining
from mlops.monitoring.staleness import beat_heartbeat, check_staleness
from mlops.registry.dvc_remote import push_data, restore_data
from mlops.registry.mlflow_sync import sync_registry
from mlops.registry.promotion import get_version, promote, refuse, roll_back
from mlops.registry.retention import prune
from mlops.schedules import ensure_schedules
from mlops.test_score.collect import collect_evidence
from mlops.test_score.score import ml_test_score
from mlops.test_score.score import record_file as record_evidence
from mlops.training.runs import cancel_run, is_resumable, resume_run, start_training
from mlops.tuning.choices import adopt_parameters, withdraw_parameters

if TYPE_CHECKING:
    from mlops.data.checks import CheckReport
    from mlops.training.reproduction import Reproduction

__all__ = [
    "adopt_parameters",
    "auto_rollback",
    "backtest",
    "beat_heartbeat",
    "cancel_run",
    "check_dependencies",
    "check_drift",
    "check_retraining",
    "check_skew",
    "check_staleness",
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
    "score_online_metrics",
    "start_training",
    "sync_registry",
    "tune",
    "validate_snapshot",
    "withdraw_parameters",
    "withdraw_snapshot",
]


def run_training(*, run_id: int, on_progress: Callable[[str, str], None] | None = None) -> PipelineRun:
    from mlops.training import pipeline  # on demand, see the top

    return pipeline.run_training(run_id=run_id, on_progress=on_progress)


def copy_artifact(*, version: ModelVersion, out: Path) -> None:
    from mlops.data import snapshots  # on demand, see the top
    from mlops.registry import artifacts  # on demand, see the top

    snapshots.copy_folder(artifacts.folder_of(version), out)


def evaluate_version(*, version: int, on_progress: Callable[[str, int, int], None] | None = None) -> GateDecision:
    from mlops.gate import versions  # on demand, see the top

    return versions.evaluate_version(version=version, on_progress=on_progress)


def export_snapshot(*, out: Path | None = None, on_rows: Callable[[int], None] | None = None) -> DatasetSnapshot:
    from mlops.data import snapshots  # on demand, see the top

    return snapshots.export_snapshot(out=out, on_rows=on_rows)


def validate_snapshot(*, snapshot: str) -> "tuple[DatasetSnapshot, CheckReport]":
    """`snapshot` is the beginning of a hash, or a folder. Raises SnapshotNotAvailable, and StepFailed for bad data."""
    from mlops.data import validation  # on demand, see the top

    row = find_snapshot(snapshot)
    return row, validation.checked_frames(row)[2]


def reproduce_version(*, version: int, on_progress: Callable[[str], None] | None = None) -> "Reproduction":
    from mlops.training import reproduction  # on demand, see the top

    return reproduction.reproduce_version(version=version, on_progress=on_progress)


def check_drift(*, now: datetime | None = None) -> DriftReport:
    from mlops.monitoring.drift import report  # on demand, see the top

    return report.check_drift(now=now)


def score_online_metrics(*, now: datetime | None = None) -> dict[str, int]:
    from mlops.monitoring import online_metrics  # on demand, see the top

    return online_metrics.score_online_metrics(now=now)


def check_dependencies() -> list[Finding]:
    from mlops.monitoring import dependencies  # on demand, see the top

    return dependencies.check_dependencies()


def backtest(*, kind: str, on_progress: Callable[[str], None] | None = None) -> Backtest:
    """Raises NothingToTest, SnapshotNotAvailable, StepFailed."""
    from mlops.monitoring.backtests import run  # on demand, see the top

    return run.backtest(kind=kind, on_progress=on_progress)


def check_skew() -> dict[str, bool]:
    from mlops.monitoring import skew  # on demand, see the top

    return {finding.code: finding.outcome == Outcome.OK for finding in skew.check_skew()}


def tune(
    *,
    algorithm: str | None = None,
    n_trials: int | None = None,
    snapshot: str | None = None,
    restart: bool = False,
    on_trial: Callable[[TuningStudy, TuningTrial], None] | None = None,
) -> TuningStudy:
    from mlops.tuning import search  # on demand, see the top

    return search.tune(algorithm=algorithm, n_trials=n_trials, snapshot=snapshot, restart=restart, on_trial=on_trial)
