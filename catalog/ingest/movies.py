"""Writes the movies of a data set with their genres, keywords and people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.ingest.fields import assign, supplied_by, values_from
from catalog.ingest.identity import IdIndex, having_any_id, ids_of
from catalog.ingest.links import links_by_name, write_links
from catalog.models import Movie, SearchTerm, Source

Key = int | tuple[str, int | None]


@dataclass(slots=True)
class MovieRecord:
    """A movie of a data set. Without a MovieLens id, title and year identify it."""

    title: str
    original_title: str = ""
    year: int | None = None
    release_date: date | None = None
    overview: str = ""
    language: str = ""
    movielens_id: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    genres: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        return self.movielens_id if self.movielens_id is not None else (self.title, self.year)

    @property
    def links(self) -> dict[str, tuple[str, ...]]:
        return {name: getattr(self, name) for name in ("genres", "keywords", "cast", "directors")}


@dataclass
class MovieCounts:
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


@dataclass
class MovieWriter:
    """Finds a movie by MovieLens id, else by IMDb or TMDB id; records without a MovieLens id by title and year.

    A new movie takes the whole record. An existing one keeps its values: `fields` says which gaps are filled, and
    missing links are added. If two records claim the same IMDb or TMDB id, the first keeps it. `keys` maps the keys
    of records to primary keys.
    """

    source: Source
    counts: MovieCounts = field(default_factory=MovieCounts)
    keys: dict[Key, int] = field(default_factory=dict)

    def write(self, records: Sequence[MovieRecord]) -> None:
        with transaction.atomic():
            known = _Known(self.source, records)
            fresh: list[Movie] = []
            filled: list[Movie] = []
            movies: list[Movie] = []
            for record in records:
                movie = known.find(record)
                values = known.without_taken_ids(record, movie)
                if movie is None:
                    movie = Movie(source=self.source, **values)
                    movie.set_search()
                    fresh.append(movie)
                elif assign(movie, values, self.source):
                    filled.append(movie)
                known.add(movie)
                movies.append(movie)
            Movie.objects.bulk_create(fresh)
            SearchTerm.objects.learn(movie.search_terms for movie in fresh)
            Movie.objects.bulk_update(filled, [*supplied_by(self.source), "field_sources"])
            self.keys |= {record.key: movie.pk for record, movie in zip(records, movies, strict=True)}
            pairs = zip(movies, links_by_name(self.source, [record.links for record in records]), strict=True)
            linked = write_links(self.source, pairs, fresh={movie.pk for movie in fresh})
            updated = {movie.pk for movie in filled} | linked
            Movie.objects.filter(pk__in=updated).update(updated_at=timezone.now())
        self.counts.inserted += len(fresh)
        self.counts.updated += len(updated)
        self.counts.unchanged += len(records) - len(fresh) - len(updated)


class _Known:
    """The movies that a batch may mean."""

    def __init__(self, source: Source, records: Sequence[MovieRecord]) -> None:
        self._source = source
        self._by_id: IdIndex[Movie] = IdIndex()
        self._by_title: dict[tuple[str, int | None], Movie] = {}
        titles = [record.title for record in records if record.movielens_id is None]
        wanted = having_any_id(ids_of(records)) | Q(source=source, title__in=titles)
        for movie in Movie.objects.filter(wanted).order_by("pk"):
            self.add(movie)

    def find(self, record: MovieRecord) -> Movie | None:
        if record.movielens_id is None:
            return self._by_title.get((record.title, record.year))
        return self._by_id.find(record, own="movielens_id")

    def without_taken_ids(self, record: MovieRecord, movie: Movie | None) -> dict[str, object]:
        values = values_from(record, self._source)
        taken = self._by_id.taken(values, movie)
        return {name: value for name, value in values.items() if name not in taken}

    def add(self, movie: Movie) -> None:
        self._by_id.add(movie)
        if movie.source == self._source:
            self._by_title.setdefault((movie.title, movie.year), movie)
