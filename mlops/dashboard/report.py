"""Formats a version's figures as rows of text for the admin and the terminal."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mlops.findings import Finding, Text, title

METRICS = (
    "ndcg",
    "recall",
    "precision",
    "coverage",
    "novelty",
    "popularity_gini",
    "intra_list_diversity",
    "personalisation",
    "rmse",
)
SLICE_METRICS = ("ndcg", "recall", "precision", "rmse")


@dataclass(frozen=True)
class FigureRow:
    """A model in the comparison. `difference` is the candidate's nDCG minus this model's nDCG."""

    name: str
    values: list[str]
    n_users: int
    difference: str

    def line(self) -> str:
        return f"{self.name:<16}" + "".join(f"{value:>9}" for value in self.values) + f"  {self.difference}"


def figure_rows(figures: Mapping[str, Any]) -> list[FigureRow]:
    """Returns one row per model: the candidate, the champion, then the others by descending nDCG."""
    models = figures.get("models", {})
    baselines = sorted(
        (name for name in models if name not in ("candidate", "champion")),
        key=lambda name: -(models[name]["summary"]["ndcg"] or 0.0),
    )
    names = [name for name in ("candidate", "champion") if name in models] + baselines
    rows = []
    for name in names:
        summary = models[name]["summary"]
        values = [_text(summary.get(metric)) for metric in METRICS]
        difference = difference_text(figures["differences"].get(name))
        rows.append(FigureRow(name.replace("_", " "), values, summary["n_users"], difference))
    return rows


@dataclass(frozen=True)
class Pair:
    """A figure of the champion and of the candidate, with their difference and its interval if there is one."""

    name: Text
    champion: str
    candidate: str
    difference: str = ""


SIDE_BY_SIDE = (
    ("ndcg", "nDCG@10"),
    ("recall", "recall@10"),
    ("precision", "precision@10"),
    ("coverage", "coverage@10"),
    ("popularity_gini", _("popularity Gini")),
    ("mean_popularity", _("mean popularity")),
    ("novelty", _("novelty, bits")),
    ("intra_list_diversity", _("intra-list diversity")),
    ("personalisation", _("personalisation")),
    ("rmse", _("RMSE of predicted ratings")),
)
MEASURED = (
    ("latency_ms", _("list latency, ms")),
    ("memory_mb", _("process memory, MB")),
    ("load_seconds", _("load time, s")),
)


def side_by_side(figures: Mapping[str, Any], of_champion: Mapping[str, Any]) -> list[Pair]:
    """Returns the figures of a version next to those of the champion it was compared with."""
    models = figures.get("models", {})
    if "champion" not in models:
        return []
    champion, candidate = (models[name]["summary"] for name in ("champion", "candidate"))
    differences = figures.get("champion_differences") or {"ndcg": figures["differences"]["champion"]}
    pairs = [
        Pair(str(label), _text(champion.get(name)), _text(candidate.get(name)), difference_text(differences.get(name)))
        for name, label in SIDE_BY_SIDE
    ]
    before, now = of_champion.get("smoke_test", {}), figures.get("smoke_test", {})
    measured = [(label, before.get(name), now.get(name)) for name, label in MEASURED]
    replay = (figures.get("replay") or {}).get("figures", {})
    label = _("replay: 95th percentile of latency, ms")
    measured.append((label, replay.get("champion_latency_p95_ms"), replay.get("latency_p95_ms")))
    return pairs + [Pair(label, _text(was, ".4g"), _text(found, ".4g")) for label, was, found in measured]


def group_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yields each group's name, its shares of the catalog and of both models' lists, and its nDCG difference."""
    exposure, differences = figures.get("exposure", {}), figures.get("slice_differences", {})
    for name, share in figures.get("groups", {}).items():
        shares = (share, *(exposure.get(model, {}).get(name) for model in ("champion", "candidate")))
        yield name, *(_text(part, ".1%") for part in shares), difference_text(differences.get(name))


def slice_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, int, list[str], str]]:
    """Yields each slice's name, its number of users, the candidate's SLICE_METRICS and the difference in nDCG."""
    for name, found in figures.get("models", {}).get("candidate", {}).get("slices", {}).items():
        values = [_text(found.get(metric)) for metric in SLICE_METRICS]
        difference = difference_text(figures.get("slice_differences", {}).get(name))
        yield name.replace("_", " "), found["n_users"], values, difference


def backtest_lines(figures: Mapping[str, Any]) -> list[str]:
    """Returns one line per ablation or age, with the difference in nDCG from the complete or the fresh model."""
    if "curve" in figures:
        lines = [_age_line(point) for point in figures["curve"]]
        return [*lines, gettext("Data can be up to {days:g} days old.").format(days=figures["max_age_days"])]
    return [_worth_line(code, found) for code, found in sorted(figures.items())]  # jsonb does not preserve key order


def _age_line(point: Mapping[str, Any]) -> str:
    age = gettext("{days:g} days old").format(days=point["days"])
    return f"{age:<14} nDCG {point['ndcg']:.4f}  {difference_text(point['difference'])}".rstrip()


def _worth_line(code: str, found: Mapping[str, Any]) -> str:
    parts = sorted(found["worth"].items())
    worth = ", ".join(f"{title(lists)} {difference_text(interval) or gettext('too few')}" for lists, interval in parts)
    return f"{title(code):<12} {title(found['outcome']):<11} {worth}"


def rule_lines(findings: Iterable[Finding]) -> list[str]:
    return [f"{finding.get_outcome_display():<20} {finding.sentence}" for finding in findings]


def interval_text(interval: Mapping[str, Any] | None, *, sign: str = "") -> str:
    if not interval or interval["mean"] is None:
        return ""
    if interval["low"] is None:
        return f"{interval['mean']:{sign}.4f}"
    return f"{interval['mean']:{sign}.4f} [{interval['low']:{sign}.4f}, {interval['high']:{sign}.4f}]"


def difference_text(interval: Mapping[str, Any] | None) -> str:
    return interval_text(interval, sign="+")


def _text(value: float | None, form: str = ".4f") -> str:
    return "-" if value is None else format(value, form)
