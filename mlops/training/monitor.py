"""Records the steps, log and progress of a running training, and tells it when to stop."""

import ctypes
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from catalog.jobs.connection import LOST_CONNECTION, reconnecting
from catalog.jobs.queue import attempt_of, sign_of_life
from mlops.errors import MLOpsError, RunCancelled, RunLost
from mlops.models import PipelineRun, RunStep
from mlops.training.forecast import Durations, Forecast
from mlops.training.job import RunFailed, TrainingOutcome

logger = logging.getLogger(__name__)

OnProgress = Callable[[str, str, Forecast], None]  # arguments: step, activity text, forecast of the step and the run


class Interrupt(MLOpsError):
    """Raised in the working thread during a computation. `check` replaces it with the actual reason."""


class RunMonitor:
    """Writes a run's steps, log lines and progress from a thread with its own database connection.

    The thread detects when the run is cancelled, taken over by another process, or out of time. The pipeline then stops
    at its next `check`. Within `interruptible` it stops at once, even in the middle of a fit.
    """

    def __init__(self, run: PipelineRun, on_progress: OnProgress | None = None) -> None:
        self.run = run
        self._report = on_progress or (lambda step, text, forecast: None)
        self._lines = [run.log] if run.log else []
        self._step: RunStep | None = None
        self._step_begin = 0  # number of log lines before the step
        self._step_began_at = 0.0  # monotonic, because the system clock may be set during a step
        self._share: float | None = None
        self._durations = Durations(run.algorithm)
        self._stop = threading.Event()
        self._stop_reason: MLOpsError | None = None
        self._working_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._interruptible = False
        self._reported_at = 0.0
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._watch,), name=f"watch over run {run.pk}", daemon=True
        )  # the copied context holds the ids that log lines carry

    def __enter__(self) -> "RunMonitor":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(timeout=settings.POLICY.training.heartbeat_seconds + 25)

    # -- the working thread --------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises RunCancelled, RunLost or RunFailed (out of time) if the run has to stop."""
        if self._stop_reason is not None:
            raise self._stop_reason

    def note(self, line: str) -> None:
        """Adds a log line. Can be called from any thread. The next `flush` writes the line."""
        self._lines.append(f"{timezone.now():%H:%M:%S} {line}")

    def flush(self) -> bool:
        """Writes the log and progress. Returns False if the run no longer belongs to this attempt."""
        progress: dict[str, Any] = {"step": "", "log": "\n".join(self._lines)} | sign_of_life()
        if (step := self._step) is not None:
            found = self._forecast(step)
            progress |= {"step": step.name, "share": found.run_share, "remaining_seconds": found.run_remaining_seconds}
            RunStep.objects.filter(pk=step.pk).update(
                log=self._step_log(),
                activity=step.activity,
                activity_details=step.activity_details,
                share=found.share,
                remaining_seconds=found.remaining_seconds,
            )
        return bool(attempt_of(self.run).update(**progress))

    @contextmanager
    def step(self, name: str) -> Iterator[RunStep]:
        """Records a step with its times, log and status. The body sets `figures` and `result` of the row."""
        # with little data, steps end faster than the thread checks
        self._stop_reason = self._stop_reason or reconnecting(self._look)
        self.check()
        row = reconnecting(lambda: self._begin(name))
        self._step_begin, self._step_began_at, self._share = len(self._lines), time.monotonic(), None
        self._step = row
        try:
            self._report(name, "", self._forecast(row))
            yield row
        except BaseException:
            self._end(row, RunStep.Status.FAILED)
            raise
        self._end(row, RunStep.Status.SUCCEEDED)
        self.check()

    def progress(self, step: RunStep, activity: str, *, comes_often: bool = False, **details: Any) -> None:
        """Shows progress. With `comes_often`, writes it at most twice a second. Raises the errors of `check`."""
        self.announce(step, activity, **details)
        now = time.monotonic()
        if not comes_often or now - self._reported_at >= 0.5:
            self._reported_at = now
            with self._interrupts(allowed=False):
                reconnecting(self.flush)

    def announce(self, step: RunStep, activity: str, **details: Any) -> None:
        """Notes progress during a database read. The thread writes it with its next heartbeat. Raises the errors of
        `check`.

        A SQLite connection cannot write while it reads an older state, because it would remain locked.
        """
        self.check()
        step.activity, step.activity_details = activity, details
        self._share = details["done"] / details["total"] if details.get("total") else None
        self._report(step.name, step.progress, self._forecast(step))

    def share_from_now(self) -> Callable[[float], None]:
        """Returns a callback for the progress, from 0 to 1, of the rest of the step.

        The thread writes it with its next heartbeat.
        """
        before = self._forecast(self._step).share if self._step else 0.0

        def listen(share: float) -> None:
            self._share = before + (1 - before) * share

        return listen

    def _forecast(self, step: RunStep) -> Forecast:
        return self._durations.forecast(step.name, time.monotonic() - self._step_began_at, self._share)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Lets a cancellation interrupt a long computation in the body.

        The body must not write to the database.
        """
        self.check()
        try:
            with self._interrupts(allowed=True):
                yield
        except Interrupt:
            self.check()
            raise
        self.check()

    @contextmanager
    def _interrupts(self, *, allowed: bool) -> Iterator[None]:
        """Allows or forbids interrupts in the body. They are forbidden during database writes.

        A pending exception is raised by the end of the body at the latest.
        """
        with self._lock:
            before, self._interruptible = self._interruptible, allowed
        try:
            yield
        finally:
            with self._lock:
                self._interruptible = before

    def _begin(self, name: str) -> RunStep:
        place = {"run": self.run, "name": name, "attempt": self.run.attempt}
        RunStep.objects.filter(**place).delete()  # a row exists if the step lost its connection and is repeated
        return RunStep.objects.create(**place)

    def _end(self, row: RunStep, status: str) -> None:
        row.status, row.ended_at = status, row.started_at + timedelta(seconds=time.monotonic() - self._step_began_at)
        self._durations.end(row.name, row.seconds or 0.0)
        self.note(f"{row.name}: {row.get_status_display()} after {row.seconds:.1f} s")
        row.log, self._step = self._step_log(), None
        reconnecting(lambda: row.save(update_fields=["status", "ended_at", "figures", "result", "log"]))
        reconnecting(self.flush)

    def _step_log(self) -> str:
        return "\n".join(self._lines[self._step_begin :])

    # -- the thread ----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        policy = settings.POLICY.training
        deadline = time.monotonic() + policy.max_runtime_seconds
        while not self._stop.wait(policy.heartbeat_seconds):
            try:
                reason = self._look() or (RunFailed(TrainingOutcome.OVERTIME) if time.monotonic() > deadline else None)
            except LOST_CONNECTION:
                logger.warning("run %s: the database did not take the progress", self.run.pk, exc_info=True)
                reason = None
            finally:
                connection.close()
            if reason is not None:
                self._stop_reason = reason
                self._interrupt()
            self._repeat()

    def _repeat(self) -> None:
        """Updates the step's forecast as time passes. Ignores errors of a closed pipe, so that the thread continues."""
        if (step := self._step) is not None:
            try:
                self._report(step.name, step.progress, self._forecast(step))
            except (OSError, ValueError):  # raised by a closed pipe or file
                logger.warning("run %s: its progress could not be shown", self.run.pk, exc_info=True)

    def _look(self) -> MLOpsError | None:
        if not self.flush():
            return RunLost()
        return RunCancelled() if attempt_of(self.run).exclude(cancel_requested_at=None).exists() else None

    def _interrupt(self) -> None:
        with self._lock:
            if self._interruptible:
                _raise_in_thread(self._working_thread, Interrupt)
                self._interruptible = False


def _raise_in_thread(thread_id: int, error: type[BaseException]) -> None:
    """Raises `error` in another thread with CPython's own API.

    Do not cancel a pending exception by passing NULL. The interpreter would then check for exceptions at every
    instruction and run several times slower until the process ends.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error))
