"""Injects faults into a test site: `python -m benchmarks.chaos [--kills N] [--faults NAME ...]`.

The test site runs on free ports, with Postgres, Redis, MLflow, four web processes, two workers and Beat, under the same
supervisor as `make run`. A load generator sends requests throughout. Prints one row for each kill and each fault. The
exit code is 1 if one of them violates a limit or an invariant.
"""

from __future__ import annotations

import argparse
import signal
import sys
from itertools import islice
from math import lcm

from benchmarks.chaos import breakpoints
from benchmarks.chaos.faults import FAULTS, means_of
from benchmarks.chaos.installation import TARGETS, Installation
from benchmarks.chaos.outcome import MARKED_BAR, SERVING_BAR
from benchmarks.chaos.policy import QUICK, merged

SCHEDULES = {"beat-heartbeat": {"every_seconds": 5}}
DESCRIPTION = """\
Break a running site and check that it recovers: kill each part at each step of a training, then inject each fault.

Steps:
{steps}

Faults:
{faults}

Bars: no accepted rating is lost and no run wrongly ended; /readyz tells the truth; requests are answered again within
{serving:.0f} s, from the begin of a fault during which the site can serve, else from its end; a run whose worker died,
on another host if it was a fault, is marked within {marked:.0f} s, likewise.
"""


def main(arguments: list[str] | None = None) -> int:
    options = read_options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    means, outcomes = means_of(options.faults), []
    policy = merged(QUICK, {"schedules": SCHEDULES})
    with Installation(policy=policy, web_workers=options.web, means=means) as installation:
        try:
            outcomes = installation.load("benchmarks.chaos.runner").run(installation, kills(options), options.faults)
        finally:
            if options.keep_logs:
                installation.keep_logs(options.keep_logs)
    return 0 if outcomes and not any(outcome.violations() for outcome in outcomes) else 1


def kills(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Returns the requested number of (target, step) combinations, cycling through both."""
    targets, steps = options.targets, options.steps
    together = lcm(len(targets), len(steps))  # the combinations repeat after this many
    pairs = (
        (targets[at % len(targets)], steps[(at + at // together) % len(steps)])
        for at in range(len(targets) * len(steps))
    )
    return list(islice(pairs, options.kills))


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    points = breakpoints.INJECTION_POINTS
    description = DESCRIPTION.format(
        steps="\n".join(f"  {name}: {point.description}" for name, point in points.items()),
        faults="\n".join(f"  {name}: {fault.description}" for name, fault in FAULTS.items()),
        serving=SERVING_BAR,
        marked=MARKED_BAR,
    )
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everything = len(TARGETS) * len(points)
    parser.add_argument("--kills", type=int, default=everything, metavar="N", help=f"default: all, {everything}")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS), help="default: all")
    parser.add_argument("--steps", nargs="+", choices=list(points), default=list(points), help="default: all")
    parser.add_argument(
        "--faults", nargs="*", choices=list(FAULTS), default=list(FAULTS), help="default: all; without a name: none"
    )
    parser.add_argument("--web", type=int, default=4, metavar="N", help="web processes (default 4)")
    parser.add_argument("--keep-logs", metavar="FOLDER", help="copy all logs there at the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
