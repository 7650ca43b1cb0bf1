"""What web processes watch: a dead Beat or worker cannot report itself, and web processes count requests."""

from typing import Any

from django.dispatch import receiver

from catalog.counter import redis_error
from catalog.signals import counter_failed
from mlops.findings import Finding, Outcome
from mlops.monitoring.alerts import alert_on
from mlops.monitoring.codes import DependencyCode
from mlops.monitoring.staleness import watch_scheduler
from recommender.serving.periodic import PeriodicThread

WATCH_SECONDS = 60.0


def watch_counter() -> None:
    """An alert while Redis cannot count the requests of rate limits."""
    error = redis_error()
    outcome = Outcome.ALERT if error else Outcome.OK
    alert_on(Finding(DependencyCode.COUNTER, outcome, params={"error": error}))


def _watch() -> None:
    watch_counter()
    watch_scheduler()


site_watch = PeriodicThread("watch Redis and the scheduler", _watch, lambda: WATCH_SECONDS)


@receiver(counter_failed)
def watch_now(**kwargs: Any) -> None:
    """Mails an alert in the thread, since a mail server may be slow."""
    site_watch.wake()
