"""Background jobs such as trainings, syncs and imports."""

import math
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.models.outcomes import sentence


class Job(models.Model):
    """A background job. Each kind of job inherits from this model and adds its own fields.

    queued -> running -> succeeded | failed (expected) | errored (a bug, a lost worker) | cancelled.
    errored -> queued for another attempt, within the kind's retry limit or on a person's request.
    running -> queued when its worker yields to other work.

    The row is authoritative, and a broker message only refers to it. A worker claims a row by compare-and-set, so a
    duplicate delivery has no effect. The reaper (`catalog.jobs.reaper`) resends lost messages and ends jobs whose
    worker is gone. Every write by a worker depends on its attempt number, so a worker that lost its job changes
    nothing.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"
        ERRORED = "errored", "errored"
        CANCELLED = "cancelled", "cancelled"

    class Trigger(models.TextChoices):
        SCHEDULED = "scheduled", "schedule"
        RETRAINING = "retraining", "retraining criteria"
        ADMIN = "admin", "admin"
        COMMAND = "command", "command"
        API = "api", "API"
        PAGE = "page", "page"

    KIND: ClassVar[str] = ""  # value of `kind` for rows of the subclass
    EXCLUSIVE: ClassVar[str] = ""  # value of `exclusive` for rows of the subclass, if only one may be active at a time
    ACTIVE = (Status.QUEUED, Status.RUNNING)

    # not the `id` of a training or import, because each kind numbers its own rows
    job_id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=32)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    trigger = models.CharField(max_length=16, choices=Trigger)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    exclusive = models.CharField(max_length=40, blank=True, help_text="At most one active job has this name.")
    outcome = models.CharField(max_length=40, blank=True, help_text="How it ended, as a code.")
    details = models.JSONField(default=dict, blank=True, help_text="What the outcome's sentence is filled with.")
    log = models.TextField(blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(null=True, blank=True, help_text="When the broker last got a message for it.")
    started_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When this attempt's worker took it.")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    suspected_at = models.DateTimeField(null=True, blank=True, help_text="When the reaper missed its heartbeat.")
    ended_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="When it is retried automatically.")
    step = models.CharField(max_length=32, blank=True)
    share = models.FloatField(null=True, blank=True, help_text="Of the whole job, from 0 to 1.")
    remaining_seconds = models.FloatField(null=True, blank=True)
    worker_host = models.CharField(max_length=255, blank=True)
    worker_namespace = models.CharField(max_length=80, blank=True, help_text="The boot and PID namespace of the PID.")
    worker_pid = models.BigIntegerField(null=True, blank=True)
    claimed_uptime = models.FloatField(
        null=True, blank=True, help_text="When this attempt's worker took it, in seconds since its machine's boot."
    )
    worker_start = models.BigIntegerField(null=True, blank=True, help_text="The process's start, in ticks since boot.")

    class Meta:
        ordering = ["-created_at", "-job_id"]
        indexes = [
            models.Index(fields=["status", "heartbeat_at"], name="catalog_job_status"),
            models.Index(fields=["kind", "-created_at"], name="catalog_job_kind"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["exclusive"],
                condition=Q(status__in=["queued", "running"]) & ~Q(exclusive=""),
                name="catalog_job_one_active",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.kind = self.kind or self.KIND
        self.exclusive = self.exclusive or self.EXCLUSIVE
        super().save(*args, **kwargs)

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def is_unsent(self) -> bool:
        """Whether the job is queued but has no message in the broker, so that no worker can have received it."""
        return self.status == self.Status.QUEUED and self.enqueued_at is None

    @property
    def progress_text(self) -> str:
        """Returns the completed percentage and the estimated remaining time."""
        if self.is_unsent:
            return _("The task queue is not responding. The job will start automatically when the queue is available.")
        return progress_text(self.share, self.remaining_seconds) if self.is_active else ""

    @property
    @admin.display(description=gettext_lazy("message"))
    def message(self) -> str:
        """The outcome as a sentence. Empty until the job has ended."""
        return sentence(self.outcome, self.details)


def progress_text(share: float | None, remaining_seconds: float | None) -> str:
    if share is None:
        return ""
    done = f"{math.floor(100 * share)} %"
    if remaining_seconds is None:
        return done
    if remaining_seconds < 90:
        return _("{done}, about {n} s left").format(done=done, n=math.ceil(remaining_seconds))
    return _("{done}, about {n} min left").format(done=done, n=round(remaining_seconds / 60))
