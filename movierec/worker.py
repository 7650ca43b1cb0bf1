"""The worker program. It uses little memory, because its forked processes share imported code.

This module is imported before Django is set up.
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

GROWTH_KB = 48 * 1024  # growth after which a forked process is replaced at the end of its task


class Idle(bootsteps.StartStopStep):
    """Stops a worker without tasks for WORKER_IDLE_SECONDS. deploy/on-demand starts it for the next task."""

    requires = ("celery.worker.components:Timer",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.seconds = float(os.environ.get("WORKER_IDLE_SECONDS") or 0)
        self.enabled = self.seconds > 0
        self.busy_at = time.monotonic()

    def start(self, parent: Any) -> None:
        parent.timer.call_repeatedly(1.0, self.check)

    def check(self) -> None:
        if state.reserved_requests:  # includes running tasks
            self.busy_at = time.monotonic()
        elif time.monotonic() - self.busy_at >= self.seconds:
            state.should_stop = os.EX_OK


class Worker(worker.Worker):
    class Blueprint(worker.Worker.Blueprint):
        default_steps = {  # a set, as in Celery
            *(worker.Worker.Blueprint.default_steps - {"celery.worker.components:Beat"}),
            "movierec.beat:Beat",
            "movierec.worker:Idle",
        }

    def on_init_blueprint(self) -> None:
        super().on_init_blueprint()
        self.max_memory_per_child = _peak_kb() + GROWTH_KB

    def on_start(self) -> None:
        """Prepare memory before the pool forks."""
        super().on_start()
        gc.collect()
        gc.freeze()  # prevents the garbage collector of child processes from copying shared memory


def _peak_kb() -> int:
    """Return the peak memory as the pool measures it. A forked process starts with its parent's peak."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
