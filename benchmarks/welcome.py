"""Simulates a new user's first minute: `python -m benchmarks.welcome --data DIR` (ml-latest-small).

Every user with enough ratings is hidden from training once. The users are divided into FOLDS parts, and each part gets
a model that was fitted on the others. A hidden user has seen a random half of the movies that they rated, and answers
with these ratings. The liked movies of the other half are the targets of nDCG@10 of the model's list after N_ANSWERS
ratings. The first half is excluded from every list, so that lists differ only by the answers.

The adaptive wall is that of `/welcome/`. The person rates the first of its WALL titles that they have seen. If they
have seen none, all count as "not seen", and not as an answer. With other ways of choosing titles, a person skips those
not seen. The limit is MOST_TITLES titles per person.

The choice of titles was developed on the other folds. Report results on REPORTED.
"""

from __future__ import annotations

import argparse
import timeit
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.data import MOVIELENS, movielens_metadata, movielens_ratings
from benchmarks.tables import render
from recommender.estimators import ESTIMATORS, Dataset, Elicitation, Recommender, keep_places, load_recommender
from recommender.evaluation.bootstrap import paired_bootstrap

MODEL, POSITIVE = "hybrid", 3.5
FOLDS = 4
REPORTED = (2, 3)
SEEDS = (0, 1, 2)  # of the random halves
MIN_RATINGS = 40
N_ANSWERS, MANY_ANSWERS = 5, 20
WALL = 12
MOST_TITLES = 120
POPULAR_POOL = 100
GENRE_POOL = 1000
RUNS = 20
K = 10
ADAPTIVE, RANDOM, GENRES = "adaptive wall", "random popular titles", "genre-balanced titles"
MANY, NOTHING = f"{MANY_ANSWERS} random ratings", "no answers"
Answers = dict[int, float]


class Person(NamedTuple):
    user: int
    seed: int
    seen: Answers
    liked: list[int]


class Wall(NamedTuple):
    answers: Answers
    n_titles: int


