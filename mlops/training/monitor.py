"""What a running pipeline says of itself while it works, and how it hears that it should stop."""

import ctypes
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from mlops.errors import MLOpsError, RunCancelled, RunLost, StepFailed
from mlops.models import PipelineRun, RunStep

logger = logging.getLogger(__name__)

OnProgress = Callable[[str, str], None]


class RunMonitor:
    """Heartbeats from a thread with a database connection of its own, steps, log lines and progress.

    The thread sees a cancellation, a run that was taken away, and the end of its time. The pipeline hears of it
    at its next `check`, and within `interruptible` at once, in the middle of a fit.
    """

    def __init__(self, run: PipelineRun, on_progress: OnProgress | None = None) -> None:
        self.run = run
        self._on_progress = on_progress
        self._lines = [run.log] if run.log else []
        self._step: RunStep | None = None
        self._step_lines: list[str] = []
        self._announced = ""
        self._stop = threading.Event()
        self._verdict: type[MLOpsError] | None = None
        self._working_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._interruptible = False
        self._reported_at = 0.0
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat of run {run.pk}", daemon=True)

    def __enter__(self) -> "RunMonitor":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(timeout=settings.POLICY.training.heartbeat_seconds + 25)

    # -- the working thread --------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises RunCancelled, RunLost or StepFailed (out of time) when the run should not go on."""
        if self._verdict is not None:
            raise self._verdict(_SENTENCES[self._verdict])

    def log(self, line: str) -> None:
        self.note(line)
        PipelineRun.objects.filter(pk=self.run.pk).update(log="\n".join(self._lines))

    def note(self, line: str) -> None:
        """A log line from any thread; it is written with the next heartbeat or the next line of `log`."""
        stamped = f"{timezone.now():%H:%M:%S} {line}"
        self._lines.append(stamped)
        self._step_lines.append(stamped)

    @contextmanager
    def step(self, name: str) -> Iterator[RunStep]:
        """One step: its times, its figures and result (filled in by the body), its log, and how it ended."""
        self._verdict = self._verdict or self._look()  # steps of little data follow each other faster than heartbeats
        self.check()
        row = RunStep.objects.create(run=self.run, name=name, attempt=self.run.attempt)
        self._step, self._step_lines, self._announced = row, [], ""
        try:
            self._report(name, "")
            yield row
        except BaseException:
            self._end(row, RunStep.Status.FAILED)
            raise
        self._end(row, RunStep.Status.SUCCEEDED)
        self.check()

    def progress(self, step: RunStep, text: str, *, comes_often: bool = False) -> None:
        """Shown live; what comes often at most twice a second. Raises like `check`."""
        self.check()
        now = time.monotonic()
        if not comes_often or now - self._reported_at >= 0.5:
            self._reported_at = now
            with self._shielded():
                RunStep.objects.filter(pk=step.pk).update(progress=text[:120])
                self._report(step.name, text)

    def announce(self, step: RunStep, text: str) -> None:
        """Progress from the midst of a read, shown with the next heartbeat. Raises like `check`.

        SQLite lets a connection that is reading an older state not write: it would be locked for good.
        """
        self.check()
        self._announced = text[:120]
        self._report(step.name, text)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Long computing without database writes: a cancellation ends it between two of its Python instructions."""
        self.check()
        self._allow_interrupts(True)
        try:
            try:
                yield
            finally:
                self._allow_interrupts(False)
        except MLOpsError:
            self.check()  # what was raised from the other thread carries no sentence
            raise
        self.check()

    def _allow_interrupts(self, allowed: bool) -> bool:
        """Returns what was before. An exception on its way arrives at this call at the latest."""
        with self._lock:
            before, self._interruptible = self._interruptible, allowed
        return before

    @contextmanager
    def _shielded(self) -> Iterator[None]:
        """Writing to the database in the middle of what is interruptible."""
        before = self._allow_interrupts(False)
        try:
            yield
        finally:
            self._allow_interrupts(before)

    def _end(self, row: RunStep, status: str) -> None:
        row.status, row.ended_at = status, timezone.now()
        seconds = (row.ended_at - row.started_at).total_seconds()
        self.note(f"{row.name}: {row.get_status_display()} after {seconds:.1f} s")
        row.log, self._step = "\n".join(self._step_lines), None
        row.save(update_fields=["status", "ended_at", "figures", "result", "log"])
        PipelineRun.objects.filter(pk=self.run.pk).update(log="\n".join(self._lines))

    def _report(self, step: str, text: str) -> None:
        if self._on_progress is not None:
            self._on_progress(step, text)

    # -- the heartbeat's thread ----------------------------------------------------------------------------------

    def _beat(self) -> None:
        policy = settings.POLICY.training
        deadline = time.monotonic() + policy.max_runtime_seconds
        try:
            while not self._stop.wait(policy.heartbeat_seconds):
                verdict = self._look() or (StepFailed if time.monotonic() > deadline else None)
                if verdict is not None:
                    self._verdict = verdict
                    self._interrupt(verdict)
        finally:
            connection.close()

    def _look(self) -> type[MLOpsError] | None:
        try:
            rows = PipelineRun.objects.filter(
                pk=self.run.pk, attempt=self.run.attempt, status=PipelineRun.Status.RUNNING
            )
            if not rows.update(heartbeat_at=timezone.now(), log="\n".join(self._lines)):
                return RunLost
            if (step := self._step) is not None:
                shown = {"progress": self._announced} if self._announced else {}
                RunStep.objects.filter(pk=step.pk).update(log="\n".join(self._step_lines), **shown)
            return RunCancelled if rows.exclude(cancel_requested_at=None).exists() else None
        except DatabaseError:
            logger.warning("run %s: the database did not take the heartbeat", self.run.pk, exc_info=True)
            connection.close()
            return None

    def _interrupt(self, verdict: type[MLOpsError]) -> None:
        with self._lock:
            if self._interruptible:
                _raise_in_thread(self._working_thread, verdict)
                self._interruptible = False


_SENTENCES: dict[type[MLOpsError], str] = {
    RunCancelled: "Cancelled.",
    RunLost: "The run was marked as ended while it was still working.",
    StepFailed: "The training took longer than training.max_runtime_seconds allows.",
}


def _raise_in_thread(thread_id: int, error: type[BaseException]) -> None:
    """CPython's own means to raise in another thread.

    Its other use, taking an exception back with NULL, is to be avoided: the interpreter would go on looking for one
    at every instruction, several times slower until the process ends.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error))
