"""Measures how time and memory grow: `python -m benchmarks.scale [--ratings N ...] [--estimators NAME ...]`.

Each measurement runs in its own process, so that its peak memory is known. An estimator is evaluated as in the gate:
frames to Dataset, a fit with tuning before a cut, lists and predicted ratings for the later tenth. Exponents are
computed from the CPU seconds of all threads, because other programs do not affect them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.checkout import OUTSIDE
from benchmarks.measure import in_a_process_of_its_own
from benchmarks.scale_data import Size, write
from benchmarks.tables import render
from recommender.estimators import ESTIMATORS

ROOT = Path(__file__).resolve().parent.parent
SIZES = (100_000, 1_000_000, 10_000_000, 25_000_000)
LARGEST_EXPORT = 1_000_000
DIGITS = dict.fromkeys(("data s", "fit s", "fit CPU s", "evaluate s", "evaluate CPU s", "export s", "export CPU s"), 1)
GROWING = ("fit CPU s", "evaluate CPU s", "export CPU s", "peak MB")


def main(arguments: list[str] | None = None) -> None:
    options = _read(arguments)
    rows: list[dict[str, Any]] = []
    sizes = [Size.of(ratings) for ratings in sorted(options.ratings)]
    total = sum(len(list(_parts(size, options))) for size in sizes)
    with tempfile.TemporaryDirectory(prefix="movierec-scale-") as folder, tqdm(total=total, unit="part") as bar:
        for size in sizes:
            bar.set_description(f"{size.ratings:,} ratings: generating")
            data = Path(folder) / str(size.ratings)
            in_a_process_of_its_own(write, size, data)
            for part in _parts(size, options):
                bar.set_description(f"{size.ratings:,} ratings: {part}")
                rows.append(_described(size, part) | _measure(part, data))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
                bar.update()
    for title, found in _tables(rows):
        print(render(title, found, DIGITS))


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description="Measure growth with data.")
    parser.add_argument("--ratings", type=int, nargs="+", default=list(SIZES[:3]), help=f"sizes (all: {SIZES})")
    parser.add_argument("--estimators", nargs="*", choices=list(ESTIMATORS), default=list(ESTIMATORS))
    parser.add_argument(
        "--export",
        type=int,
        default=LARGEST_EXPORT,
        metavar="N",
        help="the largest size for which a database is filled and exported",
    )
    return parser.parse_args(arguments)


def _parts(size: Size, options: argparse.Namespace) -> Iterator[str]:
    if size.ratings <= options.export:
        yield "export"
    yield from options.estimators


def _described(size: Size, part: str) -> dict[str, Any]:
    return {"ratings": size.ratings, "users": size.users, "movies": size.movies, "part": part}


def _measure(part: str, data: Path) -> dict[str, Any]:
    """Returns the figures printed by the child on its last line, or the exit code with which it failed."""
    module = ["benchmarks.scale_export"] if part == "export" else ["benchmarks.scale_fit", part]
    with tempfile.TemporaryDirectory(prefix="movierec-benchmark-") as site:
        done = subprocess.run(
            [sys.executable, "-m", *module, str(data)],
            cwd=ROOT,
            env=_new_site(site),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode:
        return {"note": f"ended with code {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _new_site(folder: str) -> dict[str, str]:
    own = {"VAR_DIR": folder, "ENV_FILE": f"{folder}/no.env", "DJANGO_SETTINGS_MODULE": "movierec.settings"}
    return {name: value for name, value in os.environ.items() if name not in OUTSIDE} | own


def _tables(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    exports = [row for row in rows if row["part"] == "export"]
    fits = [row for row in rows if row["part"] != "export"]
    if exports:
        yield "Export of a snapshot from SQLite", exports
    if fits:
        yield "Fit before the last tenth, evaluation on it", fits
    growth = list(exponents(rows))
    if growth:
        yield "Exponents: how a figure grows with the number of ratings (1: in proportion)", growth


def exponents(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields the least-squares slope of the logarithms over all sizes of a part."""
    for part in dict.fromkeys(row["part"] for row in rows):
        own = [row for row in rows if row["part"] == part and "note" not in row]
        if len(own) > 1:
            slopes = {name: _slope(own, name) for name in GROWING if name in own[0]}
            yield {"part": part, "sizes": len(own)} | {name: slopes.get(name) for name in GROWING}


def _slope(rows: list[dict[str, Any]], name: str) -> float:
    sizes = np.log([row["ratings"] for row in rows])
    figures = np.log([max(row[name], 1e-3) for row in rows])
    return float(np.polyfit(sizes, figures, 1)[0])


if __name__ == "__main__":
    main()
