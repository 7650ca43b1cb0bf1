"""Upgrades a site of an older checkout and reverts it: `python -m benchmarks.upgrade OLD NEW [--postgres URL]`.

Creates a site with the code of OLD (written for ff2ac02) in a temporary folder: people, ratings, two trainings (one
promoted, one refused), bad rows, alerts, drift reports, imports and syncs, dead runs. Then follows NEW's
docs/upgrading.md, checks that the site works, restores its backups on empty hosts, and follows the documented way back.
Prints a table. The exit code is 1 if a step or a check fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.checkout import Checkout, Sections, say
from benchmarks.postgres import new_database
from benchmarks.tables import render
from benchmarks.upgrade.operator import Operator

HERE = Path(__file__).resolve().parent
QUICK: Sections = {  # trains in seconds, with the same rules
    "training": {"algorithm": "ease", "parameters": {"ease": {"regularization": 100}}},
    "evaluation": {"cuts": [0.8], "half_lives_days": [30], "bootstrap_resamples": 1000},
    "gate": {"max_latency_ms": 5000, "shadow_latency_floor_ms": 5000},
}
SHOWN = 8  # maximum number of problems shown per check
UPGRADE, WAY_BACK = 0, 1  # the blocks of commands in a section of the document
Row = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="movierec-upgrade-")))
        databases = [stack.enter_context(new_database(options.postgres)) for _ in range(4 if options.postgres else 0)]
        site = _Site(folder, options.old, options.new, databases)
        stack.callback(site.operator.close)
        rows = list(site.drill())
    print(render(f"Upgrade, {'Postgres' if databases else 'SQLite'}", [_line(row) for row in rows]))
    for row in rows:
        for problem in row["problems"][:SHOWN]:
            print(f"- {row['stage']}: {row['check']}: {problem}")
    return 1 if any(row["problems"] for row in rows) else 0


class _Site:
    def __init__(self, folder: Path, old: Path, new: Path, databases: Sequence[str]) -> None:
        """On Postgres, uses four databases: of the site, of MLflow, and of two hosts for the restore."""
        self.folder, self.databases = folder, databases
        self.section = "Postgres" if databases else "SQLite (`make run`)"
        address = urlsplit(databases[1])._replace(scheme="").geturl().removeprefix("//") if databases else ""
        self.operator = Operator(folder, old=old, new=new, mlflow_database=address)
        self.checkout = self.operator.checkout
        self.checkout.use_site(self.operator.root, QUICK, database=databases[0] if databases else "")
        if databases:
            server, _, name = databases[0].rpartition("/")
            variables = {"SERVER": server, "DATABASE": name, "MLFLOW_DATABASE": address}
            self.checkout.environment |= variables | {"MLFLOW_TRACKING_URI": self.operator.mlflow.url}

    def drill(self) -> Iterator[Row]:
        before = self.folder / "before.json"
        yield from self._make(before)
        lists = self._lists("before")
        for line, problem in self.operator.follow(self.section, UPGRADE):
            yield _row("upgrade", line, problem)
            if line == "make setup":
                yield self._backup("upgrade", "not yet migrated")
        yield self._same_lists("upgrade", lists)
        yield _row("upgrade", "stop", self.operator.stop())
        self.operator.start_mlflow()
        yield self._backup("upgrade", "migrated")
        for number, name in enumerate(("not yet migrated", "migrated"), 2):
            yield from self._restore(name, self.databases[number] if self.databases else "", lists)
        yield from self._checks(before)
        for line, problem in self.operator.follow(self.section, WAY_BACK):
            yield _row("way back", line, problem)
        yield self._same_lists("way back", lists)

    def _make(self, before: Path) -> Iterator[Row]:
        say("Making a site with the old checkout")
        self.operator.start_mlflow()
        if self.checkout.script(HERE / "old_site.py", before):
            raise SystemExit("The old checkout could not make the site.")
        yield _row("before", "the old site serves", self.operator.start())

    def _checks(self, before: Path) -> Iterator[Row]:
        version = str(json.loads(before.read_text(encoding="utf-8"))["champion"])
        yield _command(self.checkout, "migrated", "system checks", "check")
        yield from _checks(self.checkout, "migrated", before, self.folder)
        yield _command(self.checkout, "trained", "evaluate the old champion again", "evaluate_model", version)
        yield _command(self.checkout, "trained", "train a model", "train_model")
        yield from _checks(self.checkout, "trained", before, self.folder)
        yield _command(self.checkout, "rolled back", "roll back to the old champion", "rollback_model", "--to", version)
        yield from _checks(self.checkout, "rolled back", before, self.folder)

    def _backup(self, stage: str, name: str) -> Row:
        return _command(self.checkout, stage, f"backup, {name}", "backup", self.folder / name)

    def _restore(self, name: str, database: str, lists: Any) -> Iterator[Row]:
        """Restores the backup on a host without data."""
        host = Checkout(self.operator.root)
        host.use_site(self.folder / f"host, {name}", QUICK, database=database)
        yield _command(host, "restored", f"the backup, {name}", "restore", self.folder / name)
        yield self._same_lists("restored", lists, host)

    def _lists(self, name: str, host: Checkout | None = None) -> Any:
        out = self.folder / f"lists {name}.json"
        if (host or self.checkout).script(HERE / "lists.py", out):
            return {}
        return json.loads(out.read_text(encoding="utf-8"))

    def _same_lists(self, stage: str, expected: Any, host: Checkout | None = None) -> Row:
        found = self._lists(stage, host)
        differing = [
            f"user {user}: {row} before, {found.get(user)} now"
            for user, row in expected.items()
            if found.get(user) != row
        ]
        return {"stage": stage, "check": f"the same lists for {len(expected)} people", "problems": differing}


def _row(stage: str, check: str, problem: str) -> Row:
    return {"stage": stage, "check": check, "problems": [problem] if problem else []}


def _command(new: Checkout, stage: str, name: str, *arguments: object) -> Row:
    say(f"{stage}: {name}")
    code = new.manage(*arguments)
    return _row(stage, name, f"exit code {code}" if code else "")


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
