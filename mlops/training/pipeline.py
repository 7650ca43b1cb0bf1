"""The training: export -> snapshot -> checks -> fit -> evaluate -> register -> gate -> promote.

A run that was resumed goes on from the step that failed, with what the steps before it had made.
Runs in the training worker or in the command's own process, never in a web process. Whatever happens, the run's row
ends: as succeeded or failed (expected: the data or the model are not good enough), cancelled, or errored (a bug).
"""

import logging
import traceback
from typing import Any

from django.db.models.functions import Coalesce
from django.utils import timezone

from mlops.errors import MLOpsError, RunCancelled, RunLost, RunNotFound
from mlops.models import PipelineRun
from mlops.training.monitor import OnProgress, RunMonitor
from mlops.training.queue import remove_leftovers, retry_time
from mlops.training.steps import Training

logger = logging.getLogger(__name__)

Status = PipelineRun.Status


def run_training(*, run_id: int, on_progress: OnProgress | None = None) -> PipelineRun:
    """Take the queued run and bring it to its end; a run that somebody else has taken is left alone."""
    run = claim(run_id)
    if run is None:
        found = PipelineRun.objects.filter(pk=run_id).first()
        if found is None:
            raise RunNotFound(f"There is no run {run_id}.")
        logger.info("training run %s is %s already: nothing to do", run_id, found.status)
        return found
    with RunMonitor(run, on_progress) as monitor, _logged_to(monitor):
        try:
            status, message = Status.SUCCEEDED, Training(run, monitor).work()
        except RunCancelled:
            status, message = Status.CANCELLED, "Cancelled by a person."
        except KeyboardInterrupt:
            _end(monitor, Status.CANCELLED, "Interrupted from the keyboard or by a signal.")
            raise
        except RunLost as error:
            logger.error("training run %s: %s", run_id, error)
            status, message = Status.ERRORED, str(error)
        except MLOpsError as error:
            status, message = Status.FAILED, str(error)
        except Exception as error:
            # A bug, or a machine that failed: it is recorded, so that the run ends and says why.
            logger.exception("training run %s failed", run_id)
            monitor.log(traceback.format_exc())
            status, message = Status.ERRORED, f"{type(error).__name__}: {error}"
        _end(monitor, status, message)
    run.refresh_from_db()
    return run


def claim(run_id: int) -> PipelineRun | None:
    """Compare-and-set: of all who got the message exactly one gets the run."""
    now = timezone.now()
    claimed = PipelineRun.objects.filter(pk=run_id, status=Status.QUEUED).update(
        status=Status.RUNNING, started_at=Coalesce("started_at", now), heartbeat_at=now
    )
    return PipelineRun.objects.get(pk=run_id) if claimed else None


def _end(monitor: RunMonitor, status: str, message: str) -> None:
    monitor.log(message)
    run = monitor.run
    ended = PipelineRun.objects.filter(pk=run.pk, attempt=run.attempt, status=Status.RUNNING).update(
        status=status,
        message=message,
        ended_at=timezone.now(),
        retry_at=retry_time(run) if status == Status.ERRORED else None,
    )
    run.refresh_from_db()
    if ended and status != Status.SUCCEEDED:
        remove_leftovers(run)


class _logged_to(logging.Handler):  # noqa: N801 (used as a context manager, like a function)
    """What the recommenders and the steps log goes to the run's log, too."""

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
