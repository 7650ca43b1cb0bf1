"""Generates movies with genres, keywords and people, and their position in preference space."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DIMENSIONS = 16
LOG_START, LOG_END = date(2017, 7, 1), date(2025, 7, 1)
SHARE_RELEASED_BEFORE_LOG = 0.75
_WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))
_SEQUELS = ("", " II", " III", " IV", " V", " VI", " VII", " VIII", " IX", " X")

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Catalogue:
    """A generated catalogue. Arrays are parallel to the rows of `frame`.

    `position` has the shape (movies, DIMENSIONS), with unit variance per dimension.
    """

    frame: pd.DataFrame
    released_on: NDArray[np.int64]  # days since LOG_START, negative before it
    position: Floats
    quality: Floats


def make_catalogue(n: int, rng: np.random.Generator) -> Catalogue:
    """Generates `n` movies with learnable features.

    Movies that share genres, keywords and people appeal to the same users.
    """
    names = list(_WORDS["genres"])
    common = np.array([_WORDS["genres"][name]["frequency"] for name in names])
    genre_at = rng.normal(size=(len(names), DIMENSIONS))
    main = rng.choice(len(names), size=n, p=common / common.sum())
    near = genre_at @ genre_at.T / np.sqrt(DIMENSIONS) + np.log(common)
    second = _choose(near[main], rng)
    n_genres = rng.choice([1, 2, 3], size=n, p=[0.3, 0.45, 0.25])
    third = _choose(near[second], rng)
    genres = [
        list(dict.fromkeys(row[:k])) for row, k in zip(zip(main, second, third, strict=True), n_genres, strict=True)
    ]
    keywords, keyword_part = _keywords(genres, names, genre_at, rng)
    directors, director_part, director_quality = _people(main, max(n // 6, 1), 1, genre_at, rng)
    cast, cast_part, cast_quality = _people(main, max(n // 2, 3), 4, genre_at, rng)
    genre_part = np.stack([genre_at[row].mean(axis=0) for row in genres])
    position = genre_part + 0.9 * keyword_part + 0.7 * director_part + 0.6 * cast_part
    position += 0.35 * rng.normal(size=position.shape)
    position = (position - position.mean(axis=0)) / (position.std(axis=0) + 1e-9)
    quality = 0.6 * director_quality + 0.4 * cast_quality + 0.7 * rng.normal(size=n)
    released_on = _release_days(n, rng)
    frame = pd.DataFrame(
        {
            "movie_id": np.arange(1, n + 1),
            "release_date": pd.Timestamp(LOG_START) + pd.to_timedelta(released_on, unit="D"),
            "genres": [[names[genre] for genre in row] for row in genres],
            "keywords": keywords,
            "cast": [list(dict.fromkeys(row)) for row in cast],
            "directors": directors,
            "language": rng.choice(list(_WORDS["languages"]), size=n, p=list(_WORDS["languages"].values())),
        }
    )
    frame.insert(1, "title", list(_titles(n, rng)))
    frame["overview"] = list(_overviews(frame, rng))
    return Catalogue(frame, released_on, position.astype(np.float32), quality.astype(np.float32))


def _choose(logits: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Samples one column per row by softmax (Gumbel trick)."""
    return np.asarray((logits + rng.gumbel(size=logits.shape)).argmax(axis=1))


def _keywords(
    genres: list[list[int]], names: list[str], genre_at: NDArray[np.float64], rng: np.random.Generator
) -> tuple[list[list[str]], NDArray[np.float64]]:
    """Returns two to five keywords per movie from its genres, and their contribution to its position."""
    place = {
        keyword: 0.4 * genre_at[genre] + rng.normal(size=DIMENSIONS)
        for genre, name in enumerate(names)
        for keyword in _WORDS["genres"][name]["keywords"]
    }
    chosen = []
    for row in genres:
        pool = [keyword for genre in row for keyword in _WORDS["genres"][names[genre]]["keywords"]]
        chosen.append([pool[i] for i in rng.permutation(len(pool))[: rng.integers(2, 6)]])
    return chosen, np.stack([np.mean([place[keyword] for keyword in row], axis=0) for row in chosen])


def _people(
    main: NDArray[np.int64], n_people: int, n_each: int, genre_at: NDArray[np.float64], rng: np.random.Generator
) -> tuple[list[list[str]], NDArray[np.float64], NDArray[np.float64]]:
    """Returns `n_each` people per movie. Each works mostly in one genre, and some work far more than others."""
    home = rng.integers(len(genre_at), size=n_people)
    place = 0.4 * genre_at[home] + rng.normal(size=(n_people, DIMENSIONS))
    skill = rng.normal(size=n_people)
    fame = np.log(rng.pareto(1.5, size=n_people) + 0.2)
    picked = np.empty((len(main), n_each), dtype=np.int64)
    for genre in np.unique(main):
        rows = np.flatnonzero(main == genre)
        weights = np.exp(fame + 2.5 * (home == genre))
        picked[rows] = rng.choice(n_people, size=(len(rows), n_each), p=weights / weights.sum())
    names = list(_names(n_people, rng))
    return [[names[person] for person in row] for row in picked], place[picked].mean(axis=1), skill[picked].mean(axis=1)


def _names(n: int, rng: np.random.Generator) -> Iterator[str]:
    """Yields distinct combinations of names. When all are used, adds an initial."""
    first_names, last_names = _WORDS["first_names"], _WORDS["last_names"]
    pairs = len(first_names) * len(last_names)
    initials = ("", *(f"{chr(letter)}. " for letter in range(ord("A"), ord("Z") + 1)))
    order = rng.permutation(pairs)
    for number in range(n):
        first, last = divmod(int(order[number % pairs]), len(last_names))
        initial = initials[number // pairs % len(initials)]
        yield f"{first_names[first]} {initial}{last_names[last]}"


def _release_days(n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    log_days = (LOG_END - LOG_START).days
    before = rng.permutation(n) < max(round(SHARE_RELEASED_BEFORE_LOG * n), 1)
    age = np.minimum(1 + rng.exponential(14 * 365, size=n), 87 * 365)
    return np.where(before, -age, rng.uniform(0, log_days, size=n)).astype(np.int64)


def _titles(n: int, rng: np.random.Generator) -> Iterator[str]:
    """Yields unique titles. A repeated title becomes a sequel."""
    pools = [_WORDS[kind] for kind in ("titles", "adjectives", "nouns", "nouns", "places")]
    used: dict[str, int] = {}
    for picks in zip(*(rng.integers(len(pool), size=n) for pool in pools), strict=True):
        pattern, a, noun, m, p = (pool[pick] for pool, pick in zip(pools, picks, strict=True))
        title = pattern.format(a=a, n=noun, m=m, p=p, article="An" if noun[0] in "AEIO" else "A")
        part = used[title] = used.get(title, -1) + 1
        yield title + (_SEQUELS[part] if part < len(_SEQUELS) else f" {part + 1}")


def _overviews(frame: pd.DataFrame, rng: np.random.Generator) -> Iterator[str]:
    heroes, places, deeds = pools = [_WORDS[kind] for kind in ("heroes", "places", "deeds")]
    picks = zip(*(rng.integers(len(pool), size=len(frame)) for pool in pools), strict=True)
    for (hero, place, deed), genres, keywords in zip(picks, frame["genres"], frame["keywords"], strict=True):
        opening = f"{heroes[hero].capitalize()} in {places[place]} {deeds[deed]}."
        yield f"{opening} {' and '.join(genres)}, with {', '.join(keywords[:-1])} and {keywords[-1]}."
