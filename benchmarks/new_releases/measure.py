"""Trains, syncs and compares lists on the benchmark's site."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management import call_command
from tqdm import tqdm

from catalog.models import Movie, MovieGenre, Rating, User
from recommender.estimators import ESTIMATORS, Dataset
from recommender.export import movie_frame, rating_frame
from recommender.services import activate, recommend_new
from recommender.serving.model_server import server

K = 10


def train_site(movielens: Path) -> None:
    call_command("migrate", verbosity=0)
    call_command("import_movielens", str(movielens))
    dataset = Dataset.from_frames(rating_frame(), movie_frame(), implicit_threshold=3.5)
    ESTIMATORS["hybrid"](random_state=0).fit(dataset).save(settings.MODEL_DIR / "benchmark")
    activate(version=1, algorithm="hybrid", artifact="benchmark")


def sync(since: str) -> dict[str, Any]:
    started = time.monotonic()
    call_command("sync_tmdb", "--new-releases", "--since", since)
    seconds = time.monotonic() - started
    server.refresh()
    return {"arrived": Movie.objects.filter(source="tmdb").count(), "seconds": seconds}


def compare_lists(n_users: int) -> dict[str, Any]:
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
        "share from TMDB": n_of_tmdb / max(n_listed, 1),
        "favourite genre in lists": float(np.mean(in_list)),
        "among all new": float(np.mean(in_general)),
        "different movies shown": len(shown),
    }


def _shares(genres_of: dict[int, set[str]], movies: Any) -> dict[str, float]:
    rows = [genres_of.get(movie, set()) for movie in movies]
    counts = Counter(name for names in rows for name in names)
    return {name: count / len(rows) for name, count in counts.items()}
