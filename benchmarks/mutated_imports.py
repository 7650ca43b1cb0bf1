"""Tests imports with damaged uploads: `python -m benchmarks.mutated_imports [--n 100000] [--seed S]`.

Randomly damages the uploads of `tests/catalog/imports/cases` and passes them to the reader of previews, in several
processes and without a database. Counts uploads for which the reader raises an error other than InvalidImport, and rows
read as watched without support in the sound upload. Exits with 1 if there are any.

`--number N` repeats one upload of the same seed and writes it to the working directory.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.mutation_outcome import Outcome
from benchmarks.mutations import MUTATIONS
from benchmarks.site import load
from benchmarks.tables import render

EXAMPLES = 20
PER_TASK = 500


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    if options.number is not None:
        return _write(options.seed, options.number)
    started = time.monotonic()
    outcomes = {kind: Outcome() for kind in MUTATIONS}
    numbers = [range(at, min(at + PER_TASK, options.n)) for at in range(0, options.n, PER_TASK)]
    with (
        ProcessPoolExecutor(options.processes, initializer=_reader) as pool,
        tqdm(total=options.n, unit="upload") as bar,
    ):
        tasks = [pool.submit(_check, options.seed, task) for task in numbers]
        for task, done in zip(numbers, tasks, strict=True):
            for kind, outcome in done.result().items():
                outcomes[kind].add(outcome)
            bar.update(len(task))
    return _report(outcomes, options, time.monotonic() - started)


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mutated_imports", description="Give damaged uploads to the reader of imports."
    )
    parser.add_argument("--n", type=int, default=100_000, help="uploads (default 100,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--number", type=int, help="write this one upload of the seed and say what comes of it")
    return parser.parse_args(arguments)


def _reader() -> Any:
    return load("benchmarks.import_reader", {"DJANGO_SETTINGS_MODULE": "movierec.settings"})


def _check(seed: int, numbers: range) -> dict[str, Outcome]:
    return _reader().check(seed, numbers)


def _report(outcomes: dict[str, Outcome], options: argparse.Namespace, seconds: float) -> int:
    columns = ("uploads", "refused", "rows", "not readable", "raised", "wrongly watched")
    table = [{"damaged": kind} | {name: outcomes[kind].counts[name] for name in columns} for kind in MUTATIONS]
    totals = {name: sum(row[name] for row in table) for name in columns}
    table.append({"damaged": "all"} | totals)
    print(render(f"{options.n:,} damaged uploads, seed {options.seed}", table))
    print(f"{60 * totals['rows'] / seconds:,.0f} rows and {60 * options.n / seconds:,.0f} uploads a minute\n")
    for name in ("raised", "watched"):
        examples = {what: number for found in outcomes.values() for number, what in found.examples[name]}
        for what, number in sorted(examples.items())[:EXAMPLES]:
            print(f"number {number}: {what}")
    return 1 if totals["raised"] or totals["wrongly watched"] else 0


def _write(seed: int, number: int) -> int:
    reader = _reader()
    sound, kind, new = reader.damaged(seed, number)
    path = Path(f"{number}-{new.name}")
    path.write_bytes(new.content)
    outcome = reader.outcome_of(sound, kind, number, new)
    print(f"{path}: {sound.case.format}, {kind} damaged; {dict(outcome.counts)}")
    print(*(what for found in outcome.examples.values() for _, what in found), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
