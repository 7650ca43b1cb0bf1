"""The worker program: small, and sharing with the processes that it forks what it has imported.

Imported before Django is set up.
"""

import gc
import resource
import sys

from celery.apps import worker

GROWTH_KB = 48 * 1024  # a forked process whose tasks made it so much larger ends after the task; a new one is small


class Worker(worker.Worker):
    class Blueprint(worker.Worker.Blueprint):
        default_steps = {  # as Celery declares it
            *(worker.Worker.Blueprint.default_steps - {"celery.worker.components:Beat"}),
            "movierec.beat:Beat",
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
