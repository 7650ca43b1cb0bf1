"""Decides on a version from its figures and stores the decision."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mlops.data.validation import frames_as_of
from mlops.errors import SnapshotNotAvailable
from mlops.evaluation.comparison import CANDIDATE, CHAMPION, EASE, RECENT, Progress, evaluate_candidate
from mlops.evaluation.intervals import PairedInterval
from mlops.evaluation.parameters import from_json
from mlops.gate.inputs import GateInput, Lists, Replay
from mlops.gate.replay import replay_requests
from mlops.gate.rules import REFUSED, decide
from mlops.models import GateDecision, ModelVersion
from mlops.registry.artifacts import folder_of, require_artifact, run_smoke_test
from mlops.registry.model_card import write_card
from mlops.registry.promotion import get_version
from mlops.registry.smoke_test_input import smoke_test_input
from recommender.estimators import Dataset

Status = ModelVersion.Status


def evaluate_version(*, version: int, on_progress: Progress | None = None) -> GateDecision:
    """Evaluates the version again and stores the new figures. Returns the new decision.

    Raises VersionNotFound, ArtifactNotAvailable, SnapshotNotAvailable, StepFailed.
    """
    row = get_version(version)
    require_artifact(row)
    if row.snapshot.removed_at:
        raise SnapshotNotAvailable(f"The data of version {version} was removed by retention.")
    champion = ModelVersion.objects.filter(status=Status.CHAMPION).exclude(pk=row.pk).first()
    ratings, movies = frames_as_of(row.snapshot, row.created_at)
    parameters, data = from_json(row.parameters | row.chosen), {"ratings": ratings, "movies": movies}
    figures = evaluate_candidate(row.algorithm, parameters, champion=champion, progress=on_progress, **data)
    dataset = Dataset.from_frames(ratings, movies, settings.POLICY.training.implicit_threshold)
    smoke_test = run_smoke_test(folder_of(row), smoke_test_input(dataset, row.algorithm, row.random_state))
    row.figures = figures | {"smoke_test": smoke_test}
    row.save(update_fields=["figures"])
    return decide_version(row, champion)


def decide_version(version: ModelVersion, champion: ModelVersion | None) -> GateDecision:
    """Replays past requests, decides by the policy and stores the decision.

    `champion` is the version that the figures are compared with. A current or former champion keeps its status.
    """
    version.figures["replay"] = replay_requests(version, champion)
    version.save(update_fields=["figures"])
    outcome, findings = decide(gate_input(version, champion), settings.POLICY.gate)
    rules = [finding.to_dict() for finding in findings]
    status = Status.REFUSED if outcome == REFUSED else Status.CANDIDATE
    with transaction.atomic():
        row = GateDecision.objects.create(version=version, champion=champion, outcome=outcome, rules=rules)
        undecided = ModelVersion.objects.filter(pk=version.pk, status__in=[Status.CANDIDATE, Status.REFUSED])
        undecided.update(status=status)
    version.refresh_from_db(fields=["status"])
    write_card(version)
    return row


def gate_input(version: ModelVersion, champion: ModelVersion | None) -> GateInput:
    figures = version.figures
    baseline, replay = figures["best_simple_baseline"], figures.get("replay")
    against = _intervals(figures["differences"])
    age = timezone.now() - version.snapshot.exported_at
    best = _best_recent_champion(figures) if champion else None
    reference = CHAMPION if champion else baseline
    return GateInput(
        baseline=baseline,
        against_baseline=against[baseline],
        lists=_lists(figures, CANDIDATE),
        smoke_test=figures["smoke_test"],
        artifact_mb=version.artifact_bytes / 1e6,
        data_age_hours=age.total_seconds() / 3600,
        is_refresh=champion is not None and champion.config_hash == version.config_hash,
        is_sample=version.snapshot.is_sample,
        champion_is_sample=champion is not None and champion.snapshot.is_sample,
        champion=_lists(figures, CHAMPION) if champion else None,
        against_champion=against[CHAMPION] if champion else None,
        against_recent_best=against[best] if best else None,
        recent_best=int(best.removeprefix(RECENT)) if best else None,
        against_linear=against.get(EASE),
        slices=_intervals(figures["slice_differences"]),
        feature_costs=figures.get("feature_costs", {}),
        catalogue=figures.get("groups", {}),
        replay=Replay(**replay["figures"]) if replay else None,
        figures=figures["models"][CANDIDATE]["summary"],
        reference=figures["models"][reference]["summary"],
        metric_differences=_intervals(figures.get("champion_differences", {})) if champion else {},
    )


def _intervals(found: dict[str, Any]) -> dict[str, PairedInterval]:
    return {name: PairedInterval.from_dict(interval) for name, interval in found.items()}


def _best_recent_champion(figures: dict[str, Any]) -> str | None:
    """Returns the name of the best recent champion. Returns None if it is the current champion."""
    names = [name for name in figures["models"] if name == CHAMPION or name.startswith(RECENT)]
    best = max(names, key=lambda name: figures["models"][name]["summary"]["ndcg"])
    return None if best == CHAMPION else best


def _lists(figures: dict[str, Any], name: str) -> Lists:
    summary = figures["models"][name]["summary"]
    return Lists(
        coverage=summary["coverage"],
        popularity_gini=summary["popularity_gini"],
        mean_popularity=summary.get("mean_popularity"),
        scores_new_movies=figures["scores_new_movies"][name],
        exposure=figures.get("exposure", {}).get(name, {}),
    )
