"""What the rest of the site asks of the model operations; the rooms behind it are one file each.

Only `run_training`, `evaluate_version` and `export_snapshot` load what learning needs, when they are called: pandera,
pyarrow and MLflow stay out of web processes.
"""

from collections.abc import Callable

from mlops.drift import check_drift
from mlops.models import DatasetSnapshot, GateVerdict, PipelineRun
from mlops.promotion import get_version, promote, roll_back
from mlops.registry import sync_registry
from mlops.retention import prune
from mlops.runs import cancel_run, start_training, sweep_runs
from mlops.schedules import ensure_schedules

__all__ = [
    "cancel_run",
    "check_drift",
    "ensure_schedules",
    "evaluate_version",
    "export_snapshot",
    "get_version",
    "promote",
    "prune",
    "roll_back",
    "run_training",
    "start_training",
    "sweep_runs",
    "sync_registry",
]


def run_training(*, run_id: int, on_progress: Callable[[str, str], None] | None = None) -> PipelineRun:
    from mlops import pipeline

    return pipeline.run_training(run_id=run_id, on_progress=on_progress)


def evaluate_version(*, version: int, on_progress: Callable[[str, int, int], None] | None = None) -> GateVerdict:
    from mlops import reevaluation

    return reevaluation.evaluate_version(version=version, on_progress=on_progress)


def export_snapshot(*, on_rows: Callable[[int], None] | None = None) -> DatasetSnapshot:
    from mlops import snapshots

    return snapshots.export_snapshot(on_rows=on_rows)
