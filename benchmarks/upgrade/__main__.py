"""Upgrades a site of an older checkout: `python -m benchmarks.upgrade OLD NEW [--postgres URL]`.

Makes a site with the code of OLD (written for ff2ac02) in a temporary folder: people, ratings, two trainings (one
promoted, one refused), bad rows, alerts, drift reports, imports and syncs, dead runs. Then migrates it with the code of
NEW and checks that it goes on. Prints a table; ends with code 1 where a check fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.checkout import Checkout, Sections, say
from benchmarks.postgres import new_database
from benchmarks.tables import render

HERE = Path(__file__).resolve().parent
QUICK: Sections = {  # trained in seconds, judged by the same rules
    "training": {"algorithm": "ease", "parameters": {"ease": {"regularization": 100}}},
    "evaluation": {"cuts": [0.8], "half_lives_days": [30], "bootstrap_resamples": 1000},
    "gate": {"max_latency_ms": 5000, "shadow_latency_floor_ms": 5000},
}
COMMANDS = {
    "migrate": ("migrate", "--noinput", "--verbosity", "0"),
    "system checks": ("check",),
    "collect static files": ("collectstatic", "--noinput", "--verbosity", "0"),
    "ensure schedules": ("ensure_schedules",),
}
SHOWN = 8  # problems of a check


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="movierec-upgrade-")))
        database = stack.enter_context(new_database(options.postgres)) if options.postgres else ""
        old, new = Checkout(options.old), Checkout(options.new)
        for checkout in (old, new):
            checkout.use_site(folder, QUICK, database=database)
        before = folder / "before.json"
        say("Making a site with the old checkout")
        if old.script(HERE / "old_site.py", before):
            print("The old checkout could not make the site.", file=sys.stderr)
            return 1
        rows = list(_upgrade(new, before, folder))
    print(render(f"Upgrade, {'Postgres' if database else 'SQLite'}", [_line(row) for row in rows]))
    for row in rows:
        for problem in row["problems"][:SHOWN]:
            print(f"- {row['stage']}: {row['check']}: {problem}")
    return 1 if any(row["problems"] for row in rows) else 0


def _upgrade(new: Checkout, before: Path, folder: Path) -> Iterator[dict[str, Any]]:
    version = str(json.loads(before.read_text(encoding="utf-8"))["champion"])
    for name, arguments in COMMANDS.items():
        yield _command(new, "migrated", name, *arguments)
    yield from _checks(new, "migrated", before, folder)
    yield _command(new, "trained", "evaluate the old champion again", "evaluate_model", version)
    yield _command(new, "trained", "train a model", "train_model")
    yield from _checks(new, "trained", before, folder)
    yield _command(new, "rolled back", "roll back to the old champion", "rollback_model", "--to", version)
    yield from _checks(new, "rolled back", before, folder)


def _command(new: Checkout, stage: str, name: str, *arguments: str) -> dict[str, Any]:
    say(f"{stage}: {name}")
    code = new.manage(*arguments)
    return {"stage": stage, "check": name, "problems": [f"exit code {code}"] if code else []}


def _checks(new: Checkout, stage: str, before: Path, folder: Path) -> list[dict[str, Any]]:
    say(f"{stage}: checks")
    out = folder / f"{stage}.json"
    if code := new.script(HERE / "new_site.py", stage, before, out):
        return [{"stage": stage, "check": "checks", "problems": [f"exit code {code}"]}]
    return [{"stage": stage, **row} for row in json.loads(out.read_text(encoding="utf-8"))]


def _line(row: dict[str, Any]) -> dict[str, Any]:
    n = len(row["problems"])
    return {"stage": row["stage"], "check": row["check"], "holds": "yes" if not n else f"NO ({n})"}


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.upgrade", description="Check that a site of an older checkout can be upgraded."
    )
    parser.add_argument("old", type=Path, help="folder of the older checkout (ff2ac02)")
    parser.add_argument("new", type=Path, help="folder of the newer checkout")
    parser.add_argument("--postgres", default="", metavar="URL", help="a server; default: SQLite")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
