"""The life of a model, told by a real site: `make demo-ops`, or `python -m benchmarks.drills.story [--pictures DIR]`.

Trained, judged, promoted; then people's taste shifts and new movies come; the schedule notices, alerts and trains by
itself, with parameters that somebody adopted by mistake; the gate refuses that model and takes one made without them;
everybody's lists change; the operator rolls back, and every web process follows. All of it is on record. The site is an
installation of its own, as in `python -m benchmarks.drills`. Ends with code 1 where something went another way.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from textwrap import shorten
from typing import Any

from benchmarks.drills import checks, shift
from benchmarks.drills.desks import Desks
from benchmarks.drills.installation import Installation
from benchmarks.drills.pages import Pages
from benchmarks.drills.processes import wait_for
from benchmarks.drills.site import QUICK, Operator, merged, prepare, staff_token, tokens_of_raters
from benchmarks.drills.visitors import Visitors

SIZE = {"users": 400, "movies": 250, "ratings": 12_000}
POLICY = merged(
    QUICK,
    {
        "training": {"parameters": {}},  # chosen by each training, or adopted from a search
        "drift": {"min_ratings": 300},
        "retraining": {"drift_apart_hours": 0, "new_movies": 1000},  # so that drift alone is the reason
        "schedules": {
            "check-drift": {"every_seconds": 10},
            "check-retraining": {"every_seconds": 5},
            "sweep-runs": {"every_seconds": 5},
            "beat-heartbeat": {"every_seconds": 10},
        },
    },
)
ADOPTED = {"regularization": 1e9}  # so much that nothing is learnt but who is popular
SENTENCE = 400  # characters
N_PEOPLE = 12  # whose lists are compared
TRAINED, NOTICED, FOLLOWED = 600.0, 120.0, 15.0  # seconds; the first two on a machine that others use too


class Story:
    """Each step tells what happened and keeps its figures in `report`."""

    def __init__(self, installation: Installation, pictures: Path | None) -> None:
        self.installation, self.pictures = installation, pictures
        self.report: dict[str, Any] = {}
        self._began = time.monotonic()

    def tell(self, sentence: str, **figures: Any) -> None:
        self.report |= figures
        print(f"{time.monotonic() - self._began:6.1f} s  {shorten(sentence, SENTENCE)}", flush=True)

    def begin(self) -> None:
        self.tell("Preparing a site of generated people and movies ...")
        prepare(**SIZE)
        self.operator = Operator(self.installation, staff_token())
        self.tokens = tokens_of_raters(N_PEOPLE)
        self.installation.serve()
        workers = len(self.installation.web_process().children())
        self.tell(f"The site answers at {self.installation.address} from {workers} web processes", workers=workers)

    def train_first(self) -> None:
        run = self._trained(self.operator.train()["id"])
        self.first = run["version"]
        self.tell(f"Trained: {run['message']}", first=self.first, first_run=run["status"])
        self._wait_until_served(self.first)
        self.lists = self._lists()

    def shift_taste(self) -> None:
        self._adopt()
        self.tell(f"Somebody adopted {ADOPTED} from a search: the next training will use it")
        counts = shift.inject()
        self.tell(
            f"Drift: {counts['ratings']} ratings of {counts['people']} people who like other things than before, "
            f"and {counts['movies']} new movies",
            **{f"injected_{name}": count for name, count in counts.items()},
        )

    def notice(self) -> None:
        from mlops.models import Alert, DriftReport, RetrainingCheck

        alerts = Alert.objects.filter(subject__startswith="drift")
        wait_for(alerts.exists, seconds=NOTICED, what="the schedule finds drift and alerts")
        report = DriftReport.objects.filter(status="alert").first()
        found = [check["name"] for check in report.checks if check["status"] == "alert"] if report else []
        self.tell(f"Alert by the schedule: {alerts[0].message}", drift=found)
        started = RetrainingCheck.objects.filter(run__isnull=False)
        wait_for(started.exists, seconds=NOTICED, what="the schedule starts a training")
        check = started[0]
        self.tell(f"Run {check.run_id} was started by itself: {'; '.join(check.reasons)}", reasons=check.reasons)
        self.automatic = check.run_id

    def refuse_the_bad(self) -> None:
        from mlops.models import GateDecision, ModelVersion

        run = self._trained(self.automatic)
        decision = GateDecision.objects.filter(version=run["version"]).first()
        champion = ModelVersion.objects.get(status="champion").pk
        sentence = decision.sentence if decision else run["message"]
        self.tell(f"The gate: {run['message']}", bad_run=run["status"], refusal=sentence, champion_after_bad=champion)

    def take_the_good(self) -> None:
        from mlops.models import ParameterChoice
        from mlops.services import withdraw_parameters

        withdraw_parameters(choice=ParameterChoice.objects.get().pk)
        run = self._trained(self.operator.train()["id"])
        self.good = run["version"]
        self.tell(f"The adopted parameters are withdrawn. {run['message']}", good=self.good, good_run=run["status"])
        seconds = self._wait_until_served(self.good)
        changed = [len(set(now) - set(then)) / 10 for now, then in zip(self._lists(), self.lists, strict=True)]
        share = sum(changed) / len(changed)
        self.tell(
            f"All web processes serve version {self.good} {seconds:.1f} s later; "
            f"{share:.0%} of the movies in {len(changed)} people's lists are others than before the drift",
            changed_share=share,
        )

    def roll_back(self) -> None:
        with Desks(self.installation.address, self.tokens[0], self.installation.web_process()) as desks:
            self.operator.roll_back()
            seconds = desks.seconds_until(self.first, within=FOLLOWED)
        each = ", ".join(f"{value:.1f} s" for value in sorted(seconds.values()))
        self.tell(
            f"Rolled back to version {self.first}; the {len(seconds)} web processes followed after {each}",
            roll_back_seconds=max(seconds.values()),
            roll_back_processes=len(seconds),
        )

    def look_back(self) -> None:
        from mlops.models import Promotion

        trail = [f"{row.version_id} {row.kind}" for row in Promotion.objects.order_by("pk")]
        problems = list(checks.champion_problems())
        with Pages(self.installation.address, "operator") as pages:
            dashboard, audit = pages.read("/mlops/"), pages.read("/admin/mlops/promotion/")
        self.tell(f"Audit trail: {', '.join(trail)}", trail=trail, problems=problems, dashboard=dashboard, audit=audit)
        if self.pictures:
            with Pages(self.installation.address, "operator") as pages:
                for picture in pages.draw(self.pictures):
                    self.tell(f"Picture: {picture}")

    def _adopt(self) -> None:
        """As the admin's button does after a search; the search itself would take longer than the rest."""
        from mlops.models import DatasetSnapshot, TuningStudy, TuningTrial
        from mlops.services import adopt_parameters

        study = TuningStudy.objects.create(
            algorithm="ease", snapshot=DatasetSnapshot.objects.get(), space={name: {} for name in ADOPTED}, n_trials=1
        )
        common = {"study": study, "status": "finished", "seconds": 1.0}
        TuningTrial.objects.create(number=0, parameters={}, ndcg=0.1, **common)
        TuningTrial.objects.create(number=1, parameters=ADOPTED, ndcg=0.2, **common)
        adopt_parameters(study=study.pk)

    def _trained(self, run: int) -> dict[str, Any]:
        return self.operator.wait_for_end(run, seconds=TRAINED)

    def _wait_until_served(self, version: int) -> float:
        with Desks(self.installation.address, self.tokens[0], self.installation.web_process()) as desks:
            return max(desks.seconds_until(version, within=60).values())

    def _lists(self) -> list[list[int]]:
        return [checks.list_of(self.installation.address, token) for token in self.tokens]


