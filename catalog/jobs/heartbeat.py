"""Heartbeats of jobs, from a thread beside the work.

In a Celery worker the thread belongs to the main process, which runs at normal priority and computes nothing, so that
a child that keeps every core busy still has a heartbeat. It vouches for every job whose process runs in its PID
namespace. A command that works on a job itself has the thread for as long as it works.
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
    """The thread of one process. `is_expected`: the worker's main process has one, and its children rely on it."""

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
                    logger.exception("heartbeats failed")  # the next ones may not

    def _in_child(self) -> None:
        self._thread, self._users = None, 0


heartbeats = Heartbeats()


@contextmanager
def beating() -> Iterator[None]:
    """Context of the work on a claimed job, which sends its heartbeats."""
    if heartbeats.is_expected:
        yield
        return
    heartbeats.start()
    try:
        yield
    finally:
        heartbeats.stop()


def beat() -> int:
    """Write a heartbeat for each running job whose process lives on this host; return their number."""
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
    """Web processes come first: people wait for those. The main process keeps its priority, and so its heartbeats."""
    os.nice(settings.WORKER_NICE)
