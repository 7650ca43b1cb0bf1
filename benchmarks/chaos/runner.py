"""Runs chaos tests one after another on one test site and prints a row for each."""

from __future__ import annotations

import sys
import time

from benchmarks.chaos import breakpoints
from benchmarks.chaos.faults import ChaosTest, Outcome
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.load_generator import LoadGenerator
from benchmarks.chaos.site import N_API_CLIENTS, Operator, prepare, staff_token, tokens_of_raters
from benchmarks.tables import render
from catalog.models import Movie, User

SIZE = {"users": 400, "movies": 250, "ratings": 12_000}
FIRST_TRAINING = 300.0  # seconds
DIGITS = {"seconds to end": 0, "slowest s": 1}


def run(installation: Installation, pairs: list[tuple[str, str]]) -> list[Outcome]:
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
        for target, point in pairs:
            started = time.monotonic()
            outcomes.append(test.inject_fault(target, point))
            row = outcomes[-1].row()
            _say(f"{target} at {point}, {time.monotonic() - started:.0f} s: {row}")
    print(render("Faults at the steps of a training", [outcome.row() for outcome in outcomes], DIGITS), flush=True)
    return outcomes


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
