"""The training job: its limits, outcomes and files."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.jobs.kinds import JobKind, Limits, register
from catalog.models.outcomes import Sentence, add_sentences, sentence
from mlops.data.codes import refusal_sentence
from mlops.errors import StepFailed
from mlops.findings import Finding, describe_all
from mlops.models import GateDecision, ModelVersion, PipelineRun, RunStep

TRAIN_TASK = "mlops.train_model"
HARD_LIMIT = 180  # seconds after max_runtime_seconds until a hung run is killed; other runs stop themselves earlier

Status = PipelineRun.Status


class TrainingOutcome(TextChoices):
    PROMOTED = "promoted", _("Version {version} passed the gate and was promoted.")
    AWAITS_DECISION = "awaits_decision", _("Version {version} is waiting for a manual decision: {decision}. {reasons}")
    AWAITS_PROMOTION = (
        "awaits_promotion",
        _("Version {version} passed the gate and is waiting for manual promotion."),
    )
    CHAMPION_REPLACED = (
        "champion_replaced",
        _("Version {version} passed the gate, but the champion it was compared with has since been replaced."),
    )
    TOO_FEW_RATINGS = (
        "too_few_ratings",
        _("There are {n} ratings. Training requires at least {minimum} (training.min_ratings in config.yaml)."),
    )
    DATA_REFUSED = "data_refused", _("The data did not pass the data checks.")
    NOT_FITTED = "not_fitted", _("The model cannot be fitted: {error}")
    GATE_REFUSED = "gate_refused", _("The gate rejected version {version}. {reasons}")
    OVERTIME = "overtime", _("The training exceeded the limit training.max_runtime_seconds.")
    RUN_LOST = "run_lost", _("The run was marked as ended while it was still in progress.")
    STEP_FAILED = "step_failed", "{error}"


class RunFailed(StepFailed):
    """An expected failure of a training, identified by its outcome code."""

    def __init__(self, outcome: TrainingOutcome, **details: Any) -> None:
        super().__init__(sentence(outcome, details))
        self.outcome, self.details = outcome, details


def artifact_name(run_id: int) -> str:
    return f"run-{run_id}"


def partial_snapshot_name(run_id: int) -> str:
    return f".run-{run_id}.part"


def remove_superseded(run: PipelineRun) -> None:
    """Deletes the artefacts of older errored runs that this run replaces, and cancels their retries."""
    named = set(ModelVersion.objects.filter(run__lt=run.pk).values_list("artifact", flat=True))
    for pk in PipelineRun.objects.filter(pk__lt=run.pk, status=Status.ERRORED).values_list("pk", flat=True):
        if artifact_name(pk) not in named:
            shutil.rmtree(settings.MODEL_DIR / artifact_name(pk), ignore_errors=True)
    PipelineRun.objects.filter(pk__lt=run.pk).exclude(retry_at=None).update(retry_at=None)


def _clean_up(run: PipelineRun) -> None:
    """Marks the running step as failed. Deletes a partial snapshot and an artefact without a version.

    Keeps the complete artefact of an errored run, because the next attempt continues from it.
    """
    ended = {"status": RunStep.Status.FAILED, "ended_at": timezone.now()}
    RunStep.objects.filter(run=run, status=RunStep.Status.RUNNING).update(**ended)
    name = artifact_name(run.pk)
    leftovers = [settings.SNAPSHOT_DIR / partial_snapshot_name(run.pk), *settings.MODEL_DIR.glob(f".{name}.*")]
    if run.status != Status.ERRORED and not ModelVersion.objects.filter(artifact=name).exists():
        leftovers.append(settings.MODEL_DIR / name)
    for folder in leftovers:
        shutil.rmtree(Path(folder), ignore_errors=True)


def _limits() -> Limits:
    policy = settings.POLICY.training
    longest = policy.max_runtime_seconds + HARD_LIMIT
    return Limits(policy.stale_after_seconds, longest, policy.retries, policy.retry_after_seconds)


def _with_reasons(outcome: TrainingOutcome) -> Sentence:
    """Returns the outcome's sentence, with the gate's findings as text.

    Runs from before 2026-12 store this text in `reasons` instead of the findings.
    """

    def text(details: Mapping[str, Any]) -> str:
        decided = GateDecision.Outcome(details["decision"]).label if "decision" in details else ""
        reasons = describe_all(Finding.from_dict(row) for row in details.get("findings", []))
        return str(outcome.label).format(**{"reasons": reasons} | dict(details) | {"decision": decided})

    return text


_GATED = (TrainingOutcome.AWAITS_DECISION, TrainingOutcome.GATE_REFUSED)

add_sentences(
    dict(TrainingOutcome.choices)
    | {TrainingOutcome.DATA_REFUSED.value: refusal_sentence}
    | {outcome.value: _with_reasons(outcome) for outcome in _GATED}
)
register(
    JobKind(
        name=PipelineRun.KIND,
        model=PipelineRun,
        task=TRAIN_TASK,
        queue="training",
        limits=_limits,
        arguments=lambda run: {"run_id": run.pk},
        on_end=_clean_up,
    )
)
