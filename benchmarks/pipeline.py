"""Measures the time and memory of import and training: `python -m benchmarks.pipeline --data DIR [--database URL]`.

Runs the commands `import_movielens` and `train_model` on a new site in a temporary folder, with SQLite or the empty
database of --database. --ratings generates that many ratings instead of MovieLens. --cuts replaces the cuts of the
evaluation. --parameters replaces tuning.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.checkout import OUTSIDE
from benchmarks.data import MOVIELENS
from benchmarks.tables import render

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None) -> None:
    options = _read(arguments)
    with tempfile.TemporaryDirectory(prefix="movierec-benchmark-") as folder:
        parameters = {options.algorithm: options.parameters} if options.parameters else {}
        environment = new_site(Path(folder), database=options.database, cuts=options.cuts, parameters=parameters)
        if manage("migrate", "--verbosity", "0", environment=environment)["exit code"]:
            raise SystemExit("The database could not be migrated.")
        commands = [_source(options), ("train_model", "--algorithm", options.algorithm)]
        rows = [manage(*command, environment=environment) for command in commands]
    print(render("Commands on a new site", rows, {"seconds": 1, "CPU seconds": 1}))
    sys.exit(max(row["exit code"] for row in rows))  # 1 also if the gate refuses the model


def _source(options: argparse.Namespace) -> tuple[str, ...]:
    if not options.ratings:
        return "import_movielens", str(options.data / MOVIELENS)
    # MovieLens 1M has 166 ratings per user and 270 per movie.
    sizes = {"users": options.ratings // 166, "movies": options.ratings // 270, "ratings": options.ratings}
    return "generate_ratings", *(f"--{name}={size}" for name, size in sizes.items())


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description="Time import and training.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help=f"folder that holds {MOVIELENS}")
    source.add_argument("--ratings", type=int, help="number of generated ratings to use instead")
    parser.add_argument("--algorithm", default="hybrid")
    parser.add_argument("--cuts", type=float, nargs="+", help="instead of evaluation.cuts of config.yaml")
    parser.add_argument("--parameters", type=json.loads, help="hyper-parameters of the algorithm, as JSON")
    parser.add_argument("--database", default="", metavar="URL", help="an empty database (default: SQLite)")
    options = parser.parse_args(arguments)
    if options.data and not (options.data / MOVIELENS).is_dir():
        parser.error(f"--data: there is no {MOVIELENS} in {options.data}")
    return options


def new_site(
    folder: Path,
    *,
    database: str = "",
    cuts: list[float] | None = None,
    parameters: dict[str, dict[str, Any]] | None = None,
) -> dict[str, str]:
    """Returns the environment of an isolated site. `parameters` are keyed by algorithm."""
    policy: dict[str, dict[str, Any]] = {"training": {"parameters": parameters or {}}}
    if cuts:
        policy["evaluation"] = {"cuts": cuts}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(policy), encoding="utf-8")
    own = {"VAR_DIR": str(folder / "var"), "CONFIG_FILE": str(config), "ENV_FILE": str(folder / "no.env")}
    if database:
        own |= {"DATABASE_URL": database, "SECRET_KEY": "benchmark-only", "METRICS_TOKEN": "benchmark-only"}
    return {name: value for name, value in os.environ.items() if name not in OUTSIDE} | own


def manage(*command: str, environment: dict[str, str]) -> dict[str, Any]:
    """Runs a command. Returns its time and the peak memory of its largest process. Its output goes to stderr."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, stdout=sys.stderr)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = round(used.ru_maxrss / 1024)
    cpu = used.ru_utime + used.ru_stime
    times = {"seconds": seconds, "CPU seconds": cpu}
    return {"command": command[0], **times, "peak MB": peak, "exit code": process.returncode}


if __name__ == "__main__":
    main()