def people(ratings: pd.DataFrame, users: Sequence[int], seed: int, known: set[int]) -> list[Person]:
    """Returns users with enough ratings of known movies and a like in the target half."""
    found = []
    for user, rows in ratings[ratings["user_id"].isin(users)].groupby("user_id"):
        own = rows[rows["movie_id"].isin(known)].sort_values("movie_id")
        if len(own) < MIN_RATINGS:
            continue
        is_seen = np.zeros(len(own), dtype=bool)
        is_seen[np.random.default_rng([seed, user]).permutation(len(own))[: len(own) // 2]] = True
        seen, other = own[is_seen], own[~is_seen]
        liked = other["movie_id"][other["rating"] >= POSITIVE].tolist()
        if liked:
            answers = dict(zip(seen["movie_id"].tolist(), seen["rating"].tolist(), strict=True))
            found.append(Person(user, seed, answers, liked))
    return found


def answer_wall(elicitation: Elicitation, seen: Answers) -> Wall:
    """Answers the questions of `/welcome/` one after another."""
    answers: Answers = {}
    not_seen: list[int] = []
    wall: list[int] = []
    looked_at: set[int] = set()
    while len(answers) < N_ANSWERS and len(looked_at) < MOST_TITLES:
        wall = keep_places(wall, elicitation.choose(answers, not_seen, WALL))
        if not wall:
            break
        looked_at.update(wall)
        first = next((movie for movie in wall if movie in seen), None)
        if first is None:
            not_seen += wall
        else:
            answers[first] = seen[first]
    return Wall(answers, len(looked_at))


def answer_in_order(titles: Sequence[int], seen: Answers) -> Wall:
    answers: Answers = {}
    for n_titles, movie in enumerate(titles[:MOST_TITLES], start=1):
        if movie in seen:
            answers[movie] = seen[movie]
        if len(answers) == N_ANSWERS:
            return Wall(answers, n_titles)
    return Wall(answers, min(len(titles), MOST_TITLES))


def most_popular(model: Recommender, n: int) -> list[int]:
    found: list[int] = model.movie_ids_[np.argsort(-model.popularity_, kind="stable")[:n]].tolist()
    return found


def genre_balanced(model: Recommender, genres: dict[int, list[str]]) -> list[int]:
    """Returns the most popular titles of every genre in turn, larger genres first."""
    pool = most_popular(model, GENRE_POOL)
    of_genre: dict[str, list[int]] = defaultdict(list)
    for movie in pool:
        for genre in genres[movie]:
            of_genre[genre].append(movie)
    titles: dict[int, None] = {}
    while len(titles) < MOST_TITLES:
        for genre in sorted(of_genre, key=lambda name: -len(of_genre[name])):
            titles.setdefault(next(movie for movie in [*of_genre[genre], *pool] if movie not in titles))
    return list(titles)


def answers_of(person: Person, elicitation: Elicitation, popular: list[int], balanced: list[int]) -> dict[str, Wall]:
    rng = np.random.default_rng([person.seed, person.user, 1])
    many = rng.permutation(sorted(person.seen))[:MANY_ANSWERS].tolist()
    return {
        NOTHING: Wall({}, 0),
        RANDOM: answer_in_order(rng.permutation(popular).tolist(), person.seen),
        GENRES: answer_in_order(balanced, person.seen),
        ADAPTIVE: answer_wall(elicitation, person.seen),
        MANY: Wall({movie: person.seen[movie] for movie in many}, 0),
    }


def ndcg(model: Recommender, group: Sequence[Person], answers: Sequence[Answers]) -> np.ndarray[Any, Any]:
    """Returns the nDCG of each person's list."""
    lists = model.recommend_for_history(answers, k=K, exclude=[list(person.seen) for person in group])
    gains = 1 / np.log2(1 + lists["rank"].to_numpy())
    liked = [set(person.liked) for person in group]
    is_hit = [movie in liked[row] for row, movie in zip(lists["user_id"], lists["movie_id"], strict=True)]
    found = np.bincount(lists["user_id"][is_hit], weights=gains[is_hit], minlength=len(group))
    ideal = np.cumsum(1 / np.log2(np.arange(2, K + 2)))
    return np.asarray(found / ideal[[min(len(movies), K) - 1 for movies in liked]])


def fitted(ratings: pd.DataFrame, movies: pd.DataFrame, hidden: Any, saved: Path | None) -> Recommender:
    """Returns the model fitted without these users. Loads it from `saved`, or saves it there."""
    if saved is not None and (saved / "manifest.json").is_file():
        return load_recommender(saved)
    train = ratings[~ratings["user_id"].isin(hidden)]
    dataset = Dataset.from_frames(train, movies, implicit_threshold=POSITIVE)
    model: Recommender = ESTIMATORS[MODEL](random_state=0).fit(dataset)
    if saved is not None:
        model.save(saved)
    return model


def run(folder: Path, saved: Path | None, folds: Sequence[int] = REPORTED) -> pd.DataFrame:
    """Returns one row per person and way of answering: user, way, ndcg, answers, titles."""
    ratings, movies = movielens_ratings(folder), movielens_metadata(folder)
    genres = dict(zip(movies["movie_id"].tolist(), movies["genres"].tolist(), strict=True))
    users = np.random.default_rng(0).permutation(np.sort(ratings["user_id"].unique()))
    frames = []
    for fold in folds:
        hidden = users[fold::FOLDS]
        model = fitted(ratings, movies, hidden, saved and saved / f"fold{fold}")
        elicitation, known = Elicitation(model), set(model.movie_ids_.tolist())
        popular, balanced = most_popular(model, POPULAR_POOL), genre_balanced(model, genres)
        group = [person for seed in SEEDS for person in people(ratings, hidden, seed, known)]
        print(f"Fold {fold}: {len(group)} lists, {slowest_wall(elicitation):.0f} ms a wall")
        walls: dict[str, list[Wall]] = defaultdict(list)
        for person in group:
            for way, wall in answers_of(person, elicitation, popular, balanced).items():
                walls[way].append(wall)
        for way, of_way in walls.items():
            frame = pd.DataFrame({"user": [person.user for person in group], "way": way})
            frame["ndcg"] = ndcg(model, group, [wall.answers for wall in of_way])
            frame["answers"] = [len(wall.answers) for wall in of_way]
            frames.append(frame.assign(titles=[wall.n_titles for wall in of_way]))
    return pd.concat(frames, ignore_index=True)


def slowest_wall(elicitation: Elicitation) -> float:
    """Returns the milliseconds to choose a wall after N_ANSWERS answers, as the median of RUNS."""
    answers = dict.fromkeys(elicitation.titles[:N_ANSWERS], 4.0)
    return 1000 * float(np.median(timeit.repeat(lambda: elicitation.choose(answers, [], WALL), number=1, repeat=RUNS)))


def table(found: pd.DataFrame) -> list[dict[str, Any]]:
    by_way: Mapping[Any, pd.DataFrame] = dict(iter(found.groupby("way", sort=False)))
    many = by_way[MANY]["ndcg"].mean()
    rows = []
    for way, frame in by_way.items():
        row = {"answers": way, f"nDCG@{K}": frame["ndcg"].mean(), f"of {MANY}": frame["ndcg"].mean() / many}
        row |= {"rated": frame["answers"].mean(), "titles looked at": frame["titles"].mean()}
        adaptive, users = by_way[ADAPTIVE], frame["user"]
        apart = paired_bootstrap(adaptive["ndcg"].to_numpy(), frame["ndcg"].to_numpy(), users)
        rows.append(row | {f"{ADAPTIVE} less this, 95 %": None if way == ADAPTIVE else str(apart)})
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.welcome", description="Simulate the first minute.")
    parser.add_argument("--data", type=Path, required=True, help=f"folder that holds {MOVIELENS}")
    parser.add_argument("--models", type=Path, help="folder of the fitted models; fitted and put there if missing")
    parser.add_argument("--folds", type=int, nargs="+", default=REPORTED, help="parts of the users to report on")
    options = parser.parse_args(arguments)
    found = run(options.data, options.models, options.folds)
    n_users = found["user"].nunique()
    title = f"The first minute: {n_users} hidden users of {MOVIELENS}, {len(SEEDS)} halves each"
    print(render(title, table(found), {"rated": 1, "titles looked at": 1}))


if __name__ == "__main__":
    main()
