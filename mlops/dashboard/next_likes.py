"""Compares lists with what users liked next: a headline about the champion, and hit rates by day."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.plots import Point, Series, points_chart
from mlops.evaluation.intervals import Z_95, wilson
from mlops.findings import Outcome
from mlops.models import ModelVersion, OnlineMetrics
from mlops.monitoring.alerts import open_alerts

DAYS = 28
PLOT_DAYS = 42
MIN_LIKES = 100  # with fewer likes, the evaluation before the promotion is more reliable
SCALES = (10, 100, 1000)
POPULAR = "popular"  # name prefix of the popularity baselines


@dataclass(frozen=True)
class Headline:
    outcome: Outcome
    sentence: str
    basis: str = ""  # the data behind the sentence


class _Compared(NamedTuple):
    """The hit rates of the model's list and of the popular list, and whether they differ significantly."""

    share: float
    popular: float
    outcome: Outcome


def headline(now: datetime) -> Headline:
    version = ModelVersion.champion()
    if version is None:
        found = Headline(Outcome.INSUFFICIENT_DATA, _("No model is served yet. Lists show popular and new movies."))
    else:
        found = how_it_does(version, now)
    if not (n := len(open_alerts())):
        return found
    alerts = ngettext("Needs attention: {n} alert is open.", "Needs attention: {n} alerts are open.", n).format(n=n)
    return Headline(Outcome.ALERT, f"{alerts} {found.sentence}", found.basis)


def how_it_does(version: ModelVersion, now: datetime) -> Headline:
    """Returns the headline. It is based on recent likes if there are enough of them, otherwise on the evaluation."""
    rows = version.online_metrics.filter(day__gt=(now - timedelta(days=DAYS)).date(), popular_hits__isnull=False)
    total = OnlineMetrics.sum_of(rows)
    if total.n >= MIN_LIKES:
        compared = _compare(total.hits, total.popular_hits or 0, total.n)
        text = _(
            "{hits} of {scale:,} new likes were in the list shown before. The popular list would have "
            "included {popular}."
        )
        basis = _(
            "Based on {n:,} likes from the last {days} days. {n_shown:,} followed a recorded list; the "
            "others are scored against the list that the user would have seen."
        )
        return _headline(compared, text, basis.format(n=total.n, days=DAYS, n_shown=total.n_shown))
    few = _("Likes scored in the last {days} days: {n}.").format(n=total.n, days=DAYS)
    if (compared_offline := _evaluated(version.figures)) is None:
        sentence = _("Version {version} is served. There is not enough data yet to measure its quality.").format(
            version=version.pk
        )
        return Headline(Outcome.INSUFFICIENT_DATA, sentence, few)
    text = _(
        "Before promotion, the model's lists included {hits} of {scale:,} next likes and the popular list {popular}."
    )
    basis = _("Based on {n_rows:,} lists for {n_users:,} users and ratings that the model had not seen.")
    return _headline(compared_offline, text, f"{basis.format(**version.figures['interval'])} {few}")


def _headline(compared: _Compared, text: str, basis: str) -> Headline:
    share, popular, outcome = compared
    states = {
        Outcome.OK: _("Healthy: {text}"),
        Outcome.WARN: _("Not clearly better than popularity: {text}"),
        Outcome.ALERT: _("Worse than popularity: {text}"),
    }
    scale = next((scale for scale in SCALES if _fits(scale, share, popular)), SCALES[-1])
    text = text.format(hits=round(share * scale), popular=round(popular * scale), scale=scale)
    return Headline(outcome, states[outcome].format(text=text), basis)


def _fits(scale: int, share: float, popular: float) -> bool:
    """Returns whether the difference, out of `scale` likes, is either zero after rounding or clearly visible."""
    difference = abs(share - popular) * scale
    return share * scale >= 1 and (difference < 0.2 or difference > 1.5)


def _compare(hits: int, popular_hits: int, n: int) -> _Compared:
    """Compares both lists on the same likes. The interval assumes independence, so it is conservatively wide."""
    share, popular = hits / n, popular_hits / n
    half = Z_95 * math.sqrt((share * (1 - share) + popular * (1 - popular)) / n)
    return _Compared(share, popular, _outcome(share - popular - half, share - popular + half))


def _evaluated(figures: Mapping[str, Any]) -> _Compared | None:
    """Compares the candidate with the best popularity baseline by recall.

    Each like is evaluated against its own list, so recall is a share of likes.
    """
    recall = {name: found["summary"].get("recall") or 0.0 for name, found in figures.get("models", {}).items()}
    baselines = [name for name in recall if name.startswith(POPULAR)]
    if not recall.get("candidate") or not baselines or not figures.get("interval"):
        return None
    best = max(baselines, key=lambda name: recall[name])
    ndcg = figures["differences"][best]
    return _Compared(recall["candidate"], recall[best], _outcome(ndcg["low"] or 0.0, ndcg["high"] or 0.0))


def _outcome(low: float, high: float) -> Outcome:
    return Outcome.OK if low > 0 else Outcome.ALERT if high < 0 else Outcome.WARN


def online_metrics(now: datetime) -> dict[str, Any]:
    """Returns the hit rate by day and version with 95% Wilson intervals, and each version's totals."""
    first = now.date() - timedelta(days=PLOT_DAYS - 1)
    rows = list(OnlineMetrics.objects.filter(day__gte=first).order_by("version", "day"))
    begin = min((row.day for row in rows), default=None)
    days = [begin + timedelta(days=at) for at in range((now.date() - begin).days + 1)] if begin else []
    versions = sorted({row.version_id for row in rows})
    series = [_daily_series(rows, version, days[0]) for version in versions]
    labels = [date_format(day, "d M") for day in days]
    return {
        "plot": points_chart(_("Daily hit rate@10 of new positive ratings"), labels, series),
        "series": series,
        "rows": [_total(rows, version) for version in versions],
    }


def _daily_series(rows: Iterable[OnlineMetrics], version: int, first: date) -> Series:
    points = [
        Point((row.day - first).days, row.hit_rate or 0.0, *wilson(row.hits, row.n), f"{row.hits}/{row.n}, {row.day}")
        for row in rows
        if row.version_id == version
    ]
    return Series(_("version {version}").format(version=version), points)


def _total(rows: Iterable[OnlineMetrics], version: int) -> dict[str, Any]:
    total = OnlineMetrics.sum_of(row for row in rows if row.version_id == version)
    ndcg, half = total.ndcg or 0.0, Z_95 * total.ndcg_error
    return {
        "version": version,
        "total": total,
        "hit_rate": total.hit_rate or 0.0,
        "popular_hit_rate": _popular_hit_rate(row for row in rows if row.version_id == version),
        "hit_rate_interval": wilson(total.hits, total.n),
        "ndcg": ndcg,
        "ndcg_interval": (ndcg - half, ndcg + half),
    }


def _popular_hit_rate(rows: Iterable[OnlineMetrics]) -> float | None:
    """Returns the popular list's hit rate, over the days on which it was scored."""
    total = OnlineMetrics.sum_of(row for row in rows if row.popular_hits is not None)
    return (total.popular_hits or 0) / total.n if total.n else None
