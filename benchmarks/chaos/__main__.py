"""Kills each part of a site at each step of a training: `python -m benchmarks.chaos [--targets ...] [--steps ...]`.

The test site runs on free ports, with Postgres, Redis, MLflow, four web processes, two workers and Beat, under the same
supervisor as `make run`. A load generator sends requests throughout. The exit code is 1 if anything was lost, stuck,
half done or unanswered.
"""

from __future__ import annotations

import argparse
import signal
import sys
from itertools import cycle, product

from benchmarks.chaos import breakpoints
from benchmarks.chaos.installation import TARGETS, Installation
from benchmarks.chaos.policy import QUICK, merged

SCHEDULES = {"requeue-stale-jobs": {"every_seconds": 3}, "beat-heartbeat": {"every_seconds": 5}}


def main(arguments: list[str] | None = None) -> int:
    options = read_options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcomes = []
    with Installation(policy=merged(QUICK, {"schedules": SCHEDULES}), web_workers=options.web) as installation:
        try:
            outcomes = installation.load("benchmarks.chaos.runner").run(installation, pairs(options))
        finally:
            if options.keep_logs:
                installation.keep_logs(options.keep_logs)
    return 0 if outcomes and not any(outcome.problems for outcome in outcomes) else 1


def pairs(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Every combination; with --brief each target once, the steps in turn."""
    if options.brief:
        return list(zip(options.targets, cycle(options.steps)))
    return list(product(options.targets, options.steps))


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
