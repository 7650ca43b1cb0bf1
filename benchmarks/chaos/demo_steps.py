"""The steps of the demo. Each needs the models of the test site."""

from __future__ import annotations

import time
from pathlib import Path
from textwrap import shorten
from typing import Any

from benchmarks.chaos import checks, shift
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.load_generator import LoadGenerator
from benchmarks.chaos.pages import Pages
from benchmarks.chaos.processes import wait_for
from benchmarks.chaos.site import Operator, prepare, staff_token, tokens_of_raters
from benchmarks.chaos.worker_clients import WorkerClients
from catalog.models import Movie, User
from catalog.models.api_key import hash_of
from mlops.models import (
    Alert,
    DatasetSnapshot,
    DriftReport,
    GateDecision,
    ModelVersion,
    ParameterChoice,
    PipelineRun,
    Promotion,
    RetrainingCheck,
    TuningStudy,
    TuningTrial,
)
from mlops.services import adopt_parameters, start_training, withdraw_parameters

SIZE = {"users": 400, "movies": 250, "ratings": 12_000}
ADOPTED = {"regularization": 1e9}  # so strong that the model learns little besides popularity
SENTENCE = 400  # characters
N_USERS = 12  # users whose lists are compared
TRAINED, NOTICED, FOLLOWED = 600.0, 120.0, 15.0  # time limits in seconds, for a busy machine


class Demo:
    """Runs the steps. Each step prints what happened and adds its results to `report`."""

    def __init__(self, installation: Installation, screenshots: Path | None) -> None:
        self.installation, self.screenshots = installation, screenshots
        self.report: dict[str, Any] = {}
        self._began = time.monotonic()

    def tell(self, sentence: str, **results: Any) -> None:
        self.report |= results
        print(f"{time.monotonic() - self._began:6.1f} s  {shorten(sentence, SENTENCE)}", flush=True)

    def begin(self) -> None:
        self.tell("Preparing a site with generated users and movies ...")
        prepare(**SIZE)
        # Called before the site starts, because without a champion its schedule would start a training.
        self.first_training = start_training(trigger=PipelineRun.Trigger.API).pk
        self.operator = Operator(self.installation, staff_token())
        self.tokens = tokens_of_raters(N_USERS)
        self.installation.serve()
        workers = len(self.installation.web_process().children())
        self.tell(f"The site answers at {self.installation.address} from {workers} web processes", workers=workers)

    def load(self) -> LoadGenerator:
        member = User.objects.get(api_keys__hash=hash_of(self.tokens[0])).username
        movies = list(Movie.objects.values_list("pk", flat=True)[:100])
        return LoadGenerator(self.installation.address, self.tokens[-1:], member, movies)

    def train_first(self) -> None:
        run = self._trained(self.first_training)
        self.first = run["version"]
        self.tell(f"Trained: {run['message']}", first=self.first, first_run=run["status"])
        self._wait_until_served(self.first)
        self.lists = self._lists()

    def inject_drift(self) -> None:
        self._adopt()
        self.tell(f"{ADOPTED} was adopted from a search: the next training will use it")
        counts = shift.inject_drift()
        self.tell(
            f"Drift: {counts['ratings']} ratings from {counts['users']} users whose taste has changed, "
            f"and {counts['movies']} new movies",
            **{f"injected_{name}": count for name, count in counts.items()},
        )

    def detect_drift(self) -> None:
        alerts = Alert.objects.filter(code="drift")
        wait_for(alerts.exists, seconds=NOTICED, what="the schedule detects drift and alerts")
        report = DriftReport.objects.filter(status="alert").first()
        found = [check.code for check in report.findings if check.outcome == "alert"] if report else []
        self.tell(f"The schedule alerts: {alerts[0].message}", drift=found)
        started = RetrainingCheck.objects.filter(run__isnull=False)
        wait_for(started.exists, seconds=NOTICED, what="the schedule starts a training")
        check = started[0]
        sentences = " ".join(finding.sentence for finding in check.reasons)
        reasons = [finding.code for finding in check.reasons]
        self.tell(f"Run {check.run_id} was started automatically: {sentences}", reasons=reasons)
        self.automatic = check.run_id

    def refuse_bad_model(self) -> None:
        run = self._trained(self.automatic)
        decision = GateDecision.objects.filter(version=run["version"]).first()
        champion = ModelVersion.objects.get(status="champion").pk
        refusal = [rule.code for rule in decision.findings if rule.outcome == "failed"] if decision else []
        self.tell(f"The gate: {run['message']}", bad_run=run["status"], refusal=refusal, champion_after_bad=champion)

    def promote_good_model(self) -> None:
        withdraw_parameters(choice=ParameterChoice.objects.get().pk)
        run = self._trained(self.operator.train()["id"])
        self.good = run["version"]
        self.tell(f"The adopted parameters are withdrawn. {run['message']}", good=self.good, good_run=run["status"])
        seconds = self._wait_until_served(self.good)
        changed = [len(set(now) - set(then)) / 10 for now, then in zip(self._lists(), self.lists, strict=True)]
        share = sum(changed) / len(changed)
        self.tell(
            f"All web processes serve version {self.good} {seconds:.1f} s later; "
            f"{share:.0%} of the movies in the lists of {len(changed)} users have changed since the drift",
            changed_share=share,
        )

    def roll_back(self) -> None:
        with WorkerClients(self.installation.address, self.tokens[0], self.installation.web_process()) as clients:
            self.operator.roll_back()
            seconds = clients.seconds_until(self.first, within=FOLLOWED)
        each = ", ".join(f"{value:.1f} s" for value in sorted(seconds.values()))
        self.tell(
            f"Rolled back to version {self.first}; the {len(seconds)} web processes followed after {each}",
            roll_back_seconds=max(seconds.values()),
            roll_back_processes=len(seconds),
        )

    def read_audit_trail(self) -> None:
        trail = [f"{row.version_id} {row.kind}" for row in Promotion.objects.order_by("pk")]
        problems = list(checks.champion_problems())
        with Pages(self.installation.address, "operator") as pages:
            dashboard, audit = pages.read("/mlops/"), pages.read("/admin/mlops/promotion/")
        self.tell(f"Audit trail: {', '.join(trail)}", trail=trail, problems=problems, dashboard=dashboard, audit=audit)
        if self.screenshots:
            with Pages(self.installation.address, "operator") as pages:
                for path in pages.screenshots(self.screenshots):
                    self.tell(f"Screenshot: {path}")

    def _adopt(self) -> None:
        """Adopts parameters like the admin button. A real search would take longer than the whole demo."""
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
        with WorkerClients(self.installation.address, self.tokens[0], self.installation.web_process()) as clients:
            return max(clients.seconds_until(version, within=60).values())

    def _lists(self) -> list[list[int]]:
        return [checks.list_of(self.installation.address, token) for token in self.tokens]


def run_demo(demo: Demo) -> dict[str, Any]:
    demo.begin()
    with demo.load() as load:
        steps = (demo.train_first, demo.inject_drift, demo.detect_drift, demo.refuse_bad_model, demo.promote_good_model)
        for step in (*steps, demo.roll_back, demo.read_audit_trail):
            step()
    bad = [f"{answer.what}: {answer.status}" for answer in load.answers if not answer.is_good]
    lost = checks.lost_ratings(load)
    demo.tell(
        f"{len(load.answers)} requests in the meantime, {len(bad)} of them failed; "
        f"{len(load.accepted)} ratings accepted, {lost} of them lost",
        requests=len(load.answers),
        errors=bad,
        lost=lost,
    )
    return demo.report
