"""The truth about data, runs, models, verdicts and promotions; MLflow mirrors it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class DatasetSnapshot(models.Model):
    """What a model was trained on: ratings and movies as Parquet, named by their content."""

    content_hash = models.CharField(max_length=64, unique=True)
    folder = models.CharField(max_length=120, help_text="Folder below SNAPSHOT_DIR.")
    n_ratings = models.PositiveIntegerField()
    n_users = models.PositiveIntegerField()
    n_movies = models.PositiveIntegerField()
    first_rated_at = models.DateTimeField(null=True)
    last_rated_at = models.DateTimeField(null=True)
    size_bytes = models.PositiveBigIntegerField()
    parent = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children")
    exported_at = models.DateTimeField(default=timezone.now)
    removed_at = models.DateTimeField(null=True, blank=True, help_text="When retention took the files.")

    class Meta:
        ordering = ["-exported_at", "-id"]

    def __str__(self) -> str:
        return self.content_hash[:12]


class PipelineRun(models.Model):
    """One run of the training pipeline.

    queued -> running -> succeeded | failed (expected: checks, gate, cancelled by a person) | errored (a bug, a killed
    worker) | cancelled. A run always ends: whoever finds a running row without a heartbeat marks it as errored.
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
    """One step of a run with its time and figures."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"

    run = models.ForeignKey(PipelineRun, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=32)
    status = models.CharField(max_length=16, choices=Status, default=Status.RUNNING)
    progress = models.CharField(max_length=120, blank=True)
    figures = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="mlops_runstep_unique")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.name}"

    @property
    def seconds(self) -> float | None:
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


class ModelVersion(models.Model):
    """One trained model. Its primary key is the version that people, the API and metrics name.

    candidate -> champion | refused; champion -> former (another was promoted) -> champion (roll-back).
    """

    class Status(models.TextChoices):
        CANDIDATE = "candidate", "candidate"
        CHAMPION = "champion", "champion"
        FORMER = "former", "former champion"
        REFUSED = "refused", "refused by the gate"

    algorithm = models.CharField(max_length=32)
    parameters = models.JSONField(default=dict, help_text="As given; what was chosen on an inner split is in `chosen`.")
    chosen = models.JSONField(default=dict)
    status = models.CharField(max_length=16, choices=Status, default=Status.CANDIDATE)
    run = models.OneToOneField(PipelineRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="version")
    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.PROTECT, related_name="versions")
    config_hash = models.CharField(max_length=64)
    code_revision = models.CharField(max_length=64, blank=True)
    random_state = models.IntegerField()
    libraries = models.JSONField(default=dict)
    figures = models.JSONField(default=dict, help_text="Evaluation: this model and the baselines on later data.")
    artifact = models.CharField(max_length=200, help_text="Folder below MODEL_DIR.")
    artifact_checksum = models.CharField(max_length=64)
    artifact_bytes = models.PositiveBigIntegerField()
    artifact_removed_at = models.DateTimeField(null=True, blank=True, help_text="When retention took the files.")
    mlflow_run_id = models.CharField(max_length=64, blank=True)
    mlflow_version = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="champion"), name="mlops_version_one_champion"
            ),
        ]
        permissions = [
            ("promote_modelversion", "Can promote models that passed the gate, and roll back"),
            ("force_modelversion", "Can promote models that did not pass the gate"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.algorithm})"


class GateVerdict(models.Model):
    """What the gate said of a version, rule by rule."""

    class Decision(models.TextChoices):
        PASSED = "passed", "passed"
        REFUSED = "refused", "refused"
        NOT_ENOUGH_EVIDENCE = "not_enough_evidence", "not enough evidence"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="verdicts")
    champion = models.ForeignKey(ModelVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decision = models.CharField(max_length=24, choices=Decision)
    rules = models.JSONField(help_text="Each rule with its figure, interval, threshold and outcome.")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.decision}"

    @property
    def sentence(self) -> str:
        """Why, for people: the rules that kept it from passing."""
        kept = [rule["sentence"] for rule in self.rules if rule["outcome"] in ("failed", "not_enough_evidence")]
        return " ".join(kept) or "All rules passed."


class Promotion(models.Model):
    """The audit trail of what went live; rows are added, never changed or removed."""

    class Kind(models.TextChoices):
        AUTOMATIC = "automatic", "automatic"
        PROMOTED = "promoted", "promoted by a person"
        FORCED = "forced", "forced by a person"
        ROLLED_BACK = "rolled_back", "rolled back"

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    previous = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    promoted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    reason = models.TextField(blank=True)
    promoted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.version_id} {self.kind}"


class DriftReport(models.Model):
    """The latest window of ratings against the one before."""

    class Status(models.TextChoices):
        OK = "ok", "ok"
        WARN = "warn", "warning"
        ALERT = "alert", "alert"
        INSUFFICIENT_DATA = "insufficient_data", "insufficient data"

    status = models.CharField(max_length=20, choices=Status)
    checks = models.JSONField(help_text="Each check with its figure, thresholds, sample sizes and status.")
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d}: {self.status}"
