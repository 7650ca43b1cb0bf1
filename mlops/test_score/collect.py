"""Collects evidence for the ML Test Score from the gate, trainings, searches and monitoring."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from mlops.data.evidence import record
from mlops.findings import Finding, Outcome
from mlops.gate.codes import Rule
from mlops.models import (
    Backtest,
    DriftReport,
    GateDecision,
    ModelVersion,
    OnlineMetrics,
    RunStep,
    TestEvidence,
    TuningStudy,
)
from mlops.monitoring.codes import DriftCode, StalenessCode
from mlops.monitoring.staleness import staleness_checks
from mlops.registry.codes import SmokeCheck
from mlops.test_score.codes import Cost, EvidenceCode, Message

SMOKE_CHECKS = frozenset(SmokeCheck.values)
RULES: dict[str, Collection[str]] = {  # the gate's rules that provide evidence, keyed by test
    "D3": {Rule.FEATURE_SECONDS, Rule.FEATURE_MB},
    "M5": {Rule.BASELINE, Rule.LINEAR_MODEL},
    "M6": {Rule.SLICE},
    "M7": {Rule.POPULARITY_GINI, Rule.MEAN_POPULARITY, Rule.EXPOSURE},
    "I4": SMOKE_CHECKS | {Rule.BASELINE},
    "I6": SMOKE_CHECKS | {rule for rule in Rule if rule.startswith(Rule.REPLAY)},
    "Mo5": {SmokeCheck.FINITE},
}
Source = TestEvidence.Source
BACKTESTS = {Backtest.Kind.FEATURES: "D2", Backtest.Kind.STALENESS: "M4"}
GROWTH, WINDOW = 1.25, timedelta(days=28)
TUNED_DAYS = 90
TOLERATED = {Cost.FIT_SECONDS: 5.0, Cost.LIST_MS: 5.0, Cost.MEMORY_MB: 50.0, Cost.SIZE_MB: 5.0}  # always allowed


def collect_evidence(*, now: datetime | None = None) -> dict[str, int]:
    champion, at = ModelVersion.champion(), now or timezone.now()
    rows = [*_of_gate(champion), *_of_runs(), *_of_versions(champion), *_of_backtests(), *_of_monitoring(at)]
    return {"recorded": len(rows), "passed": sum(row.passed for row in rows)}


def _finding(code: str, passed: bool, params: Mapping[str, Any], message: str = "") -> Finding:
    return Finding(code, Outcome.PASSED if passed else Outcome.FAILED, params=params, message=message)


def _of_gate(champion: ModelVersion | None) -> Iterator[TestEvidence]:
    """Yields the decision on the served version. Ignores later refused versions, which users never see."""
    decision = GateDecision.objects.filter(version=champion).first() if champion else None
    if decision is None or champion is None:
        return
    judged = [finding for finding in decision.findings if finding.outcome != Outcome.NOT_JUDGED]
    for test, codes in RULES.items():
        findings = [finding for finding in judged if finding.code in codes]
        if findings:
            failed = [finding for finding in findings if finding.outcome != Outcome.PASSED]
            params = {"version": champion.pk, "n_rules": len(findings), "n_failed": len(failed)}
            finding = _finding(EvidenceCode.GATE_DECISION, not failed, params)
            yield record(test, Source.GATE, finding, *failed, ran_at=decision.decided_at)
    revision = champion.code_revision
    is_clean = bool(revision) and not revision.endswith("-dirty")
    made = {"version": champion.pk, "revision": revision or "?", "parameters": champion.config_hash[:12]}
    yield record("M1", Source.GATE, _finding(EvidenceCode.CHECKED_IN, is_clean, made), ran_at=decision.decided_at)
    yield record("M3", Source.BEAT, _tuned(champion))


def _tuned(champion: ModelVersion) -> Finding:
    """Passes if the last search, at most 90 days old, found no significantly better parameters."""
    since = timezone.now() - timedelta(days=TUNED_DAYS)
    studies = TuningStudy.objects.filter(algorithm=champion.algorithm, ended_at__gte=since)
    study = studies.order_by("-ended_at").first()
    if study is None:
        return _finding(EvidenceCode.TUNED, False, {"days": TUNED_DAYS}, Message.NO_SEARCH)
    best = study.trials.filter(ndcg__isnull=False).order_by("-ndcg").first()
    used = champion.parameters | champion.chosen
    is_best = best is not None and all(used.get(key) == value for key, value in best.parameters.items())
    low = study.difference["low"] if study.difference else None
    passed = is_best or (study.difference is not None and (low is None or low <= 0))
    return _finding(EvidenceCode.TUNED, passed, {"search": study.pk}, "" if passed else Message.BETTER_FOUND)


def _of_runs() -> Iterator[TestEvidence]:
    """Yields the data checks of the latest training."""
    step = RunStep.objects.filter(name="checks").exclude(status=RunStep.Status.RUNNING).order_by("-id").first()
    if step is not None and step.ended_at is not None:
        figures = step.figures
        params = {"run": step.run_id, "n_rows": figures.get("rows", 0), "n_bad": figures.get("bad_rows", 0)}
        finding = _finding(EvidenceCode.DATA_CHECKS, step.status == RunStep.Status.SUCCEEDED, params)
        yield record("D1", Source.BEAT, finding, ran_at=step.ended_at)


def _of_backtests() -> Iterator[TestEvidence]:
    for kind, test in BACKTESTS.items():
        row = Backtest.objects.filter(kind=kind).first()
        if row is not None:
            finding = _finding(EvidenceCode.BACKTEST, row.passed, {"version": row.version_id, "backtest": row.pk})
            yield record(test, Source.BEAT, replace(finding, subject=kind.value), ran_at=row.ended_at)


def _of_versions(champion: ModelVersion | None) -> Iterator[TestEvidence]:
    """Compares the champion's training time, latency, memory and size with the medians of the last five versions."""
    if champion is None:
        return
    before = list(ModelVersion.objects.filter(algorithm=champion.algorithm, pk__lt=champion.pk)[:5])
    if len(before) < 2:
        return
    earlier = [_costs(version) for version in before]
    grown = []
    for code, figure in _costs(champion).items():
        usual = [cost for costs in earlier if (cost := costs[code]) is not None]
        if figure is not None and usual and figure > GROWTH * median(usual) + TOLERATED[code]:
            grown.append(Finding(code, Outcome.FAILED, figure, median(usual)))
    message = Message.GROWN if grown else ""
    finding = _finding(EvidenceCode.COSTS, not grown, {"version": champion.pk, "n": len(before)}, message)
    yield record("Mo6", Source.BEAT, finding, *grown)


