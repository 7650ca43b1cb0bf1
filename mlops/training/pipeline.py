"""The training pipeline: export -> snapshot -> checks -> fit -> evaluate -> register -> gate -> promote.

A resumed run continues from the failed step. Trainings run in the training worker or in a management command, never in
a web process. Every run ends as succeeded, failed (the data or the model is not good enough), cancelled or errored (a
bug or an outage).
"""

import logging
import traceback
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from catalog.jobs.connection import LOST_CONNECTION, reconnecting
from catalog.jobs.heartbeat import beating
from catalog.jobs.queue import attempt_of, claim, fail, finish
from catalog.models.outcomes import Outcome
from mlops.data.validation import DataRefused
from mlops.errors import MLOpsError, RunCancelled, RunLost
from mlops.models import PipelineRun
from mlops.training.job import RunFailed, TrainingOutcome
from mlops.training.monitor import OnProgress, RunMonitor
from mlops.training.runs import get_run
from mlops.training.steps import TrainingRun

logger = logging.getLogger(__name__)

Status = PipelineRun.Status
MAX_RECONNECTS = 5


def run_training(*, run_id: int, on_progress: OnProgress | None = None) -> PipelineRun:
    """Claim the queued run and execute it. Return at once if another process has claimed it."""
    run = get_run(run_id)
    if claim(run) is None:
        run.refresh_from_db()
        logger.info("training run %s is %s already: nothing to do", run_id, run.status)
        return run
    with beating(), RunMonitor(run, on_progress) as monitor, _logged_to(monitor):
        try:
            outcome, details = _execute(run, monitor)
        except KeyboardInterrupt:
            monitor.flush()
            fail(run, Outcome.INTERRUPTED, status=Status.CANCELLED)
            raise
        except Exception as error:
            status, outcome, details = _ending(error)
            if status == Status.ERRORED:
                logger.exception("training run %s: %s", run_id, outcome)
                monitor.note(traceback.format_exc())
            monitor.flush()
            fail(run, outcome, status=status, **details)
        else:
            monitor.flush()
            finish(run, outcome, **details)
    run.refresh_from_db()
    return run


def _execute(run: PipelineRun, monitor: RunMonitor) -> tuple[str, dict[str, Any]]:
    """Executes the steps. Repeats a step on a new database connection if it loses its own."""
    for _ in range(MAX_RECONNECTS):
        try:
            return TrainingRun(run, monitor).execute()
        except LOST_CONNECTION as error:
            logger.warning("the connection to the database was lost, the step is repeated: %s", error)
            connection.close()
            if not reconnecting(attempt_of(run).exists):
                raise RunLost from None
    return TrainingRun(run, monitor).execute()


def _ending(error: Exception) -> tuple[str, str, dict[str, Any]]:
    match error:
        case RunCancelled():
            return Status.CANCELLED, Outcome.CANCELLED, {}
        case RunLost():
            return Status.ERRORED, TrainingOutcome.RUN_LOST, {}
        case RunFailed():
            return Status.FAILED, error.outcome, error.details
        case DataRefused():
            return Status.FAILED, TrainingOutcome.DATA_REFUSED, error.details
        case MLOpsError():
            return Status.FAILED, TrainingOutcome.STEP_FAILED, {"error": str(error)}
        case OperationalError() | InterfaceError():
            return Status.ERRORED, Outcome.DATABASE, {"error": str(error)}
    return Status.ERRORED, Outcome.BUG, {"error": f"{type(error).__name__}: {error}"}


class _logged_to(logging.Handler):  # noqa: N801 (used as a context manager, like a function)
    """Copies the log records of the recommenders and the steps to the run's log."""

    LOGGERS = ("mlops", "recommender")

    def __init__(self, monitor: RunMonitor) -> None:
        super().__init__(logging.INFO)
        self._monitor = monitor

    def emit(self, record: logging.LogRecord) -> None:
        self._monitor.note(record.getMessage())

    def __enter__(self) -> None:
        for name in self.LOGGERS:
            logging.getLogger(name).addHandler(self)

    def __exit__(self, *exc_info: Any) -> None:
        for name in self.LOGGERS:
            logging.getLogger(name).removeHandler(self)
