"""Models of trained versions, and the append-only audit trail of decisions and promotions."""

from datetime import datetime
from typing import Any, NoReturn, Self

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mlops.findings import Finding, Outcome, describe_all

from .data import DatasetSnapshot
from .runs import PipelineRun


class ModelVersion(models.Model):
    """A trained model. Its primary key is its version number on pages, in the API and in metrics.

    Status: candidate -> champion | refused; champion -> former (another was promoted) -> champion (rollback).
    """

    class Status(models.TextChoices):
        CANDIDATE = "candidate", "candidate"
        CHAMPION = "champion", "champion"
        FORMER = "former", "former champion"
        REFUSED = "refused", "refused"

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
    threads = models.PositiveSmallIntegerField(
        null=True, help_text="Of the linear algebra in the fit: with another number sums differ in their last bits."
    )
    figures = models.JSONField(default=dict, help_text="Evaluation: this model and the baselines on later data.")
    artifact = models.CharField(max_length=200, help_text="Folder below MODEL_DIR.")
    artifact_checksum = models.CharField(max_length=64)
    artifact_bytes = models.PositiveBigIntegerField()
    artifact_removed_at = models.DateTimeField(null=True, blank=True, help_text="When retention took the files.")
    pushed_at = models.DateTimeField(null=True, blank=True, help_text="When DVC had brought it to the remote.")
    reproduction = models.JSONField(default=dict, blank=True, help_text="What the last reproduction found.")
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

    @classmethod
    def champion(cls) -> "ModelVersion | None":
        return cls.objects.filter(status=cls.Status.CHAMPION).select_related("snapshot").first()

    @property
    def promoted_at(self) -> datetime | None:
        """Returns when the version last became the champion, or None if it never did."""
        promotion = self.promotions.first()
        return promotion.promoted_at if promotion else None

    @property
    def ndcg(self) -> float | None:
        """The nDCG on later data, or None without an evaluation."""
        value: float | None = self.figures.get("models", {}).get("candidate", {}).get("summary", {}).get("ndcg")
        return value

    @property
    def has_passed(self) -> bool:
        """Returns whether the gate passed the version and it was not refused since."""
        decision = self.decisions.first()
        return decision is not None and decision.outcome == GateDecision.Outcome.PASSED

    def difference_from(self, model: str) -> dict[str, Any] | None:
        """Returns its nDCG minus another model's, with the interval, or None if they were not compared."""
        difference: dict[str, Any] | None = self.figures.get("differences", {}).get(model)
        return difference


class RowIsKept(TypeError):
    """Raised when a row of the audit trail would be changed or deleted."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **values: Any) -> NoReturn:
        raise RowIsKept(f"{self.model.__name__} rows are added, never changed.")

    def delete(self) -> NoReturn:
        raise RowIsKept(f"{self.model.__name__} rows are added, never removed.")

    def bulk_update(self, *arguments: Any, **options: Any) -> NoReturn:
        raise RowIsKept(f"{self.model.__name__} rows are added, never changed.")


class AppendOnly(models.Model):
    """Base class of models whose rows are never changed or deleted. Only references to erased accounts become NULL.

    Database triggers enforce this too.
    """

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self: Self, *arguments: Any, **options: Any) -> None:
        if self.pk is not None and not self._state.adding:
            raise RowIsKept(f"{type(self).__name__} {self.pk} is kept as it was written.")
        super().save(*arguments, **options)

    def delete(self, *arguments: Any, **options: Any) -> NoReturn:
        raise RowIsKept(f"{type(self).__name__} {self.pk} is kept.")


SHOWN_FIRST = (Outcome.FAILED, Outcome.NOT_ENOUGH_EVIDENCE, Outcome.PASSED, Outcome.NOT_JUDGED)


class GateDecision(AppendOnly):
    """The gate's decision on a version, with one finding per rule. With `decided_by`, it is a person's refusal."""

    class Outcome(models.TextChoices):
        PASSED = "passed", _("passed")
        REFUSED = "refused", _("refused")
        NOT_ENOUGH_EVIDENCE = "not_enough_evidence", _("not enough evidence")

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="decisions")
    champion = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=24, choices=Outcome)
    rules = models.JSONField(help_text="A finding for each rule: code, figure, interval, threshold and outcome.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Given by the person who refused it.")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.outcome}"

    @property
    def findings(self) -> list[Finding]:
        """Returns the findings of the rules. Rules that stopped the version come first."""
        found = [Finding.from_dict(row) for row in self.rules]
        return sorted(found, key=lambda finding: SHOWN_FIRST.index(finding.outcome))

    @property
    def sentence(self) -> str:
        """Returns the reason to show: the rules that stopped the version, or the reason given by a person."""
        if self.reason:
            return gettext("Rejected manually: {reason}").format(reason=self.reason)
        return describe_all(self.against) or gettext("All rules passed.")

    @property
    def against(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.outcome in SHOWN_FIRST[:2]]


class Promotion(AppendOnly):
    """An entry in the audit trail of promotions and rollbacks."""

    class Kind(models.TextChoices):
        AUTOMATIC = "automatic", "automatic"
        PROMOTED = "promoted", "promoted by a person"
        FORCED = "forced", "forced by a person"
        ROLLED_BACK = "rolled_back", "rolled back"
        AUTOMATIC_ROLLBACK = "auto_rollback", "rolled back automatically"

    ROLL_BACKS = (Kind.ROLLED_BACK, Kind.AUTOMATIC_ROLLBACK)

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="promotions")
    previous = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    promoted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    reason = models.TextField(blank=True, help_text="As given by a person.")
    findings = models.JSONField(default=list, blank=True, help_text="Why the site rolled back automatically.")
    promoted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.version_id} {self.kind}"

    @property
    @admin.display(description=_("reason"))
    def why(self) -> str:
        """Returns the reason given by a person or, by default, the site's reason."""
        if self.kind == self.Kind.AUTOMATIC and not self.reason:
            return gettext("Passed the gate.") if self.previous_id else gettext("The first model that passed the gate.")
        return self.reason or describe_all(Finding.from_dict(row) for row in self.findings)
