"""Compares cost and content of two checkouts' responses: `python -m benchmarks.request_path OLD NEW`.

Each checkout's WSGI application is called in one process on the site of this environment (VAR_DIR, or DATABASE_URL and
REDIS_URL), which must have a champion. Prints the CPU time of each kind of response, and every response that differs in
status, headers or body, except for the request's id. The exit code is 1 if there are differences.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.checkout import OUTSIDE, Checkout, say
from benchmarks.tables import render

SCRIPT = Path(__file__).resolve().parent / "answers.py"
FREE = {"limits": {"user": "1000000/min", "service": "1000000/min", "anonymous": "1000000/min"}}  # still counted
TURNS = 3
SHOWN = 10


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.request_path", description=__doc__)
    parser.add_argument("old", type=Path, help="the checkout to compare with")
    parser.add_argument("new", type=Path, nargs="?", default=Path(), help="the other one (default: this one)")
    parser.add_argument("--requests", type=int, default=1000, help="of each kind in each turn (default 1000)")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"the lowest figure counts (default {TURNS})")
    parser.add_argument("--profile", default="", help='of one kind on the new checkout alone, as "POST recommend"')
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="movierec-request-path-") as folder:
        if options.profile:
            run(options.new, Path(folder), options.requests, options.profile)
            return 0
        found: dict[str, list[dict[str, Any]]] = {"old": [], "new": []}
        for _turn in range(options.turns):
            for name, root in (("old", options.old), ("new", options.new)):
                say(f"{name}: {root}")
                found[name].append(run(root, Path(folder), options.requests))
    rows = []
    for kind in found["old"][0]["costs"]:
        old, new = (lowest(found[name], kind, "CPU ms") for name in ("old", "new"))
        clock = lowest(found["new"], kind, "clock ms")
        rows.append({"answer": kind, "old CPU ms": old, "new CPU ms": new, "ratio": old / new, "new clock ms": clock})
    print(render("Processor time of one answer", rows, {name: 2 for name in rows[0] if name != "answer"}))
    return report(found["old"][0]["answers"], found["new"][0]["answers"])


def lowest(runs: list[dict[str, Any]], kind: str, figure: str) -> float:
    return min(run["costs"][kind][figure] for run in runs)


def run(root: Path, folder: Path, n_requests: int, profiled: str = "") -> dict[str, Any]:
    checkout, out = Checkout(root), folder / "answers.json"
    checkout.environment |= {name: os.environ[name] for name in (*OUTSIDE, "VAR_DIR") if name in os.environ}
    config = folder / "config.yaml"
    config.write_text(json.dumps(FREE), encoding="utf-8")  # JSON is YAML
    with tempfile.TemporaryDirectory(dir=folder) as metrics:
        own = {"CONFIG_FILE": str(config), "PROMETHEUS_MULTIPROC_DIR": metrics, "LOG_LEVEL": "INFO"}
        own |= {"DJANGO_SETTINGS_MODULE": "movierec.settings", "PYTHONHASHSEED": "0"}  # the order of some headers
        code = checkout.script(SCRIPT, out, n_requests, *([profiled] if profiled else []), **own)
    if code:
        raise SystemExit(f"{root}: {out.with_suffix('.log').read_text(encoding='utf-8')[-3000:]}")
    return {} if profiled else json.loads(out.read_text(encoding="utf-8"))


def report(old: list[Any], new: list[Any]) -> int:
    differing = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    print(f"{len(old)} answers compared, {len(differing)} differ")
    for a, b in differing[:SHOWN]:
        (x, y), *_ = [pair for pair in zip(a[3:], b[3:], strict=True) if pair[0] != pair[1]]
        at = next((place for place, (c, d) in enumerate(zip(x, y, strict=False)) if c != d), 0)
        begin = max(at - 60, 0) if isinstance(x, str) else 0
        print(f"{a[:3]}\n  old {x[begin : at + 60]}\n  new {y[begin : at + 60]}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
