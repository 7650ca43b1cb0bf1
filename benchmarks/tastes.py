"""Measures how lists follow a taste after a few likes, and their reasons: `python -m benchmarks.tastes --data DIR`.

A taste is a genre of a decade. A new person likes five of its movies, drawn by number of ratings, and gets a list as on
the site: diverse, with a main reason for each movie. A movie is on taste if it has the genre. A movie named as the
reason is plausible if it is among the 50 nearest of the recommended one. This is measured on the data and not by the
model, by the cosine of raters or of metadata.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import movielens_metadata, movielens_ratings
from benchmarks.site import load
from benchmarks.tables import render
from recommender.estimators import ESTIMATORS, Dataset, Recommender, load_recommender
from recommender.estimators.diversity import diverse_list
from recommender.estimators.interactions import unit_rows, with_values
from recommender.policy import ServingPolicy

K, N_TASTES, N_LIKES = 10, 40, 5
THRESHOLD = 3.5
MIN_RATINGS, MIN_MOVIES = 20, 15  # minimum number of ratings of a movie, and of movies of a taste
DECADES = range(1970, 2020, 10)
NEAREST = 50


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tastes", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder with ml-latest-small/")
    parser.add_argument("--model", type=Path, help="a saved model, instead of fitting the default hybrid")
    options = parser.parse_args(arguments)
    movies = movielens_metadata(options.data)
    dataset = Dataset.from_frames(movielens_ratings(options.data), movies, THRESHOLD)
    model = load_recommender(options.model) if options.model else ESTIMATORS["hybrid"](random_state=0).fit(dataset)
    rows = measure(model, dataset, movies)
    print(render("Lists after five likes of a genre and decade", rows, {"shared": 2}))
    print(render("All tastes", [summary(rows)], {}))


def tastes(dataset: Dataset, movies: pd.DataFrame) -> dict[tuple[str, int], dict[int, float]]:
    """Returns the likes of N_TASTES random tastes."""
    n_rated = pd.Series(np.bincount(dataset.ratings.indices, minlength=dataset.n_movies), index=dataset.movie_ids)
    known = movies.assign(
        n=movies["movie_id"].map(n_rated).fillna(0), decade=movies["release_date"].dt.year // 10 * 10
    ).explode("genres")
    known = known[(known["n"] >= MIN_RATINGS) & known["decade"].isin(DECADES)]
    pools = {key: rows for key, rows in known.groupby(["genres", "decade"]) if len(rows) >= MIN_MOVIES}
    rng = np.random.default_rng(0)
    chosen = sorted(rng.permutation(len(pools))[:N_TASTES].tolist())
    result = {}
    for genre, decade in [list(pools)[at] for at in chosen]:
        rows = pools[genre, decade]
        drawn = rng.choice(rows["movie_id"], N_LIKES, replace=False, p=rows["n"] / rows["n"].sum())
        result[genre, int(decade)] = dict.fromkeys(drawn.tolist(), 5.0)
    return result


def measure(model: Recommender, dataset: Dataset, movies: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns a row for each taste."""
    reasons = load(
        "recommender.reasons", {"DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "movierec.settings")}
    )
    genres = movies.set_index("movie_id")["genres"]
    years = movies.set_index("movie_id")["release_date"].dt.year
    strength = ServingPolicy().diversity
    lists: dict[tuple[str, int], list[int]] = {}
    rows = []
    for (genre, decade), history in tastes(dataset, movies).items():
        best, _scores, kept = diverse_list(model, history, K, strength)
        shown = lists[genre, decade] = best[kept].tolist()
        of_genre = [movie for movie in shown if genre in genres[movie]]
        n_features = round(reasons.FEATURE_SHARE * len(shown))
        found = reasons.main_reasons(model, history, model.history_row(history), shown, n_features)
        near = nearest(dataset, shown)
        named = {movie: reason.movie_id for movie, reason in found.items() if reason.movie_id is not None}
        kinds = Counter("movie" if movie in named else found[movie].code.value for movie in shown)
        n_features = len(shown) - kinds["movie"] - kinds["ratings"] - kinds["popular"]
        rows.append(
            {
                "genre": genre,
                "decade": decade,
                "on taste": len(of_genre),
                "and within ten years": sum(decade - 10 <= years[movie] < decade + 20 for movie in of_genre),
                "movie named": kinds["movie"],
                "feature named": n_features,
                "plausible": sum(named_id in near[movie] for movie, named_id in named.items()) + n_features,
            }
        )
    shared = Counter[tuple[str, int]]()
    for one, other in combinations(lists, 2):
        n_shared = len(set(lists[one]) & set(lists[other])) / (len(lists) - 1)
        shared.update({one: n_shared, other: n_shared})
    return [row | {"shared": float(shared[row["genre"], row["decade"]])} for row in rows]


def nearest(dataset: Dataset, movie_ids: list[int]) -> dict[int, set[int]]:
    """Returns the NEAREST movies to each by raters, and those by metadata."""
    raters = unit_rows(with_values(dataset.ratings, np.ones(dataset.ratings.nnz, dtype=np.float32)).T.tocsr())
    columns = np.searchsorted(dataset.movie_ids, movie_ids)
    result: dict[int, set[int]] = {movie: set() for movie in movie_ids}
    for features in (raters, unit_rows(dataset.movie_features[1])):
        likeness = (features[columns] @ features.T).toarray()
        likeness[np.arange(len(columns)), columns] = -1
        for movie, line in zip(movie_ids, likeness, strict=True):
            result[movie] |= set(dataset.movie_ids[np.argsort(-line, kind="stable")[:NEAREST]].tolist())
    return result


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    table = pd.DataFrame(rows)
    n_named = table["movie named"] + table["feature named"]
    return {
        "tastes": len(table),
        "on taste, mean of ten": float(table["on taste"].mean()),
        "least": int(table["on taste"].min()),
        "reason named, share": float(n_named.mean() / K),
        "feature, share": float(table["feature named"].mean() / K),
        "plausible of named": float(table["plausible"].sum() / n_named.sum()),
        "shared by two tastes": float(table["shared"].mean()),
    }


if __name__ == "__main__":
    main()
