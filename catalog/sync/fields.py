"""A movie's own fields. What was entered by hand, or came from another source, is never overwritten."""

from datetime import date
from typing import Any

from django.utils import timezone

from catalog.models import Movie, Source
from catalog.providers.tmdb_documents import MovieDocument

EMPTY: dict[str, Any] = {
    "title": "",
    "original_title": "",
    "year": None,
    "release_date": None,
    "overview": "",
    "language": "",
    "runtime_minutes": None,
    "is_adult": False,
    "poster_path": "",
    "tmdb_id": None,
    "imdb_id": None,
}


def values_of(document: MovieDocument) -> dict[str, Any]:
    released: date | None = document.released_on
    return {
        "title": document.title,
        "original_title": document.original_title,
        "year": released.year if released else None,
        "release_date": released,
        "overview": document.overview,
        "language": document.original_language,
        "runtime_minutes": document.runtime,
        "is_adult": document.adult,
        "poster_path": document.poster_path or "",
        "tmdb_id": document.id,
        "imdb_id": document.any_imdb_id,
    }


def may_write(movie: Movie, name: str) -> bool:
    """TMDB's own fields, and those that nobody has filled in. One that an editor emptied is filled in."""
    if owner := movie.field_sources.get(name):
        return owner == Source.TMDB
    return movie.source == Source.TMDB or getattr(movie, name) == EMPTY[name]


def fill(movie: Movie, values: dict[str, Any]) -> dict[str, Any]:
    """Sets what may be set on `movie` and returns the columns that changed; they are not saved."""
    changed: dict[str, Any] = {}
    sources = dict(movie.field_sources)
    for name, value in values.items():
        if getattr(movie, name) == value or not may_write(movie, name):
            continue
        setattr(movie, name, value)
        changed[name] = value
        if movie.source != Source.TMDB:
            sources[name] = Source.TMDB.value
            if value == EMPTY[name]:
                del sources[name]
    if sources != movie.field_sources:
        movie.field_sources = changed["field_sources"] = sources
    return changed


def save_changes(movie: Movie, changed: dict[str, Any]) -> None:
    """Not `movie.save()`, which makes the year follow the release date whoever gave them."""
    Movie.objects.filter(pk=movie.pk).update(**changed, updated_at=timezone.now())
