"""Compares SQLite and Postgres with the same ratings: `python -m benchmarks.two_databases --data DIR [--quick]`.

Loads ml-latest-small into two new sites, which have different user pseudonyms. Trains the default model on both.
Compares the snapshot's hash, the chosen parameters, the outcome of each gate rule, and every user's list. The exit code
is 1 if they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.checkout import Checkout, Sections, say
from benchmarks.data import MOVIELENS
from benchmarks.postgres import new_database
from benchmarks.tables import render

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = Path(__file__).with_name("two_databases_site.py")
# rules whose outcome depends on the load of the machine
POLICY: Sections = {"gate": {"max_latency_ms": 60_000, "replay_latency_floor_ms": 60_000}}
QUICK: Sections = {"training": {"memory_mb": 50}, "evaluation": {"cuts": [0.9], "half_lives_days": [30]}}


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    with tempfile.TemporaryDirectory() as name, new_database(options.postgres) as database:
        folder = Path(name)
        found = {kind: _trained(options, folder / kind, url) for kind, url in (("SQLite", ""), ("Postgres", database))}
    first, second = found.values()
    parts = {part: first[part] == second[part] for part in first if part != "lists"}
    n_equal = sum(first["lists"][user] == second["lists"].get(user) for user in first["lists"])
    print(render("Data and decision", [{"part": part, "equal": str(is_equal)} for part, is_equal in parts.items()]))
    print(f"snapshot {first['snapshot'][:12]}, {first['decision']}; {n_equal} of {len(first['lists'])} lists are equal")
    for part in (part for part, is_equal in parts.items() if not is_equal):
        print(f"{part}: {first[part]} on SQLite, {second[part]} on Postgres")
    return 0 if all(parts.values()) and n_equal == len(first["lists"]) == len(second["lists"]) else 1


def _trained(options: argparse.Namespace, folder: Path, database: str) -> dict[str, Any]:
    checkout = Checkout(ROOT)
    checkout.use_site(folder, {**POLICY, **(QUICK if options.quick else {})}, database=database)
    checkout.environment |= {"MOVIELENS_PATH": str((options.data / MOVIELENS).resolve())}
    say(f"training on {database or 'SQLite'}")
    for command in (["migrate", "--verbosity", "0"], ["load_sample", "--verbosity", "0"]):
        if checkout.manage(*command):
            raise SystemExit(f"{command[0]} failed")
    checkout.manage("train_model", *options.arguments)  # a refusal is a valid result
    if checkout.script(SCRIPT, folder / "found.json"):
        raise SystemExit("the site could not be read")
    return dict(json.loads((folder / "found.json").read_text(encoding="utf-8")))


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_databases", description="Compare two databases.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds ml-latest-small")
    server = os.environ.get("TEST_DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
    parser.add_argument("--postgres", default=server, help="server and its user")
    parser.add_argument("--quick", action="store_true", help="model the most rated movies only, evaluate on one cut")
    parser.add_argument("arguments", nargs="*", help="of train_model, after --")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
