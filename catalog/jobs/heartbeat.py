"""Heartbeats of jobs, sent by a separate thread.

In a Celery worker, the thread belongs to the main process, which runs at normal priority and computes nothing. A child
that keeps all cores busy therefore still has heartbeats. The thread sends them for every job whose process runs in its
PID namespace. A command that works on a job runs its own thread.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.signals import worker_init, worker_process_init, worker_ready
from django.conf import settings

from catalog.jobs.connection import LOST_CONNECTION
from catalog.jobs.forks import ForkGate
from catalog.jobs.process import is_running, namespace
from catalog.jobs.queue import sign_of_life
from catalog.models import Job

logger = logging.getLogger(__name__)


class Heartbeats:
    """The heartbeat thread of one process. `is_expected` is set in workers, whose main process runs the thread."""

    def __init__(self) -> None:
        self.is_expected = False
        self._users = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._gate = ForkGate()
        os.register_at_fork(after_in_child=self._in_child)

    def start(self) -> None:
        with self._lock:
            self._users += 1
            if self._thread is None:
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._beat_until, args=(self._stop,), name="heartbeats", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users or self._thread is None:
                return
            thread, self._thread = self._thread, None
            self._stop.set()
        thread.join(timeout=settings.POLICY.jobs.heartbeat_seconds)

    def _beat_until(self, stop: threading.Event) -> None:
        while not stop.wait(settings.POLICY.jobs.heartbeat_seconds):
            with self._gate:
                try:
                    beat()
                except LOST_CONNECTION as error:
                    logger.warning("the database did not take the heartbeats: %s", error)
                except Exception:
                    logger.exception("heartbeats failed")  # later ones may succeed

    def _in_child(self) -> None:
        self._thread, self._users = None, 0


heartbeats = Heartbeats()


@contextmanager
def beating() -> Iterator[None]:
    """Sends heartbeats for a claimed job during the body."""
    if heartbeats.is_expected:
        yield
        return
    heartbeats.start()
    try:
        yield
    finally:
        heartbeats.stop()


def beat() -> int:
    """Writes a heartbeat for each running job whose process is alive on this host. Returns their number."""
    if not namespace():
        return 0
    running = Job.objects.filter(status=Job.Status.RUNNING, worker_namespace=namespace())
    rows = running.values_list("pk", "worker_pid", "worker_start")
    alive = [pk for pk, pid, start in rows if is_running(pid, start)]
    return running.filter(pk__in=alive).update(**sign_of_life()) if alive else 0


@worker_init.connect
def _expect_heartbeats(**event: Any) -> None:
    heartbeats.is_expected = True


@worker_ready.connect
def _start_heartbeats(**event: Any) -> None:
    heartbeats.start()


@worker_process_init.connect
def _make_room(**event: Any) -> None:
    """Gives workers a lower priority than web processes, because people wait for pages.

    The main process keeps its priority, so heartbeats are not delayed.
    """
    os.nice(settings.WORKER_NICE)
