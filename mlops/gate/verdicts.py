"""The gate's verdict on a version: evidence from its row, judged, and kept."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mlops.evaluation.comparison import CANDIDATE, CHAMPION, EASE, RECENT
from mlops.evaluation.paired_interval import PairedInterval
from mlops.gate.decision import Evidence, Lists, Shadow, judge
from mlops.gate.replay import shadow_replay
from mlops.models import GateVerdict, ModelVersion

Status = ModelVersion.Status


def judge_version(version: ModelVersion, champion: ModelVersion | None) -> GateVerdict:
    """`champion` is what the version's figures were compared to. A version that is or was champion keeps its status."""
    version.figures["shadow"] = shadow_replay(version, champion)
    version.save(update_fields=["figures"])
    verdict = judge(evidence_of(version, champion), settings.POLICY.gate)
    refused = verdict.decision == GateVerdict.Decision.REFUSED
    with transaction.atomic():
        row = GateVerdict.objects.create(
            version=version, champion=champion, decision=verdict.decision, rules=verdict.as_rows()
        )
        ModelVersion.objects.filter(pk=version.pk, status__in=[Status.CANDIDATE, Status.REFUSED]).update(
            status=Status.REFUSED if refused else Status.CANDIDATE
        )
    version.refresh_from_db(fields=["status"])
    return row


def evidence_of(version: ModelVersion, champion: ModelVersion | None) -> Evidence:
    figures = version.figures
    baseline = figures["best_simple_baseline"]
    against = figures["differences"]
    age = timezone.now() - version.snapshot.exported_at
    best = _best_recent_champion(figures) if champion else None
    shadow = figures.get("shadow")
    return Evidence(
        baseline=baseline,
        against_baseline=PairedInterval.from_dict(against[baseline]),
        lists=_lists(figures, CANDIDATE),
        fresh_process=figures["fresh_process"],
        artifact_mb=version.artifact_bytes / 1e6,
        data_age_hours=age.total_seconds() / 3600,
        is_refresh=champion is not None and champion.config_hash == version.config_hash,
        champion=_lists(figures, CHAMPION) if champion else None,
        against_champion=PairedInterval.from_dict(against[CHAMPION]) if champion else None,
        against_recent_best=PairedInterval.from_dict(against[best]) if best else None,
        recent_best=f"version {best.removeprefix(RECENT)}" if best else "",
        against_linear=PairedInterval.from_dict(against[EASE]) if EASE in against else None,
        slices={name: PairedInterval.from_dict(interval) for name, interval in figures["slice_differences"].items()},
        feature_costs=figures.get("feature_costs", {}),
        catalogue=figures.get("groups", {}),
        shadow=Shadow(**shadow["figures"]) if shadow else None,
    )


def _best_recent_champion(figures: dict[str, Any]) -> str | None:
    """None where the champion itself is the best: that comparison is there anyway."""
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
