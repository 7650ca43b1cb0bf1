"""Checks that run in web processes, because Beat and workers cannot report their own death."""

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
ROOM_BYTES = 1 << 20  # a disk with less free space is considered full


def watch_counter() -> None:
    """Opens an alert if Redis cannot count requests for the rate limits."""
    error = redis_error()
    outcome = Outcome.ALERT if error else Outcome.OK
    alert_on(Finding(DependencyCode.COUNTER, outcome, params={"error": error}))


def disk_error() -> str:
    """Returns why VAR_DIR is not writable, such as a full or read-only disk, or "" if it is."""
    try:
        with tempfile.TemporaryFile(dir=settings.VAR_DIR) as file:
            os.posix_fallocate(file.fileno(), 0, ROOM_BYTES)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def watch_disk() -> None:
    """Opens an alert if VAR_DIR is not writable."""
    error = disk_error()
    params = {"folder": str(settings.VAR_DIR), "error": error}
    alert_on(Finding(DependencyCode.DISK, Outcome.ALERT if error else Outcome.OK, params=params))


def watch_champion() -> None:
    """Opens an alert if processes cannot load the champion, for example because its files are missing."""
    champion = ServedModel.champion()
    error = server.refusal(champion) if champion else ""
    if error is None:  # all processes share the alert, so one that has not tried to load the model does not change it
        return
    params = {"version": champion and champion.version, "error": error}
    alert_on(Finding(DependencyCode.CHAMPION_FILES, Outcome.ALERT if error else Outcome.OK, params=params))


def _watch() -> None:
    watch_counter()
    watch_champion()
    watch_scheduler()
    send_unsent()
    watch_disk()  # last, because SQLite cannot store the alert on a full disk


site_watch = PeriodicThread("watch what the site needs", _watch, lambda: WATCH_SECONDS)


@receiver(counter_failed)
def watch_now(**kwargs: Any) -> None:
    """Wakes the thread that sends the alert. A mail server may be too slow for a request."""
    site_watch.wake()
