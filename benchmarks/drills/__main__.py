"""Kills every part of a site at every step of a training: `python -m benchmarks.drills [--victims ...] [--steps ...]`.

The site is an installation of its own on free ports, with Postgres, Redis, MLflow, four web processes, two workers and
Beat, under the supervisor that `make run` uses. People use it all the while. Ends with code 1 where something was
lost, stuck, half done, or not answered.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from itertools import cycle, product

from benchmarks.drills import holds
from benchmarks.drills.drill import VICTIMS, Drill, Outcome
from benchmarks.drills.installation import Installation
from benchmarks.drills.site import N_VISITORS, QUICK, Operator, merged, prepare, staff_token, tokens_of_raters
from benchmarks.drills.visitors import Visitors
from benchmarks.tables import render

SIZE = {"users": 400, "movies": 250, "ratings": 12_000}
SCHEDULES = {"sweep-runs": {"every_seconds": 3}, "beat-heartbeat": {"every_seconds": 5}}
FIRST = 300.0  # seconds for the first training


def main(arguments: list[str] | None = None) -> int:
    options = read_options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes: list[Outcome] = []
    with Installation(policy=merged(QUICK, {"schedules": SCHEDULES}), web_workers=options.web) as installation:
        try:
            outcomes = _drill(installation, options)
        finally:
            if options.keep_logs:
                installation.keep_logs(options.keep_logs)
    return 0 if outcomes and not any(outcome.problems for outcome in outcomes) else 1


def _drill(installation: Installation, options: argparse.Namespace) -> list[Outcome]:
    installation.use_here()
    from catalog.models import Movie, User

    _say("Preparing a site: tables, generated ratings, people")
    prepare(**SIZE)
    holds.prepare(installation.environment["DATABASE_URL"])
    operator = Operator(installation, staff_token())
    tokens = tokens_of_raters(N_VISITORS)
    member = User.objects.get(auth_token=tokens[0]).username
    movies = list(Movie.objects.values_list("pk", flat=True)[:100])
    _say("Starting web, workers and Beat")
    installation.serve()
    first = operator.wait_for_end(operator.train()["id"], seconds=FIRST)
    _say(f"First training: {first['message']}")
    outcomes = []
    with Visitors(installation.address, tokens, member, movies) as visitors:
        drill = Drill(installation, operator, visitors)
        for victim, moment in pairs(options):
            started = time.monotonic()
            outcomes.append(drill.strike(victim, moment))
            row = outcomes[-1].row()
            _say(f"{victim} at {moment}, {time.monotonic() - started:.0f} s: {row}")
    print(render("Killed at a step of a training", [outcome.row() for outcome in outcomes], DIGITS), flush=True)
    return outcomes


def pairs(options: argparse.Namespace) -> list[tuple[str, str]]:
    """All, or each victim once, at one step after the other."""
    if options.brief:
        return list(zip(options.victims, cycle(options.steps)))
    return list(product(options.victims, options.steps))


DIGITS = {"ended after s": 0, "slowest s": 1}


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    steps = "\n".join(f"  {name}: {moment.meaning}" for name, moment in holds.MOMENTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.drills",
        description=f"Kill parts of a running site at steps of a training.\n\nSteps:\n{steps}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=list(VICTIMS), help="default: all")
    parser.add_argument("--steps", nargs="+", choices=list(holds.MOMENTS), default=list(holds.MOMENTS))
    parser.add_argument("--brief", action="store_true", help="each victim once, at one of the steps after the other")
    parser.add_argument("--web", type=int, default=4, metavar="N", help="web processes (default 4)")
    parser.add_argument("--keep-logs", metavar="FOLDER", help="copy the logs of all parts there at the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
