"""Injects kills and faults one after another on one test site. Prints a row for each."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable

from benchmarks.chaos import breakpoints
from benchmarks.chaos.fault_test import FaultTest
from benchmarks.chaos.installation import Installation
from benchmarks.chaos.kill_test import KillTest
from benchmarks.chaos.load_generator import LoadGenerator
from benchmarks.chaos.outcome import Outcome
from benchmarks.chaos.site import N_API_CLIENTS, Operator, prepare, staff_token, tokens_of_raters
from benchmarks.tables import render
from catalog.models import Movie, User
from catalog.models.api_key import hash_of

SIZE = {"users": 400, "movies": 250, "ratings": 12_000}
FIRST_TRAINING = 300.0  # seconds
DIGITS = {"serving again s": 1, "dead run marked s": 1, "slowest s": 1}


def run(installation: Installation, kills: Iterable[tuple[str, str]], faults: Iterable[str]) -> list[Outcome]:
    _say("Preparing the site: tables, generated ratings, accounts")
    prepare(**SIZE)
    breakpoints.prepare(installation.environment["DATABASE_URL"])
    operator = Operator(installation, staff_token())
    tokens = tokens_of_raters(N_API_CLIENTS)
    member = User.objects.get(api_keys__hash=hash_of(tokens[0])).username
    movies = list(Movie.objects.values_list("pk", flat=True)[:100])
    _say("Starting web, workers and Beat")
    installation.serve()
    first = operator.wait_for_end(operator.train()["id"], seconds=FIRST_TRAINING)
    _say(f"First training: {first['message']}")
    outcomes = []
    with LoadGenerator(installation.address, tokens, member, movies) as load:
        site = (installation, operator, load)
        for test in [*(KillTest(*site, *pair) for pair in kills), *(FaultTest(*site, name) for name in faults)]:
            started = time.monotonic()
            outcomes.append(test.run())
            _say(f"{time.monotonic() - started:.0f} s: {outcomes[-1].row()}")
    print(render("Kills and faults", [outcome.row() for outcome in outcomes], DIGITS), flush=True)
    return outcomes


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
