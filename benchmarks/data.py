"""Reads the public data sets from a folder: `ml-latest-small/`, `movietweetings/`, `tmdb_movies.jsonl.gz`."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MOVIELENS = "ml-latest-small"
MOVIETWEETINGS = "movietweetings"
TMDB = "tmdb_movies.jsonl.gz"
WITHOUT_PEOPLE, BILLED = 0.15, 5
TITLE_AND_YEAR = re.compile(r"^(?P<title>.*?)\s*\((?P<year>\d{4})\)\s*$")


def has_tmdb(folder: Path) -> bool:
    return (folder / TMDB).is_file()


def movielens_ratings(folder: Path) -> pd.DataFrame:
    """Returns user_id, movie_id, rating, rated_at in file order."""
    table = _read_csv(folder / MOVIELENS / "ratings.csv")
    return _ratings(table["userId"], table["movieId"], table["rating"], table["timestamp"])


def movielens_metadata(folder: Path) -> pd.DataFrame:
    """Returns MovieLens' title, year (as a date) and genres, with its users' tags as keywords."""
    movies = _read_csv(folder / MOVIELENS / "movies.csv")
    tags = _read_csv(folder / MOVIELENS / "tags.csv").dropna(subset=["tag"])
    keywords = tags.assign(tag=tags["tag"].str.lower()).groupby("movieId")["tag"].agg(lambda tag: sorted(set(tag)))
    frame = _titled(movies["movieId"], movies["title"], movies["genres"])
    frame["keywords"] = [found if isinstance(found, list) else [] for found in frame["movie_id"].map(keywords)]
    return frame


def tmdb_metadata(folder: Path) -> pd.DataFrame:
    """Returns TMDB's documents, joined by links.csv. Movies without one keep MovieLens' title, year and genres.

    Excludes votes and popularity, which new movies do not have.
    """
    own = movielens_metadata(folder).drop(columns="keywords")
    links = _read_csv(folder / MOVIELENS / "links.csv").dropna(subset=["tmdbId"])
    wanted = {int(tmdb): int(movie) for tmdb, movie in zip(links["tmdbId"], links["movieId"], strict=True)}
    documents = {wanted[found["id"]]: _document(found) for found in _tmdb_lines(folder) if found["id"] in wanted}
    rows = [{**row, **documents.get(row["movie_id"], {})} for row in own.to_dict("records")]
    return pd.DataFrame(rows)


def wikidata_metadata(folder: Path) -> pd.DataFrame:
    """Returns the facts that Wikidata has too: title, year, genres, language, countries, directors, five leading
    actors.

    Excludes keywords and plots. WITHOUT_PEOPLE of the movies have no people, like many films on Wikidata.
    """
    frame = tmdb_metadata(folder).drop(columns=["keywords", "overview"])
    nameless = np.random.default_rng(0).random(len(frame)) < WITHOUT_PEOPLE
    for column, most in (("directors", None), ("cast", BILLED)):
        listed = (names if isinstance(names, list) else [] for names in frame[column])
        frame[column] = [[] if none else names[:most] for names, none in zip(listed, nameless, strict=True)]
    years = frame["release_date"].dt.year
    frame["release_date"] = pd.to_datetime(pd.DataFrame({"year": years, "month": 1, "day": 1}), errors="coerce")
    return frame


# Functions that read each source of metadata, richest first.
METADATA: dict[str, Callable[[Path], pd.DataFrame]] = {
    "TMDB": tmdb_metadata,
    "Wikidata": wikidata_metadata,
    "MovieLens": movielens_metadata,
}


def movietweetings(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns ratings (0 to 10) in file order, and title, year and genres."""
    ratings = _read_dat(folder / MOVIETWEETINGS / "ratings.dat", ["user", "movie", "rating", "timestamp"])
    movies = _read_dat(folder / MOVIETWEETINGS / "movies.dat", ["movie", "title", "genres"])
    whole = ratings.astype({"user": "int64", "movie": "int64", "rating": "float64", "timestamp": "int64"})
    metadata = _titled(movies["movie"].astype("int64"), movies["title"], movies["genres"])
    return _ratings(whole["user"], whole["movie"], whole["rating"], whole["timestamp"]), metadata


def _ratings(users: Any, movies: Any, ratings: Any, seconds: Any) -> pd.DataFrame:
    rated_at = pd.to_datetime(seconds, unit="s", utc=True)
    return pd.DataFrame({"user_id": users, "movie_id": movies, "rating": ratings, "rated_at": rated_at})


def _titled(movie_ids: Any, titles: pd.Series, genres: pd.Series) -> pd.DataFrame:
    parts = titles.str.extract(TITLE_AND_YEAR)
    none = ("", "(no genres listed)")
    return pd.DataFrame(
        {
            "movie_id": movie_ids,
            "title": parts["title"].fillna(titles),
            "release_date": pd.to_datetime(parts["year"] + "-01-01", errors="coerce"),
            "genres": [[name for name in listed.split("|") if name not in none] for listed in genres.fillna("")],
        }
    )


def _document(found: dict[str, Any]) -> dict[str, Any]:
    credits = found.get("credits", {})
    return {
        "release_date": pd.to_datetime(found.get("release_date") or None, errors="coerce"),
        "genres": [genre["name"] for genre in found.get("genres", [])],
        "keywords": [keyword["name"] for keyword in found.get("keywords", {}).get("keywords", [])],
        "cast": [person["name"] for person in sorted(credits.get("cast", []), key=lambda person: person["order"])],
        "directors": [person["name"] for person in credits.get("crew", []) if person["job"] == "Director"],
        "overview": found.get("overview") or "",
        "language": found.get("original_language") or "",
        "countries": [country["iso_3166_1"] for country in found.get("production_countries", [])],
    }


def _tmdb_lines(folder: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(_existing(folder / TMDB), "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _read_csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(_existing(path))


def _read_dat(path: Path, columns: list[str]) -> pd.DataFrame:
    lines = _existing(path).read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([line.split("::") for line in lines], columns=columns)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise SystemExit(f"{path}: no such file; --data names the folder that holds the data sets")
    return path
