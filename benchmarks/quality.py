"""Quality tables: `python -m benchmarks.quality --data DIR [--protocol A B C D] [--estimators NAME ...]
[--metadata NAME ...]`.

Metrics are computed on the test part. Hyper-parameters are tuned within the training part. Each protocol's module
describes its comparison.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import diversity, fold_in, protocol_a, protocol_b, protocol_c, protocol_d
from benchmarks.data import METADATA, has_tmdb
from benchmarks.models import later_data_models, random_split_models
from benchmarks.progress import Progress
from benchmarks.protocol_a import CHOSEN
from benchmarks.tables import render
from recommender.estimators import ESTIMATORS

Table = tuple[str, list[dict[str, Any]]]
METADATA_MODELS = ("lightfm", "metadata_ease", "content", "hybrid")
DIGITS = dict.fromkeys(("fit s", "score s", "fit s a week", "score s a week", "change, %", "more, %", "of it, %"), 1)


def main(arguments: list[str] | None = None) -> None:
    options = _read(arguments)
    started = perf_counter()
    tables: list[Table] = []
    with Progress(_count_fits(options)) as progress:
        for tables_of_one in _protocols(options, progress):
            for title, rows in tables_of_one:
                progress.bar.clear()
                print(render(title, [without_choices(row) for row in rows], DIGITS), flush=True)
                print("\n".join(choices(rows)), flush=True)
                tables.append((title, rows))
    print(f"All of it took {perf_counter() - started:.0f} s.")
    if options.json:
        options.json.write_text(json.dumps(_record(tables), indent=1) + "\n", encoding="utf-8")


def without_choices(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != CHOSEN}


def choices(rows: list[dict[str, Any]]) -> list[str]:
    """Returns one line below the table for each model with tuned hyper-parameters."""
    lines = [f"- {row['model']} chose {_readable(row[CHOSEN])}" for row in rows if row.get(CHOSEN)]
    return [*lines, ""] if lines else []


def _readable(chosen: dict[str, Any]) -> str:
    values = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in chosen.items()}
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description="Print the quality tables.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the data sets")
    parser.add_argument("--protocol", nargs="+", choices=["A", "B", "C", "D"], default=["A", "B", "C", "D"])
    parser.add_argument("--estimators", nargs="+", choices=list(ESTIMATORS), default=list(ESTIMATORS))
    parser.add_argument("--metadata", nargs="+", choices=list(METADATA), help="by default TMDB's and MovieLens'")
    parser.add_argument("--quick", action="store_true", help="only the richest metadata, 2 seeds of B, 3 weeks of C")
    parser.add_argument("--json", type=Path, help="also write the tables as JSON")
    options = parser.parse_args(arguments)
    if not options.data.is_dir():
        parser.error(f"--data: {options.data} is no folder")
    options.metadata = options.metadata or (["TMDB", "MovieLens"] if has_tmdb(options.data) else ["MovieLens"])
    options.metadata = options.metadata[:1] if options.quick else options.metadata
    options.seeds = [range(2 if options.quick else 5), range(2)]  # fewer for the second source of metadata
    options.n_weeks = 3 if options.quick else 8
    return options


def _protocols(options: argparse.Namespace, progress: Progress) -> Any:
    for protocol in options.protocol:
        if protocol == "C":
            yield protocol_c.run(options.data, options.estimators, options.n_weeks, progress)
            continue
        if protocol == "D":
            yield protocol_d.run(options.data, options.estimators, progress)
            continue
        for number, metadata in enumerate(options.metadata):
            names = _using_metadata(options.estimators) if number else options.estimators
            if protocol == "A":
                yield [protocol_a.run(options.data, names, metadata, progress)]
            else:
                yield [protocol_b.run(options.data, names, metadata, options.seeds[number], progress)]
        if protocol == "A" and not options.quick:
            yield from _further_tables_of_a(options, progress)


def _further_tables_of_a(options: argparse.Namespace, progress: Progress) -> Any:
    """Yields tables of models without metadata, fold-in of unknown users, and diversified lists."""
    names = _without_metadata(options.estimators)
    if names:
        yield [protocol_a.run(options.data, names, protocol_a.NO_METADATA, progress)]
    if fold_in.MODEL in options.estimators:
        yield fold_in.run(options.data, options.metadata[0], progress)
    if diversity.MODEL in options.estimators:
        yield [diversity.run(options.data, options.metadata[0], progress)]


def _without_metadata(names: list[str]) -> list[str]:
    return [name for name in names if name in protocol_a.WITHOUT_METADATA]


def _using_metadata(names: list[str]) -> list[str]:
    """Returns the estimators that use metadata, because others give the same results."""
    return [name for name in names if name in (*METADATA_MODELS, protocol_a.REFERENCE)]


def _count_fits(options: argparse.Namespace) -> int:
    fits = 0
    if "C" in options.protocol:
        fits += options.n_weeks * len(later_data_models(options.estimators))
    if "D" in options.protocol:
        fits += protocol_d.count_fits(options.estimators)
    for number in range(len(options.metadata)):
        models = random_split_models(_using_metadata(options.estimators) if number else options.estimators)
        if "A" in options.protocol:
            fits += len(models)
        if "B" in options.protocol:
            fits += len(options.seeds[number]) * sum(model.scores_new_movies for model in models)
    if "A" in options.protocol and not options.quick:
        names = _without_metadata(options.estimators)
        fits += len(random_split_models(names)) if names else 0
        fits += fold_in.N_FITS if fold_in.MODEL in options.estimators else 0
        fits += diversity.N_FITS if diversity.MODEL in options.estimators else 0
    return fits


def _record(tables: list[Table]) -> dict[str, Any]:
    libraries = {name: version(name) for name in ("numpy", "scipy", "pandas", "scikit-learn")}
    return {
        "python": platform.python_version(),
        "libraries": libraries,
        "tables": [{"title": title, "rows": rows} for title, rows in tables],
    }


if __name__ == "__main__":
    main()
