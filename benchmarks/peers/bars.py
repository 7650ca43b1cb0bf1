"""The targets of the comparison. Each is a row with a measure, the required and the measured value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple


class Figures(NamedTuple):
    """Medians over the turns of one participant with this many connections."""

    per_second: float  # lists
    p50_ms: float
    p99_ms: float
    errors: int  # of all turns
    memory_mb: float
    generator_us: float  # the load generator's CPU time per request
    kept: float | None = None  # impressions stored per list


Results = Mapping[tuple[str, int], Figures]  # by participant and connections


class Bar(NamedTuple):
    description: str
    needs: tuple[tuple[str, int], ...]
    measure: Callable[[Results], float]
    at_least: float = 0.0
    at_most: float = float("inf")

    def row(self, results: Results) -> dict[str, object]:
        found = self.measure(results)
        bound = f">= {self.at_least:g}" if self.at_least else f"<= {self.at_most:g}"
        return {"bar": self.description, "needed": bound, "found": found, "holds": self._holds(found)}

    def _holds(self, found: float) -> str:
        return "yes" if self.at_least <= found <= self.at_most else "no"


def ratio(ours: tuple[str, int], theirs: tuple[str, int]) -> Callable[[Results], float]:
    return lambda results: results[ours].per_second / results[theirs].per_second


C = 64  # connections for most targets
BATCHES = 2  # connections for batches
SITE, OTHERS, EMBEDDED, BATCH, PEER, OLD = "site", "others", "embedded", "batch", "peer", "checkout"


def _bar(description: str, ours: tuple[str, int], theirs: tuple[str, int], at_least: float) -> Bar:
    return Bar(description, (ours, theirs), ratio(ours, theirs), at_least)


BARS = (
    _bar(f"Postgres and Redis, users seen before, c = {C}: requests/s over the peer's", (SITE, C), (PEER, C), 1.0),
    _bar(f"Postgres and Redis, each request another user, c = {C}: over the peer's", (OTHERS, C), (PEER, C), 0.7),
    _bar(f"embedded (SQLite), c = {C}: over the peer's", (EMBEDDED, C), (PEER, C), 0.6),
    Bar(
        "Postgres and Redis, c = 8: p50 over the peer's",
        ((SITE, 8), (PEER, 8)),
        lambda results: results[SITE, 8].p50_ms / results[PEER, 8].p50_ms,
        at_most=1.0,
    ),
    _bar(f"Postgres and Redis, c = {C}: requests/s over the other checkout's", (SITE, C), (OLD, C), 12.0),
    _bar(f"batches, {BATCHES} at a time: users/s over single requests at c = {C}", (BATCH, BATCHES), (SITE, C), 3.0),
)


def judge(results: Results) -> list[dict[str, object]]:
    """Returns rows for the targets whose participants took part, and one for errors."""
    rows = [bar.row(results) for bar in BARS if set(bar.needs) <= results.keys()]
    errors = sum(figures.errors for figures in results.values())
    lost = sum(figures.kept is not None and figures.kept < 1 for figures in results.values())
    rows.append({"bar": "errors of all participants", "needed": "<= 0", "found": errors, "holds": _yes(not errors)})
    rows.append({"bar": "loads with lost impressions", "needed": "<= 0", "found": lost, "holds": _yes(not lost)})
    return rows


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
