"""A version's figures in the order people read them: for the admin, the API's readers and the terminal."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METRICS = ("ndcg", "recall", "coverage", "novelty", "popularity_gini", "intra_list_diversity", "rmse")


@dataclass(frozen=True)
class FigureRow:
    """One model of the comparison; `difference` is by how much the candidate's nDCG is above its own."""

    name: str
    values: list[str]
    n_users: int
    difference: str

    def line(self) -> str:
        return f"{self.name:<16}" + "".join(f"{value:>9}" for value in self.values) + f"  {self.difference}"


def figure_rows(figures: Mapping[str, Any]) -> list[FigureRow]:
    """The candidate, the champion, then the baselines, best first."""
    models = figures.get("models", {})
    baselines = sorted(
        (name for name in models if name not in ("candidate", "champion")),
        key=lambda name: -(models[name]["summary"]["ndcg"] or 0.0),
    )
    names = [name for name in ("candidate", "champion") if name in models] + baselines
    return [_row(name, models[name]["summary"], figures["differences"].get(name)) for name in names]


def slice_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, int, str, str]]:
    """name, users, nDCG and the difference to the champion of each slice."""
    for name, values in figures.get("models", {}).get("candidate", {}).get("slices", {}).items():
        difference = figures.get("slice_differences", {}).get(name)
        yield name.replace("_", " "), values["n_users"], _number(values["ndcg"]), interval_text(difference)


def rule_lines(rules: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{rule['outcome'].replace('_', ' '):<20} {rule['sentence']}" for rule in rules]


def interval_text(interval: Mapping[str, Any] | None) -> str:
    if not interval or interval["mean"] is None:
        return ""
    if interval["low"] is None:
        return f"{interval['mean']:+.4f}"
    return f"{interval['mean']:+.4f} [{interval['low']:+.4f}, {interval['high']:+.4f}]"


def _row(name: str, summary: Mapping[str, Any], difference: Mapping[str, Any] | None) -> FigureRow:
    values = [_number(summary.get(metric)) for metric in METRICS]
    return FigureRow(name.replace("_", " "), values, summary["n_users"], interval_text(difference))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
