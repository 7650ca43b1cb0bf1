"""Models of monitoring: drift, online metrics, retraining, alerts, evidence, backtests, dependencies, site identity."""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mlops.findings import Finding, Outcome, title

from .runs import PipelineRun
from .versions import ModelVersion


class DriftReport(models.Model):
    """Compares the latest window of ratings and shown lists with the reference window before it."""

    class Status(models.TextChoices):
        OK = "ok", "ok"
        WARN = "warn", "warning"
        ALERT = "alert", "alert"
        INSUFFICIENT_DATA = "insufficient_data", "insufficient data"

    status = models.CharField(max_length=20, choices=Status)
    checks = models.JSONField(help_text="A finding for each check, with its thresholds and sample sizes.")
    reference_start = models.DateTimeField(null=True, help_text="Start of the reference window.")
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d}: {self.status}"

    @property
    def findings(self) -> list[Finding]:
        return [Finding.from_dict(row) for row in self.checks]


class OnlineMetrics(models.Model):
    """Scores of a day's new positive ratings against a champion's earlier lists, shown or computed.

    There is one row per version and day.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="online_metrics")
    day = models.DateField()
    n = models.PositiveIntegerField(default=0, help_text="Scored positive ratings.")
    n_shown = models.PositiveIntegerField(default=0, help_text="Of those, scored against a list that was shown.")
    hits = models.PositiveIntegerField(default=0, help_text="Ratings of a movie in the first ten places.")
    popular_hits = models.PositiveIntegerField(
        default=0, null=True, help_text="Of a movie in the first ten of the popular list; empty for days before that."
    )
    ndcg_sum = models.FloatField(default=0)
    ndcg_square_sum = models.FloatField(default=0, help_text="For confidence intervals.")

    SUMS = ("n", "n_shown", "hits", "popular_hits", "ndcg_sum", "ndcg_square_sum")

    class Meta:
        ordering = ["-day", "-version"]
        verbose_name = verbose_name_plural = "online metrics"
        constraints = [models.UniqueConstraint(fields=["version", "day"], name="mlops_onlinemetrics_unique")]

    def __str__(self) -> str:
        return f"version {self.version_id} on {self.day}: {self.hits} of {self.n}"

    @property
    @admin.display(description=_("hit rate"))
    def hit_rate(self) -> float | None:
        return self.hits / self.n if self.n else None

    @property
    def ndcg(self) -> float | None:
        return self.ndcg_sum / self.n if self.n else None

    @property
    def ndcg_error(self) -> float:
        """Returns the standard error of the mean nDCG."""
        mean = self.ndcg or 0.0
        return math.sqrt(max(self.ndcg_square_sum / self.n - mean**2, 0.0) / self.n) if self.n else 0.0

    def add(self, rank: int, *, was_shown: bool, is_popular: bool) -> None:
        """Adds a rating of the movie at this rank of the list. Rank 0 means that the movie is not in the list.

        `is_popular` is whether the movie is in the popular list.
        """
        gain = 1 / math.log2(1 + rank) if rank else 0.0
        self.n += 1
        self.n_shown += was_shown
        self.hits += rank > 0
        self.popular_hits = (self.popular_hits or 0) + is_popular
        self.ndcg_sum += gain
        self.ndcg_square_sum += gain**2

    @classmethod
    def hits_between(cls, since: datetime, until: datetime, **which: Any) -> tuple[int, int]:
        """Returns the numbers of hits and of scored ratings for the days after `since` up to and including `until`."""
        total = cls.sum_of(cls.objects.filter(day__gt=since.date(), day__lte=until.date(), **which))
        return total.hits, total.n

    @classmethod
    def sum_of(cls, rows: Iterable["OnlineMetrics"]) -> "OnlineMetrics":
        """Returns the sum of the rows as an unsaved row."""
        found = list(rows)
        return cls(**{name: sum(getattr(row, name) or 0 for row in found) for name in cls.SUMS})


class Watermark(models.Model):
    """The point up to which a recurring job has processed data. Each job has one row."""

    class Job(models.TextChoices):
        ONLINE_METRICS = "online_metrics", _("online metrics")
        HEARTBEAT = "beat", _("scheduler heartbeat")
        BACKUP = "backup", _("backup")

    name = models.CharField(max_length=40, unique=True, choices=Job)
    at = models.DateTimeField()
    last_id = models.PositiveBigIntegerField(default=0, help_text="Key of the last processed row with this time.")

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"


class RetrainingCheck(models.Model):
    """One evaluation of the retraining criteria and its result."""

    criteria = models.JSONField(help_text="A finding for each criterion.")
    run = models.ForeignKey(PipelineRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    result = models.CharField(max_length=40)
    params = models.JSONField(default=dict, blank=True, help_text="Values for the result's sentence.")
    checked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["checked_at"], name="mlops_retraining_checked_at")]

    def __str__(self) -> str:
        return f"{self.checked_at:%Y-%m-%d %H:%M}: {self.result}"

    @property
    @admin.display(description=_("sentence"))
    def sentence(self) -> str:
        return Finding(self.result, "", params=self.params).sentence

    @property
    def findings(self) -> list[Finding]:
        return [Finding.from_dict(row) for row in self.criteria]

    @property
    def reasons(self) -> list[Finding]:
        """Returns the findings of the criteria that are met."""
        return [finding for finding in self.findings if finding.outcome == Outcome.ALERT]


class Alert(models.Model):
    """A problem that an operator should know about. One message is sent when it opens and another when it closes."""

    code = models.CharField(max_length=60)
    subject = models.CharField(max_length=60, blank=True, help_text="Provider or the like, where the code needs one.")
    findings = models.JSONField(default=list)
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True, help_text="When the e-mail about its beginning was sent.")
    posted_at = models.DateTimeField(null=True, blank=True, help_text="When the webhook took its beginning.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "subject"], condition=models.Q(closed_at=None), name="mlops_alert_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.message}"

    @property
    @admin.display(description=_("title"))
    def title(self) -> str:
        return title(self.code, self.findings[0]["params"] if self.findings else None)

    @property
    @admin.display(description=_("message"))
    def message(self) -> str:
        """Returns the sentences of the findings. If there are several checks, each sentence has its check's title."""
        found = [Finding.from_dict(row) for row in self.findings]
        return " ".join(f.sentence if f.code == self.code else f"{f.title}: {f.sentence}" for f in found)


