"""Runs the scheduler of `celery worker --beat` as a thread of the worker's main process.

It needs no extra memory, cannot be killed separately, and is restarted if it fails.
"""

import logging
import threading
from typing import Any

from celery import bootsteps
from celery.beat import Service
from celery.worker.components import Pool
from kombu.utils.imports import symbol_by_name

from catalog.jobs.forks import ForkGate

logger = logging.getLogger(__name__)

RESTART_SECONDS = 5.0


def gated(scheduler: Any) -> Any:
    """Return a subclass of the scheduler that uses the database only while the main process is not forking."""

    class Gated(scheduler):
        gate = ForkGate()

        def setup_schedule(self) -> None:
            with self.gate:
                super().setup_schedule()

        def tick(self, *args: Any, **options: Any) -> float:
            with self.gate:
                return float(super().tick(*args, **options))

    return Gated


class BeatThread(threading.Thread):
    def __init__(self, app: Any) -> None:
        super().__init__(name="beat", daemon=True)
        self._app = app
        self._stop_asked = threading.Event()
        self._service: Service | None = None
        self._scheduler = gated(symbol_by_name(app.conf.beat_scheduler))

    def run(self) -> None:
        self._app.set_current()
        while not self._stop_asked.is_set():
            self._service = Service(self._app, scheduler_cls=self._scheduler, remote_control=False)
            try:
                self._service.start()
            except Exception:
                logger.exception("the scheduler failed and is started again")
            self._stop_asked.wait(RESTART_SECONDS)

    def stop(self) -> None:
        """Stop the scheduler without waiting for it, because it saves each task as soon as it is sent."""
        self._stop_asked.set()
        if self._service is not None:
            self._service.stop()


class Beat(bootsteps.StartStopStep):
    label = "Beat"
    conditional = True
    requires = (Pool,)

    def __init__(self, parent: Any, beat: bool = False, **options: Any) -> None:
        self.enabled = parent.beat = beat
        super().__init__(parent, beat=beat, **options)

    def create(self, parent: Any) -> BeatThread:
        return BeatThread(parent.app)
