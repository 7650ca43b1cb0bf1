"""Demonstrates a model's life on a test site: `make demo-ops`, or `python -m benchmarks.chaos.demo [--screenshots
DIR]`.

Trains and promotes a first model. Ratings drift and new movies arrive. The schedule detects the drift, opens an alert
and starts a training, with parameters that were adopted by mistake. The gate refuses that model, and passes one without
them. Lists change. The operator rolls back, and every web process follows. The audit trail records all steps. The test
site is the same as in `python -m benchmarks.chaos`. The exit code is 1 if any step fails.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from benchmarks.chaos.installation import Installation
from benchmarks.chaos.policy import QUICK, merged

POLICY = merged(
    QUICK,
    {
        "training": {"parameters": {}},  # tuned by each training, or adopted from a search
        "drift": {"min_ratings": 300},
        "retraining": {"drift_apart_hours": 0, "new_movies": 1000},  # so that drift is the only trigger
        "schedules": {
            "check-drift": {"every_seconds": 10},
            "check-retraining": {"every_seconds": 5},
            "requeue-stale-jobs": {"every_seconds": 5},
            "beat-heartbeat": {"every_seconds": 10},
        },
    },
)


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = {"database_url": options.database, "redis_url": options.redis, "prefix": options.prefix}
    with Installation(policy=POLICY, web_workers=4, **given) as installation:
        steps = installation.load("benchmarks.chaos.demo_steps")
        try:
            report = steps.run_demo(steps.Demo(installation, options.screenshots))
        except AssertionError as error:
            print(f"The demo failed: {error}", file=sys.stderr)
            return 1
        finally:
            if options.keep_logs:
                installation.keep_logs(options.keep_logs)
    if options.report:
        options.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos.demo", description="Run the life of a model on a test site."
    )
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="save screenshots of staff pages there")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--database", default="", metavar="URL", help="an empty database; default: starts Postgres")
    parser.add_argument("--redis", default="", metavar="URL", help="default: starts Redis")
    parser.add_argument("--prefix", default="", help="prefix of every key in that Redis")
    parser.add_argument("--keep-logs", metavar="FOLDER", help="copy all logs there at the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
