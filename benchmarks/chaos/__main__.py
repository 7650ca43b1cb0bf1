"""Kills each part of a site at each step of a training: `python -m benchmarks.chaos [--targets ...] [--steps ...]`.

The test site runs on free ports, with Postgres, Redis, MLflow, four web processes, two workers and Beat, under the same
supervisor as `make run`. A load generator sends requests throughout. The exit code is 1 if anything was lost, stuck,
half done or unanswered.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from itertools import cycle, product

from benchmarks.chaos import breakpoints
from benchmarks.chaos.faults import TARGETS, ChaosTest, Outcome
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.load_generator import LoadGenerator
from benchmarks.chaos.site import N_API_CLIENTS, QUICK, Operator, merged, prepare, staff_token, tokens_of_raters
from benchmarks.tables import render

SIZE = {"users": 400, "movies": 250, "ratings": 12_000}
SCHEDULES = {"requeue-stale-jobs": {"every_seconds": 3}, "beat-heartbeat": {"every_seconds": 5}}
FIRST_TRAINING = 300.0  # seconds


def main(arguments: list[str] | None = None) -> int:
    options = read_options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes: list[Outcome] = []
    with Installation(policy=merged(QUICK, {"schedules": SCHEDULES}), web_workers=options.web) as installation:
        try:
            outcomes = _run(installation, options)
        finally:
            if options.keep_logs:
                installation.keep_logs(options.keep_logs)
    return 0 if outcomes and not any(outcome.problems for outcome in outcomes) else 1


def _run(installation: Installation, options: argparse.Namespace) -> list[Outcome]:
    installation.use_here()
    from catalog.models import Movie, User

    _say("Preparing the site: tables, generated ratings, accounts")
    prepare(**SIZE)
    breakpoints.prepare(installation.environment["DATABASE_URL"])
    operator = Operator(installation, staff_token())
    tokens = tokens_of_raters(N_API_CLIENTS)
    member = User.objects.get(auth_token=tokens[0]).username
    movies = list(Movie.objects.values_list("pk", flat=True)[:100])
    _say("Starting web, workers and Beat")
    installation.serve()
    first = operator.wait_for_end(operator.train()["id"], seconds=FIRST_TRAINING)
    _say(f"First training: {first['message']}")
    outcomes = []
    with LoadGenerator(installation.address, tokens, member, movies) as load:
        test = ChaosTest(installation, operator, load)
        for target, point in pairs(options):
            started = time.monotonic()
            outcomes.append(test.inject_fault(target, point))
            row = outcomes[-1].row()
            _say(f"{target} at {point}, {time.monotonic() - started:.0f} s: {row}")
    print(render("Faults at the steps of a training", [outcome.row() for outcome in outcomes], DIGITS), flush=True)
    return outcomes


def pairs(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Every combination; with --brief each target once, the steps in turn."""
    if options.brief:
        return list(zip(options.targets, cycle(options.steps)))
    return list(product(options.targets, options.steps))


DIGITS = {"seconds to end": 0, "slowest s": 1}


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    steps = "\n".join(f"  {name}: {point.description}" for name, point in breakpoints.INJECTION_POINTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos",
        description=f"Kill each part of a running site at each step of a training.\n\nSteps:\n{steps}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS), help="default: all")
    parser.add_argument(
        "--steps", nargs="+", choices=list(breakpoints.INJECTION_POINTS), default=list(breakpoints.INJECTION_POINTS)
    )
    parser.add_argument("--brief", action="store_true", help="each target once, at the steps in turn")
    parser.add_argument("--web", type=int, default=4, metavar="N", help="web processes (default 4)")
    parser.add_argument("--keep-logs", metavar="FOLDER", help="copy all logs there at the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
