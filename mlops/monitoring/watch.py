"""Checks that run in web processes, because a dead Beat or worker cannot report itself."""

import os
import tempfile
from typing import Any

from django.conf import settings
from django.dispatch import receiver

from catalog.counter import redis_error
from catalog.signals import counter_failed
from mlops.findings import Finding, Outcome
from mlops.monitoring.alerts import alert_on, send_unsent
from mlops.monitoring.codes import DependencyCode
from mlops.monitoring.staleness import watch_scheduler
from recommender.models import ServedModel
from recommender.serving.model_server import server
from recommender.serving.periodic import PeriodicThread

WATCH_SECONDS = 60.0
ROOM_BYTES = 1 << 20  # a disk with less free space counts as full


def watch_counter() -> None:
    """Raises an alert while Redis cannot count requests for the rate limits."""
    error = redis_error()
    outcome = Outcome.ALERT if error else Outcome.OK
    alert_on(Finding(DependencyCode.COUNTER, outcome, params={"error": error}))


def disk_error() -> str:
    """Returns why VAR_DIR cannot be written to, such as a full or read-only disk; empty if it can."""
    try:
        with tempfile.TemporaryFile(dir=settings.VAR_DIR) as file:
            os.posix_fallocate(file.fileno(), 0, ROOM_BYTES)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def watch_disk() -> None:
    """Raises an alert while VAR_DIR cannot be written to."""
    error = disk_error()
    params = {"folder": str(settings.VAR_DIR), "error": error}
    alert_on(Finding(DependencyCode.DISK, Outcome.ALERT if error else Outcome.OK, params=params))


def watch_champion() -> None:
    """Raises an alert while processes cannot load the champion, such as after its files were changed or removed."""
    champion = ServedModel.champion()
    error = server.refusal(champion) if champion else ""
    if error is None:  # all processes share the alert; one that has not tried to load the model does not change it
        return
    params = {"version": champion and champion.version, "error": error}
    alert_on(Finding(DependencyCode.CHAMPION_FILES, Outcome.ALERT if error else Outcome.OK, params=params))


def _watch() -> None:
    watch_counter()
    watch_champion()
    watch_scheduler()
    send_unsent()
    watch_disk()  # last, because SQLite cannot store the alert on a full disk and raises an error


site_watch = PeriodicThread("watch what the site needs", _watch, lambda: WATCH_SECONDS)


@receiver(counter_failed)
def watch_now(**kwargs: Any) -> None:
    """Wakes the thread, which sends the alert, because a mail server may be too slow for a request."""
    site_watch.wake()
