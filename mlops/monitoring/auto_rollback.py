"""Auto-rollback of a new champion if its errors, latency or online metrics exceed the policy's limits.

Errors and latency are aggregated over all web processes (`recommender.serving.stats`). A champion that was restored by
a rollback is not assessed, because a second failure suggests a problem with the site, not with the model.
"""

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from mlops.errors import MLOpsError
from mlops.evaluation.intervals import Z_95, wilson
from mlops.findings import Finding, Outcome
from mlops.models import ModelVersion, OnlineMetrics, Promotion
from mlops.monitoring.alerts import set_alert
from mlops.monitoring.codes import AlertCode, AutoRollbackCode, Message
from mlops.policy import AutoRollbackPolicy
from mlops.registry.promotion import roll_back
from recommender.serving.stats import ServingStats

TAIL = 0.95  # quantile of latency


@dataclass(frozen=True)
class ChampionHealth:
    """The health of a new champion in production. `version` is None if there is no champion to assess."""

    version: int | None = None
    findings: list[Finding] = field(default_factory=list)
    result: Finding | None = None

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.outcome == Outcome.ALERT]

    @property
    def rolled_back_to(self) -> int | None:
        return self.result.params.get("champion") if self.result else None


def auto_rollback(*, now: datetime | None = None) -> ChampionHealth:
    """Assesses the champion, and rolls it back if a check fails. Stores the findings with the promotion."""
    report = assess(now=now)
    if report.failures:
        report = replace(report, result=_roll_back(report))
    set_alert(AlertCode.AUTO_ROLLBACK, *report.failures, *([report.result] if report.result else []))
    return report


def _roll_back(report: ChampionHealth) -> Finding:
    params: dict[str, object] = {"version": report.version}
    if not settings.POLICY.auto_rollback.enabled:
        return Finding(AutoRollbackCode.SWITCHED_OFF, Outcome.ALERT, params=params)
    try:
        back = roll_back(kind=Promotion.Kind.AUTOMATIC_ROLLBACK, replacing=report.version, findings=report.failures)
    except MLOpsError as error:
        return Finding(AutoRollbackCode.REFUSED, Outcome.ALERT, params=params | {"error": error.code})
    return Finding(AutoRollbackCode.DONE, Outcome.ALERT, params=params | {"champion": back.version_id})


def assess(*, now: datetime | None = None) -> ChampionHealth:
    """Returns the report for `auto_rollback` without changing anything."""
    policy, now = settings.POLICY.auto_rollback, now or timezone.now()
    days, window = timedelta(days=policy.days), timedelta(minutes=policy.window_minutes)
    promotion = Promotion.objects.filter(version__status=ModelVersion.Status.CHAMPION).first()
    if promotion is None or promotion.kind in Promotion.ROLL_BACKS or now - promotion.promoted_at > days:
        return ChampionHealth()
    begin = promotion.promoted_at.replace(second=0, microsecond=0)
    serving = ServingStats.between(max(begin, now - window), now, version=promotion.version_id)
    findings = [check_errors(serving, policy)]
    if promotion.previous_id is None:
        return ChampionHealth(promotion.version_id, [*findings, check_latency(serving, None, policy)])
    before = ServingStats.between(begin - window, begin, version=promotion.previous_id)
    findings.append(check_latency(serving, before, policy))
    since = (promotion.promoted_at - days).date()
    rows = OnlineMetrics.objects.filter(day__gte=since)
    own, other = (OnlineMetrics.sum_of(rows.filter(version=pk)) for pk in (promotion.version_id, promotion.previous_id))
    return ChampionHealth(promotion.version_id, [*findings, check_online_metrics(own, other, policy)])


def check_errors(serving: ServingStats, policy: AutoRollbackPolicy) -> Finding:
    """Fails if the lower bound of the error share's interval exceeds the limit."""
    if serving.n_requests < policy.min_requests:
        return _too_few(AutoRollbackCode.ERRORS, serving, policy)
    share = serving.n_failed / serving.n_requests
    is_bad = wilson(serving.n_failed, serving.n_requests)[0] > policy.max_error_share
    params = {"n": serving.n_requests, "n_failed": serving.n_failed}
    return Finding(AutoRollbackCode.ERRORS, Outcome.alert_if(is_bad), share, policy.max_error_share, params=params)


def check_latency(serving: ServingStats, before: ServingStats | None, policy: AutoRollbackPolicy) -> Finding:
    """Fails if the latency exceeds the policy's limit. The limit is lower if the previous champion was much faster."""
    found = serving.quantile(TAIL)
    if serving.n_served < policy.min_requests or found is None:
        return _too_few(AutoRollbackCode.LATENCY, serving, policy)
    threshold, message, params = policy.max_latency_ms, "", dict[str, float]()
    earlier = before.quantile(TAIL) if before and before.n_served >= policy.min_requests else None
    if earlier is not None and math.isfinite(earlier):
        relative = max(policy.max_latency_ratio * 1000 * earlier, policy.latency_floor_ms)
        if relative < threshold:
            threshold, message = relative, Message.LATENCY_REGRESSED
            params["previous_ms"] = 1000 * earlier
    if not math.isfinite(found):
        message = Message.LATENCY_UNMEASURED
    outcome = Outcome.alert_if(1000 * found > threshold)
    return Finding(AutoRollbackCode.LATENCY, outcome, _finite(1000 * found), threshold, params=params, message=message)


def check_online_metrics(now: OnlineMetrics, before: OnlineMetrics, policy: AutoRollbackPolicy) -> Finding:
    """Fails if nDCG fell by more than the policy's limit and the whole interval of the difference is below zero."""
    code, needed = AutoRollbackCode.ONLINE_METRICS, policy.min_quality_ratings
    if min(now.n, before.n) < needed:
        params = {"n": now.n, "n_previous": before.n, "needed": needed}
        return Finding(code, Outcome.INSUFFICIENT_DATA, params=params, message=Message.TOO_FEW_RATINGS)
    difference = (now.ndcg or 0.0) - (before.ndcg or 0.0)
    margin = Z_95 * math.hypot(now.ndcg_error, before.ndcg_error)
    outcome = Outcome.alert_if(difference < -policy.max_quality_loss and difference + margin < 0)
    interval = (difference - margin, difference + margin)
    return Finding(code, outcome, difference, -policy.max_quality_loss, interval, {"ndcg": now.ndcg})


def _too_few(code: str, serving: ServingStats, policy: AutoRollbackPolicy) -> Finding:
    params = {"n": serving.n_requests, "needed": policy.min_requests}
    return Finding(code, Outcome.INSUFFICIENT_DATA, params=params, message=Message.TOO_FEW_REQUESTS)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