class TestEvidence(models.Model):
    """The latest result of an automatic check for one of the 28 tests of the ML Test Score."""

    class Source(models.TextChoices):
        PYTEST = "pytest", _("test suite")
        BEAT = "beat", _("scheduled task")
        GATE = "gate", _("promotion gate")

    PASSING = (Outcome.PASSED, Outcome.OK)
    __test__ = False  # keeps pytest from collecting this class
    is_release = False  # True for evidence from the release's CI, which is read from files and not stored

    test = models.CharField(max_length=4, help_text="As in the rubric: D1 to D7, M1 to M7, I1 to I7, Mo1 to Mo7.")
    source = models.CharField(max_length=8, choices=Source)
    code = models.CharField(max_length=200, help_text="The check, with its subject.")
    passed = models.BooleanField()
    is_automatic = models.BooleanField(help_text="Run by CI, Beat or the gate, not by hand.")
    findings = models.JSONField(default=list, help_text="The finding of the check, then the findings behind it.")
    revision = models.CharField(max_length=64, blank=True, help_text="Revision of the checked code.")
    ran_at = models.DateTimeField()
    passed_at = models.DateTimeField(null=True, blank=True, help_text="When it last passed.")

    class Meta:
        ordering = ["test", "source", "code"]
        verbose_name = verbose_name_plural = "test evidence"
        constraints = [models.UniqueConstraint(fields=["test", "source", "code"], name="mlops_testevidence_unique")]

    def __str__(self) -> str:
        return f"{self.test} {self.code}: {'passed' if self.passed else 'failed'}"

    @property
    @admin.display(description=_("title"))
    def title(self) -> str:
        return title(self.code)

    @property
    @admin.display(description=_("detail"))
    def detail(self) -> str:
        """Returns the sentences of the findings, except those that only repeat the title."""
        return " ".join(text for row in self.findings if (text := Finding.from_dict(row).sentence) != self.title)


class Backtest(models.Model):
    """An evaluation of the champion's recipe without some features, or trained on older data."""

    class Kind(models.TextChoices):
        FEATURES = "features", _("feature ablation")
        STALENESS = "staleness", _("training on older data")

    kind = models.CharField(max_length=16, choices=Kind)
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="backtests")
    figures = models.JSONField(help_text="Each evaluated model, with its difference from the full or fresh one.")
    passed = models.BooleanField()
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"backtest {self.pk} ({self.get_kind_display()})"

    @property
    @admin.display(description=_("summary"))
    def summary(self) -> str:
        """Returns one line with the outcome of each ablation, or the relative change in nDCG by age in days."""
        if self.kind == self.Kind.STALENESS:
            return "; ".join(f"{point['days']:g} d: {-point['loss']:+.1%}" for point in self.figures["curve"][1:])
        return "; ".join(f"{title(code)}: {title(found['outcome'])}" for code, found in sorted(self.figures.items()))


class Dependency(models.Model):
    """The last known state of an external dependency. A change opens an alert."""

    name = models.CharField(max_length=60, unique=True)
    state = models.JSONField(default=dict)
    seen_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "dependencies"

    def __str__(self) -> str:
        return self.name


class SiteIdentity(models.Model):
    """The site's id, in a single row. It tags this site's MLflow entries. A restored backup keeps it."""

    uuid = models.UUIDField(default=uuid4, editable=False)

    class Meta:
        verbose_name_plural = "site identities"

    def __str__(self) -> str:
        return str(self.uuid)

    @classmethod
    def current(cls) -> str:
        """Returns the id as a string, and generates it on first use."""
        return str(cls.objects.get_or_create(pk=1)[0].uuid)
