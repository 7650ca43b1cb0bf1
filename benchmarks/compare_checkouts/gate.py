"""The gate's metrics and decisions on two sites made of the same data.

The older checkout's site is migrated with the newer code before both are read, so that both speak the newer codes.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
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
# What a clock or a scale measured says nothing about the code's results.
MEASURED = re.compile(
    r"latency|memory|seconds|_ms\b|_mb\b|\bms\b|\bMB\b|age|size|sentence|libraries|feature_costs", re.I
)


def compare_gates(old: Checkout, new: Checkout, movielens: Path, folder: Path) -> tuple[list[Row], list[str]]:
    """A row for each version, and what differs."""
    before, after = _trained(old, movielens, folder / "old"), _trained(new, movielens, folder / "new")
    before = Path(shutil.copytree(before, folder / "migrated", dirs_exist_ok=True))
    found = []
    for name, site in (("old", before), ("new", after)):
        new.use_site(site, POLICY)
        out = folder / f"{name}.json"
        if new.script(SCRIPT, "dump", out):
            raise SystemExit(f"The site of the {name} checkout could not be read.")
        found.append(json.loads(out.read_text(encoding="utf-8")))
    rows, problems = [], []
    for number, (a, b) in enumerate(zip(*found, strict=True), 1):
        differing = list(differences(a, b))
        n_rules = len(a["rules"].keys() | b["rules"].keys())
        decided = a["decision"] if a["decision"] == b["decision"] else f"{a['decision']}, then {b['decision']}"
        rows.append(
            {"version": number, "algorithm": a["algorithm"], "decision": decided, "rules": n_rules,
             "metrics": sum(1 for _ in _numbers(a["metrics"])), "differing": len(differing)}
        )  # fmt: skip
        problems += [f"version {number}: {line}" for line in differing]
    return rows, problems


def _trained(checkout: Checkout, movielens: Path, folder: Path) -> Path:
    if (folder / DONE).exists():
        return folder
    say(f"{checkout.root}: trains {', '.join(ALGORITHMS)} on a site")
    checkout.use_site(folder, POLICY)
    checkout.environment["MOVIELENS_PATH"] = str(movielens)
    if checkout.script(SCRIPT, "train", *ALGORITHMS):
        raise SystemExit(f"{checkout.root}: no site could be made.")
    (folder / DONE).touch()
    return folder


def differences(a: dict[str, Any], b: dict[str, Any]) -> Iterator[str]:
    for name in ("algorithm", "status", "decision", "data"):
        if a[name] != b[name]:
            yield f"{name}: {a[name]} before, {b[name]} after"
    for code in sorted(a["rules"].keys() | b["rules"].keys()):
        yield from _rule(code, a["rules"].get(code), b["rules"].get(code))
    yield from _metrics(dict(_numbers(a["metrics"])), dict(_numbers(b["metrics"])))


def _rule(code: str, a: dict[str, Any] | None, b: dict[str, Any] | None) -> Iterator[str]:
    if a is None or b is None:
        yield f"rule {code}: only {'after' if a is None else 'before'}"
        return
    parts = ("outcome",) if MEASURED.search(code) else ("outcome", "figure", "interval", "threshold")
    for part in parts:
        if not _same(a.get(part), b.get(part)):
            yield f"rule {code}: {part} {a.get(part)} before, {b.get(part)} after"


def _metrics(a: dict[str, Any], b: dict[str, Any]) -> Iterator[str]:
    for name in sorted(a.keys() | b.keys()):
        if not MEASURED.search(name) and not _same(a.get(name), b.get(name)):
            yield f"metric {name}: {a.get(name)} before, {b.get(name)} after"


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
