"""Movies of a data set with their genres, keywords and people."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.ingest.links import write_links
from catalog.ingest.records import MovieRecord
from catalog.models import Movie, SearchTerm, Source

BATCH = 500
_IDS = ("movielens_id", "imdb_id", "tmdb_id")
_GAPS = (*_IDS, "year")  # what an import fills in on a movie that is there already, and nothing else

Key = int | tuple[str, int | None]


def record_key(record: MovieRecord) -> Key:
    return record.movielens_id if record.movielens_id is not None else (record.title, record.year)


@dataclass
class MovieCounts:
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass
class MovieWriter:
    """A movie is found by its MovieLens id, else by an IMDb or TMDB id, else (no ids) by source, title and year.

    One that is there keeps what it says; only empty ids and years are filled in, and genres, keywords and people
    added. What was filled in on a movie of another source is noted in its `field_sources`. Of two movies with the
    same IMDb or TMDB id the first keeps it. `keys` maps `record_key` to primary keys.
    """

    source: Source
    counts: MovieCounts = field(default_factory=MovieCounts)
    keys: dict[Key, int] = field(default_factory=dict)

    def write(self, records: Iterable[MovieRecord]) -> None:
        batch = list(records)
        with transaction.atomic():
            found = _Existing(self.source, batch)
            movies: list[Movie] = []
            fresh: list[Movie] = []
            gaps: list[Movie] = []
            for record in batch:
                movie = found.match(record)
                if movie is None:
                    movie = found.new(record)
                    fresh.append(movie)
                elif found.fill(movie, record):
                    gaps.append(movie)
                movies.append(movie)
            Movie.objects.bulk_create(fresh)
            SearchTerm.objects.learn(movie.search_terms for movie in fresh)
            Movie.objects.bulk_update(gaps, [*_GAPS, "field_sources"])
            self.keys |= {record_key(record): movie.pk for record, movie in zip(batch, movies, strict=True)}
            linked = write_links(self.source, list(zip(movies, batch, strict=True)), fresh={m.pk for m in fresh})
            updated = {movie.pk for movie in gaps} | linked
            Movie.objects.filter(pk__in=updated).update(updated_at=timezone.now())
        self.counts.inserted += len(fresh)
        self.counts.updated += len(updated)
        self.counts.unchanged += len(batch) - len(fresh) - len(updated)


class _Existing:
    """The movies a batch may mean, by each of their ids, kept in step as ids are given away."""

    def __init__(self, source: Source, batch: list[MovieRecord]) -> None:
        self._source = source
        self._by_id: dict[tuple[str, Any], Movie] = {}
        self._by_title: dict[tuple[str, int | None], Movie] = {}
        wanted = [Q(**{f"{name}__in": values}) for name in _IDS if (values := _values(batch, name))]
        if titles := [record.title for record in batch if record.movielens_id is None]:
            wanted.append(Q(source=source, title__in=titles))
        for movie in Movie.objects.filter(reduce(or_, wanted)).order_by("pk") if wanted else ():
            self._remember(movie)

    def match(self, record: MovieRecord) -> Movie | None:
        if record.movielens_id is None:
            return self._by_title.get((record.title, record.year))
        if movie := self._by_id.get(("movielens_id", record.movielens_id)):
            return movie
        same = (self._by_id.get((name, getattr(record, name))) for name in ("imdb_id", "tmdb_id"))
        return next((movie for movie in same if movie and movie.movielens_id is None), None)

    def new(self, record: MovieRecord) -> Movie:
        movie = Movie(
            title=record.title,
            original_title=record.original_title,
            year=record.release_date.year if record.release_date else record.year,
            release_date=record.release_date,
            overview=record.overview,
            language=record.language,
            source=self._source,
            **{name: getattr(record, name) for name in _IDS if self._is_free(record, name)},
        )
        movie.set_search()
        self._remember(movie)
        return movie

    def fill(self, movie: Movie, record: MovieRecord) -> bool:
        """True when something was missing."""
        names = [name for name in _GAPS if getattr(movie, name) is None and getattr(record, name) is not None]
        names = [name for name in names if name == "year" or self._is_free(record, name)]
        for name in names:
            setattr(movie, name, getattr(record, name))
            if movie.source != self._source:
                movie.field_sources = {**movie.field_sources, name: self._source.value}
        self._remember(movie)
        return bool(names)

    def _is_free(self, record: MovieRecord, name: str) -> bool:
        return (name, getattr(record, name)) not in self._by_id

    def _remember(self, movie: Movie) -> None:
        for name in _IDS:
            if (value := getattr(movie, name)) is not None:
                self._by_id[name, value] = movie
        if movie.source == self._source:
            self._by_title.setdefault((movie.title, movie.year), movie)


def _values(batch: list[MovieRecord], name: str) -> list[Any]:
    return [value for record in batch if (value := getattr(record, name)) is not None]
