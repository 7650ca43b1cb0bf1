"""Writes movies from any source: looks them up, decides on each, and saves them, all in batches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.ingest.fields import assign, supplied_by, values_from
from catalog.ingest.identity import IDS, IdIndex, having_any_id, ids_of
from catalog.ingest.links import Links, links_by_name, write_links
from catalog.ingest.report import Counts
from catalog.models import Movie, SearchTerm, Source

LISTS = ("genres", "keywords", "cast", "directors")
SEARCHED = {"title", "original_title"}


class MovieBatch:
    """A batch of movies within one transaction. Locks the movies that match `wanted`."""

    def __init__(self, source: Source, wanted: Q, *, ids: tuple[str, ...] = IDS) -> None:
        self.found = list(Movie.objects.select_for_update().filter(wanted).order_by("pk"))
        self.by_id = IdIndex(self.found, names=ids)
        self.new: list[Movie] = []
        self._source = source
        self._changed: dict[int, Movie] = {}

    def put(self, movie: Movie | None, values: Mapping[str, Any]) -> Movie:
        """Inserts a movie, or sets the values that the source may write. Nothing is stored until `save`."""
        if movie is None:
            movie = Movie(source=self._source, **values)
            movie.set_search()
            self.new.append(movie)
        elif changed := assign(movie, values, self._source):
            if SEARCHED & changed.keys():
                movie.set_search()
            if movie.pk is not None:
                self._changed[movie.pk] = movie
        self.by_id.add(movie)
        return movie

    def save(self, links: Iterable[tuple[Movie, Links]], *, replace: bool = False) -> set[int]:
        """Saves the movies, then their links (see `write_links`). Returns the existing movies that changed."""
        Movie.objects.bulk_create(self.new)
        columns = [*supplied_by(self._source), "search_title", "search_terms", "field_sources"]
        Movie.objects.bulk_update(self._changed.values(), columns)
        SearchTerm.objects.learn(movie.search_terms for movie in (*self.new, *self._changed.values()))
        linked = write_links(self._source, links, fresh={movie.pk for movie in self.new}, replace=replace)
        updated = linked | self._changed.keys()
        Movie.objects.filter(pk__in=updated).update(updated_at=timezone.now())
        return updated


@dataclass(slots=True)
class MovieRecord:
    """A movie in a data set. Without a MovieLens id, it is identified by title and year."""

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


def write_movies(source: Source, records: Sequence[MovieRecord], counts: Counts) -> list[Movie]:
    """Writes a batch of records and returns the movie of each.

    Movies are found by MovieLens, IMDb or TMDB id. Records without a MovieLens id are found by title and year. A new
    movie takes the full record. An existing one keeps its values: `fields` determines which empty fields are filled,
    and missing links are added. If two records have the same IMDb or TMDB id, the first keeps it.
    """
    titles = [record.title for record in records if record.movielens_id is None]
    with transaction.atomic():
        batch = MovieBatch(source, having_any_id(ids_of(records)) | Q(source=source, title__in=titles))
        by_title = {(movie.title, movie.year): movie for movie in reversed(batch.found) if movie.source == source}
        movies = []
        for record in records:
            if record.movielens_id is None:
                movie = by_title.get((record.title, record.year))
            else:
                movie = batch.by_id.find(record, own="movielens_id")
            values = values_from(record, source)
            taken = batch.by_id.taken(values, movie)
            movie = batch.put(movie, {name: value for name, value in values.items() if name not in taken})
            if movie.source == source:
                by_title.setdefault((movie.title, movie.year), movie)
            movies.append(movie)
        links = links_by_name(source, [{name: getattr(record, name) for name in LISTS} for record in records])
        updated = batch.save(zip(movies, links, strict=True))
    counts.add(len(batch.new), len(updated), len(records) - len(batch.new) - len(updated))
    return movies
