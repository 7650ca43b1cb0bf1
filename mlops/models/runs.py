"""Runs of the training pipeline."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Job

from .data import DatasetSnapshot


class PipelineRun(Job):
    """One run of the training pipeline; one is active at a time. Another attempt continues from the failed step."""

    KIND = EXCLUSIVE = "training"

    id = models.BigAutoField(primary_key=True)
    job_ptr = models.OneToOneField(Job, on_delete=models.CASCADE, parent_link=True)
    algorithm = models.CharField(max_length=32)
    parameters = models.JSONField(default=dict, blank=True)
    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs")

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [("start_training", "Can start, cancel and repeat trainings")]

    def __str__(self) -> str:
        return f"run {self.pk}"


class RunStep(models.Model):
    """One attempt at a step of a run, with its time, log and figures; later steps continue from its `result`."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"

    class Activity(models.TextChoices):
        """What a step does at the moment."""

        WRITING_RATINGS = "writing_ratings", _("{done:,} ratings")
        CHOOSING_PARAMETERS = "choosing_parameters", _("choosing what is not given")
        FITTING = "fitting", _("fitting on all data")
        SAVING = "saving", _("saving")
        EVALUATING = "evaluating", _("{done}/{total} {model}")
        SMOKE_TEST = "smoke_test", _("loading in a fresh process")
        MLFLOW = "mlflow", "MLflow"

    run = models.ForeignKey(PipelineRun, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=32)
    status = models.CharField(max_length=16, choices=Status, default=Status.RUNNING)
    activity = models.CharField(max_length=32, choices=Activity, blank=True)
    activity_details = models.JSONField(default=dict, blank=True)
    share = models.FloatField(null=True, blank=True, help_text="Of this step, from 0 to 1.")
    remaining_seconds = models.FloatField(null=True, blank=True)
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

    @property
    def progress(self) -> str:
        """The activity in words."""
        return activity_text(self.activity, **self.activity_details)


def activity_text(activity: str, **details: object) -> str:
    return str(RunStep.Activity(activity).label).format(**details) if activity else ""
