"""The public functions of `mlops`: train, evaluate, promote, monitor and roll back models.

They are meant for tasks, scripts and the shell. Modules of this project import each function from its own module.
Functions whose modules load pandas, pandera, pyarrow, boto3 or httpx are imported on first use, so that workers and
short scripts start faster.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlops.data.erasure import withdraw_snapshot
from mlops.data.quarantine import release
from mlops.monitoring.auto_rollback import auto_rollback
from mlops.monitoring.drift.report import check_drift
from mlops.monitoring.online_metrics import score_online_metrics
from mlops.monitoring.retraining import check_retraining
from mlops.monitoring.staleness import beat_heartbeat, check_staleness
from mlops.registry.dvc_remote import push_data, restore_data
from mlops.registry.promotion import get_version, promote, refuse, roll_back
from mlops.registry.retention import prune
from mlops.schedules import ensure_schedules
from mlops.test_score.collect import collect_evidence
from mlops.test_score.score import ml_test_score
from mlops.test_score.suites import record_evidence
from mlops.training.runs import cancel_run, is_resumable, resume_run, start_training
from mlops.tuning.choices import adopt_parameters, withdraw_parameters

if TYPE_CHECKING:
    from mlops.backup.create import create_backup
    from mlops.backup.restore import restore_backup
    from mlops.data.snapshots import export_snapshot
    from mlops.data.validation import validate_snapshot
    from mlops.delivery.fetch import fetch_for_rollback
    from mlops.delivery.transfer import publish_champion
    from mlops.gate.versions import evaluate_version
    from mlops.monitoring.backtests import backtest
    from mlops.monitoring.dependencies import check_dependencies, sync_registry
    from mlops.monitoring.skew import check_skew
    from mlops.training.pipeline import run_training
    from mlops.training.reproduction import reproduce_version
    from mlops.tuning.search import tune

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
    "create_backup",
    "ensure_schedules",
    "evaluate_version",
    "export_snapshot",
    "fetch_for_rollback",
    "get_version",
    "is_resumable",
    "ml_test_score",
    "promote",
    "prune",
    "publish_champion",
    "push_data",
    "record_evidence",
    "refuse",
    "release",
    "reproduce_version",
    "restore_backup",
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

ON_DEMAND = {
    "backtest": "mlops.monitoring.backtests",
    "check_dependencies": "mlops.monitoring.dependencies",
    "check_skew": "mlops.monitoring.skew",
    "create_backup": "mlops.backup.create",
    "evaluate_version": "mlops.gate.versions",
    "export_snapshot": "mlops.data.snapshots",
    "fetch_for_rollback": "mlops.delivery.fetch",
    "publish_champion": "mlops.delivery.transfer",
    "restore_backup": "mlops.backup.restore",
    "reproduce_version": "mlops.training.reproduction",
    "run_training": "mlops.training.pipeline",
    "sync_registry": "mlops.monitoring.dependencies",
    "tune": "mlops.tuning.search",
    "validate_snapshot": "mlops.data.validation",
}


def __getattr__(name: str) -> Any:
    if name not in ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(ON_DEMAND[name]), name)
