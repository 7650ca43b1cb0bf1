"""Compares two checkouts on the same data: `python -m benchmarks.compare_checkouts OLD NEW --data DIR`.

Each fits every estimator on ml-latest-small with the same seed, and trains a site whose gate decides three times.
Prints which arrays, lists, metrics and decisions differ. With --kernels it checks only NEW: the lists of its artefacts
under each BLAS kernel, with and without exclusions, separately and in a batch. Swaps of movies with nearly equal scores
are listed. Any other difference gives exit code 1.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.checkout import Checkout, say
from benchmarks.compare_checkouts.artefacts import compare_artefacts
from benchmarks.compare_checkouts.gate import compare_gates
from benchmarks.compare_checkouts.lists import ListComparison, compare_lists
from benchmarks.data import MOVIELENS, has_tmdb, movielens_metadata, movielens_ratings, tmdb_metadata
from benchmarks.tables import Row, render

SCRIPT = Path(__file__).resolve().parent / "fit_models.py"
NAMES = ["popularity", "ease", "als", "lightfm", "item_knn", "rp3beta", "metadata_ease", "content", "hybrid"]
KERNEL = "Haswell"  # BLAS kernel used by both checkouts
K = 10
SHOWN = 20  # maximum number of lines of each kind


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    with tempfile.TemporaryDirectory(prefix="movierec-compare-") as temporary:
        folder = options.keep or Path(temporary)
        data = _written_data(options.data, folder)
        if options.kernels:
            return _compare_kernels(options, data, folder)
        problems = [] if options.only == "gate" else _compare_models(options, data, folder)
        if options.only != "models":
            for name in ("new", "migrated"):
                shutil.rmtree(folder / "sites" / name, ignore_errors=True)
            old, new = Checkout(options.old), Checkout(options.new)
            gates = compare_gates(old, new, (options.data / MOVIELENS).resolve(), folder / "sites")
            print(render("Gate", gates.rows))
            for line in gates.by_ties:
                print(f"by ties: {line}")
            problems += gates.problems
    return _ending(problems)


def _written_data(source: Path, folder: Path) -> Path:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    movielens_ratings(source).to_pickle(data / "ratings.pkl")
    movies = tmdb_metadata(source) if has_tmdb(source) else movielens_metadata(source)
    movies.to_pickle(data / "movies.pkl")
    return data


def _compare_models(options: argparse.Namespace, data: Path, folder: Path) -> list[str]:
    for side, root in (("old", options.old), ("new", options.new)):
        missing = [name for name in options.estimators if not (folder / side / name / "lists.pkl").exists()]
        if side == "new" or missing:
            _run(
                Checkout(root),
                "fit",
                data,
                (folder / side, folder / side),
                missing if side == "old" else options.estimators,
                KERNEL,
            )
    near_tie = json.loads((folder / "new" / "near_tie.json").read_text(encoding="utf-8"))
    rows, problems = [], []
    for name in options.estimators:
        old, new = folder / "old" / name, folder / "new" / name
        arrays = compare_artefacts(old / "artefact", new / "artefact", near_tie=near_tie)
        lists = compare_lists(old / "lists.pkl", new / "lists.pkl", k=K, near_tie=near_tie)
        values: Row = {
            "equal values": arrays.n_equal,
            "within near-tie": arrays.n_close,
            "others": len(arrays.problems),
        }
        rows.append({"estimator": name, **values, **_list_row(lists)})
        problems += [f"{name}: {line}" for line in [*arrays.problems, *map(str, lists.changes)]]
        _print_near_ties(name, lists)
    print(render(f"Estimators, near-tie {near_tie:.2g}", rows, DIGITS))
    return problems


def _compare_kernels(options: argparse.Namespace, data: Path, folder: Path) -> int:
    checkout, problems, rows = Checkout(options.new), [], []
    fitted = folder / "fitted"
    missing = [name for name in options.estimators if not (fitted / name / "lists.pkl").exists()]
    if missing:
        _run(checkout, "fit", data, (fitted, fitted), missing, options.kernels[0])
    for kernel in options.kernels:
        _run(checkout, "load", data, (fitted, folder / kernel), options.estimators, kernel)
    near_tie = json.loads((fitted / "near_tie.json").read_text(encoding="utf-8"))
    for name in options.estimators:
        for kernel in options.kernels:
            found = folder / kernel / name
            lists = compare_lists(fitted / name / "lists.pkl", found / "lists.pkl", k=K, near_tie=near_tie)
            within = json.loads((found / "differences.json").read_text(encoding="utf-8"))
            rows.append({"estimator": name, "kernel": kernel, **_list_row(lists), "ways that differ": len(within)})
            problems += [f"{name}, {kernel}: {line}" for line in [*map(str, lists.changes), *within]]
            _print_near_ties(f"{name}, {kernel}", lists)
    print(render(f"Lists by kernel, against {options.kernels[0]}; near-tie {near_tie:.2g}", rows, DIGITS))
    return _ending(problems)


DIGITS = {"largest score gap": 8}


def _list_row(lists: ListComparison) -> Row:
    return {
        "users": lists.n_users,
        "equal lists": lists.n_equal,
        "near-ties": len(lists.near_ties),
        "changes": len(lists.changes),
        "largest score gap": lists.largest_gap,
    }


def _print_near_ties(name: str, lists: ListComparison) -> None:
    for swap in lists.near_ties[:SHOWN]:
        print(f"near-tie: {name}: {swap}")
    if len(lists.near_ties) > SHOWN:
        print(f"near-tie: {name}: {len(lists.near_ties) - SHOWN} more")


def _run(
    checkout: Checkout, command: str, data: Path, folders: tuple[Path, Path], names: list[str], kernel: str
) -> None:
    """Runs the script for a checkout. `folders` hold the models and its output."""
    say(f"{checkout.root}: {command} {', '.join(names)} under {kernel}")
    folders[1].mkdir(parents=True, exist_ok=True)
    if checkout.script(SCRIPT, command, data, *folders, *names, OPENBLAS_CORETYPE=kernel):
        raise SystemExit(f"{checkout.root}: the estimators could not be run.")


def _ending(problems: list[str]) -> int:
    by_start: dict[str, int] = {}
    for problem in problems:
        start = problem.split(":", 1)[0]
        by_start[start] = by_start.get(start, 0) + 1
        if by_start[start] <= SHOWN:
            print(f"differs: {problem}")
    for start, n in by_start.items():
        if n > SHOWN:
            print(f"differs: {start}: {n - SHOWN} more")
    print("Something differs." if problems else "Nothing differs but near-ties.")
    return 1 if problems else 0


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_checkouts", description="Compare checkouts.")
    parser.add_argument("old", type=Path, help="folder of the older checkout")
    parser.add_argument("new", type=Path, help="folder of the newer checkout")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {MOVIELENS}")
    parser.add_argument("--estimators", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--only", choices=["models", "gate"], help="one of the two comparisons")
    parser.add_argument("--kernels", nargs="+", metavar="KERNEL", help="of OpenBLAS, such as Haswell Zen SkylakeX")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep models and sites there and reuse OLD's")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
