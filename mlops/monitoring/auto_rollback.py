"""A new champion at work: taken back when its errors, its latency or its live quality pass the policy's bounds.

Judged on what all web processes counted (`recommender.serving.stats`) and on live quality. A champion that came by a
roll-back is not judged: what is still wrong then is not the model, and going on would only turn in a circle.
"""

import math
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from mlops.errors import MLOpsError
from mlops.models import ModelVersion, OnlineMetrics, Promotion
from mlops.monitoring.alerts import set_alert
from mlops.policy import AutoRollbackPolicy
from mlops.registry.promotion import roll_back
from recommender.serving.stats import ServingStats

ALERT = "champion at work"
OK, BAD, INSUFFICIENT_DATA = "ok", "bad", "insufficient_data"
TAIL = 0.95  # of latency
Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class Quality:
    """nDCG@10 of new positive ratings, as sums."""

    n: int = 0
    ndcg_sum: float = 0.0
    ndcg_square_sum: float = 0.0

    @property
    def mean(self) -> float:
        return self.ndcg_sum / self.n if self.n else math.nan

    @property
    def squared_error(self) -> float:
        """Of the mean."""
        return max(self.ndcg_square_sum / self.n - self.mean**2, 0.0) / self.n


@dataclass(frozen=True)
class Finding:
    name: str
    status: str
    sentence: str
    figure: float | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class CanaryReport:
    """`version` None: there is nothing to watch."""

    version: int | None = None
    findings: list[Finding] = field(default_factory=list)
    rolled_back_to: int | None = None
    refusal: str = ""

    @property
    def reasons(self) -> str:
        return " ".join(finding.sentence for finding in self.findings if finding.status == BAD)


def auto_rollback(*, now: datetime | None = None) -> CanaryReport:
    """Look at the champion, and take it back if it must be; which is on record in the audit trail."""
    report = assess(now=now)
    if report.reasons and settings.POLICY.auto_rollback.enabled:
        report = _roll_back(report)
    set_alert(ALERT, _message(report) if report.reasons else "")
    return report


def _roll_back(report: CanaryReport) -> CanaryReport:
    try:
        back = roll_back(kind=Promotion.Kind.AUTOMATIC_ROLLBACK, replacing=report.version, reason=report.reasons)
    except MLOpsError as error:
        return replace(report, refusal=str(error))
    return replace(report, rolled_back_to=back.version_id)


def _message(report: CanaryReport) -> str:
    what = f"Version {report.version} passes the bounds of its watch. {report.reasons}"
    if report.rolled_back_to:
        return f"{what} Version {report.rolled_back_to} is the champion again."
    return f"{what} It stays the champion: {report.refusal or 'auto_rollback.enabled is false'}"


def assess(*, now: datetime | None = None) -> CanaryReport:
    """What `auto_rollback` would find; nothing is changed."""
    policy, now = settings.POLICY.auto_rollback, now or timezone.now()
    promotion = Promotion.objects.filter(version__status=ModelVersion.Status.CHAMPION).first()
    if promotion is None or promotion.kind in Promotion.ROLL_BACKS:
        return CanaryReport()
    if now - promotion.promoted_at > timedelta(days=policy.days):
        return CanaryReport()
    window = timedelta(minutes=policy.window_minutes)
    begin = promotion.promoted_at.replace(second=0, microsecond=0)
    serving = ServingStats.between(max(begin, now - window), now, version=promotion.version_id)
    findings = [check_errors(serving, policy)]
    if promotion.previous_id is None:
        return CanaryReport(promotion.version_id, [*findings, check_latency(serving, None, policy)])
    before = ServingStats.between(begin - window, begin, version=promotion.previous_id)
    findings.append(check_latency(serving, before, policy))
    since = (promotion.promoted_at - timedelta(days=policy.days)).date()
    own, other = (quality_of(version, since) for version in (promotion.version_id, promotion.previous_id))
    return CanaryReport(promotion.version_id, [*findings, check_quality(own, other, policy)])


def quality_of(version: int, since: date) -> Quality:
    rows = OnlineMetrics.objects.filter(version=version, day__gte=since)
    sums = {name: Sum(name, default=0.0) for name in ("ndcg_sum", "ndcg_square_sum")}
    return Quality(**rows.aggregate(n=Sum("n", default=0), **sums))


def check_errors(serving: ServingStats, policy: AutoRollbackPolicy) -> Finding:
    name = "errors"
    if serving.n_requests < policy.min_requests:
        return _too_few(name, serving, policy)
    share = serving.n_failed / serving.n_requests
    is_bad = _surely_at_least(serving.n_failed, serving.n_requests) > policy.max_error_share
    sentence = (
        f"{serving.n_failed} of {serving.n_requests} lists failed ({share:.1%}); "
        f"surely more than {policy.max_error_share:.1%} is too much."
    )
    return Finding(name, BAD if is_bad else OK, sentence, share, policy.max_error_share)


def check_latency(serving: ServingStats, before: ServingStats | None, policy: AutoRollbackPolicy) -> Finding:
    name = "latency"
    found = serving.quantile(TAIL)
    if serving.n_served < policy.min_requests or found is None:
        return _too_few(name, serving, policy)
    threshold, why = policy.max_latency_ms, "whatever it was before"
    earlier = before.quantile(TAIL) if before and before.n_served >= policy.min_requests else None
    if earlier is not None and math.isfinite(earlier):
        relative = max(policy.max_latency_ratio * 1000 * earlier, policy.latency_floor_ms)
        if relative < threshold:
            threshold, why = relative, f"the champion before had {1000 * earlier:g} ms"
    sentence = f"95 % of the lists took up to {1000 * found:g} ms; at most {threshold:g} ms is allowed ({why})."
    return Finding(name, BAD if 1000 * found > threshold else OK, sentence, _finite(1000 * found), threshold)


def check_quality(now: Quality, before: Quality, policy: AutoRollbackPolicy) -> Finding:
    """Clearly lower: by more than the policy's loss, and not by chance."""
    name, needed = "live quality", policy.min_quality_ratings
    if min(now.n, before.n) < needed:
        few = f"{now.n} new positive ratings, {before.n} of the champion before; {needed} of each are needed."
        return Finding(name, INSUFFICIENT_DATA, few)
    difference = now.mean - before.mean
    margin = Z * math.sqrt(now.squared_error + before.squared_error)
    is_bad = difference < -policy.max_quality_loss and difference + margin < 0
    sentence = (
        f"Live nDCG@10 is {now.mean:.4f}, {difference:+.4f} [{difference - margin:+.4f}, {difference + margin:+.4f}] "
        f"against the champion before; clearly below {-policy.max_quality_loss:g} is too low."
    )
    return Finding(name, BAD if is_bad else OK, sentence, difference, -policy.max_quality_loss)


def _too_few(name: str, serving: ServingStats, policy: AutoRollbackPolicy) -> Finding:
    few = f"{serving.n_requests} requests in the window; {policy.min_requests} are needed."
    return Finding(name, INSUFFICIENT_DATA, few)


def _surely_at_least(n_found: int, n: int) -> float:
    """Lower end of the 95 % score interval of a share (Wilson, 1927)."""
    share = n_found / n
    centre = share + Z**2 / (2 * n)
    spread = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return (centre - spread) / (1 + Z**2 / n)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
