"""Beat's scheduler. It makes up for missed runs once, and skips invalid rows."""

import logging
from datetime import timedelta
from typing import Any

from celery.schedules import schedstate
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from mlops.findings import Finding, Outcome
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.codes import AlertCode
from mlops.next_run import check_row, next_run, planned_run

logger = logging.getLogger(__name__)


class Entry(ModelEntry):
    """A schedule entry whose due time is computed by `next_run`."""

    def __init__(self, model: PeriodicTask, app: Any = None) -> None:
        last_run_at = model.last_run_at
        super().__init__(model, app)
        model.last_run_at = last_run_at  # the base class makes up a time for a row that has not run

    def is_due(self) -> schedstate:
        now = timezone.now()
        due = next_run(self.model, now)
        if due is None:
            return super().is_due()._replace(is_due=False)  # the base class disables a finished row
        if due <= now:
            return schedstate(True, 1.0)
        if (planned := planned_run(self.model, now)) <= now:
            # The made-up run also replaces this planned one. Without the new time, it would be sent tomorrow at
            # midnight.
            self.model.last_run_at = planned
            self.save()
        return schedstate(False, (due - now).total_seconds())

    def save(self) -> None:
        values = {field: getattr(self.model, field) for field in ("last_run_at", "total_run_count")}
        PeriodicTask.objects.filter(pk=self.model.pk).update(**values)  # does not change `date_changed`


class Scheduler(DatabaseScheduler):
    """Keeps every enabled row in memory. The base class drops crontabs that are not due within two hours."""

    Entry = Entry
    _ticked_at = timezone.now()

    def tick(self, *args: Any, **options: Any) -> float:
        now = timezone.now()
        if now < self._ticked_at - timedelta(seconds=1):  # the clock was set back, so the known due times are too late
            self._heap = None
        self._ticked_at = now
        return super().tick(*args, **options)

    def all_as_schedule(self) -> dict[str, ModelEntry]:
        entries: dict[str, ModelEntry] = {}
        findings = []
        for row in PeriodicTask.objects.enabled().order_by("name"):
            try:
                check_row(row)
                entries[row.name] = self.Entry(row, app=self.app)
            except ValueError as error:
                logger.error("schedule %s is skipped: %s", row.name, error)
                params = {"schedule": row.name, "error": str(error)}
                findings.append(Finding(AlertCode.SCHEDULES, Outcome.ALERT, params=params))
        set_alert(AlertCode.SCHEDULES, *findings)
        return entries

    def sync(self) -> None:
        """Saves when entries were sent. Retries entries that cannot be saved, so that none is sent twice."""
        try:
            close_old_connections()
            while self._dirty:
                name = next(iter(self._dirty))
                if name in self._schedule:
                    self._schedule[name].save()
                self._dirty.discard(name)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("the time of the last run was not saved yet: %s", error)