def main(arguments: list[str] | None = None) -> int:
    options = _read(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = {"database_url": options.database, "redis_url": options.redis, "prefix": options.prefix}
    with Installation(policy=POLICY, web_workers=4, **given) as installation:
        installation.use_here()
        story = Story(installation, options.pictures)
        try:
            report = live_through(story)
        except AssertionError as error:
            print(f"It went another way: {error}", file=sys.stderr)
            return 1
        finally:
            if options.keep_logs:
                installation.keep_logs(options.keep_logs)
    if options.report:
        options.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def live_through(story: Story) -> dict[str, Any]:
    story.begin()
    from catalog.models import Movie, User

    member = User.objects.get(auth_token=story.tokens[0]).username
    movies = list(Movie.objects.values_list("pk", flat=True)[:100])
    with Visitors(story.installation.address, story.tokens[-1:], member, movies) as visitors:
        steps = (story.train_first, story.shift_taste, story.notice, story.refuse_the_bad, story.take_the_good)
        for step in (*steps, story.roll_back, story.look_back):
            step()
    bad = [f"{answer.what}: {answer.status}" for answer in visitors.answers if not answer.is_good]
    lost = list(checks.rating_problems(visitors))
    story.tell(
        f"People asked {len(visitors.answers)} times meanwhile; {len(bad)} answers were errors; "
        f"{len(visitors.kept)} ratings given, {'; '.join(lost) or 'all there'}",
        asked=len(visitors.answers),
        errors=bad,
        lost=lost,
    )
    return story.report


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drills.story", description="Live a model's life.")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="pictures of the staff's pages go there")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--database", default="", metavar="URL", help="an empty database instead of an own Postgres")
    parser.add_argument("--redis", default="", metavar="URL", help="instead of an own Redis")
    parser.add_argument("--prefix", default="", help="before every key in that Redis")
    parser.add_argument("--keep-logs", metavar="FOLDER", help="copy the logs of all parts there at the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
