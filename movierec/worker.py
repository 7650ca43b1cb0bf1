"""The worker program: small, and sharing with the processes that it forks what it has imported.

Imported before Django is set up.
"""

import gc
import os
import resource
import sys
import time
from typing import Any

from celery import bootsteps
from celery.apps import worker
from celery.worker import state

GROWTH_KB = 48 * 1024  # a forked process whose tasks made it so much larger ends after the task; a new one is small


class Idle(bootsteps.StartStopStep):
    """Ends a worker that has had no task for WORKER_IDLE_SECONDS; deploy/on-demand starts it again for the next."""

    requires = ("celery.worker.components:Timer",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.seconds = float(os.environ.get("WORKER_IDLE_SECONDS") or 0)
        self.enabled = self.seconds > 0
        self.busy_at = time.monotonic()

    def start(self, parent: Any) -> None:
        parent.timer.call_repeatedly(1.0, self.check)

    def check(self) -> None:
        if state.reserved_requests:  # tasks that run are among them
            self.busy_at = time.monotonic()
        elif time.monotonic() - self.busy_at >= self.seconds:
            state.should_stop = os.EX_OK


class Worker(worker.Worker):
    class Blueprint(worker.Worker.Blueprint):
        default_steps = {  # as Celery declares it
            *(worker.Worker.Blueprint.default_steps - {"celery.worker.components:Beat"}),
            "movierec.beat:Beat",
            "movierec.worker:Idle",
        }

    def on_init_blueprint(self) -> None:
        super().on_init_blueprint()
        self.max_memory_per_child = _peak_kb() + GROWTH_KB

    def on_start(self) -> None:
        """The pool forks next."""
        super().on_start()
        gc.collect()
        gc.freeze()  # keeps the collector of a child from touching, and so copying, shared memory


def _peak_kb() -> int:
    """As the pool measures its processes; a forked one begins with its parent's memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
