"""Rows of the monitoring: drift, online metrics, retraining checks, alerts, evidence, backtests, dependencies."""

from django.db import models
from django.utils import timezone

from .runs import PipelineRun
from .versions import ModelVersion


class DriftReport(models.Model):
    """The latest window of ratings and shown lists against what was before."""

    class Status(models.TextChoices):
        OK = "ok", "ok"
        WARN = "warn", "warning"
        ALERT = "alert", "alert"
        INSUFFICIENT_DATA = "insufficient_data", "insufficient data"

    status = models.CharField(max_length=20, choices=Status)
    checks = models.JSONField(help_text="Each check with its figure, thresholds, sample sizes and status.")
    reference_start = models.DateTimeField(null=True, help_text="Begin of what the window is compared to.")
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d}: {self.status}"


class OnlineMetrics(models.Model):
    """New positive ratings of a day against the lists that the champion showed, or would have shown, before them."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="online_metrics")
    day = models.DateField()
    n = models.PositiveIntegerField(default=0, help_text="Positive ratings that were scored.")
    n_shown = models.PositiveIntegerField(default=0, help_text="Of those, scored against a list that was really shown.")
    hits = models.PositiveIntegerField(default=0, help_text="Ratings of a movie among the first ten.")
    ndcg_sum = models.FloatField(default=0)
    ndcg_square_sum = models.FloatField(default=0, help_text="For intervals.")

    class Meta:
        ordering = ["-day", "-version"]
        verbose_name = verbose_name_plural = "online metrics"
        constraints = [models.UniqueConstraint(fields=["version", "day"], name="mlops_onlinemetrics_unique")]

    def __str__(self) -> str:
        return f"version {self.version_id} on {self.day}: {self.hits} of {self.n}"

    @property
    def hit_rate(self) -> float | None:
        return self.hits / self.n if self.n else None

    @property
    def ndcg(self) -> float | None:
        return self.ndcg_sum / self.n if self.n else None


class Watermark(models.Model):
    """How far a repeated job has come; one row a job."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    last_id = models.PositiveBigIntegerField(default=0, help_text="Key of the last row of that moment.")

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"


class RetrainingCheck(models.Model):
    """One look at the criteria for a training: each with its figure, and what came of it."""

    criteria = models.JSONField(help_text="Each criterion with its figure, threshold and whether it is met.")
    run = models.ForeignKey(PipelineRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=300, help_text="In a sentence.")
    checked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["checked_at"], name="mlops_retraining_checked_at")]

    def __str__(self) -> str:
        return f"{self.checked_at:%Y-%m-%d %H:%M}: {self.outcome}"

    @property
    def reasons(self) -> list[str]:
        return [criterion["sentence"] for criterion in self.criteria if criterion["is_met"]]


class Alert(models.Model):
    """A state that somebody should know of, from when it began to when it ended; told once at each end."""

    subject = models.CharField(max_length=60)
    message = models.TextField()
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True, help_text="When its beginning was sent by e-mail.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(closed_at=None), name="mlops_alert_one_open_a_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


class Evidence(models.Model):
    """The last result of an automatic check for one of the 28 tests of the ML Test Score."""

    class Source(models.TextChoices):
        PYTEST = "pytest", "test suite"
        BEAT = "beat", "scheduled task"
        GATE = "gate", "promotion gate"

    test = models.CharField(max_length=4, help_text="As in the rubric: D1 to D7, M1 to M7, I1 to I7, Mo1 to Mo7.")
    source = models.CharField(max_length=8, choices=Source)
    check_name = models.CharField(max_length=200)
    passed = models.BooleanField()
    is_automatic = models.BooleanField(help_text="Run by CI, Beat or the gate, not by hand.")
    detail = models.TextField(blank=True)
    revision = models.CharField(max_length=64, blank=True, help_text="Of the code that was checked.")
    ran_at = models.DateTimeField()
    passed_at = models.DateTimeField(null=True, blank=True, help_text="When it passed last.")

    class Meta:
        ordering = ["test", "source", "check_name"]
        verbose_name_plural = "evidence"
        constraints = [models.UniqueConstraint(fields=["test", "source", "check_name"], name="mlops_evidence_unique")]

    def __str__(self) -> str:
        return f"{self.test} {self.check_name}: {'passed' if self.passed else 'failed'}"


class Backtest(models.Model):
    """The champion's recipe on later data once more: without one kind of features, or made of older data."""

    class Kind(models.TextChoices):
        FEATURES = "features", "without one kind of features"
        STALENESS = "staleness", "made of older data"

    kind = models.CharField(max_length=16, choices=Kind)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="backtests")
    figures = models.JSONField(help_text="Each model that was judged, with how much less it is worth.")
    passed = models.BooleanField()
    sentence = models.TextField(help_text="What was found.")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"backtest {self.pk} ({self.get_kind_display()})"


class Dependency(models.Model):
    """Something outside that the site relies on, as it was seen last; a change is told by an alert."""

    name = models.CharField(max_length=60, unique=True)
    state = models.JSONField(default=dict)
    seen_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "dependencies"

    def __str__(self) -> str:
        return self.name
