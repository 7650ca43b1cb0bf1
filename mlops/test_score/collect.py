"""What the gate, the runs and the scheduled checks have shown lately, written down as evidence."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from mlops.data.evidence import record
from mlops.findings import Finding, Outcome, describe_all
from mlops.gate.codes import Rule
from mlops.models import (
    Backtest,
    DriftReport,
    Evidence,
    GateDecision,
    ModelVersion,
    OnlineMetrics,
    RunStep,
    TuningStudy,
)
from mlops.monitoring.codes import DriftCode, StalenessCode
from mlops.monitoring.staleness import staleness_checks
from mlops.registry.codes import SmokeCheck

SMOKE_CHECKS = frozenset(SmokeCheck.values)
RULES: dict[str, Collection[str]] = {  # the gate's rules that are evidence for a test
    "D3": {Rule.FEATURE_SECONDS, Rule.FEATURE_MB},
    "M5": {Rule.BASELINE, Rule.LINEAR_MODEL},
    "M6": {Rule.SLICE},
    "M7": {Rule.POPULARITY_GINI, Rule.MEAN_POPULARITY, Rule.EXPOSURE},
    "I4": SMOKE_CHECKS | {Rule.BASELINE},
    "I6": SMOKE_CHECKS
    | {
        Rule.REPLAY,
        Rule.REPLAY_ERRORS,
        Rule.REPLAY_EXCLUDED,
        Rule.REPLAY_LATENCY_MS,
        Rule.REPLAY_OVERLAP,
        Rule.REPLAY_PSI,
    },
    "Mo5": {SmokeCheck.FINITE},
}
BACKTESTS = {Backtest.Kind.FEATURES: "D2", Backtest.Kind.STALENESS: "M4"}
GROWTH, WINDOW = 1.25, timedelta(days=28)
TUNED_DAYS = 90


@dataclass(frozen=True)
class Found:
    test: str
    source: str
    check_name: str
    passed: bool
    detail: str
    at: datetime


def collect_evidence(*, now: datetime | None = None) -> dict[str, int]:
    moment = now or timezone.now()
    champion = ModelVersion.objects.filter(status=ModelVersion.Status.CHAMPION).first()
    found = [*_of_gate(champion), *_of_runs(), *_of_versions(champion), *_of_backtests(), *_of_watch(moment)]
    for row in found:
        record(row.test, row.source, row.check_name, passed=row.passed, detail=row.detail, ran_at=row.at)
    return {"recorded": len(found), "passed": sum(row.passed for row in found)}


def _of_gate(champion: ModelVersion | None) -> Iterator[Found]:
    """The decision on what is served now: what was refused since is not what users see."""
    decision = GateDecision.objects.filter(version=champion).first() if champion else None
    if decision is None or champion is None:
        return
    judged = [finding for finding in decision.findings if finding.outcome != Outcome.NOT_JUDGED]
    for test, codes in RULES.items():
        findings = [finding for finding in judged if finding.code in codes]
        if findings:
            failed = [finding for finding in findings if finding.outcome != Outcome.PASSED]
            detail = describe_all(failed) or f"version {champion.pk}: {len(findings)} rules passed"
            yield Found(test, Evidence.Source.GATE, "the champion's decision", not failed, detail, decision.decided_at)
    revision = champion.code_revision
    is_clean = bool(revision) and not revision.endswith("-dirty")
    detail = f"version {champion.pk} was made from {revision or 'unknown code'}, parameters {champion.config_hash[:12]}"
    yield _tuned(champion)
    yield Found("M1", Evidence.Source.GATE, "code and parameters checked in", is_clean, detail, decision.decided_at)


def _tuned(champion: ModelVersion) -> Found:
    """Its hyper-parameters are the best of a search of the last quarter, or the search found nothing surely better."""
    name, now = "hyper-parameters against the last search", timezone.now()
    since = now - timedelta(days=TUNED_DAYS)
    studies = TuningStudy.objects.filter(algorithm=champion.algorithm, ended_at__gte=since)
    study = studies.order_by("-ended_at").first()
    if study is None:
        return Found("M3", Evidence.Source.BEAT, name, False, f"no search within {TUNED_DAYS} days", now)
    best = study.trials.filter(ndcg__isnull=False).order_by("-ndcg").first()
    used = champion.parameters | champion.chosen
    is_best = best is not None and all(used.get(key) == value for key, value in best.parameters.items())
    low = study.difference["low"] if study.difference else None
    passed = is_best or (study.difference is not None and (low is None or low <= 0))
    said = "nothing that is surely better is known" if passed else "the search found better ones than the champion's"
    return Found("M3", Evidence.Source.BEAT, name, passed, f"study {study.pk}: {said}", now)


def _of_runs() -> Iterator[Found]:
    """The data checks of the last training that got to them."""
    step = RunStep.objects.filter(name="checks").exclude(status=RunStep.Status.RUNNING).order_by("-id").first()
    if step is not None and step.ended_at is not None:
        passed = step.status == RunStep.Status.SUCCEEDED
        detail = f"run {step.run_id}: {step.figures.get('rows', 0)} rows, {step.figures.get('bad_rows', 0)} bad"
        yield Found("D1", Evidence.Source.BEAT, "data checks of the last training", passed, detail, step.ended_at)


def _of_backtests() -> Iterator[Found]:
    for kind, test in BACKTESTS.items():
        row = Backtest.objects.filter(kind=kind).first()
        if row is not None:
            detail = f"version {row.version_id}: {row.summary}"
            yield Found(test, Evidence.Source.BEAT, f"backtest.{kind}", row.passed, detail, row.ended_at)


def _of_versions(champion: ModelVersion | None) -> Iterator[Found]:
    """Training time, latency, memory and size of the champion against the median of the five versions before it."""
    if champion is None:
        return
    before = list(ModelVersion.objects.filter(algorithm=champion.algorithm, pk__lt=champion.pk)[:5])
    if len(before) < 2:
        return
    grown = []
    for name, figure in _costs(champion).items():
        usual = [cost for version in before if (cost := _costs(version)[name]) is not None]
        if figure is not None and usual and figure > GROWTH * median(usual) + _SMALL[name]:
            grown.append(f"{name}: {figure:.4g}, {median(usual):.4g} before")
    detail = "; ".join(grown) or f"version {champion.pk} costs what the {len(before)} versions before it cost"
    name = "cost of the champion against versions before"
    yield Found("Mo6", Evidence.Source.BEAT, name, not grown, detail, timezone.now())


_SMALL = {"fit, s": 5.0, "list, ms": 5.0, "memory, MB": 50.0, "size, MB": 5.0}  # no matter for an alarm


def _costs(version: ModelVersion) -> dict[str, float | None]:
    step = RunStep.objects.filter(run=version.run_id, name="fit").first() if version.run_id else None
    measured = version.figures.get("smoke_test", {})
    return {
        "fit, s": step.seconds if step else None,
        "list, ms": measured.get("latency_ms"),
        "memory, MB": measured.get("memory_mb"),
        "size, MB": version.artifact_bytes / 1e6,
    }


def _of_watch(now: datetime) -> Iterator[Found]:
    known = staleness_checks()
    old = [check.title for check in known if check.is_stale(now)]
    has_champion = any(check.code == StalenessCode.CHAMPION and check.at for check in known)
    detail = f"too old: {', '.join(old)}" if old else "champion, its data and the scheduler are fresh"
    passed = has_champion and not old
    yield Found("Mo4", Evidence.Source.BEAT, "ages", passed, detail if has_champion else "no champion", now)
    scored = OnlineMetrics.objects.filter(day__gt=(now - WINDOW).date()).aggregate(n=Sum("n"))["n"] or 0
    report = DriftReport.objects.first()
    fell = [check for check in report.findings if _fell(check)] if report else []
    detail = f"{scored} new positive ratings scored in four weeks" + "".join(f"; {check.sentence}" for check in fell)
    yield Found("Mo7", Evidence.Source.BEAT, "live quality", scored > 0 and not fell, detail, now)
    yield from _offline_and_online(now)


def _fell(check: Finding) -> bool:
    return check.code == DriftCode.ONLINE_METRICS and check.outcome == Outcome.ALERT


def _offline_and_online(now: datetime) -> Iterator[Found]:
    """Do versions that are better on later data do better at work? Spearman's rank correlation."""
    rows = OnlineMetrics.objects.order_by().values("version").annotate(n=Sum("n"), total=Sum("ndcg_sum"))
    online = {row["version"]: row["total"] / row["n"] for row in rows if row["n"] >= 100}
    offline = {pk: _offline(figures) for pk, figures in _figures(list(online)).items()}
    pairs = [(offline[pk], online[pk]) for pk in online if offline.get(pk) is not None]
    if len(pairs) < 4:
        return
    from scipy.stats import spearmanr  # Here, so that web processes start without it.

    rho = float(spearmanr(*zip(*pairs, strict=True)).statistic)
    detail = f"Spearman {rho:.2f} over {len(pairs)} versions"
    yield Found("M2", Evidence.Source.BEAT, "offline against live nDCG", rho > 0, detail, now)


def _figures(versions: list[int]) -> dict[int, dict[str, Any]]:
    return dict(ModelVersion.objects.filter(pk__in=versions).values_list("pk", "figures"))


def _offline(figures: Mapping[str, Any]) -> float | None:
    value: float | None = figures.get("models", {}).get("candidate", {}).get("summary", {}).get("ndcg")
    return value
