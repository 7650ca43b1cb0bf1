"""Runs of the training pipeline."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .data import DatasetSnapshot


class PipelineRun(models.Model):
    """One run of the training pipeline.

    queued -> running -> succeeded | failed (expected: checks, gate) | errored (a bug, a killed worker) | cancelled.
    errored -> queued again, by the policy or a person, for another attempt from the step that failed.
    A run always ends: whoever finds a running row without a heartbeat marks it as errored.
    Only one run is queued or running at a time; the database holds that with a partial unique index.
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
        ADMIN = "admin", "admin"
        COMMAND = "command", "command"
        API = "api", "API"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    trigger = models.CharField(max_length=16, choices=Trigger)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    algorithm = models.CharField(max_length=32)
    parameters = models.JSONField(default=dict, blank=True)
    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs")
    log = models.TextField(blank=True)
    message = models.TextField(blank=True, help_text="How it ended, in a sentence.")
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="When it is taken up again by itself.")

    class Meta:
        ordering = ["-queued_at", "-id"]
        indexes = [models.Index(fields=["-queued_at", "-id"], name="mlops_run_queued_at")]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(status__in=["queued", "running"]),
                name="mlops_run_one_active",
            ),
        ]
        permissions = [("start_training", "Can start, cancel and repeat trainings")]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE


class RunStep(models.Model):
    """One attempt at a step of a run, with its time, log and figures; `result` is what later steps go on from."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"

    run = models.ForeignKey(PipelineRun, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=32)
    status = models.CharField(max_length=16, choices=Status, default=Status.RUNNING)
    progress = models.CharField(max_length=120, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    log = models.TextField(blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "name", "attempt"], name="mlops_runstep_unique")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.name}"

    @property
    def seconds(self) -> float | None:
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None
