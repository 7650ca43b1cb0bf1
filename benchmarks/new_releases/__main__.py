"""Measures lists of movies released after the training: `python -m benchmarks.new_releases --data DIR`.

Creates an embedded site in a temporary folder, imports ml-latest-small, fits and serves the hybrid in this process, and
syncs releases after MovieLens' last rating from a stand-in for TMDB, with TMDB_METADATA_IN_TRAINING set. There is no
second training. Compares each user's list of new movies with their favourite genre, which has the largest share of
their liked movies relative to all users.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.data import MOVIELENS, TMDB
from benchmarks.site import load
from benchmarks.tables import render
from tests.tmdb_stand_in import TOKEN, TMDBStandIn, read_documents

SINCE = "2018-09-25"  # the day after the last rating


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.new_releases", description="Show new movies by taste.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {MOVIELENS} and {TMDB}")
    parser.add_argument("--users", type=int, default=200)
    options = parser.parse_args(arguments)
    documents = read_documents(options.data / TMDB)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tmdb = stack.enter_context(TMDBStandIn(documents))
        measure = load("benchmarks.new_releases.measure", _environment(folder, tmdb.url))
        measure.train_site(options.data / MOVIELENS)
        expected = sum((movie.get("release_date") or "") >= SINCE for movie in documents)
        row = {"released": expected} | measure.sync(SINCE) | measure.compare_lists(options.users)
    print(render("New releases by taste, without a training", [row], {"seconds": 1}))


def _environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "movierec.settings",
        "ENV_FILE": str(folder / "no.env"),
        "VAR_DIR": str(folder),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "SECRET_KEY": secrets.token_hex(),
        "METRICS_TOKEN": secrets.token_hex(),
        "TMDB_API_URL": url,
        "TMDB_READ_TOKEN": TOKEN,
        "TMDB_METADATA_IN_TRAINING": "true",
        "LOG_LEVEL": "WARNING",
    }


if __name__ == "__main__":
    main()
