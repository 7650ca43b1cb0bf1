"""What web processes watch: a dead Beat or worker cannot report itself, and web processes count requests."""

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
ROOM_BYTES = 1 << 20  # a disk with less counts as full


def watch_counter() -> None:
    """An alert while Redis cannot count the requests of rate limits."""
    error = redis_error()
    outcome = Outcome.ALERT if error else Outcome.OK
    alert_on(Finding(DependencyCode.COUNTER, outcome, params={"error": error}))


def disk_error() -> str:
    """Why nothing can be written below VAR_DIR, such as a full or read-only disk; empty if it can."""
    try:
        with tempfile.TemporaryFile(dir=settings.VAR_DIR) as file:
            os.posix_fallocate(file.fileno(), 0, ROOM_BYTES)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def watch_disk() -> None:
    """An alert while nothing can be written below VAR_DIR."""
    error = disk_error()
    params = {"folder": str(settings.VAR_DIR), "error": error}
    alert_on(Finding(DependencyCode.DISK, Outcome.ALERT if error else Outcome.OK, params=params))


def watch_champion() -> None:
    """An alert while processes cannot load the champion, as after its files were changed or removed."""
    champion = ServedModel.champion()
    error = server.refusal(champion) if champion else ""
    if error is None:  # the alert is of all processes: one that does not know leaves it as it is
        return
    params = {"version": champion and champion.version, "error": error}
    alert_on(Finding(DependencyCode.CHAMPION_FILES, Outcome.ALERT if error else Outcome.OK, params=params))


def _watch() -> None:
    watch_counter()
    watch_champion()
    watch_scheduler()
    send_unsent()
    watch_disk()  # last: on a full disk SQLite cannot keep the alert


site_watch = PeriodicThread("watch what the site needs", _watch, lambda: WATCH_SECONDS)


@receiver(counter_failed)
def watch_now(**kwargs: Any) -> None:
    """Mails an alert in the thread, since a mail server may be slow."""
    site_watch.wake()
