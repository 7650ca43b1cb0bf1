"""Compares this site's lists with other endpoints: `python -m benchmarks.peers [--data DIR] [--checkout DIR] [--peer
DIR]`.

Starts all of them on free ports with the same ratings and users, two processes and one BLAS thread each, and loads them
in turn with one generator. Prints lists/s, p50, p99, errors, memory and ratios, then each target and whether it is met.

The site returns complete answers: cards, scores, source, version and one reason for each movie. It stores every
impression and counts every request against a rate limit that is never reached. The reference is a minimal FastAPI
endpoint over `mlflow.pyfunc`, which keeps its histories in memory and returns only ids (benchmarks/peers/fastapi_ease,
or the build.py and app.py of --peer).
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.data import MOVIELENS
from benchmarks.peers.bars import judge
from benchmarks.peers.participants import TITLES, Comparison, Options
from benchmarks.peers.rotation import rows, run
from benchmarks.tables import render

HERE = Path(__file__).resolve().parent
LEVELS = (1, 8, 64, 256)
DIGITS = {
    "lists/s": 0,
    "p50 ms": 1,
    "p99 ms": 1,
    "PSS MB": 0,
    "impressions kept": 3,
    "generator us": 0,
    "of the peer": 2,
}


def main(arguments: list[str] | None = None) -> int:
    given = _read(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = Options(
        participants=given.only,
        connections=given.connections,
        limit=given.limit,
        movielens=None if given.quick else (given.data / MOVIELENS).resolve(),
        peer=given.peer.resolve(),
        checkout=given.checkout,
    )
    with ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="movierec-peers-"))
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # Postgres runs as another user and needs access to its own folder
        participants = list(Comparison(options, folder.resolve(), stack).participants())
        results = run(participants, turns=given.turns, seconds=given.seconds, warm_up=given.warm_up)
    print(render(f"Medians of {given.turns} turns of {given.seconds:g} s", rows(results, TITLES), DIGITS))
    verdicts = judge(results)
    print(render("What it must show", verdicts, {"found": 2}))
    return 0 if all(row["holds"] == "yes" for row in verdicts) else 1


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Compare with other endpoints.")
    parser.add_argument("--data", type=Path, help=f"folder that holds {MOVIELENS}")
    parser.add_argument("--quick", action="store_true", help="a few made-up ratings and one short turn: a smoke test")
    parser.add_argument("--only", nargs="+", choices=list(TITLES), metavar="NAME", help=", ".join(TITLES))
    parser.add_argument("--checkout", type=Path, metavar="DIR", help="another checkout of this repository takes part")
    peer = HERE / "fastapi_ease"
    parser.add_argument("--peer", type=Path, metavar="DIR", default=peer, help="a peer's build.py and app.py")
    parser.add_argument("--turns", type=int, help="default 5")
    parser.add_argument("--seconds", type=float, help="of a turn at each number of connections (default 4)")
    parser.add_argument("--warm-up", type=float, metavar="SECONDS", help="default 15")
    parser.add_argument("--connections", type=int, nargs="+", metavar="C", help=f"default {LEVELS}")
    parser.add_argument("--limit", default="100000/s", help="the limit of a service's requests (default 100000/s)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the sites there and use them the next time")
    given = parser.parse_args(arguments)
    if not given.quick and not given.data:
        parser.error("--data: needed, unless it is a --quick run")
    defaults = {"turns": 1, "seconds": 0.5, "warm_up": 0.5, "connections": (1, 8)} if given.quick else {}
    for name, value in ({"turns": 5, "seconds": 4.0, "warm_up": 15.0, "connections": LEVELS} | defaults).items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    given.only = given.only or [name for name in TITLES if name != "checkout" or given.checkout]
    return given


if __name__ == "__main__":
    sys.exit(main())