def _costs(version: ModelVersion) -> dict[Cost, float | None]:
    step = RunStep.objects.filter(run=version.run_id, name="fit").first() if version.run_id else None
    measured = version.figures.get("smoke_test", {})
    return {
        Cost.FIT_SECONDS: step.seconds if step else None,
        Cost.LIST_MS: measured.get("latency_ms"),
        Cost.MEMORY_MB: measured.get("memory_mb"),
        Cost.SIZE_MB: version.artifact_bytes / 1e6,
    }


def _of_monitoring(now: datetime) -> Iterator[TestEvidence]:
    yield record("Mo4", Source.BEAT, _staleness(now), ran_at=now)
    scored = OnlineMetrics.objects.filter(day__gt=(now - WINDOW).date()).aggregate(n=Sum("n"))["n"] or 0
    report = DriftReport.objects.first()
    checks = report.findings if report else []
    fell = [check for check in checks if check.code == DriftCode.ONLINE_METRICS and check.outcome == Outcome.ALERT]
    finding = _finding(EvidenceCode.ONLINE_METRICS, scored > 0 and not fell, {"n": scored})
    yield record("Mo7", Source.BEAT, finding, *fell, ran_at=now)
    yield from _offline_and_online(now)


def _staleness(now: datetime) -> Finding:
    checks = staleness_checks()
    if not any(check.code == StalenessCode.CHAMPION and check.at for check in checks):
        return _finding(EvidenceCode.STALENESS, False, {}, Message.NO_CHAMPION)
    old = [check.code.value for check in checks if check.is_stale(now)]
    return _finding(EvidenceCode.STALENESS, not old, {"checks": old}, Message.TOO_OLD if old else "")


def _offline_and_online(now: datetime) -> Iterator[TestEvidence]:
    """Yields Spearman's rank correlation between offline and online nDCG of the versions. Passes if it is positive."""
    rows = OnlineMetrics.objects.order_by().values("version").annotate(n=Sum("n"), total=Sum("ndcg_sum"))
    online = {row["version"]: row["total"] / row["n"] for row in rows if row["n"] >= 100}
    offline = {version.pk: version.ndcg for version in ModelVersion.objects.filter(pk__in=list(online)).only("figures")}
    pairs = [(offline[pk], online[pk]) for pk in online if offline.get(pk) is not None]
    if len(pairs) < 4:
        return
    from scipy.stats import spearmanr  # imported here, so that web processes start without scipy

    rho = float(spearmanr(*zip(*pairs, strict=True)).statistic)
    finding = replace(_finding(EvidenceCode.CORRELATION, rho > 0, {"n": len(pairs)}), figure=rho)
    yield record("M2", Source.BEAT, finding, ran_at=now)
