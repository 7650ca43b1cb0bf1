"""Imports long histories of people: `python -m benchmarks.user_imports --data DIR [--rows N]`.

Writes an export of N rows in the layout of each service, for a catalogue three times as large as ml-latest-small.
Previews and imports it on Postgres, each in a separate process. A few rows are for movies that the catalogue lacks. The
numbers in the preview must be consistent and equal the rows written by the import.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.data import MOVIELENS
from benchmarks.pipeline import ROOT, manage, new_site
from benchmarks.postgres import new_database
from benchmarks.tables import render
from benchmarks.user_exports import WRITERS, write

MOST_SECONDS, MOST_MB = 20.0, 150
DIGITS = {"preview s": 1, "import s": 1, "MB at rest": 0, "more MB": 0, "rows": 0, "found": 0}


def main(arguments: list[str] | None = None) -> None:
    options = _read(arguments)
    with tempfile.TemporaryDirectory(prefix="movierec-benchmark-") as name, new_database(options.postgres) as database:
        folder = Path(name)
        environment = new_site(folder, database=database)
        if manage("migrate", "--verbosity", "0", environment=environment)["exit code"]:
            raise SystemExit("The database could not be migrated.")
        os.environ.update(environment, DJANGO_SETTINGS_MODULE="movierec.settings")
        _at_site(options.data)
        rows = []
        for format in WRITERS:
            path = write(options.data, format, options.rows, folder)
            rows.append(_at_site(options.data, format, path, options.rows))
            print(*rows[-1].values(), file=sys.stderr, flush=True)
    print(render(f"Imports of {options.rows:,} rows, on Postgres", rows, DIGITS))
    late = [row for row in rows if row["preview s"] > MOST_SECONDS or row["more MB"] > MOST_MB or row["wrong"]]
    sys.exit(f"Over {MOST_SECONDS:g} s or {MOST_MB} MB, or numbers that do not add up: {late}" if late else 0)


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.user_imports", description="Time people's imports.")
    parser.add_argument("--data", type=Path, required=True, help=f"the folder that holds {MOVIELENS}")
    parser.add_argument("--rows", type=int, default=20_000, help="default 20,000")
    parser.add_argument("--postgres", default="postgres://postgres@127.0.0.1:5432/postgres", help="server and its user")
    return parser.parse_args(arguments)


def _at_site(*arguments: Any) -> Any:
    """Runs a function in a separate process, to measure its peak memory."""
    command = [sys.executable, "-m", "benchmarks.user_imports_site", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
