"""Models of training runs and hyper-parameter searches."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.models import Job
from catalog.sentences import NO_VALUE

from .data import DatasetSnapshot


class PipelineRun(Job):
    """A run of the training pipeline. Only one run is active at a time. A retry continues from the failed step."""

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
    """One attempt at a step of a run, with its times, log and figures. A retry continues from `result`."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"

    class Activity(models.TextChoices):
        """The current activity within a step."""

        WRITING_RATINGS = "writing_ratings", _("{done:,} ratings")
        CHOOSING_PARAMETERS = "choosing_parameters", _("tuning parameters")
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
        """The current activity as text."""
        return activity_text(self.activity, **self.activity_details)


def activity_text(activity: str, **details: object) -> str:
    return str(RunStep.Activity(activity).label).format(**details) if activity else ""


class TuningStudy(models.Model):
    """A search for hyper-parameters. Each trial is a row, so that an interrupted search can continue."""

    algorithm = models.CharField(max_length=32)
    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.PROTECT, related_name="tuning_studies")
    given = models.JSONField(default=dict, help_text="Hyper-parameters that are not searched for.")
    space = models.JSONField(help_text="What is searched: a range or choices for each hyper-parameter.")
    recipe = models.CharField(max_length=64, help_text="Hash of all that makes two searches the same.")
    n_trials = models.PositiveIntegerField(help_text="How many are to be tried, beside what is used now.")
    difference = models.JSONField(null=True, blank=True, help_text="The best trial's nDCG less that of what was used.")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    mlflow_run_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "tuning studies"
        permissions = [("adopt_parameters", "Can let trainings use what a search found, and end that")]

    def __str__(self) -> str:
        return f"search {self.pk} ({self.algorithm})"

    @property
    def best(self) -> "TuningTrial | None":
        """Returns the finished trial with the highest nDCG over all cuts. It may be trial 0, the current parameters."""
        finished = self.trials.filter(status=TuningTrial.Status.FINISHED)
        return finished.order_by("-ndcg", "number").first()


class TuningTrial(models.Model):
    """A set of hyper-parameters with its scores. Trial 0 has the parameters that were in use when the search began."""

    class Status(models.TextChoices):
        FINISHED = "finished", _("finished")
        STOPPED = "stopped", _("stopped early")
        FAILED = "failed", _("failed")

    study = models.ForeignKey(TuningStudy, on_delete=models.CASCADE, related_name="trials")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=Status)
    parameters = models.JSONField(help_text="All hyper-parameters of the trial.")
    scores = models.JSONField(default=list, help_text="nDCG after each cut that it came to.")
    ndcg = models.FloatField(null=True, blank=True, help_text="Over all users of those cuts.")
    seconds = models.FloatField()
    details = models.JSONField(default=dict, blank=True, help_text="What the estimator raised, as `error`.")
    ended_at = models.DateTimeField(default=timezone.now)
    mlflow_run_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="mlops_tuningtrial_unique")]

    def __str__(self) -> str:
        return f"{self.study_id}: trial {self.number}"

    @property
    def message(self) -> str:
        """Returns why the trial failed, or "" if it did not fail."""
        if self.status != self.Status.FAILED:
            return ""
        error = self.details.get("error") or NO_VALUE  # some exceptions have no text
        return gettext("The model could not be evaluated with these parameters: {error}").format(error=error)


class ParameterChoice(models.Model):
    """Adopted hyper-parameters, used where config.yaml sets none. At most one choice per algorithm is in force."""

    algorithm = models.CharField(max_length=32)
    parameters = models.JSONField()
    trial = models.ForeignKey(TuningTrial, on_delete=models.PROTECT, related_name="choices")
    adopted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    adopted_at = models.DateTimeField(default=timezone.now)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm"], condition=models.Q(withdrawn_at=None), name="mlops_choice_one_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"choice {self.pk} ({self.algorithm})"

    @classmethod
    def in_force(cls, algorithm: str) -> "ParameterChoice | None":
        return cls.objects.filter(algorithm=algorithm, withdrawn_at=None).first()
