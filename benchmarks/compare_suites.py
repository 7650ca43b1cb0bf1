"""Compares the duration of two checkouts' tests: `python -m benchmarks.compare_suites OLD NEW [PATH ...]`.

Runs both suites side by side with one xdist worker each, so that other load affects both equally. Runs the embedded
half first, then the half on Postgres and Redis, both with the checkout's own `deploy/test`. Prints tests, seconds, CPU
seconds and their ratio. The CPU seconds include pytest and the child processes of tests, but not the servers. Takes 25
minutes on two free cores. The exit code is 1 if tests failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.checkout import Checkout, say
from benchmarks.tables import Row, render

SERVICES = ("postgres://postgres@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/0")
HALVES = ("embedded", "services")
WITHOUT_TESTS = 5  # pytest's exit code if no tests were selected
SWAP_TEXTS = "--swap-texts"  # not available in older checkouts
DIGITS = {"s": 1, "CPU s": 1, "new / old": 2, "new / old, CPU": 2}


@dataclass(frozen=True)
class Measured:
    """One half of one checkout's suite, or both halves."""

    tests: int
    failed: int
    seconds: float
    cpu_seconds: float

    def __add__(self, other: Measured) -> Measured:
        return Measured(
            self.tests + other.tests,
            self.failed + other.failed,
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
        )


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    halves = [options.only] if options.only else list(HALVES)
    measured = {half: _side_by_side(half, options) for half in halves}
    if len(halves) > 1:
        measured["both"] = tuple(sum(sides[1:], sides[0]) for sides in zip(*measured.values(), strict=True))
    rows = [row for half, (old, new) in measured.items() for row in _rows(half, old, new)]
    print(render("Test suites", rows, DIGITS))
    return 1 if any(row["failed"] for row in rows) else 0


def _side_by_side(half: str, options: argparse.Namespace) -> tuple[Measured, ...]:
    say(f"{half}: {options.old} beside {options.new}")
    with ThreadPoolExecutor(2) as sides:
        return tuple(sides.map(lambda root: _run(Checkout(root), half, options), (options.old, options.new)))


def _run(checkout: Checkout, half: str, options: argparse.Namespace) -> Measured:
    """Runs one half of the checkout's suite. Exits if pytest could not run it."""
    database, redis = (options.database, options.redis) if half == "services" else ("", "")
    with tempfile.TemporaryDirectory(prefix="movierec-suites-") as folder:
        report = Path(folder) / "report.xml"
        usage = checkout.measured(
            *(
                "-m",
                "pytest",
                "-q",
                "-n",
                "1",
                "--dist",
                "loadfile",
                "--no-loadscope-reorder",
                "-p",
                "no:cacheprovider",
            ),
            *(f"--junitxml={report}", *_selection(checkout, half, options)),
            TEST_DATABASE_URL=database,
            TEST_REDIS_URL=redis,
        )
        if usage.code not in (0, 1, WITHOUT_TESTS):
            raise SystemExit(
                f"{checkout.root}: pytest could not run the {half} tests; it ended with code {usage.code}."
            )
        return Measured(*_counts(report), usage.seconds, usage.cpu_seconds)


def _selection(checkout: Checkout, half: str, options: argparse.Namespace) -> Iterator[str]:
    if half == "services" and SWAP_TEXTS in (checkout.root / "deploy" / "test").read_text(encoding="utf-8"):
        yield SWAP_TEXTS
    if options.markers:
        yield from ("-m", options.markers)
    yield from options.paths


def _counts(report: Path) -> tuple[int, int]:
    """Returns the number of tests, and of those that failed or could not be set up."""
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    counts = [
        (int(suite.get("tests", 0)), int(suite.get("failures", 0)) + int(suite.get("errors", 0))) for suite in suites
    ]
    return sum(tests for tests, _ in counts), sum(failed for _, failed in counts)


def _rows(half: str, old: Measured, new: Measured) -> Iterator[Row]:
    yield _row(half, "old", old) | {"new / old": None, "new / old, CPU": None}
    ratios = (_ratio(new.seconds, old.seconds), _ratio(new.cpu_seconds, old.cpu_seconds))
    yield _row(half, "new", new) | dict(zip(("new / old", "new / old, CPU"), ratios, strict=True))


def _row(half: str, side: str, found: Measured) -> Row:
    counts = {"tests": found.tests, "failed": found.failed}
    return {"half": half, "checkout": side} | counts | {"s": found.seconds, "CPU s": found.cpu_seconds}


def _ratio(new: float, old: float) -> float | None:
    return new / old if old else None


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_suites", description="Compare test suites.")
    parser.add_argument("old", type=Path, help="folder of the older checkout")
    parser.add_argument("new", type=Path, help="folder of the newer checkout")
    parser.add_argument("paths", nargs="*", default=["tests"], help="folders or files of tests, in both (all)")
    parser.add_argument("-m", dest="markers", metavar="EXPRESSION", help='markers of the tests, such as "not browser"')
    parser.add_argument("--only", choices=HALVES, help="one of the two halves")
    parser.add_argument("--database", default=SERVICES[0], metavar="URL", help="Postgres (%(default)s)")
    parser.add_argument("--redis", default=SERVICES[1], metavar="URL", help="Redis (%(default)s)")
    options = parser.parse_args(arguments)
    for root in (options.old, options.new):  # xdist reports a missing file as an empty one
        for path in options.paths:
            if not (root / path.split("::")[0]).exists():
                parser.error(f"{root} has no {path}; expected a file or folder of tests that both have")
    return options


if __name__ == "__main__":
    sys.exit(main())
