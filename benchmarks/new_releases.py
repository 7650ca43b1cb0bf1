"""New releases in a site that was trained before they came: `python -m benchmarks.new_releases --data DIR`.

Makes a new embedded site in a temporary folder, imports ml-latest-small, fits the hybrid on it, serves it in this
process, then syncs the releases after MovieLens' last rating from a stand-in of TMDB, with TMDB_METADATA_IN_TRAINING as
if there were an agreement. No training follows. Each user's list of new movies is compared with their favourite genre:
the one of which they liked the largest share, against what everybody likes.
"""

from __future__ import annotations

import argparse
import os
import secrets
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import numpy as np
from tqdm import tqdm

from benchmarks.data import MOVIELENS, TMDB
from benchmarks.tables import render
from tests.tmdb_stand_in import TOKEN, TMDBStandIn, read_documents

SINCE = "2018-09-25"  # the day after the last rating
K = 10


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.new_releases", description="Show new movies by taste.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {MOVIELENS} and {TMDB}")
    parser.add_argument("--users", type=int, default=200)
    options = parser.parse_args(arguments)
    documents = read_documents(options.data / TMDB)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tmdb = stack.enter_context(TMDBStandIn(documents))
        os.environ |= _environment(folder, tmdb.url)
        django.setup()
        _trained_site(options.data)
        expected = sum((movie.get("release_date") or "") >= SINCE for movie in documents)
        row = {"released": expected} | _synced() | _lists(options.users)
    print(render("New releases by taste, without a training", [row], {"seconds": 1}))


def _trained_site(data: Path) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from recommender.estimators import ESTIMATORS, Dataset
    from recommender.export import movie_frame, rating_frame
    from recommender.services import activate

    call_command("migrate", verbosity=0)
    call_command("import_movielens", str(data / MOVIELENS))
    dataset = Dataset.from_frames(rating_frame(), movie_frame(), implicit_threshold=3.5)
    ESTIMATORS["hybrid"](random_state=0).fit(dataset).save(settings.MODEL_DIR / "benchmark")
    activate(version=1, algorithm="hybrid", artifact="benchmark")


def _synced() -> dict[str, Any]:
    from django.core.management import call_command

    from catalog.models import Movie
    from recommender.serving.model_server import server

    started = time.monotonic()
    call_command("sync_tmdb", "--new-releases", "--since", SINCE)
    seconds = time.monotonic() - started
    server.refresh()
    return {"arrived": Movie.objects.filter(source="tmdb").count(), "seconds": seconds}


def _lists(n_users: int) -> dict[str, Any]:
    from catalog.models import Movie, MovieGenre, Rating, User
    from recommender.services import recommend_new

    genres_of: dict[int, set[str]] = {}
    for movie_id, name in MovieGenre.objects.values_list("movie_id", "genre__name"):
        genres_of.setdefault(movie_id, set()).add(name)
    new = set(Movie.objects.filter(source="tmdb").values_list("pk", flat=True))
    liked = Rating.objects.filter(rating__gte=4)
    usual = _shares(genres_of, liked.values_list("movie_id", flat=True))
    among_new = _shares(genres_of, new)
    shown: set[int] = set()
    in_list, in_general = [], []
    n_without = n_listed = n_of_tmdb = 0
    for user in tqdm(User.objects.filter(ratings__isnull=False).distinct().order_by("pk")[:n_users], unit="user"):
        own = _shares(genres_of, liked.filter(user=user).values_list("movie_id", flat=True))
        common = {name: share / usual[name] for name, share in own.items() if among_new.get(name, 0) >= 0.02}
        made = recommend_new(user=user, k=K, surface="benchmark")
        listed = [result.movie.pk for result in made.results]
        if not common or made.fallback or not listed:
            n_without += 1
            continue
        favourite = max(common, key=lambda name: common[name])
        n_listed += len(listed)
        n_of_tmdb += len(new.intersection(listed))
        shown |= new.intersection(listed)
        in_list.append(float(np.mean([favourite in genres_of.get(movie, set()) for movie in listed])))
        in_general.append(among_new[favourite])
    return {
        "users": len(in_list),
        "without a list": n_without,
        "of them TMDB's": n_of_tmdb / max(n_listed, 1),
        "favourite genre in lists": float(np.mean(in_list)),
        "among all new": float(np.mean(in_general)),
        "different movies shown": len(shown),
    }


def _shares(genres_of: dict[int, set[str]], movies: Any) -> dict[str, float]:
    rows = [genres_of.get(movie, set()) for movie in movies]
    counts = Counter(name for names in rows for name in names)
    return {name: count / len(rows) for name, count in counts.items()}


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
