"""Compares the gate's metrics and decisions on two sites with the same data.

The older site is first migrated with the newer code, so that both use the newer codes. Metrics may differ only because
of ties. The older checkout therefore trains once more with its scores rounded like the newer one's. Metrics that are
then equal differed only because of ties.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.checkout import Checkout, Sections, say
from benchmarks.tables import Row

SCRIPT = Path(__file__).resolve().parent / "train_site.py"
POLICY: Sections = {
    "training": {"parameters": {"ease": {"regularization": 300}}, "threads": 1},
    "evaluation": {"cuts": [0.7], "half_lives_days": [30]},
    "gate": {"max_latency_ms": 5000, "shadow_latency_floor_ms": 5000},
}
DONE = "done"  # a file that marks a complete site
ALGORITHMS = ("ease", "item_knn", "ease")  # a first model, a change, a refresh
# measured times and sizes, which do not depend on the results
MEASURED = re.compile(
    r"latency|memory|seconds|_ms\b|_mb\b|\bms\b|\bMB\b|age|size|sentence|libraries|feature_costs", re.I
)


@dataclass
class GateComparison:
    """A row for each version, with differences because of ties and other differences."""

    rows: list[Row] = field(default_factory=list)
    by_ties: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def compare_gates(old: Checkout, new: Checkout, movielens: Path, folder: Path) -> GateComparison:
    sites = {
        "old": _trained(old, movielens, folder / "old", "train"),
        "rounded": _trained(old, movielens, folder / "rounded", "train-rounded"),
        "new": _trained(new, movielens, folder / "new", "train"),
    }
    read = {name: _read(new, site, folder / "migrated" / name) for name, site in sites.items()}
    found = GateComparison()
    for number, (a, rounded, b) in enumerate(zip(*read.values(), strict=True), 1):
        differing = dict(differences(a, b))
        others = differing.keys() & dict(differences(rounded, b)).keys()
        n_rules = len(a["rules"].keys() | b["rules"].keys())
        decided = a["decision"] if a["decision"] == b["decision"] else f"{a['decision']}, then {b['decision']}"
        found.rows.append(
            {"version": number, "algorithm": a["algorithm"], "decision": decided, "rules": n_rules,
             "metrics": sum(1 for _ in _numbers(a["metrics"])), "differ by ties": len(differing) - len(others),
             "others": len(others)}
        )  # fmt: skip
        for name, line in differing.items():
            lines = found.problems if name in others else found.by_ties
            lines.append(f"version {number}: {name}: {line}")
    return found


def _trained(checkout: Checkout, movielens: Path, folder: Path, command: str) -> Path:
    if (folder / DONE).exists():
        return folder
    say(f"{checkout.root}: trains {', '.join(ALGORITHMS)} on a site ({command})")
    checkout.use_site(folder, POLICY)
    checkout.environment["MOVIELENS_PATH"] = str(movielens)
    if checkout.script(SCRIPT, command, *ALGORITHMS):
        raise SystemExit(f"{checkout.root}: no site could be made.")
    (folder / DONE).touch()
    return folder


def _read(checkout: Checkout, site: Path, copy: Path) -> list[dict[str, Any]]:
    """Returns the versions of a site, from a copy migrated with the checkout's code."""
    shutil.copytree(site, copy, dirs_exist_ok=True)
    checkout.use_site(copy, POLICY)
    out = copy / "versions.json"
    if checkout.script(SCRIPT, "dump", out):
        raise SystemExit(f"The site {site} could not be read.")
    found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
    return found


def differences(a: dict[str, Any], b: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields the names and values that differ."""
    for name in ("algorithm", "status", "decision", "data"):
        if a[name] != b[name]:
            yield name, _change(a[name], b[name])
    for code in sorted(a["rules"].keys() | b["rules"].keys()):
        yield from _rule(code, a["rules"].get(code), b["rules"].get(code))
    yield from _metrics(dict(_numbers(a["metrics"])), dict(_numbers(b["metrics"])))


def _rule(code: str, a: dict[str, Any] | None, b: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    if a is None or b is None:
        yield f"rule {code}", f"only {'after' if a is None else 'before'}"
        return
    parts = ("outcome",) if MEASURED.search(code) else ("outcome", "figure", "interval", "threshold")
    for part in parts:
        if not _same(a.get(part), b.get(part)):
            yield f"rule {code}, {part}", _change(a.get(part), b.get(part))


def _metrics(a: dict[str, Any], b: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in sorted(a.keys() | b.keys()):
        if not MEASURED.search(name) and not _same(a.get(name), b.get(name)):
            yield f"metric {name}", _change(a.get(name), b.get(name))


def _change(a: Any, b: Any) -> str:
    return f"{a} before, {b} after"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, float) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1.0)
    return bool(a == b)


def _numbers(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _numbers(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _numbers(part, f"{name}.{place}")
    else:
        yield name, value
