"""Fits or loads estimators with the code of one checkout and writes their lists. Started as a script.

Uses only the public API of the estimators, so that it works with every checkout.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recommender.estimators import ESTIMATORS, Dataset, load_recommender

K, DEPTH = 10, 40  # movies in a list; movies stored, to know those just below a list
SEED = 0
THRESHOLD = 3.5
DEFAULT_NEAR_TIE = 1e-6  # relative; used if the checkout defines none


def main(command: str, data: Path, models: Path, out: Path, names: list[str]) -> None:
    """Writes lists. `fit` also writes the models, `load` uses existing models."""
    ratings, movies = pd.read_pickle(data / "ratings.pkl"), pd.read_pickle(data / "movies.pkl")
    users = np.sort(ratings["user_id"].unique())
    for name in names:
        started = time.monotonic()
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        if command == "fit":
            dataset = Dataset.from_frames(ratings, movies, implicit_threshold=THRESHOLD)
            model = ESTIMATORS[name](random_state=SEED).fit(dataset)
            model.save(models / name / "artefact")
        else:
            model = load_recommender(models / name / "artefact")
        lists = model.recommend(users, k=DEPTH)
        lists.to_pickle(folder / "lists.pkl")
        if command == "load":
            found = list(differences(model, users, lists))
            (folder / "differences.json").write_text(json.dumps(found), encoding="utf-8")
        print(f"{name}: {command} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    ranking = import_module("recommender.estimators.ranking")
    near_tie = getattr(ranking, "NEAR_TIE", DEFAULT_NEAR_TIE)
    (out / "near_tie.json").write_text(json.dumps(near_tie), encoding="utf-8")


def differences(model: Any, users: Any, lists: pd.DataFrame) -> Iterator[str]:
    """Yields requests for the same lists with different results. Scores must be equal to the last bit."""
    whole = by_user(lists)
    hidden = {user: {movie for movie, _ in whole[user][:3]} for user in users}
    expected = {user: whole[user][3 : 3 + K] for user in users}
    excluded = by_user(model.recommend(users, k=K, exclude=[hidden[user] for user in users]))
    yield from different("with exclude", expected, excluded)
    alone = {user: by_user(model.recommend([user], k=DEPTH))[user] for user in users}
    yield from different("alone", whole, alone)
    excluded_alone = {user: by_user(model.recommend([user], k=K, exclude=[hidden[user]]))[user] for user in users}
    yield from different("alone with exclude", expected, excluded_alone)
    among = {user: sorted({movie for movie, _ in whole[user]}) for user in users}
    chosen = {user: by_user(model.recommend([user], k=K, candidates=among[user]))[user] for user in users}
    yield from different("among candidates", {user: whole[user][:K] for user in users}, chosen)


def by_user(lists: pd.DataFrame) -> dict[Any, list[tuple[Any, float]]]:
    groups = lists.groupby("user_id", sort=False)
    return {user: list(zip(rows["movie_id"].tolist(), rows["score"].tolist(), strict=True)) for user, rows in groups}


def different(way: str, expected: dict[Any, Any], found: dict[Any, Any]) -> Iterator[str]:
    users = [user for user in expected if expected[user] != found.get(user)]
    if users:
        orders = sum(
            [movie for movie, _ in expected[user]] != [movie for movie, _ in found.get(user, [])] for user in users
        )
        yield f"{way}: {len(users)} lists differ, {orders} of them in their movies; user {users[0]} is the first"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:])
