"""Exports the ORM's data to the estimators' data frames. No other module does this.

Omits metadata that the site may not train on (TMDB's, unless TMDB has agreed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import QuerySet

from catalog.models import Credit, Movie, MovieGenre, MovieKeyword, Rating, Source
from recommender.estimators.columns import MOVIE_COLUMNS, TEXT_COLUMNS
from recommender.estimators.lazy_pandas import pd
from recommender.estimators.movie_table import MovieTable

RATING_COLUMNS = ["user_id", "movie_id", "rating", "rated_at"]
IDS_PER_QUERY = 900  # below the parameter limit of every SQLite version

Links = dict[int, list[str]]
Values = tuple[list[int], list[Any], dict[str, list[Any]]]


def trainable_sources() -> list[str]:
    return [source for source in Source.values if source != Source.TMDB or settings.TMDB_METADATA_IN_TRAINING]


def rating_frames(*, user: str = "user_id", chunk_size: int = 200_000) -> Generator[pd.DataFrame, None, None]:
    """Yield user_id, movie_id, rating and rated_at (UTC), sorted by user and time, in chunks of `chunk_size` rows.

    `user` is the integer field that identifies the user of a rating. Skips ratings without a value in it.
    """
    named = Rating.objects.for_training().filter(**{f"{user}__isnull": False}).order_by(user, "rated_at", "movie_id")
    rows = named.values_list(user, *RATING_COLUMNS[1:]).iterator(chunk_size=min(chunk_size, 10_000))
    while chunk := list(islice(rows, chunk_size)):
        yield _rating_frame(chunk)


def rating_frame() -> pd.DataFrame:
    frames = list(rating_frames())
    return pd.concat(frames, ignore_index=True) if frames else _rating_frame([])


def _rating_frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    users, movies, ratings, times = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pd.DataFrame(
        {
            "user_id": np.array(users, dtype=np.int64),
            "movie_id": np.array(movies, dtype=np.int64),
            "rating": np.array(ratings, dtype=np.float64),
            "rated_at": pd.Series(pd.DatetimeIndex(times, tz="UTC")).astype("datetime64[us, UTC]"),
        }
    )


def movie_frames(*, chunk_size: int = 10_000) -> Generator[pd.DataFrame, None, None]:
    """Yield all movies in the columns of `movie_frame`, sorted by id, in chunks of at most `chunk_size`."""
    ids = Movie.objects.order_by("pk").values_list("pk", flat=True).iterator()
    while chunk := list(islice(ids, chunk_size)):
        yield movie_frame(movie_ids=chunk)


def training_sources() -> list[str]:
    """Return the sources of the ratings and of the trainable metadata."""
    movies = Movie.objects.order_by()
    found = set(Rating.objects.for_training().order_by().values_list("source", flat=True).distinct())
    metadata = set(movies.values_list("source", flat=True).distinct())
    for fields in movies.exclude(field_sources={}).values_list("field_sources", flat=True).distinct():
        metadata.update(fields.values())
    for link in (MovieGenre, MovieKeyword, Credit):
        metadata.update(link.objects.order_by().values_list("source", flat=True).distinct())
    return sorted(found | metadata.intersection(trainable_sources()))


def movie_frame(*, movie_ids: Iterable[int] | None = None) -> pd.DataFrame:
    """Return movie metadata in the estimators' columns, sorted by id, for all movies or the existing `movie_ids`.

    Fields and links from sources that the site may not train on are empty. A movie with only a year has the first day
    of that year as its release date.
    """
    chunks = _values_in_chunks(movie_ids)
    return pd.concat([_movie_frame(*chunk) for chunk in chunks or [_values([])]], ignore_index=True)


def movie_table(*, movie_ids: Iterable[int]) -> MovieTable:
    """Return the same as `movie_frame` without pandas, which processes that make lists do not import."""
    ids: list[int] = []
    dates: list[Any] = []
    others: dict[str, list[Any]] = defaultdict(list)
    for of_ids, of_dates, columns in _values_in_chunks(movie_ids):
        ids += of_ids
        dates += of_dates
        for name, values in columns.items():
            others[name] += values
    return MovieTable.of_values(ids, dates, others)


def _movie_frame(ids: list[int], dates: list[Any], others: dict[str, list[Any]]) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "movie_id": np.array(ids, dtype=np.int64),
        "release_date": np.array(dates, dtype="datetime64[us]"),
    }
    columns |= {name: pd.Series(values, dtype=object) for name, values in others.items()}
    return pd.DataFrame(columns, columns=list(MOVIE_COLUMNS))


def _values_in_chunks(movie_ids: Iterable[int] | None) -> list[Values]:
    wanted = sorted(set(Movie.objects.values_list("pk", flat=True) if movie_ids is None else movie_ids))
    return [_values(wanted[start : start + IDS_PER_QUERY]) for start in range(0, len(wanted), IDS_PER_QUERY)]


def _values(movie_ids: Sequence[int]) -> Values:
    """Return the ids, the release dates and the other columns."""
    sources = trainable_sources()
    movies = Movie.objects.filter(pk__in=movie_ids).order_by("pk")
    rows = [_trainable(row, sources) for row in movies.values(*_FIELDS, "id", "source", "field_sources").iterator()]
    ids = [row["id"] for row in rows]
    links = {
        "genres": _names(MovieGenre.objects.all(), "genre__name", movie_ids, sources),
        "keywords": _names(MovieKeyword.objects.all(), "keyword__name", movie_ids, sources),
        "cast": _names(Credit.objects.filter(role=Credit.Role.CAST), "person__name", movie_ids, sources),
        "directors": _names(Credit.objects.filter(role=Credit.Role.DIRECTOR), "person__name", movie_ids, sources),
    }
    others = {name: [row[name] for row in rows] for name in TEXT_COLUMNS}
    others |= {name: [of_movie.get(movie_id, []) for movie_id in ids] for name, of_movie in links.items()}
    others["countries"] = [row["countries"].split(",") if row["countries"] else [] for row in rows]
    return ids, [_released(row) for row in rows], others


_FIELDS = {"title": "", "release_date": None, "year": None, "overview": "", "language": "", "countries": ""}


def _trainable(row: dict[str, Any], sources: list[str]) -> dict[str, Any]:
    of_fields = row["field_sources"] or {}
    for name, missing in _FIELDS.items():
        if of_fields.get(name, row["source"]) not in sources:
            row[name] = missing
    return row


def _released(row: dict[str, Any]) -> Any:
    if row["release_date"] or not row["year"]:
        return row["release_date"]
    return np.datetime64(f"{row['year']:04d}-01-01")


def _names(links: QuerySet[Any], name: str, movie_ids: Sequence[int], sources: list[str]) -> Links:
    found: Links = defaultdict(list)
    place = "position" if links.model is Credit else name
    links = links.filter(source__in=sources, movie__in=movie_ids).order_by()
    # sorted in Python, because databases collate strings differently
    for movie_id, _, text in sorted(links.values_list("movie_id", place, name).iterator()):
        found[movie_id].append(text)
    return found
